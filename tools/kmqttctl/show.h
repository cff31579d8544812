/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_SHOW_H
#define _KMQTTCTL_SHOW_H

#include "ctl.h"

/* Types of packets by their numbers. */
extern const char *const packet_types[];

enum exit_code show_client(struct ctl *ctl);

#endif /* _KMQTTCTL_SHOW_H */
