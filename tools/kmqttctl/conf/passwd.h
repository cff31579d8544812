/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_PASSWD_H
#define _KMQTTCTL_CONF_PASSWD_H

#include <stdio.h>

#include "conf.h"

void passwd_read(struct conf_realm *realm, struct report *report,
		 const char *file, char *text, size_t len);
const char *passwd_unwritable(const char *name);
void passwd_write(FILE *to, const struct conf_user *user);

#endif /* _KMQTTCTL_CONF_PASSWD_H */
