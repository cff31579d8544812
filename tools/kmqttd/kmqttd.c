// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttd - TLS and WebSocket handshakes for the MQTT broker in the kernel
 */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "agent.h"
#include "log.h"
#include "privileges.h"

static void print_usage(FILE *to)
{
	fputs("Usage: kmqttd [-v] [--user NAME]\n"
	      "       kmqttd --help | --version\n\n"
	      "Options:\n"
	      "  -u, --user NAME    be that user, with what capabilities it takes\n"
	      "  -v, --verbose      tell more, and more still if given twice\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n", to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *user = NULL;
	int c, verbose = 0;

	setlocale(LC_CTYPE, "");
	while ((c = getopt_long(argc, argv, "u:vhV", options, NULL)) != -1) {
		switch (c) {
		case 'u':
			user = optarg;
			break;
		case 'v':
			verbose++;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_DONE;
		case 'V':
			puts("kmqttd " VERSION);
			return EXIT_DONE;
		default:
			fputs("Try 'kmqttd --help'.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	log_begin(verbose);
	privileges_drop(user);
	return agent_run();
}
