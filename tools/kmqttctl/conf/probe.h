/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_PROBE_H
#define _KMQTTCTL_CONF_PROBE_H

#include "conf.h"

const struct conf_listener *probe_blame(const struct conf *conf,
					const struct conf *present);

#endif /* _KMQTTCTL_CONF_PROBE_H */
