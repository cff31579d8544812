// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl ban: who is not let in
 */
#include <linux/kmqtt.h>
#include <string.h>

#include "ctl.h"

#define FIELD(_kind, _size, _attr, _name, _title)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_BAN_ ## _attr,			\
		.size = _size,					\
		.name = _name,					\
		.title = _title,				\
	}

static const char *const origins[] = {
	[KMQTT_BAN_ORIGIN_OPERATOR] = "operator",
	[KMQTT_BAN_ORIGIN_FLAPPING] = "flapping",
	NULL
};

static const struct field fields[] = {
	FIELD(NETWORK, 0, ADDR4, "address", "ADDRESS"),
	FIELD(STRING, 0, CLIENT_ID, "client-id", "CLIENT-ID"),
	FIELD(STRING, 0, USER, "user", "USER"),
	FIELD(SECONDS, 4, EXPIRES_IN, "expires-in", "EXPIRES-IN"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_BAN_ORIGIN, .size = 4,
	  .name = "origin", .title = "BY", .names = origins },
	FIELD(STRING, 0, REASON, "reason", "REASON"),
	FIELD(SECONDS, 4, EXPIRY, "expiry", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code ban_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_BAN_GET);
	return ctl_get_table(ctl);
}

/* Whom it is about. */
static enum exit_code put_who(struct ctl *ctl)
{
	const char *kind = ctl_next_arg(ctl);

	if (!kind)
		return ctl_usage(ctl, "whom: address, client or user?");
	if (!strcmp(kind, "address") || !strcmp(kind, "user"))
		return ctl_put(ctl, kind);
	if (!strcmp(kind, "client") || !strcmp(kind, "client-id"))
		return ctl_put(ctl, "client-id");
	return ctl_not(ctl, kind, "address, client or user");
}

static enum exit_code ban_add(struct ctl *ctl)
{
	bool expiry = false, reason = false;

	nl_begin(&ctl->nl, KMQTT_CMD_BAN_ADD);
	if (put_who(ctl))
		return EXIT_USAGE;
	while (*ctl->args) {
		if (!expiry && ctl_next_is(ctl, "expiry")) {
			expiry = true;
			if (ctl_put(ctl, "expiry"))
				return EXIT_USAGE;
		} else if (!reason && ctl_next_is(ctl, "reason")) {
			reason = true;
			if (ctl_put(ctl, "reason"))
				return EXIT_USAGE;
		} else {
			return ctl_end_args(ctl);
		}
	}
	return ctl_act(ctl);
}

static enum exit_code ban_del(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_BAN_DEL);
	if (put_who(ctl))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", ban_get },
	{ "list", ban_get },
	{ "add", ban_add },
	{ "del", ban_del },
	{ NULL, NULL }
};

const struct noun ban_noun = {
	.name = "ban",
	.summary = "who is not let in",
	.usage =
"Usage: kmqttctl ban [get | list]\n"
"       kmqttctl ban add WHO [expiry SECONDS] [reason TEXT]\n"
"       kmqttctl ban del WHO\n\n"
"WHO is one of\n"
"  address ADDRESS[/BITS]  an address or network, as 192.0.2.7 or 2001:db8::/32\n"
"  client ID               a client identifier\n"
"  user NAME               a user\n\n"
"Whoever is connected is disconnected. A ban of the same takes the place of the\n"
"one that there is. Without expiry, or with 0, it is for good. The reason is for\n"
"operators to read. Bans are no part of the configuration: load leaves them\n"
"alone and save leaves them out.\n",
	.fields = fields,
	.verbs = verbs,
};
