/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_LISTEN_H
#define _KMQTTCTL_CONF_LISTEN_H

#include "read.h"

void listen_finish(struct reader *reader);

#endif /* _KMQTTCTL_CONF_LISTEN_H */
