/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_SHOW_H
#define _KMQTTCTL_CONF_SHOW_H

#include <jansson.h>

#include "conf.h"

json_t *show_conf(const struct conf *conf);
json_t *show_options(void);

#endif /* _KMQTTCTL_CONF_SHOW_H */
