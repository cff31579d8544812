// SPDX-License-Identifier: GPL-2.0
/*
 * What comes by, seen through a tap of the broker: messages as they are
 * published, or packets.
 */
#include "watch.h"

#include <stdio.h>
#include <time.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

#include "text.h"

#define FIELD(_kind, _attr, _name)				\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_MESSAGE_ ## _attr,		\
		.name = _name,					\
	}

/* The first is made of an attribute, see read_one(). */
const struct field watch_fields[] = {
	{ .kind = FIELD_STRING, .name = "time", .bare = true },
	FIELD(STRING, CLIENT_ID, "client-id"),
	FIELD(NUMBER, QOS, "qos"),
	FIELD(SWITCH, RETAIN, "retain"),
	FIELD(NUMBER, SIZE, "size"),
	FIELD(STRING, TOPIC, "topic"),
	FIELD(PAYLOAD, PAYLOAD, "payload"),
	FIELD(FLAG, TRUNCATED, "truncated"),
	FIELD(STRING, FILTER, "filter"),
	{ .kind = FIELD_END }
};

const struct watch_kind watch_messages = {
	.key = "filter",
	.missing = "filter needs a value",
	.what = "messages",
	.cmd = KMQTT_CMD_MESSAGE_NTF,
	.fields = watch_fields,
	.time = KMQTT_A_MESSAGE_TIME,
	.lost = KMQTT_A_MESSAGE_LOST,
};

/**
 * watch_args() - read arguments: what to look at, and for how long
 * @watch: is told
 *
 * Return: EXIT_DONE or EXIT_USAGE.
 */
enum exit_code watch_args(struct watch *watch)
{
	struct ctl *ctl = watch->ctl;
	const char *arg;

	ctl_next_is(ctl, watch->kind->key);
	watch->name = ctl_next_arg(ctl);
	if (!watch->name)
		return ctl_usage(ctl, watch->kind->missing);
	for (;;) {
		if (ctl_next_is(ctl, "count")) {
			arg = ctl_next_arg(ctl) ?: "";
			if (!text_to_number(arg, INT32_MAX, &watch->count) ||
			    !watch->count)
				return ctl_not(ctl, arg, "a number");
		} else if (ctl_next_is(ctl, "for")) {
			arg = ctl_next_arg(ctl) ?: "";
			if (!text_to_seconds(arg, INT32_MAX, &watch->seconds) ||
			    !watch->seconds)
				return ctl_not(ctl, arg, "a time, as 90 or 2m");
		} else {
			return ctl_end_args(ctl);
		}
	}
}

/**
 * watch_begin() - from now on they come
 * @watch: what to look at
 *
 * Return: how it ended, for watch_report().
 */
enum exit_code watch_begin(struct watch *watch)
{
	struct nl *nl = &watch->ctl->nl;
	const struct field *field;
	enum exit_code ret;

	field = field_by_name(watch_fields, watch->kind->key);
	nl_begin(nl, KMQTT_CMD_TAP_ADD);
	if (!field_put(nl, field, watch->name))
		return ctl_not(watch->ctl, watch->name, field_wants(field));
	if (watch->payload_max)
		nl_put_uint(nl, KMQTT_A_MESSAGE_PAYLOAD_MAX, watch->payload_max,
			    sizeof(watch->payload_max));
	ret = nl_join(nl, NL_TAPS);
	return ret != EXIT_DONE ? ret : nl_do(nl, NULL, NULL);
}

/**
 * watch_row() - print one that came, if it is wanted
 * @watch: who looks
 * @row: the message or packet; given back
 */
void watch_row(struct watch *watch, json_t *row)
{
	if (!watch->done) {
		watch->print(watch, row);
		fflush(stdout);
		watch->done = watch->count && !--watch->count;
	}
	json_decref(row);
}

/* They are part of the output for programs, and next to it for people. */
static void print_lost(const struct watch *watch, uint64_t lost)
{
	json_t *row;

	if (!lost)
		return;
	if (!watch->ctl->style.json) {
		fflush(stdout);
		fprintf(stderr, "kmqttctl: %ju %s came too fast\n",
			(uintmax_t)lost, watch->kind->what);
		return;
	}
	row = json_pack("{sI}", "lost", (json_int_t)lost);
	print_json(&watch->ctl->style, row);
	fflush(stdout);
	json_decref(row);
}

static void set_time(json_t *row, uint64_t nanoseconds)
{
	struct timespec time = {
		.tv_sec = nanoseconds / 1000000000,
		.tv_nsec = nanoseconds % 1000000000,
	};
	char text[TEXT_TIME_MAX];

	text_of_time(text, &time);
	json_object_set_new(row, "time", json_string(text));
}

static void read_one(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[FIELD_ATTRS_MAX];
	struct watch *watch = arg;
	const struct watch_kind *kind = watch->kind;
	uint64_t value;
	json_t *row;

	if (genl->cmd != kind->cmd)
		return;
	field_attrs(nlh, attrs);
	if (field_uint(attrs[kind->lost], &value))
		print_lost(watch, value);
	row = json_object();
	if (watch->timestamp && field_uint(attrs[kind->time], &value))
		set_time(row, value);
	json_object_update_new(row, field_read_row(kind->fields, nlh));
	watch_row(watch, row);
}

static void read_lost(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attrs[FIELD_ATTRS_MAX];
	uint64_t lost;

	field_attrs(nlh, attrs);
	if (field_uint(attrs[KMQTT_A_MESSAGE_LOST], &lost))
		print_lost(arg, lost);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Until there is something to read. Returns false if the time is over. */
static bool wait_until(struct nl *nl, uint64_t end)
{
	uint64_t now, left;

	while (end) {
		now = now_ms();
		left = end > now ? end - now : 0;
		/* There may always be something, if it comes fast enough. */
		if (!left)
			return false;
		if (nl_wait(nl, left > INT32_MAX ? INT32_MAX : left))
			return true;
	}
	return true;
}

/**
 * watch_run() - print what comes until it was enough, or the time is over
 * @watch: who looks, after watch_begin()
 *
 * Return: how it ended, for watch_report(); EXIT_PARTIAL if there were fewer than
 * were wanted.
 */
enum exit_code watch_run(struct watch *watch)
{
	uint64_t end = watch->seconds ? now_ms() + watch->seconds * 1000 : 0;
	struct nl *nl = &watch->ctl->nl;
	enum exit_code ret = EXIT_DONE;
	bool lost;

	while (!watch->done && !ferror(stdout) && wait_until(nl, end)) {
		ret = nl_next_events(nl, &lost, read_one, watch);
		if (ret != EXIT_DONE)
			return ret;
	}
	nl_begin(nl, KMQTT_CMD_TAP_DEL);
	ret = nl_do(nl, read_lost, watch);
	return ret == EXIT_DONE && watch->count ? EXIT_PARTIAL : ret;
}

/**
 * watch_report() - tell how it ended, unless it was well
 * @watch: who has looked
 * @code: the end
 *
 * Return: @code.
 */
enum exit_code watch_report(const struct watch *watch, enum exit_code code)
{
	/* What was there is printed, and the status says that it isn't all. */
	if (code == EXIT_PARTIAL || code == EXIT_USAGE)
		return code;
	return ctl_report(watch->ctl, code);
}
