/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_REASON_H
#define _KMQTTCTL_REASON_H

#include <stdbool.h>
#include <stdint.h>

const char *reason_name(uint32_t reason);
bool reason_read(const char *name, uint32_t *reason);

#endif /* _KMQTTCTL_REASON_H */
