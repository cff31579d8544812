/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_GATHER_H
#define _KMQTTCTL_CONF_GATHER_H

#include "conf.h"

enum exit_code gather_listeners(struct nl *nl, struct conf *conf);
enum exit_code gather_conf(struct nl *nl, struct conf *conf);

#endif /* _KMQTTCTL_CONF_GATHER_H */
