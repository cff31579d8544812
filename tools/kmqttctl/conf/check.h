/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_CHECK_H
#define _KMQTTCTL_CONF_CHECK_H

#include "read.h"

void check_agent(struct reader *reader, const struct spec *spec);

#endif /* _KMQTTCTL_CONF_CHECK_H */
