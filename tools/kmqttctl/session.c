// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl session: what the broker keeps of clients
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _attr, _name, _title)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_SESSION_ ## _attr,		\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(STRING, CLIENT_ID, "client-id", "CLIENT-ID"),
	FIELD(SWITCH, CONNECTED, "connected", "CONNECTED"),
	FIELD(SWITCH, CLEAN, "clean", "CLEAN"),
	FIELD(SECONDS, DISCONNECTED, "disconnected", "DISCONNECTED"),
	FIELD(NUMBER, SUBSCRIPTIONS, "subscriptions", "SUBSCRIPTIONS"),
	FIELD(NUMBER, QUEUED_MESSAGES, "queued-messages", "QUEUED"),
	FIELD(BYTES, QUEUED_BYTES, "queued-bytes", "BYTES"),
	FIELD(NUMBER, INFLIGHT, "inflight", "INFLIGHT"),
	FIELD(NUMBER, UNRELEASED, "unreleased", "UNRELEASED"),
	FIELD(NUMBER, DROPPED, "dropped", "DROPPED"),
	FIELD(SECONDS, EXPIRY, "expiry", NULL),
	FIELD(SECONDS, EXPIRES_IN, "expires-in", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code session_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_SESSION_GET);
	if (!*ctl->args)
		return ctl_get_table(ctl);
	ctl_next_is(ctl, "client-id");
	if (ctl_put(ctl, "client-id"))
		return EXIT_USAGE;
	return ctl_get_object(ctl);
}

static enum exit_code session_del(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_SESSION_DEL);
	ctl_next_is(ctl, "client-id");
	if (ctl_put(ctl, "client-id"))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", session_get },
	{ "del", session_del },
	{ NULL, NULL }
};

const struct noun session_noun = {
	.name = "session",
	.summary = "what the broker keeps of clients",
	.usage =
"Usage: kmqttctl session [get [[client-id] ID]]\n"
"       kmqttctl session del [client-id] ID\n\n"
"del disconnects the client, too, and forgets its subscriptions and queue.\n",
	.fields = fields,
	.verbs = verbs,
};
