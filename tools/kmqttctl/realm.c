// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl realm: users and access rules that belong together
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _attr, _name, _title)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_REALM_ ## _attr,		\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(NUMBER, NUMBER, "number", "REALM"),
	FIELD(SWITCH, AUTHENTICATE, "authenticate", "AUTHENTICATE"),
	FIELD(SWITCH, RESTRICT, "restrict", "RESTRICT"),
	FIELD(NUMBER, USERS, "users", "USERS"),
	FIELD(NUMBER, RULES, "rules", "RULES"),
	{ .kind = FIELD_END }
};

static enum exit_code realm_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_REALM_GET);
	return ctl_get_table(ctl);
}

static const struct verb verbs[] = {
	{ "get", realm_get },
	{ NULL, NULL }
};

const struct noun realm_noun = {
	.name = "realm",
	.summary = "realms of users and access rules",
	.usage =
"Usage: kmqttctl realm [get]\n\n"
"Listeners have the default realm, number 0, or one of their own.\n",
	.fields = fields,
	.verbs = verbs,
};
