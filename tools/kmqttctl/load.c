// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl load: files in the language of mosquitto.conf.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/read.h"
#include "conf/show.h"
#include "ctl.h"

static const struct field option_fields[] = {
	{ .kind = FIELD_STRING, .name = "name", .title = "OPTION" },
	{ .kind = FIELD_STRING, .name = "value", .title = "VALUE" },
	{ .kind = FIELD_STRING, .name = "scope", .title = "ABOUT" },
	{ .kind = FIELD_STRING, .name = "fate", .title = "HERE" },
	{ .kind = FIELD_STRING, .name = "unless", .title = "UNLESS" },
	{ .kind = FIELD_STRING, .name = "text", .title = "HOW OR WHY" },
	{ .kind = FIELD_END }
};

static enum exit_code show_all(struct ctl *ctl)
{
	json_t *all;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	all = show_options();
	print_table(&ctl->style, option_fields, all);
	json_decref(all);
	return EXIT_DONE;
}

static enum exit_code show(struct ctl *ctl, const struct conf *conf)
{
	json_t *shown;

	if (ctl->style.json) {
		shown = show_conf(conf);
		print_json(&ctl->style, shown);
		json_decref(shown);
	}
	return EXIT_DONE;
}

static enum exit_code load_run(struct ctl *ctl)
{
	struct report report = { .to = stderr };
	struct conf conf = { .settings = NULL };
	enum exit_code ret;
	const char *path;

	if (ctl_next_is(ctl, "--options"))
		return show_all(ctl);
	if (!ctl_next_is(ctl, "--check"))
		return ctl_usage(ctl, "--check or --options?");
	path = ctl_next_arg(ctl);
	if (!path)
		return ctl_usage(ctl, "which file?");
	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	ret = EXIT_USAGE;
	if (read_conf(&conf, &report, path))
		ret = show(ctl, &conf);
	conf_free(&conf);
	return ret;
}

static const struct verb verbs[] = {
	{ NULL, load_run },
};

const struct noun load_noun = {
	.name = "load",
	.summary = "configuration files",
	.usage =
"Usage: kmqttctl load --check FILE\n"
"       kmqttctl load --options\n\n"
"FILE is written as mosquitto.conf is. With --check all of it is read, and what\n"
"is wrong is told; with -j, what was read is printed. --options prints all\n"
"options and what becomes of them.\n",
	.verbs = verbs,
};
