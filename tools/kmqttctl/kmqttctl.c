// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl - look at and control the MQTT broker in the kernel
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

static const struct noun *const nouns[] = {
	&broker_noun,
	&listener_noun,
	&client_noun,
	&session_noun,
	&subscription_noun,
	&retained_noun,
	&user_noun,
	&realm_noun,
	&acl_noun,
	&ban_noun,
	&stats_noun,
	&monitor_noun,
	&top_noun,
	&pub_noun,
	&sub_noun,
	&trace_noun,
	&load_noun,
	&save_noun,
	NULL
};

static void print_usage(FILE *to)
{
	size_t i;

	fputs("Usage: kmqttctl [-jpt] [-n NETNS] NOUN [VERB [ARGUMENT ...]]\n"
	      "       kmqttctl NOUN --help\n"
	      "       kmqttctl --help | --version\n\n"
	      "Nouns:\n", to);
	for (i = 0; nouns[i]; i++)
		fprintf(to, "  %-14s%s\n", nouns[i]->name, nouns[i]->summary);
	fputs("\nOptions:\n"
	      "  -j, --json         print JSON\n"
	      "  -p, --pretty       print JSON over several lines\n"
	      "  -n, --netns NETNS  the broker of that network namespace\n"
	      "  -t, --timestamp    with monitor and sub: tell when what came\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n", to);
}

static void enter_netns(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s%s",
		 strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(EXIT_FAILED, "no network namespace '%s'", name);
	if (setns(fd, CLONE_NEWNET))
		err(EXIT_FAILED, "network namespace '%s'", name);
	close(fd);
}

/* Returns false if there is nothing more to do than to exit with @code. */
static bool read_options(struct ctl *ctl, int argc, char **argv,
			 enum exit_code *code)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "netns", required_argument, NULL, 'n' },
		{ "timestamp", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*code = EXIT_DONE;
	while ((c = getopt_long(argc, argv, "+jpn:thV", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			ctl->style.json = true;
			break;
		case 'p':
			ctl->style.json = true;
			ctl->style.pretty = true;
			break;
		case 'n':
			enter_netns(optarg);
			ctl->netns = optarg;
			break;
		case 't':
			ctl->timestamp = true;
			break;
		case 'h':
			print_usage(stdout);
			return false;
		case 'V':
			puts("kmqttctl " VERSION);
			return false;
		default:
			fputs("Try 'kmqttctl --help'.\n", stderr);
			*code = EXIT_USAGE;
			return false;
		}
	}
	ctl->args = argv + optind;
	return true;
}

static bool asks_for_help(const char *arg)
{
	return !strcmp(arg, "help") || !strcmp(arg, "--help") ||
	       !strcmp(arg, "-h");
}

static enum exit_code run_verb(struct ctl *ctl)
{
	const struct verb *verb = ctl->noun->verbs;
	const char *name;

	if (*ctl->args && asks_for_help(*ctl->args)) {
		fputs(ctl->noun->usage, stdout);
		return EXIT_DONE;
	}
	if (!verb->name)
		return verb->run(ctl);
	name = verb->name;
	/* What looks like an option is for the verb that goes without saying. */
	if (*ctl->args && **ctl->args != '-')
		name = ctl_next_arg(ctl);
	for (; verb->name; verb++) {
		if (!strcmp(verb->name, name)) {
			ctl->verb = name;
			return verb->run(ctl);
		}
	}
	return ctl_not(ctl, name, "a verb of this noun");
}

static enum exit_code run(struct ctl *ctl)
{
	const char *name = ctl_next_arg(ctl);
	size_t i;

	if (!name) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; nouns[i]; i++) {
		if (!strcmp(nouns[i]->name, name)) {
			ctl->noun = nouns[i];
			return run_verb(ctl);
		}
	}
	if (asks_for_help(name)) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	return ctl_not(ctl, name, "a noun");
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .noun = NULL };
	enum exit_code code;

	setlocale(LC_CTYPE, "");
	if (read_options(&ctl, argc, argv, &code))
		code = run(&ctl);
	nl_close(&ctl.nl);
	if (ferror(stdout) | fclose(stdout))
		err(EXIT_FAILED, "output");
	return code;
}
