// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl monitor: events as they come
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

#include "ctl.h"
#include "text.h"

#define FIELD(_kind, _attr, _name)				\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_EVENT_ ## _attr,		\
		.name = _name,					\
	}

static const char *const drops[] = {
	[KMQTT_DROP_QUEUE_FULL] = "queue-full",
	[KMQTT_DROP_NO_MEMORY] = "no-memory",
	[KMQTT_DROP_TOO_LARGE] = "too-large",
	[KMQTT_DROP_RETAINED_FULL] = "retained-full",
	[KMQTT_DROP_EXPIRED] = "expired",
	NULL
};

/* The first two are no attributes, see print_event(). */
static const struct field fields[] = {
	{ .kind = FIELD_STRING, .name = "time", .bare = true },
	{ .kind = FIELD_STRING, .name = "event", .bare = true },
	FIELD(STRING, CLIENT_ID, "client-id"),
	FIELD(NUMBER, CONNECTION, "connection"),
	FIELD(NUMBER, LISTENER, "listener"),
	FIELD(ADDRESS, ADDR4, "address"),
	FIELD(LEVEL, LEVEL, "level"),
	FIELD(STRING, USER, "user"),
	FIELD(SWITCH, CLEAN, "clean"),
	FIELD(SWITCH, SESSION_PRESENT, "session-present"),
	FIELD(REASON, REASON, "reason"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_EVENT_DROP, .name = "drop",
	  .names = drops },
	FIELD(NUMBER, COUNT, "count"),
	FIELD(FLAG, TRUNCATED, "truncated"),
	{ .kind = FIELD_END }
};

static const struct event {
	const char *name;
	uint8_t cmd;
} events[] = {
	{ "connect", KMQTT_CMD_CONNECT_NTF },
	{ "disconnect", KMQTT_CMD_DISCONNECT_NTF },
	{ "refused", KMQTT_CMD_REFUSED_NTF },
	{ "dropped", KMQTT_CMD_DROPPED_NTF },
	{ "ban", KMQTT_CMD_BAN_NTF },
	{ "config", KMQTT_CMD_CONFIG_NTF },
	{ NULL, 0 }
};

/* What to show, by command. */
struct monitor {
	struct ctl *ctl;
	bool wanted[KMQTT_CMD_MAX + 1];
};

/* Takes @row over. */
static void print_event(const struct ctl *ctl, const char *name, json_t *row)
{
	json_t *event = json_object();
	char text[TEXT_TIME_MAX];
	struct timespec now;

	if (ctl->timestamp) {
		clock_gettime(CLOCK_REALTIME, &now);
		text_of_time(text, &now);
		json_object_set_new(event, "time", json_string(text));
	}
	json_object_set_new(event, "event", json_string(name));
	json_object_update(event, row);
	print_line(&ctl->style, fields, event);
	fflush(stdout);
	json_decref(event);
	json_decref(row);
}

static void read_event(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct monitor *monitor = arg;
	size_t i;

	for (i = 0; events[i].name; i++)
		if (events[i].cmd == genl->cmd && monitor->wanted[genl->cmd])
			print_event(monitor->ctl, events[i].name,
				    field_read_row(fields, nlh));
}

static bool want(struct monitor *monitor, const char *name)
{
	size_t i;

	for (i = 0; events[i].name; i++) {
		if (!strcmp(events[i].name, name)) {
			monitor->wanted[events[i].cmd] = true;
			return true;
		}
	}
	return false;
}

static enum exit_code monitor_run(struct ctl *ctl)
{
	struct monitor monitor = { .ctl = ctl };
	enum exit_code ret;
	const char *name;
	bool lost;

	if (!*ctl->args)
		memset(monitor.wanted, true, sizeof(monitor.wanted));
	while ((name = ctl_next_arg(ctl)))
		if (!want(&monitor, name))
			return ctl_not(ctl, name, "an event");
	ret = nl_join(&ctl->nl, NL_EVENTS);
	while (ret == EXIT_DONE && !ferror(stdout)) {
		ret = nl_next_events(&ctl->nl, &lost, read_event, &monitor);
		if (lost)
			print_event(ctl, "lost", json_object());
	}
	return ctl_report(ctl, ret);
}

static const struct verb verbs[] = {
	{ NULL, monitor_run },
};

const struct noun monitor_noun = {
	.name = "monitor",
	.summary = "events as they come",
	.usage =
"Usage: kmqttctl monitor [connect] [disconnect] [refused] [dropped] [ban]\n"
"                        [config]\n\n"
"Without arguments, all events are shown. The event lost stands for events\n"
"that came too fast. -t shows when events came.\n",
	.fields = fields,
	.verbs = verbs,
};
