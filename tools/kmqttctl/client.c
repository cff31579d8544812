// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl client: connections
 */
#include <linux/kmqtt.h>

#include "ctl.h"
#include "endpoint.h"
#include "show.h"

#define FIELD(_kind, _attr, _name, _title)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_CLIENT_ ## _attr,		\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(STRING, CLIENT_ID, "client-id", "CLIENT-ID"),
	FIELD(NUMBER, CONNECTION, "connection", NULL),
	FIELD(NUMBER, LISTENER, "listener", NULL),
	FIELD(ADDRESS, ADDR4, "address", "ADDRESS"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_CLIENT_TRANSPORT,
	  .name = "transport", .title = "TRANSPORT",
	  .names = endpoint_transports },
	FIELD(TLS, TLS_VERSION, "tls-version", "TLS"),
	FIELD(STRING, CIPHER, "cipher", NULL),
	FIELD(STRING, SUBJECT, "subject", NULL),
	FIELD(FLAG, WEBSOCKET, "websocket", "WEBSOCKET"),
	FIELD(LEVEL, LEVEL, "level", "MQTT"),
	FIELD(STRING, USER, "user", "USER"),
	FIELD(SWITCH, CLEAN, "clean", NULL),
	FIELD(SECONDS, KEEPALIVE, "keepalive", "KEEPALIVE"),
	FIELD(SECONDS, CONNECTED, "connected", "CONNECTED"),
	FIELD(SECONDS, IDLE, "idle", "IDLE"),
	FIELD(NUMBER, MESSAGES_RECEIVED, "messages-received", "RECEIVED"),
	FIELD(NUMBER, MESSAGES_SENT, "messages-sent", "SENT"),
	FIELD(BYTES, BYTES_RECEIVED, "bytes-received", NULL),
	FIELD(BYTES, BYTES_SENT, "bytes-sent", NULL),
	FIELD(FLAG, PACED, "paced", NULL),
	FIELD(NUMBER, QUEUED_MESSAGES, "queued-messages", "QUEUED"),
	FIELD(BYTES, QUEUED_BYTES, "queued-bytes", NULL),
	FIELD(NUMBER, INFLIGHT, "inflight", "INFLIGHT"),
	FIELD(BYTES, SEND_QUEUE, "send-queue", "SEND-Q"),
	FIELD(NUMBER, DROPPED, "dropped", "DROPPED"),
	FIELD(FLAG, TRUNCATED, "truncated", NULL),
	{ .kind = FIELD_REASON, .attr = KMQTT_A_CLIENT_REASON, .size = 4,
	  .name = "reason" },
	FIELD(STRING, SERVER_REFERENCE, "server-reference", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code client_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_CLIENT_GET);
	if (!*ctl->args)
		return ctl_get_table(ctl);
	ctl_next_is(ctl, "client-id");
	if (ctl_put(ctl, "client-id"))
		return EXIT_USAGE;
	return ctl_get_object(ctl);
}

/* Begin a request with the client that the arguments name. */
static enum exit_code name_client(struct ctl *ctl)
{
	bool by_id = true;

	nl_begin(&ctl->nl, KMQTT_CMD_CLIENT_KICK);
	if (ctl_next_is(ctl, "connection")) {
		if (ctl_put(ctl, "connection"))
			return EXIT_USAGE;
		by_id = ctl_next_is(ctl, "client-id");
	} else {
		ctl_next_is(ctl, "client-id");
	}
	if (by_id && ctl_put(ctl, "client-id"))
		return EXIT_USAGE;
	return EXIT_DONE;
}

static enum exit_code client_kick(struct ctl *ctl)
{
	if (name_client(ctl))
		return EXIT_USAGE;
	if (ctl_next_is(ctl, "reason") && ctl_put(ctl, "reason"))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

/* A kick for the one reason that comes with a place to go to. */
static enum exit_code client_move(struct ctl *ctl)
{
	uint32_t reason = KMQTT_REASON_USE_ANOTHER_SERVER;

	if (name_client(ctl))
		return EXIT_USAGE;
	if (ctl_next_is(ctl, "permanent"))
		reason = KMQTT_REASON_SERVER_MOVED;
	if (*ctl->args) {
		ctl_next_is(ctl, "to");
		if (ctl_put(ctl, "server-reference"))
			return EXIT_USAGE;
	}
	nl_put_uint(&ctl->nl, KMQTT_A_CLIENT_REASON, reason, sizeof(reason));
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", client_get },
	{ "show", show_client },
	{ "kick", client_kick },
	{ "move", client_move },
	{ NULL, NULL }
};

const struct noun client_noun = {
	.name = "client",
	.summary = "connections of clients",
	.usage =
"Usage: kmqttctl client [get [[client-id] ID]]\n"
"       kmqttctl client show [client-id] ID\n"
"       kmqttctl client kick [client-id] ID [reason REASON]\n"
"       kmqttctl client kick connection NUMBER [client-id ID] [reason REASON]\n"
"       kmqttctl client move CLIENT [permanent] [[to] SERVER]\n\n"
"CLIENT is as for kick. Clients of MQTT 5 that are moved are told the SERVER,\n"
"or else the setting server-reference, before their connection ends.\n"
"The numbers of connections are shown for a single client, by -j and by\n"
"monitor.\n",
	.fields = fields,
	.verbs = verbs,
};
