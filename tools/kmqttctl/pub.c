// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl pub: publish a message
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <linux/kmqtt.h>

#include "ctl.h"

#define FIELD(_kind, _size, _attr, _name)			\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_MESSAGE_ ## _attr,		\
		.size = _size,					\
		.name = _name,					\
	}

static const struct field fields[] = {
	FIELD(STRING, 0, TOPIC, "topic"),
	FIELD(PAYLOAD, 0, PAYLOAD, "payload"),
	FIELD(NUMBER, 1, QOS, "qos"),
	FIELD(SWITCH, 1, RETAIN, "retain"),
	FIELD(SECONDS, 4, EXPIRY, "expiry"),
	FIELD(STRING, 0, CONTENT_TYPE, "content-type"),
	FIELD(NUMBER, 4, SUBSCRIPTIONS, "subscriptions"),
	{ .kind = FIELD_END }
};

static void put_payload(struct ctl *ctl, const void *payload, size_t len)
{
	if (len > NL_STRING_MAX)
		errx(EXIT_USAGE, "pub: a payload may have %d bytes at most",
		     NL_STRING_MAX);
	nl_put(&ctl->nl, KMQTT_A_MESSAGE_PAYLOAD, payload, len);
}

static void put_file(struct ctl *ctl, const char *name)
{
	/* A byte more tells that it is too large. */
	static char payload[NL_STRING_MAX + 1];
	FILE *file = strcmp(name, "-") ? fopen(name, "re") : stdin;
	size_t len;

	if (!file)
		err(EXIT_FAILED, "%s", name);
	len = fread(payload, 1, sizeof(payload), file);
	if (ferror(file))
		err(EXIT_FAILED, "%s", name);
	if (file != stdin)
		fclose(file);
	put_payload(ctl, payload, len);
}

static enum exit_code read_payload(struct ctl *ctl)
{
	bool is_file, is_null = ctl_next_is(ctl, "null");
	const char *arg;

	if (is_null)
		return EXIT_DONE;
	is_file = ctl_next_is(ctl, "file");
	if (!is_file)
		ctl_next_is(ctl, "payload");
	arg = ctl_next_arg(ctl);
	if (!arg)
		return ctl_usage(ctl, "no payload is given");
	if (is_file)
		put_file(ctl, arg);
	else
		put_payload(ctl, arg, strlen(arg));
	return EXIT_DONE;
}

static enum exit_code pub_run(struct ctl *ctl)
{
	static const char *const terms[] = { "qos", "expiry", "content-type" };
	size_t i;

	nl_begin(&ctl->nl, KMQTT_CMD_MESSAGE_PUBLISH);
	ctl_next_is(ctl, "topic");
	if (ctl_put(ctl, "topic") || read_payload(ctl))
		return EXIT_USAGE;
	while (*ctl->args) {
		if (ctl_next_is(ctl, "retain")) {
			nl_put_uint(&ctl->nl, KMQTT_A_MESSAGE_RETAIN, 1, 1);
			continue;
		}
		for (i = 0; i < sizeof(terms) / sizeof(*terms); i++)
			if (ctl_next_is(ctl, terms[i]))
				break;
		if (i == sizeof(terms) / sizeof(*terms))
			break;
		if (ctl_put(ctl, terms[i]))
			return EXIT_USAGE;
	}
	return ctl_act_line(ctl);
}

static const struct verb verbs[] = {
	{ NULL, pub_run },
};

const struct noun pub_noun = {
	.name = "pub",
	.summary = "publish a message",
	.usage =
"Usage: kmqttctl pub [topic] TOPIC {[payload] TEXT | file FILE | null}\n"
"       [qos {0 | 1 | 2}] [retain] [expiry TIME] [content-type TEXT]\n\n"
"Publishes a message, of up to 65531 bytes, and tells how many subscriptions\n"
"matched. FILE - is standard input. null, an empty payload, deletes a retained\n"
"message if retain is given.\n",
	.fields = fields,
	.verbs = verbs,
};
