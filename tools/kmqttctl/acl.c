// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl acl: access rules
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _attr, _name, _title)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_ACL_ ## _attr,			\
		.name = _name,					\
		.title = _title,				\
	}

#define CHOICE(_attr, _name, _title, _names)			\
	{							\
		.kind = FIELD_CHOICE,				\
		.attr = KMQTT_A_ACL_ ## _attr,			\
		.name = _name,					\
		.title = _title,				\
		.names = _names,				\
	}

static const char *const kinds[] = {
	[KMQTT_ACL_KIND_ANONYMOUS] = "anonymous",
	[KMQTT_ACL_KIND_USER] = "user",
	[KMQTT_ACL_KIND_PATTERN] = "pattern",
	NULL
};

static const char *const rights[] = {
	[KMQTT_ACL_ACCESS_DENY] = "deny",
	[KMQTT_ACL_ACCESS_READ] = "read",
	[KMQTT_ACL_ACCESS_WRITE] = "write",
	[KMQTT_ACL_ACCESS_READWRITE] = "readwrite",
	NULL
};

static const struct field fields[] = {
	FIELD(NUMBER, REALM, "realm", "REALM"),
	CHOICE(KIND, "kind", "KIND", kinds),
	FIELD(STRING, USER, "user", "USER"),
	CHOICE(ACCESS, "access", "ACCESS", rights),
	FIELD(STRING, TOPIC, "topic", "TOPIC"),
	{ .kind = FIELD_END }
};

static enum exit_code acl_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_ACL_GET);
	return ctl_get_table(ctl);
}

static const struct verb verbs[] = {
	{ "get", acl_get },
	{ NULL, NULL }
};

const struct noun acl_noun = {
	.name = "acl",
	.summary = "access rules",
	.usage =
"Usage: kmqttctl acl [get]\n\n"
"kmqttctl(8) tells what rules mean.\n",
	.fields = fields,
	.verbs = verbs,
};
