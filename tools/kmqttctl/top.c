// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl top: who is busy, and who is slow
 *
 * Rates are differences between two lists of connections. A connection that
 * has come since the one before has begun at zero.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/kmqtt.h>

#include "ctl.h"
#include "screen.h"
#include "text.h"

#define INTERVAL_MAX	3600	/* seconds */

/* Counters of a connection, by their names in rows, and what they become. */
enum rate {
	RATE_RECEIVED,
	RATE_SENT,
	RATE_BYTES_RECEIVED,
	RATE_BYTES_SENT,
	RATE_DROPPED,
	RATES
};

static const struct {
	const char *counter;
	const char *rate;
} rates[RATES] = {
	[RATE_RECEIVED] = { "messages_received", "received_rate" },
	[RATE_SENT] = { "messages_sent", "sent_rate" },
	[RATE_BYTES_RECEIVED] = { "bytes_received", "bytes_received_rate" },
	[RATE_BYTES_SENT] = { "bytes_sent", "bytes_sent_rate" },
	[RATE_DROPPED] = { "dropped", "dropped_rate" },
};

/* What may be sorted by: the sum of one or two values of a row. */
static const struct key {
	const char *name;
	const char *values[2];
} keys[] = {
	{ "messages", { "received_rate", "sent_rate" } },
	{ "received", { "received_rate" } },
	{ "sent", { "sent_rate" } },
	{ "bytes", { "bytes_received_rate", "bytes_sent_rate" } },
	{ "queued", { "queued_messages" } },
	{ "inflight", { "inflight" } },
	{ "send-queue", { "send_queue" } },
	{ "dropped", { "dropped_rate" } },
	{ "idle", { "idle" } },
	{ .name = NULL }
};

/* One run. */
struct top {
	struct ctl *ctl;
	uint64_t interval;	/* seconds */
	uint64_t rows;		/* 0 for as many as there are, or fit */
	uint64_t times;		/* 0 for ever */
	bool batch;
	const struct key *key;
	json_t *before;		/* rows by number of connection */
	json_t *now;		/* likewise, in order of the list */
	struct timespec when;	/* of the list before */
	double elapsed;		/* seconds between the two */
};

/* qsort() takes no argument for what it compares by. */
static const struct key *sort_key;

static void *check(void *mem)
{
	if (!mem)
		errx(EXIT_FAILED, "out of memory");
	return mem;
}

static void set(json_t *row, const char *name, json_t *value)
{
	if (json_object_set_new(row, name, check(value)))
		errx(EXIT_FAILED, "out of memory");
}

static double number(json_t *row, const char *name)
{
	return json_number_value(json_object_get(row, name));
}

/* To so many parts of one. */
static json_t *rounded(double value, unsigned int parts)
{
	return json_real((double)(uint64_t)(value * parts + 0.5) / parts);
}

static void read_client(const struct nlmsghdr *nlh, void *arg)
{
	json_t *row = field_read_row(client_noun.fields, nlh);
	char connection[TEXT_NUMBER_MAX];
	struct top *top = arg;

	snprintf(connection, sizeof(connection), "%jd",
		 (intmax_t)number(row, "connection"));
	set(top->now, connection, row);
}

static void add_rates(struct top *top)
{
	const char *connection;
	json_t *row, *old;
	double change;
	int i;

	json_object_foreach(top->now, connection, row) {
		old = json_object_get(top->before, connection);
		for (i = 0; i < RATES; i++) {
			change = number(row, rates[i].counter) -
				 number(old, rates[i].counter);
			/* Of a session that was taken over, it may be less. */
			if (change < 0)
				change = 0;
			set(row, rates[i].rate,
			    rounded(change / top->elapsed, 10));
		}
	}
}

static double elapsed(const struct timespec *from, const struct timespec *to)
{
	return to->tv_sec - from->tv_sec +
	       (to->tv_nsec - from->tv_nsec) / 1e9;
}

/* Ask for all connections, once more. */
static enum exit_code sample(struct top *top)
{
	enum exit_code ret;
	struct timespec now;

	json_decref(top->before);
	top->before = top->now;
	top->now = check(json_object());
	nl_begin(&top->ctl->nl, KMQTT_CMD_CLIENT_GET);
	ret = nl_dump(&top->ctl->nl, read_client, top);
	clock_gettime(CLOCK_MONOTONIC, &now);
	top->elapsed = elapsed(&top->when, &now);
	top->when = now;
	if (top->before)
		add_rates(top);
	/* It may have gaps: the next one is soon to come. */
	return ret == EXIT_PARTIAL ? EXIT_DONE : ret;
}

static double sort_value(json_t *row)
{
	return number(row, sort_key->values[0]) +
	       (sort_key->values[1] ? number(row, sort_key->values[1]) : 0);
}

static int compare(const void *a, const void *b)
{
	json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
	double x = sort_value(one), y = sort_value(other);

	if (x != y)
		return x < y ? 1 : -1;
	x = number(one, "connection");
	y = number(other, "connection");
	return x < y ? -1 : x > y;
}

/* The rows in order, as an array to free; the references stay where they are. */
static json_t **sorted(struct top *top, size_t *nr)
{
	const char *connection;
	json_t **rows, *row;
	size_t i = 0;

	*nr = json_object_size(top->now);
	rows = check(calloc(*nr + 1, sizeof(*rows)));
	json_object_foreach(top->now, connection, row)
		rows[i++] = row;
	sort_key = top->key;
	qsort(rows, *nr, sizeof(*rows), compare);
	return rows;
}

static void print_turn_json(struct top *top, json_t **rows, size_t nr, size_t shown)
{
	json_t *object = check(json_object());
	json_t *clients = check(json_array());
	size_t i;

	for (i = 0; i < shown; i++)
		if (json_array_append(clients, rows[i]))
			errx(EXIT_FAILED, "out of memory");
	set(object, "time", json_integer(time(NULL)));
	set(object, "interval", rounded(top->elapsed, 1000));
	set(object, "connections", json_integer(nr));
	set(object, "clients", clients);
	print_object(&top->ctl->style, NULL, object);
	json_decref(object);
}

static void text_of_rate(char text[TEXT_NUMBER_MAX], double rate)
{
	snprintf(text, TEXT_NUMBER_MAX, rate && rate < 10 ? "%.1f" : "%.0f",
		 rate);
}

/* A line of the table, to free. */
static char *line_of(json_t *row)
{
	const struct field *fields = client_noun.fields;
	char in[TEXT_NUMBER_MAX], out[TEXT_NUMBER_MAX];
	char bytes_in[TEXT_NUMBER_MAX], bytes_out[TEXT_NUMBER_MAX];
	char unsent[TEXT_NUMBER_MAX], lost[TEXT_NUMBER_MAX];
	char idle[TEXT_NUMBER_MAX], *id, *address, *line;

	text_of_rate(in, number(row, rates[RATE_RECEIVED].rate));
	text_of_rate(out, number(row, rates[RATE_SENT].rate));
	text_of_bytes(bytes_in, number(row, rates[RATE_BYTES_RECEIVED].rate));
	text_of_bytes(bytes_out, number(row, rates[RATE_BYTES_SENT].rate));
	text_of_rate(lost, number(row, rates[RATE_DROPPED].rate));
	text_of_bytes(unsent, number(row, "send_queue"));
	text_of_seconds(idle, number(row, "idle"));
	address = field_text(field_by_name(fields, "address"), row, false);
	id = field_text(field_by_name(fields, "client-id"), row, false);
	if (asprintf(&line, "%8s %8s %7s %7s %7.0f %8.0f %7s %7s %6s  %-21s %s",
		     in, out, bytes_in, bytes_out,
		     number(row, "queued_messages"), number(row, "inflight"),
		     unsent, lost, idle, address ?: "-", id ?: "-") < 0)
		errx(EXIT_FAILED, "out of memory");
	free(address);
	free(id);
	return line;
}

static void print_line_of(const struct top *top, const char *text)
{
	if (top->batch)
		puts(text);
	else
		screen_line(text);
}

static void print_rows(struct top *top, json_t **rows, size_t nr, size_t shown)
{
	double received = 0, sent = 0, queued = 0;
	char now[32], text[160], *line;
	time_t seconds = time(NULL);
	struct tm tm;
	size_t i;

	for (i = 0; i < nr; i++) {
		received += number(rows[i], rates[RATE_RECEIVED].rate);
		sent += number(rows[i], rates[RATE_SENT].rate);
		queued += number(rows[i], "queued_messages");
	}
	localtime_r(&seconds, &tm);
	strftime(now, sizeof(now), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text),
		 "%s  connections %zu; messages/s received %.0f, sent %.0f; queued %.0f; by %s",
		 now, nr, received, sent, queued, top->key->name);
	print_line_of(top, text);
	print_line_of(top, "");
	snprintf(text, sizeof(text),
		 "%8s %8s %7s %7s %7s %8s %7s %7s %6s  %-21s %s", "RECV/s",
		 "SENT/s", "IN/s", "OUT/s", "QUEUED", "INFLIGHT", "SEND-Q",
		 "DROP/s", "IDLE", "ADDRESS", "CLIENT-ID");
	print_line_of(top, text);
	for (i = 0; i < shown; i++) {
		line = line_of(rows[i]);
		print_line_of(top, line);
		free(line);
	}
}

static void print(struct top *top)
{
	size_t nr, shown, height, width;
	json_t **rows = sorted(top, &nr);

	shown = top->rows && top->rows < nr ? top->rows : nr;
	if (top->ctl->style.json) {
		print_turn_json(top, rows, nr, shown);
	} else if (top->batch) {
		print_rows(top, rows, nr, shown);
		putchar('\n');
	} else {
		/* Three lines are above the rows, and one stays empty. */
		screen_size(&height, &width);
		height = height > 4 ? height - 4 : 0;
		screen_begin();
		print_rows(top, rows, nr, shown < height ? shown : height);
		screen_end();
	}
	fflush(stdout);
	free(rows);
}

/* Wait for the time to ask again. Returns false if there is none. */
static bool wait_turn(struct top *top)
{
	struct timespec now, pause = { .tv_sec = top->interval };
	double left;

	if (top->batch)
		return !nanosleep(&pause, NULL);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = top->interval - elapsed(&top->when, &now);
		switch (screen_wait(left > 0 ? left * 1000 + 1 : 0)) {
		case SCREEN_TIMEOUT:
			return true;
		case SCREEN_RESIZED:
			print(top);
			break;
		case SCREEN_QUIT:
			return false;
		}
	}
}

static enum exit_code watch(struct top *top)
{
	uint64_t turn = 0;
	enum exit_code ret;

	ret = sample(top);
	if (ret)
		return ret;
	if (!top->batch)
		screen_open();
	while (wait_turn(top)) {
		ret = sample(top);
		if (ret)
			break;
		print(top);
		if (ferror(stdout) || (top->times && ++turn == top->times))
			break;
	}
	screen_close();
	return ret;
}

static bool read_number(struct ctl *ctl, uint64_t max, uint64_t *value)
{
	const char *arg = ctl_next_arg(ctl);

	return arg && text_to_number(arg, max, value) && *value;
}

static bool read_key(struct top *top)
{
	const char *arg = ctl_next_arg(top->ctl);

	for (top->key = keys; arg && top->key->name; top->key++)
		if (!strcmp(top->key->name, arg))
			return true;
	return false;
}

static enum exit_code read_args(struct top *top)
{
	struct ctl *ctl = top->ctl;
	const char *arg;

	while (*ctl->args) {
		if (ctl_next_is(ctl, "interval")) {
			arg = ctl_next_arg(ctl);
			if (!arg || !text_to_seconds(arg, INTERVAL_MAX,
						     &top->interval) ||
			    !top->interval)
				return ctl_usage(ctl, "interval needs a time, 1s to 1h");
		} else if (ctl_next_is(ctl, "sort")) {
			if (!read_key(top))
				return ctl_usage(ctl, "sort needs what to sort by");
		} else if (ctl_next_is(ctl, "rows")) {
			if (!read_number(ctl, UINT32_MAX, &top->rows))
				return ctl_usage(ctl, "rows needs a number");
		} else if (ctl_next_is(ctl, "batch") || ctl_next_is(ctl, "-b")) {
			top->batch = true;
			if (!read_number(ctl, UINT32_MAX, &top->times))
				return ctl_usage(ctl, "batch needs how often to print");
		} else {
			return ctl_end_args(ctl);
		}
	}
	return EXIT_DONE;
}

static enum exit_code top_run(struct ctl *ctl)
{
	struct top top = {
		.ctl = ctl,
		.interval = 1,
		.key = keys,
	};
	enum exit_code ret;

	/* What isn't a terminal gets one table after the other. */
	top.batch = ctl->style.json || !isatty(STDOUT_FILENO);
	ret = read_args(&top);
	if (ret)
		return ret;
	ret = watch(&top);
	json_decref(top.before);
	json_decref(top.now);
	return ctl_report(ctl, ret);
}

static const struct verb verbs[] = {
	{ NULL, top_run },
};

const struct noun top_noun = {
	.name = "top",
	.summary = "who is busy, and who is slow",
	.usage =
"Usage: kmqttctl top [interval TIME] [sort KEY] [rows NUMBER] [batch NUMBER]\n\n"
"KEY is messages, received, sent, bytes, queued, inflight, send-queue, dropped\n"
"or idle. batch, or -b, prints so many tables, one after the other; so do -j,\n"
"with an object for each, and any output that is no terminal, until the end.\n"
"In a terminal, q ends it and the space bar asks at once.\n",
	.fields = NULL,
	.verbs = verbs,
};
