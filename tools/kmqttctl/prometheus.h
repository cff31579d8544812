/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_PROMETHEUS_H
#define _KMQTTCTL_PROMETHEUS_H

#include "ctl.h"

enum exit_code prometheus_get(struct ctl *ctl);

#endif /* _KMQTTCTL_PROMETHEUS_H */
