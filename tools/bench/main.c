// SPDX-License-Identifier: GPL-2.0
/*
 * kmqtt-bench: load for an MQTT broker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "pattern.h"

#define EXIT_USAGE	2

#define DEFAULT_COUNT		100000
#define DEFAULT_OPEN_WINDOW	10000
#define UNSET			UINT32_MAX

static const struct pattern *const patterns[] = {
	&pair_pattern,
	&fanout_pattern,
	&fanin_pattern,
	&topics_pattern,
	&shared_pattern,
	&retained_pattern,
	&connect_pattern,
	&idle_pattern,
	&subscribe_pattern,
};

static const struct options defaults = {
	.host = "127.0.0.1",
	.port = "1883",
	.version = 5,
	.threads = 1,
	.sub_qos = UNSET,
	.number = 1,
	.publishers = 1,
	.size = 64,
	.burst = 1,
	.timeout = 30,
	.topics = 1000,
	.depth = 3,
	.filter = UNSET,
	.batch = 1,
	.concurrent = 64,
};

static int tell_usage(void)
{
	size_t i;

	puts("Usage: kmqtt-bench PATTERN [OPTION]...\n"
	     "       kmqtt-bench relay [-p PORT]\n"
	     "\n"
	     "Load an MQTT broker and tell how long it takes.\n"
	     "\n"
	     "Patterns:");
	for (i = 0; i < ARRAY_SIZE(patterns); i++)
		printf("  %-26s %s\n", patterns[i]->name, patterns[i]->help);
	printf("  %-26s %s\n", "relay",
	       "be a broker that parses nothing, for pair, fanout and fanin");
	options_help();
	puts("\n      --help                 this\n"
	     "      --version              the version");
	return 0;
}

static const struct pattern *find_pattern(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!strcmp(patterns[i]->name, name))
			return patterns[i];
	return NULL;
}

/* What depends on the pattern or on other options. */
static void complete(struct options *o, const struct pattern *pattern)
{
	if (pattern->defaults)
		pattern->defaults(o);
	if (o->sub_qos == UNSET)
		o->sub_qos = o->qos;
	if (o->filter == UNSET)
		o->filter = FILTER_PLUS;
	if (!o->count)
		o->count = DEFAULT_COUNT;
	if (!o->window)
		o->window = o->rate > 0 ? DEFAULT_OPEN_WINDOW : 1;
	if (o->burst > o->window)
		o->burst = o->window;
	if (o->number < o->threads && o->publishers < o->threads)
		o->threads = o->number > o->publishers ? o->number :
							 o->publishers;
}

static int run(struct options *o, const struct pattern *pattern)
{
	struct bench *b = must_alloc(1, sizeof(*b));
	int status;

	complete(o, pattern);
	b->options = o;
	b->pattern = pattern;
	status = bench_init(b) ? EXIT_USAGE : 0;
	if (!status) {
		pattern->run(b);
		status = report(b);
		bench_free(b);
	}
	free(b);
	return status;
}

int main(int argc, char **argv)
{
	const struct pattern *pattern;
	struct options o = defaults;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return tell_usage();
		if (!strcmp(argv[i], "--version"))
			return puts("kmqtt-bench " VERSION) < 0;
	}
	if (argc < 2) {
		fprintf(stderr, "kmqtt-bench: which pattern? (--help tells)\n");
		return EXIT_USAGE;
	}
	pattern = find_pattern(argv[1]);
	if (!pattern && strcmp(argv[1], "relay")) {
		fprintf(stderr, "kmqtt-bench: %s is no pattern\n", argv[1]);
		return EXIT_USAGE;
	}
	/* The name that getopt_long() complains with. */
	argv[1] = argv[0];
	if (options_read(&o, argc - 1, argv + 1))
		return EXIT_USAGE;
	if (pattern && pattern->counted && o.seconds > 0) {
		fprintf(stderr, "kmqtt-bench: %s has no seconds\n",
			pattern->name);
		return EXIT_USAGE;
	}
	return pattern ? run(&o, pattern) : relay_run(o.port);
}
