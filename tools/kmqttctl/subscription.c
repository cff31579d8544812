// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl subscription: who wants what
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _attr, _name, _title)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_SUBSCRIPTION_ ## _attr,		\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(STRING, CLIENT_ID, "client-id", "CLIENT-ID"),
	FIELD(NUMBER, QOS, "qos", "QOS"),
	FIELD(STRING, GROUP, "group", "GROUP"),
	FIELD(NUMBER, IDENTIFIER, "identifier", NULL),
	FIELD(SWITCH, NO_LOCAL, "no-local", NULL),
	FIELD(SWITCH, RETAIN_AS_PUBLISHED, "retain-as-published", NULL),
	FIELD(STRING, FILTER, "filter", "FILTER"),
	FIELD(FLAG, TRUNCATED, "truncated", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code subscription_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_SUBSCRIPTION_GET);
	if (*ctl->args) {
		ctl_next_is(ctl, "client-id");
		if (ctl_put(ctl, "client-id"))
			return EXIT_USAGE;
	}
	return ctl_get_table(ctl);
}

static const struct verb verbs[] = {
	{ "get", subscription_get },
	{ NULL, NULL }
};

const struct noun subscription_noun = {
	.name = "subscription",
	.summary = "topic filters of sessions",
	.usage =
"Usage: kmqttctl subscription [get [[client-id] ID]]\n",
	.fields = fields,
	.verbs = verbs,
};
