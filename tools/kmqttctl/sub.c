// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl sub: messages, as a subscriber gets them
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/kmqtt.h>

#include "watch.h"

/* What the messages that are there already are read by. */
static const struct field retained_fields[] = {
	{ .kind = FIELD_NUMBER, .attr = KMQTT_A_RETAINED_QOS, .name = "qos" },
	{ .kind = FIELD_NUMBER, .attr = KMQTT_A_RETAINED_SIZE, .name = "size" },
	{ .kind = FIELD_STRING, .attr = KMQTT_A_RETAINED_TOPIC,
	  .name = "topic" },
	{ .kind = FIELD_PAYLOAD, .attr = KMQTT_A_RETAINED_PAYLOAD,
	  .name = "payload" },
	{ .kind = FIELD_FLAG, .attr = KMQTT_A_RETAINED_TRUNCATED,
	  .name = "truncated" },
	{ .kind = FIELD_STRING, .attr = KMQTT_A_RETAINED_FILTER,
	  .name = "filter" },
	{ .kind = FIELD_END }
};

static void print_text(const char *name, json_t *row, const char *end)
{
	char *text = field_text(field_by_name(watch_fields, name), row, false);

	if (text)
		printf("%s%s", text, end);
	free(text);
}

/* A topic and what is behind it, as other subscribers print them. */
static void print_message(const struct watch *watch, json_t *row)
{
	json_int_t size = json_integer_value(json_object_get(row, "size"));

	if (watch->ctl->style.json) {
		print_json(&watch->ctl->style, row);
		return;
	}
	print_text("time", row, " ");
	print_text("topic", row, " ");
	print_text("payload", row, size > watch->payload_max ? "..." : "");
	putchar('\n');
}

static void read_retained(const struct nlmsghdr *nlh, void *arg)
{
	json_t *row = field_read_row(retained_fields, nlh);

	json_object_set_new(row, "retain", json_true());
	watch_row(arg, row);
}

/* On a socket of its own: messages come on the other one. */
static enum exit_code print_retained(struct watch *watch)
{
	struct nl nl = { .sock = NULL };
	enum exit_code ret;

	nl_begin(&nl, KMQTT_CMD_RETAINED_GET);
	field_put(&nl, field_by_name(retained_fields, "filter"), watch->name);
	nl_put_uint(&nl, KMQTT_A_RETAINED_PAYLOAD_MAX, watch->payload_max,
		    sizeof(watch->payload_max));
	ret = nl_dump(&nl, read_retained, watch);
	watch->ctl->nl.error = nl.error;
	nl_close(&nl);
	return ret;
}

static enum exit_code sub_run(struct ctl *ctl)
{
	struct watch watch = {
		.ctl = ctl,
		.kind = &watch_messages,
		.payload_max = KMQTT_SHOWN_PAYLOAD_MAX,
		.timestamp = ctl->timestamp,
		.print = print_message,
	};
	enum exit_code ret;

	if (watch_args(&watch))
		return EXIT_USAGE;
	ret = watch_begin(&watch);
	if (ret == EXIT_DONE)
		ret = print_retained(&watch);
	if (ret == EXIT_DONE)
		ret = watch_run(&watch);
	return watch_report(&watch, ret);
}

static const struct verb verbs[] = {
	{ NULL, sub_run },
};

const struct noun sub_noun = {
	.name = "sub",
	.summary = "messages, as a subscriber gets them",
	.usage =
"Usage: kmqttctl sub [filter] FILTER [count NUMBER] [for TIME]\n\n"
"Prints retained messages whose topics match, then messages as they are\n"
"published: topic and payload, of which 16384 bytes at most. Ends after NUMBER\n"
"messages, or after TIME, with status 4 if there were fewer by then. -t shows\n"
"when messages were published.\n",
	.fields = watch_fields,
	.verbs = verbs,
};
