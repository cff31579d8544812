// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl listener: where the broker takes connections
 */
#include <linux/kmqtt.h>
#include <string.h>

#include "ctl.h"

#define FIELD(_kind, _size, _attr, _name, _title)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_LISTENER_ ## _attr,		\
		.size = _size,					\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(NUMBER, 4, ID, "id", "ID"),
	FIELD(ADDRESS, 0, ADDR4, "address", "ADDRESS"),
	FIELD(NUMBER, 4, CONNECTIONS, "connections", "CONNECTIONS"),
	FIELD(NUMBER, 0, CONNECTIONS_TOTAL, "connections-total", "TOTAL"),
	FIELD(NUMBER, 4, REALM, "realm", "REALM"),
	FIELD(SWITCH, 1, ANONYMOUS, "anonymous", "ANONYMOUS"),
	FIELD(NUMBER, 4, MAX_CONNECTIONS, "max-connections", NULL),
	FIELD(NUMBER, 1, MAX_QOS, "max-qos", NULL),
	FIELD(NUMBER, 2, TOPIC_ALIAS_MAX, "topic-alias-max", NULL),
	FIELD(SWITCH, 1, USERNAME_AS_CLIENT_ID, "username-as-client-id", NULL),
	FIELD(NUMBER, 4, CONNECT_RATE, "connect-rate", NULL),
	FIELD(NUMBER, 4, MESSAGE_RATE, "message-rate", NULL),
	FIELD(BYTES, 4, BYTE_RATE, "byte-rate", NULL),
	FIELD(NUMBER, 4, CLIENT_MESSAGE_RATE, "client-message-rate", NULL),
	FIELD(BYTES, 4, CLIENT_BYTE_RATE, "client-byte-rate", NULL),
	FIELD(SWITCH, 1, ASSIGN_CLIENT_ID, "assign-client-id", NULL),
	FIELD(STRING, 0, CLIENT_ID_PREFIX, "client-id-prefix", NULL),
	FIELD(FLAG, 0, KICK, "kick", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code listener_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_GET);
	return ctl_get_table(ctl);
}

static bool is_term(const char *name)
{
	static const char *const terms[] = {
		"anonymous", "max-connections", "max-qos", "topic-alias-max",
		"username-as-client-id", "connect-rate", "message-rate",
		"byte-rate", "client-message-rate", "client-byte-rate",
		"assign-client-id", "client-id-prefix",
	};
	size_t i;

	for (i = 0; i < sizeof(terms) / sizeof(*terms); i++)
		if (!strcmp(terms[i], name))
			return true;
	return false;
}

static enum exit_code listener_add(struct ctl *ctl)
{
	const char *name;

	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_ADD);
	ctl_next_is(ctl, "address");
	if (ctl_put(ctl, "address"))
		return EXIT_USAGE;
	while ((name = ctl_next_arg(ctl))) {
		if (!is_term(name))
			return ctl_not(ctl, name, "a setting of a listener");
		if (ctl_put(ctl, name))
			return EXIT_USAGE;
	}
	return ctl_act_line(ctl);
}

static enum exit_code listener_del(struct ctl *ctl)
{
	const char *by = "address";

	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_DEL);
	if (ctl_next_is(ctl, "id"))
		by = "id";
	else
		ctl_next_is(ctl, "address");
	if (ctl_put(ctl, by))
		return EXIT_USAGE;
	if (ctl_next_is(ctl, "kick") && ctl_put(ctl, "kick"))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", listener_get },
	{ "add", listener_add },
	{ "del", listener_del },
	{ NULL, NULL }
};

const struct noun listener_noun = {
	.name = "listener",
	.summary = "addresses and ports to connect to",
	.usage =
"Usage: kmqttctl listener [get]\n"
"       kmqttctl listener add [address] ADDRESS [SETTING VALUE ...]\n"
"       kmqttctl listener del {[address] ADDRESS | id NUMBER} [kick]\n\n"
"ADDRESS is one of\n"
"  127.0.0.1:1883           an IPv4 address; 0.0.0.0 for all\n"
"  [::1]:1883               an IPv6 address; [::] for all\n"
"  [fe80::1%eth0]:1883      a link-local one\n"
"  *:1883                   all addresses, of IPv6 and IPv4\n"
"Port 0 means any free port. Settings:\n"
"  anonymous on|off               let clients in whose identity nobody checks;\n"
"                                 on for addresses of this machine only\n"
"  max-connections NUMBER         at a time\n"
"  max-qos 0|1|2                  of messages and subscriptions\n"
"  topic-alias-max NUMBER         that a client may use\n"
"  username-as-client-id on|off   call clients by their user names\n"
"  connect-rate NUMBER            connections accepted a second, 0 for any;\n"
"                                 so for the others\n"
"  message-rate NUMBER            messages received a second in all\n"
"  byte-rate BYTES                bytes received a second in all\n"
"  client-message-rate NUMBER     messages a second from each client\n"
"  client-byte-rate BYTES         bytes a second from each client\n"
"  assign-client-id on|off        let clients come without an identifier\n"
"  client-id-prefix TEXT          what the ones begin with that they get then\n"
"With kick, connections of the listener end, too.\n",
	.fields = fields,
	.verbs = verbs,
};
