// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl retained: retained messages
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _size, _attr, _name, _title)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_RETAINED_ ## _attr,		\
		.size = _size,					\
		.name = _name,					\
		.title = _title,				\
	}

#define PAYLOAD_COLUMN	3

/* Payloads have a column if they were asked for. */
static struct field fields[] = {
	FIELD(NUMBER, 1, QOS, "qos", "QOS"),
	FIELD(BYTES, 4, SIZE, "size", "SIZE"),
	FIELD(STRING, 0, TOPIC, "topic", "TOPIC"),
	[PAYLOAD_COLUMN] = FIELD(PAYLOAD, 0, PAYLOAD, "payload", NULL),
	FIELD(FLAG, 0, TRUNCATED, "truncated", NULL),
	FIELD(STRING, 0, FILTER, "filter", NULL),
	FIELD(FLAG, 0, ALL, "all", NULL),
	FIELD(BYTES, 4, PAYLOAD_MAX, "payload-max", NULL),
	FIELD(NUMBER, 4, COUNT, "count", NULL),
	{ .kind = FIELD_END }
};

static enum exit_code retained_get(struct ctl *ctl)
{
	const char *keyword = *ctl->args;

	nl_begin(&ctl->nl, KMQTT_CMD_RETAINED_GET);
	if (keyword && !ctl_next_is(ctl, "payload-max")) {
		ctl_next_is(ctl, "filter");
		if (ctl_put(ctl, "filter"))
			return EXIT_USAGE;
		keyword = *ctl->args;
		if (keyword && !ctl_next_is(ctl, "payload-max"))
			return ctl_end_args(ctl);
	}
	if (keyword) {
		if (ctl_put(ctl, "payload-max"))
			return EXIT_USAGE;
		fields[PAYLOAD_COLUMN].title = "PAYLOAD";
	}
	return ctl_get_table(ctl);
}

static enum exit_code retained_del(struct ctl *ctl)
{
	const char *by = "topic";

	nl_begin(&ctl->nl, KMQTT_CMD_RETAINED_DEL);
	if (ctl_next_is(ctl, "filter"))
		by = "filter";
	else if (ctl_next_is(ctl, "all"))
		by = "all";
	else
		ctl_next_is(ctl, "topic");
	if (ctl_put(ctl, by))
		return EXIT_USAGE;
	return ctl_act_line(ctl);
}

static const struct verb verbs[] = {
	{ "get", retained_get },
	{ "del", retained_del },
	{ NULL, NULL }
};

const struct noun retained_noun = {
	.name = "retained",
	.summary = "retained messages",
	.usage =
"Usage: kmqttctl retained [get [[filter] FILTER] [payload-max BYTES]]\n"
"       kmqttctl retained del {[topic] TOPIC | filter FILTER | all}\n\n"
"payload-max shows payloads, of up to that many bytes. del tells how many\n"
"messages it deleted. Without a filter, and with all, topics that begin with\n"
"$ are included.\n",
	.fields = fields,
	.verbs = verbs,
};
