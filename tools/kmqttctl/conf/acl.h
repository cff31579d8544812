/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_ACL_H
#define _KMQTTCTL_CONF_ACL_H

#include <stdio.h>

#include "conf.h"

void acl_read(struct conf_realm *realm, struct report *report,
	      const char *file, char *text, size_t len);
const char *acl_unwritable(const struct conf_rule *rule);
void acl_write(FILE *to, const struct conf_realm *realm);

#endif /* _KMQTTCTL_CONF_ACL_H */
