// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl listener: where the broker takes connections
 */
#include <linux/kmqtt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/agent.h"
#include "conf/gather.h"
#include "conf/outside.h"
#include "ctl.h"
#include "socket_file.h"
#include "text.h"

#define FIELD(_kind, _size, _attr, _name, _title)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_LISTENER_ ## _attr,		\
		.size = _size,					\
		.name = _name,					\
		.title = _title,				\
	}

static const struct field fields[] = {
	FIELD(NUMBER, 4, ID, "id", NULL),
	FIELD(ADDRESS, 0, ADDR4, "address", NULL),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_LISTENER_TRANSPORT, .size = 1,
	  .name = "transport", .names = endpoint_transports },
	FIELD(STRING, 0, PATH, "path", NULL),
	FIELD(NUMBER, 4, CID, "cid", NULL),
	FIELD(NUMBER, 4, VSOCK_PORT, "vsock-port", NULL),
	FIELD(NUMBER, 4, CONNECTIONS, "connections", NULL),
	FIELD(NUMBER, 0, CONNECTIONS_TOTAL, "connections-total", NULL),
	FIELD(NUMBER, 4, REALM, "realm", NULL),
	FIELD(SWITCH, 1, ANONYMOUS, "anonymous", NULL),
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
	FIELD(NUMBER, 2, TOPIC_ALIAS_MAX_OUT, "topic-alias-max-out", NULL),
	FIELD(VERSIONS, 1, PROTOCOL_VERSIONS, "protocol-versions", NULL),
	FIELD(STRING, 0, AGENT, "agent", NULL),
	FIELD(FLAG, 0, KICK, "kick", NULL),
	{ .kind = FIELD_END }
};

/* As tables have it: where it is, what happens before MQTT, rates, in few words. */
static const struct field columns[] = {
	FIELD(NUMBER, 4, ID, "id", "ID"),
	{ .kind = FIELD_STRING, .name = "place", .title = "ADDRESS" },
	FIELD(NUMBER, 4, CONNECTIONS, "connections", "CONNECTIONS"),
	FIELD(NUMBER, 0, CONNECTIONS_TOTAL, "connections-total", "TOTAL"),
	FIELD(NUMBER, 4, REALM, "realm", "REALM"),
	FIELD(SWITCH, 1, ANONYMOUS, "anonymous", "ANONYMOUS"),
	{ .kind = FIELD_STRING, .name = "transport", .title = "TRANSPORT" },
	{ .kind = FIELD_STRING, .name = "handshakes", .title = "AGENT" },
	{ .kind = FIELD_STRING, .name = "rates", .title = "RATES" },
	{ .kind = FIELD_END }
};

/* The path, CID:PORT, or the address with its port. */
static char *place_of(json_t *row)
{
	const char *path = json_string_value(json_object_get(row, "path"));
	json_t *port = json_object_get(row, "vsock_port");
	json_t *cid = json_object_get(row, "cid");
	char host[TEXT_NUMBER_MAX] = "*", *text;

	if (path)
		return conf_strdup(path);
	if (!port)
		return field_text(field_by_name(fields, "address"), row, false);
	if (cid)
		snprintf(host, sizeof(host), "%jd",
			 (intmax_t)json_integer_value(cid));
	if (asprintf(&text, "%s:%jd", host,
		     (intmax_t)json_integer_value(port)) < 0)
		conf_check(NULL);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	for (; text; text = strchr(text, '\n')) {
		text += strspn(text, "\n");
		if (!strncmp(text, line, strlen(line)))
			return true;
	}
	return false;
}

/* Takes @value over, which may be NULL. */
static void set_text(json_t *row, const char *name, char *value)
{
	if (value)
		json_object_set_new(row, name, json_string(value));
	free(value);
}

/* Those that are limited, such as "connect 5, client-byte 2K"; or NULL. */
static char *rates_of(json_t *row)
{
	static const char *const names[] = {
		"connect-rate", "message-rate", "byte-rate",
		"client-message-rate", "client-byte-rate",
	};
	char *text = NULL, *longer, *value;
	const struct field *field;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		field = field_by_name(fields, names[i]);
		value = field_text(field, row, false);
		if (value && strcmp(value, "0")) {
			if (asprintf(&longer, "%s%s%.*s %s", text ?: "",
				     text ? ", " : "",
				     (int)(strlen(names[i]) - strlen("-rate")),
				     names[i], value) < 0)
				conf_check(NULL);
			free(text);
			text = longer;
		}
		free(value);
	}
	return text;
}

static void describe(json_t *row)
{
	static const char *const kinds[][2] = {
		{ "enable_proxy_protocol ", "proxy" },
		{ "certfile ", "tls" },
		{ "psk_file ", "tls-psk" },
		{ "protocol websockets", "websockets" },
	};
	const char *agent = json_string_value(json_object_get(row, "agent"));
	char text[64] = "";
	size_t i;

	set_text(row, "place", place_of(row));
	set_text(row, "rates", rates_of(row));
	if (!agent)
		return;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!has_line(agent, kinds[i][0]))
			continue;
		if (*text)
			strcat(text, ",");
		strcat(text, kinds[i][1]);
	}
	set_text(row, "handshakes", conf_strdup(*text ? text : "other"));
}

static enum exit_code listener_get(struct ctl *ctl)
{
	enum exit_code ret;
	json_t *rows, *row;
	size_t i;

	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_GET);
	if (ctl->style.json)
		return ctl_get_table(ctl);
	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	ret = ctl_get_rows(ctl, fields, true, &rows);
	json_array_foreach(rows, i, row)
		describe(row);
	if (ret == EXIT_DONE || ret == EXIT_PARTIAL)
		print_table(&ctl->style, columns, rows);
	fflush(stdout);
	json_decref(rows);
	return ctl_report(ctl, ret);
}

static bool is_term(const char *name)
{
	static const char *const terms[] = {
		"anonymous", "max-connections", "max-qos", "topic-alias-max",
		"username-as-client-id", "connect-rate", "message-rate",
		"byte-rate", "client-message-rate", "client-byte-rate",
		"assign-client-id", "client-id-prefix", "topic-alias-max-out",
		"protocol-versions",
	};
	size_t i;

	for (i = 0; i < sizeof(terms) / sizeof(*terms); i++)
		if (!strcmp(terms[i], name))
			return true;
	return false;
}

static enum exit_code read_path(struct ctl *ctl, struct endpoint *endpoint)
{
	const char *arg = ctl_next_arg(ctl), *why = NULL;
	char *whole;

	if (!arg)
		return ctl_usage(ctl, "unix needs a path");
	whole = outside_whole(arg, &why);
	if (!whole || !*arg || strlen(whole) > KMQTT_PATH_MAX) {
		free(whole);
		return ctl_not(ctl, arg, why ?: "a path of 1 to 107 bytes");
	}
	memcpy(endpoint->path, whole, strlen(whole) + 1);
	free(whole);
	return EXIT_DONE;
}

static enum exit_code read_number(struct ctl *ctl, const char *missing,
				  uint32_t *number)
{
	const char *arg = ctl_next_arg(ctl);
	uint64_t value;

	if (arg && text_to_number(arg, UINT32_MAX - 1, &value)) {
		*number = value;
		return EXIT_DONE;
	}
	return arg ? ctl_not(ctl, arg, "a number that fits") :
		     ctl_usage(ctl, missing);
}

/* What the arguments tell of where a listener is. */
static enum exit_code read_endpoint(struct ctl *ctl, struct endpoint *endpoint)
{
	const struct field *field = field_by_name(fields, "address");
	const char *arg;

	*endpoint = (struct endpoint){ .cid = ENDPOINT_CID_ANY };
	if (ctl_next_is(ctl, "unix")) {
		endpoint->transport = KMQTT_TRANSPORT_UNIX;
		return read_path(ctl, endpoint);
	}
	if (ctl_next_is(ctl, "vsock")) {
		endpoint->transport = KMQTT_TRANSPORT_VSOCK;
		if (read_number(ctl, "vsock needs a port", &endpoint->port))
			return EXIT_USAGE;
		return ctl_next_is(ctl, "cid") ?
		       read_number(ctl, "cid needs a value", &endpoint->cid) :
		       EXIT_DONE;
	}
	if (ctl_next_is(ctl, "mptcp"))
		endpoint->transport = KMQTT_TRANSPORT_MPTCP;
	ctl_next_is(ctl, "address");
	arg = ctl_next_arg(ctl);
	if (!arg)
		return ctl_usage(ctl, "address needs a value");
	return address_read(arg, &endpoint->address) ? EXIT_DONE :
	       ctl_not(ctl, arg, field_wants(field));
}

/* What an agent has to know is in a file: it is too much for an argument. */
static enum exit_code put_agent(struct ctl *ctl)
{
	struct report report = { .to = stderr };
	const char *path = ctl_next_arg(ctl);
	char *text;

	if (!path)
		return ctl_usage(ctl, "agent needs a file");
	text = agent_read(&report, path);
	if (!text)
		return EXIT_USAGE;
	nl_put(&ctl->nl, KMQTT_A_LISTENER_AGENT, text, strlen(text));
	free(text);
	return EXIT_DONE;
}

static enum exit_code listener_add(struct ctl *ctl)
{
	struct conf present = { .settings = NULL };
	struct endpoint endpoint;
	enum exit_code ret;
	const char *name;

	if (read_endpoint(ctl, &endpoint))
		return EXIT_USAGE;
	if (endpoint.transport == KMQTT_TRANSPORT_UNIX &&
	    !gather_listeners(&ctl->nl, &present))
		socket_file_make_way(&endpoint, &present);
	conf_free(&present);
	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_ADD);
	endpoint_put(&ctl->nl, &endpoint);
	while ((name = ctl_next_arg(ctl))) {
		if (!strcmp(name, "agent"))
			ret = put_agent(ctl);
		else if (is_term(name))
			ret = ctl_put(ctl, name);
		else
			ret = ctl_not(ctl, name, "a setting of a listener");
		if (ret)
			return ret;
	}
	return ctl_act_line(ctl);
}

/* As the kernel was told of it; @endpoint may leave out how that was. */
static void put_present(struct nl *nl, const struct conf *present,
			const struct endpoint *endpoint)
{
	const struct conf_listener *listener;
	size_t i;

	for (i = 0; i < present->nr_listeners; i++) {
		listener = &present->listeners[i];
		if (!endpoint_same(&listener->endpoint, endpoint))
			continue;
		endpoint_put(nl, &listener->endpoint);
		if (listener->agent)
			nl_put(nl, KMQTT_A_LISTENER_AGENT, listener->agent,
			       strlen(listener->agent));
		return;
	}
	endpoint_put(nl, endpoint);
}

/* Have a request name one that there is. */
static enum exit_code name_listener(struct ctl *ctl, const struct conf *present)
{
	struct endpoint endpoint;

	if (ctl_next_is(ctl, "id"))
		return ctl_put(ctl, "id");
	if (read_endpoint(ctl, &endpoint))
		return EXIT_USAGE;
	put_present(&ctl->nl, present, &endpoint);
	return EXIT_DONE;
}

static enum exit_code set(struct ctl *ctl, const struct conf *present)
{
	const char *name;

	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_SET);
	if (name_listener(ctl, present))
		return EXIT_USAGE;
	name = ctl_next_arg(ctl);
	if (!name)
		return ctl_usage(ctl, "which setting?");
	do {
		if (!is_term(name))
			return ctl_not(ctl, name,
				       "a setting of a listener that can change");
		if (ctl_put(ctl, name))
			return EXIT_USAGE;
	} while ((name = ctl_next_arg(ctl)));
	return ctl_act(ctl);
}

static enum exit_code listener_set(struct ctl *ctl)
{
	struct conf present = { .settings = NULL };
	enum exit_code ret;

	/* If this fails, what follows does so, too, and is reported. */
	gather_listeners(&ctl->nl, &present);
	ret = set(ctl, &present);
	conf_free(&present);
	return ret;
}

static enum exit_code delete(struct ctl *ctl, const struct conf *present)
{
	nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_DEL);
	if (name_listener(ctl, present))
		return EXIT_USAGE;
	if (ctl_next_is(ctl, "kick") && ctl_put(ctl, "kick"))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

static enum exit_code listener_del(struct ctl *ctl)
{
	struct conf before = { .settings = NULL }, after = before;
	enum exit_code ret;

	/* If this fails, what follows does so, too, and is reported. */
	gather_listeners(&ctl->nl, &before);
	ret = delete(ctl, &before);
	if (!ret && !gather_listeners(&ctl->nl, &after))
		socket_file_clean_up(&before, &after);
	conf_free(&before);
	conf_free(&after);
	return ret;
}

static const struct verb verbs[] = {
	{ "get", listener_get },
	{ "add", listener_add },
	{ "set", listener_set },
	{ "del", listener_del },
	{ NULL, NULL }
};

const struct noun listener_noun = {
	.name = "listener",
	.summary = "addresses and ports to connect to",
	.usage =
"Usage: kmqttctl listener [get]\n"
"       kmqttctl listener add LISTENER [SETTING VALUE ...]\n"
"       kmqttctl listener set {LISTENER | id NUMBER} SETTING VALUE ...\n"
"       kmqttctl listener del {LISTENER | id NUMBER} [kick]\n\n"
"LISTENER is one of\n"
"  [address] ADDRESS        TCP\n"
"  mptcp ADDRESS            Multipath TCP, and TCP\n"
"  unix PATH                a socket in the file system\n"
"  vsock PORT [cid CID]     virtual machines\n"
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
"  topic-alias-max-out NUMBER     that the broker uses towards a client\n"
"  protocol-versions VERSIONS     of MQTT that clients may speak: 3 is 3.1, 4 is\n"
"                                 3.1.1, as 3,4,5 or 5\n"
"  agent FILE                     let kmqttd do what FILE tells: TLS, WebSockets,\n"
"                                 PROXY protocol, as in kmqtt.conf(5); only with\n"
"                                 add\n"
"With kick, connections of the listener end, too.\n",
	.fields = fields,
	.verbs = verbs,
};
