// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl trace: what passes through the broker
 */
#include "watch.h"

static void print_message(const struct watch *watch, json_t *row)
{
	print_line(&watch->ctl->style, watch_fields, row);
}

static enum exit_code trace_topic(struct ctl *ctl)
{
	struct watch watch = {
		.ctl = ctl,
		.timestamp = true,
		.print = print_message,
	};
	enum exit_code ret;

	if (watch_args(&watch))
		return EXIT_USAGE;
	ret = watch_begin(&watch);
	if (ret == EXIT_DONE)
		ret = watch_run(&watch);
	return watch_report(&watch, ret);
}

static const struct verb verbs[] = {
	{ "topic", trace_topic },
	{ NULL, NULL }
};

const struct noun trace_noun = {
	.name = "trace",
	.summary = "what passes through the broker",
	.usage =
"Usage: kmqttctl trace topic [filter] FILTER [count NUMBER] [for TIME]\n\n"
"Prints a line for each message whose topic matches: when it was published, by\n"
"whom, how, and how large it is. Ends after NUMBER messages, or after TIME, with\n"
"status 4 if there were fewer by then.\n",
	.fields = watch_fields,
	.verbs = verbs,
};
