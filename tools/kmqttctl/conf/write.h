/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_WRITE_H
#define _KMQTTCTL_CONF_WRITE_H

#include <stdio.h>

#include "conf.h"

/* The files that a realm has behind the name of the main one. */
struct write_names {
	char *password_file;	/* or NULL if it needs none */
	char *acl_file;
};

struct write_names write_names(const struct conf *conf,
			       const struct conf_realm *realm,
			       const char *path);
bool write_is_per_listener(const struct conf *conf);
const char *write_unwritable_text(const char *text);
const char *write_unwritable(const struct conf_setting *setting);
bool write_conf(FILE *to, const struct conf *conf, const char *path);

#endif /* _KMQTTCTL_CONF_WRITE_H */
