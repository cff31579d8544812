// SPDX-License-Identifier: GPL-2.0
/*
 * The options, in one table for reading them, for --help and for JSON.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

enum kind {
	KIND_U32,
	KIND_U64,
	KIND_REAL,
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST,
	KIND_FILTER,
};

struct definition {
	char letter;
	enum kind kind;
	const char *name;
	size_t offset;
	uint64_t min;
	uint64_t max;
	const char *arg;
	const char *help;
};

#define OPTION(_letter, _kind, _member, _name, _min, _max, _arg, _help)	\
	{								\
		.letter = _letter,					\
		.kind = KIND_ ## _kind,					\
		.name = _name,						\
		.offset = offsetof(struct options, _member),		\
		.min = _min,						\
		.max = _max,						\
		.arg = _arg,						\
		.help = _help,						\
	}

#define SECTION(_title)	{ .help = _title }

/* The remaining length of a packet has to have room for the topic, too. */
#define SIZE_MAX_BYTES	(268435455 - 512)

/* A packet identifier has to tell messages in flight from each other. */
#define WINDOW_MAX	1048576

static const struct definition definitions[] = {
	SECTION("The broker and the connections to it:"),
	OPTION('h', TEXT, host, "host", 0, 0, "HOST",
	       "name or address of the broker (127.0.0.1)"),
	OPTION('p', TEXT, port, "port", 0, 0, "PORT",
	       "its TCP port (1883)"),
	OPTION('V', U32, version, "mqtt-version", 4, 5, "4|5",
	       "4 is MQTT 3.1.1 (5)"),
	OPTION('q', U32, qos, "qos", 0, 2, "QOS",
	       "QoS of what is published, and of subscriptions (0)"),
	OPTION(0, U32, sub_qos, "sub-qos", 0, 2, "QOS",
	       "another QoS for subscriptions"),
	OPTION(0, TEXT, user, "user", 0, 0, "NAME", "user name"),
	OPTION(0, TEXT, password, "password", 0, 0, "TEXT", "password"),
	OPTION(0, TEXT, tls, "tls", 0, 0, "CAFILE",
	       "TLS, done by this kernel; the certificate of the broker has to\n"
	       "be one of CAFILE's"),
	OPTION(0, TEXT, tls_version, "tls-version", 0, 0, "1.2|1.3",
	       "with that version only (the newest that both know)"),
	OPTION(0, U32, sources, "sources", 1, 254, "N",
	       "connect from 127.0.0.1 to 127.0.0.N in turn; an address has\n"
	       "some 28000 ports (the system chooses)"),
	OPTION(0, U32, concurrent, "concurrent", 1, 1 << 20, "N",
	       "connections being opened at a time (64)"),

	SECTION("The load:"),
	OPTION('n', U32, number, "number", 1, 1 << 22, "N",
	       "pairs, subscribers, publishers (fanin) or connections (1)"),
	OPTION('m', U32, publishers, "publishers", 1, 1 << 20, "N",
	       "publishers of topics and shared (1)"),
	OPTION('s', U32, size, "size", 16, SIZE_MAX_BYTES, "BYTES",
	       "size of the payload; takes K and M (64)"),
	OPTION('w', U32, window, "window", 1, WINDOW_MAX, "N",
	       "messages in flight for each publisher, packets for each\n"
	       "connection of subscribe (1; 10000 with --rate)"),
	OPTION('b', U32, burst, "burst", 1, WINDOW_MAX, "N",
	       "publish only when the window has room for so many (1)"),
	OPTION('r', REAL, rate, "rate", 0, 0, "N",
	       "open loop: messages published per second, by all publishers\n"
	       "together; latency counts from when each was due, and how\n"
	       "late it was sent is told besides"),
	OPTION(0, FLAG, spin, "spin", 0, 0, NULL,
	       "poll instead of sleeping"),
	OPTION('t', U32, threads, "threads", 1, 256, "N",
	       "threads of the generator (1)"),

	SECTION("How long:"),
	OPTION('c', U64, count, "count", 1, UINT64_MAX >> 24, "COUNT",
	       "messages delivered, connects or subscriptions in all (100000;\n"
	       "connect and subscribe 10000)"),
	OPTION('d', REAL, seconds, "seconds", 0, 0, "SECONDS",
	       "instead of a count"),
	OPTION(0, U64, warmup, "warmup", 0, UINT64_MAX >> 24, "COUNT",
	       "messages delivered before, which aren't counted (0)"),
	OPTION(0, REAL, timeout, "timeout", 0, 0, "SECONDS",
	       "fail when nothing has arrived for so long (30)"),

	SECTION("Of single patterns:"),
	OPTION(0, U32, topics, "topics", 1, 1 << 24, "N",
	       "topics of topics and retained (1000)"),
	OPTION(0, U32, depth, "depth", 2, 8, "N",
	       "levels of the topics of topics after the prefix (3)"),
	OPTION(0, FILTER, filter, "filter", 0, 0, "plus|hash|exact",
	       "topic filters of topics and subscribe (plus; exact)"),
	OPTION(0, U32, batch, "batch", 1, 1000, "N",
	       "topic filters in one SUBSCRIBE or UNSUBSCRIBE (1)"),
	OPTION(0, FLAG, session, "session", 0, 0, NULL,
	       "connect and idle with persistent sessions, which connect\n"
	       "resumes"),
	OPTION(0, FLAG, keep, "keep", 0, 0, NULL,
	       "subscribe: hold the subscriptions as idle its connections;\n"
	       "retained: leave the messages with the broker;\n"
	       "connect, idle: leave the sessions with it"),
	OPTION(0, REAL, hold, "hold", 0, 0, "SECONDS",
	       "hold for so long, not until SIGINT or end of input"),
	OPTION(0, TEXT, prefix, "prefix", 0, 0, "TEXT",
	       "first level of all topics (kmqtt-bench/PID)"),

	SECTION("What is reported:"),
	OPTION(0, LIST, pids, "pid", 0, 0, "PID",
	       "CPU time of a process; may be repeated"),
	OPTION(0, LIST, processes, "proc-name", 0, 0, "NAME",
	       "CPU time of the processes of that name; may be repeated"),
	OPTION(0, TEXT, kworker, "kworker", 0, 0, "TEXT",
	       "CPU time of kworkers with TEXT in their name"),
	OPTION('j', FLAG, json, "json", 0, 0, NULL,
	       "JSON instead of text"),
};

#define N_DEFINITIONS	ARRAY_SIZE(definitions)

/* Values of getopt_long() for options without a letter. */
#define FIRST_LONG	256

static const char *const filter_names[] = {
	[FILTER_PLUS] = "plus",
	[FILTER_HASH] = "hash",
	[FILTER_EXACT] = "exact",
};

static bool read_integer(const struct definition *d, const char *text,
			 uint64_t *value)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k') {
		*value <<= 10;
		end++;
	} else if (*end == 'M') {
		*value <<= 20;
		end++;
	}
	return !errno && !*end && *value >= d->min && *value <= d->max;
}

static bool read_filter(const char *text, uint32_t *filter)
{
	for (*filter = 0; *filter < ARRAY_SIZE(filter_names); ++*filter)
		if (!strcmp(text, filter_names[*filter]))
			return true;
	return false;
}

static bool read_list(const char *text, struct option_list *list)
{
	if (list->count == OPTIONS_LIST_MAX)
		return false;
	list->values[list->count++] = text;
	return true;
}

static bool read_value(const struct definition *d, struct options *o,
		       const char *text)
{
	void *member = (char *)o + d->offset;
	uint64_t value;
	char *end;

	switch (d->kind) {
	case KIND_U32:
		if (!read_integer(d, text, &value))
			return false;
		*(uint32_t *)member = value;
		return true;
	case KIND_U64:
		return read_integer(d, text, member);
	case KIND_REAL:
		*(double *)member = strtod(text, &end);
		return !*end && *(double *)member >= 0;
	case KIND_FLAG:
		*(bool *)member = true;
		return true;
	case KIND_TEXT:
		*(const char **)member = text;
		return true;
	case KIND_LIST:
		return read_list(text, member);
	case KIND_FILTER:
		return read_filter(text, member);
	}
	return false;
}

/* What getopt_long() needs to know of the table. */
static void to_getopt(struct option *longs, char *shorts)
{
	const struct definition *d;

	for (d = definitions; d < definitions + N_DEFINITIONS; d++) {
		if (!d->name)
			continue;
		*longs++ = (struct option){
			.name = d->name,
			.has_arg = d->arg ? required_argument : no_argument,
			.val = FIRST_LONG + (d - definitions),
		};
		if (!d->letter)
			continue;
		*shorts++ = d->letter;
		if (d->arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static const struct definition *find(int value)
{
	const struct definition *d;

	if (value >= FIRST_LONG)
		return &definitions[value - FIRST_LONG];
	for (d = definitions; d < definitions + N_DEFINITIONS; d++)
		if (d->letter == value)
			return d;
	return NULL;
}

/**
 * options_read() - read the options
 * @o: what they say; has the defaults already
 * @argc: as of main()
 * @argv: as of main(), from the subcommand on
 *
 * Return: 0, or -1 after it has told what is wrong.
 */
int options_read(struct options *o, int argc, char **argv)
{
	struct option longs[N_DEFINITIONS + 1] = {};
	char shorts[2 * N_DEFINITIONS + 1];
	const struct definition *d;
	int value;

	to_getopt(longs, shorts);
	for (;;) {
		value = getopt_long(argc, argv, shorts, longs, NULL);
		if (value < 0)
			break;
		d = value == '?' ? NULL : find(value);
		if (!d)
			return -1;
		if (!read_value(d, o, optarg)) {
			fprintf(stderr, "kmqtt-bench: --%s: not %s\n",
				d->name, optarg);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "kmqtt-bench: what is %s?\n", argv[optind]);
		return -1;
	}
	return 0;
}

static void help_of(const struct definition *d)
{
	const char *line = d->help, *end;
	char left[40], letter[8] = "";

	if (!d->name) {
		printf("\n%s\n", d->help);
		return;
	}
	if (d->letter)
		snprintf(letter, sizeof(letter), "-%c,", d->letter);
	snprintf(left, sizeof(left), "  %-3s --%s %s", letter, d->name,
		 d->arg ? d->arg : "");
	for (; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		printf("%-29s %.*s\n", left,
		       end ? (int)(end - line) : (int)strlen(line), line);
		left[0] = '\0';
	}
}

/**
 * options_help() - print what options there are
 */
void options_help(void)
{
	size_t i;

	for (i = 0; i < N_DEFINITIONS; i++)
		help_of(&definitions[i]);
}

static json_t *list_to_json(const struct option_list *list)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->values[i]));
	return array;
}

static json_t *value_to_json(const struct definition *d,
			     const struct options *o)
{
	const void *member = (const char *)o + d->offset;
	const char *text;

	switch (d->kind) {
	case KIND_U32:
		return json_integer(*(const uint32_t *)member);
	case KIND_U64:
		return json_integer(*(const uint64_t *)member);
	case KIND_REAL:
		return json_real(*(const double *)member);
	case KIND_FLAG:
		return json_boolean(*(const bool *)member);
	case KIND_TEXT:
		text = *(const char *const *)member;
		return text ? json_string(text) : json_null();
	case KIND_LIST:
		return list_to_json(member);
	case KIND_FILTER:
		return json_string(filter_names[*(const uint32_t *)member]);
	}
	return NULL;
}

/**
 * options_to_json() - tell the options
 * @o: the options
 * @object: gets a member for each, with _ for -
 */
void options_to_json(const struct options *o, json_t *object)
{
	const struct definition *d;
	char name[32];
	char *c;

	for (d = definitions; d < definitions + N_DEFINITIONS; d++) {
		if (!d->name || !strcmp(d->name, "password"))
			continue;
		snprintf(name, sizeof(name), "%s", d->name);
		for (c = name; *c; c++)
			if (*c == '-')
				*c = '_';
		json_object_set_new(object, name, value_to_json(d, o));
	}
}
