// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl trace: what passes through the broker
 */
#include <string.h>
#include <linux/kmqtt.h>

#include "show.h"
#include "watch.h"

#define FIELD(_kind, _attr, _name)				\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_TAPPED_ ## _attr,		\
		.name = _name,					\
	}

/* As the kernel tells packets. */
static const struct field packet_fields[] = {
	FIELD(STRING, CLIENT_ID, "client-id"),
	FIELD(NUMBER, CONNECTION, "connection"),
	FIELD(FLAG, SENT, "sent"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_TAPPED_TYPE, .name = "type",
	  .names = packet_types },
	FIELD(NUMBER, ID, "id"),
	FIELD(NUMBER, QOS, "qos"),
	FIELD(NUMBER, SIZE, "size"),
	FIELD(REASON, REASON, "reason"),
	{ .kind = FIELD_END }
};

/* As they are printed. */
static const struct field packet_columns[] = {
	{ .kind = FIELD_STRING, .name = "time", .bare = true },
	{ .kind = FIELD_STRING, .name = "direction", .bare = true },
	{ .kind = FIELD_STRING, .name = "type", .bare = true },
	{ .kind = FIELD_NUMBER, .name = "id" },
	{ .kind = FIELD_NUMBER, .name = "qos" },
	{ .kind = FIELD_NUMBER, .name = "size" },
	{ .kind = FIELD_REASON, .name = "reason" },
	{ .kind = FIELD_NUMBER, .name = "connection" },
	{ .kind = FIELD_END }
};

static const struct watch_kind packets = {
	.key = "client-id",
	.missing = "client-id needs a value",
	.what = "packets",
	.cmd = KMQTT_CMD_PACKET_NTF,
	.fields = packet_fields,
	.time = KMQTT_A_TAPPED_TIME,
	.lost = KMQTT_A_TAPPED_LOST,
};

static void print_message(const struct watch *watch, json_t *row)
{
	print_line(&watch->ctl->style, watch_fields, row);
}

/* The reason with number 0 has the name that it has in a DISCONNECT. */
static void name_success(json_t *row)
{
	const char *type = json_string_value(json_object_get(row, "type"));
	json_t *code = json_object_get(row, "reason_code");

	if (code && !json_integer_value(code) && type &&
	    strcmp(type, "DISCONNECT"))
		json_object_set_new(row, "reason", json_string("success"));
}

/* Arrows for people, words for programs. */
static void print_packet(const struct watch *watch, json_t *row)
{
	bool sent = json_object_get(row, "sent");
	const char *direction;

	if (watch->ctl->style.json)
		direction = sent ? "sent" : "received";
	else
		direction = sent ? ">" : "<";
	json_object_del(row, "sent");
	name_success(row);
	json_object_set_new(row, "direction", json_string(direction));
	print_line(&watch->ctl->style, packet_columns, row);
}

static enum exit_code run(struct watch *watch)
{
	enum exit_code ret;

	if (watch_args(watch))
		return EXIT_USAGE;
	ret = watch_begin(watch);
	if (ret == EXIT_DONE)
		ret = watch_run(watch);
	return watch_report(watch, ret);
}

static enum exit_code trace_topic(struct ctl *ctl)
{
	struct watch watch = {
		.ctl = ctl,
		.kind = &watch_messages,
		.timestamp = true,
		.print = print_message,
	};

	return run(&watch);
}

static enum exit_code trace_client(struct ctl *ctl)
{
	struct watch watch = {
		.ctl = ctl,
		.kind = &packets,
		.timestamp = true,
		.print = print_packet,
	};

	return run(&watch);
}

static const struct verb verbs[] = {
	{ "topic", trace_topic },
	{ "client", trace_client },
	{ NULL, NULL }
};

const struct noun trace_noun = {
	.name = "trace",
	.summary = "what passes through the broker",
	.usage =
"Usage: kmqttctl trace topic [filter] FILTER [count NUMBER] [for TIME]\n"
"       kmqttctl trace client [client-id] ID [count NUMBER] [for TIME]\n\n"
"Prints a line for each message whose topic matches: when it was published, by\n"
"whom, how, and how large it is; or for each packet of a client, connected or\n"
"not: when it was received (<) or sent (>), its type, packet identifier, QoS,\n"
"size and reason code, as far as it has them, and the number of the connection.\n"
"Ends after NUMBER messages or packets, or after TIME, with status 4 if there\n"
"were fewer by then.\n",
	.fields = watch_fields,
	.verbs = verbs,
};
