// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl stats: counters of the broker
 */
#include <linux/kmqtt.h>

#include "ctl.h"
#include "prometheus.h"

#define STAT(_kind, _attr, _name)				\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_STATS_ ## _attr,		\
		.name = _name,					\
	}

static const struct field fields[] = {
	STAT(SECONDS, UPTIME, "uptime"),
	STAT(NUMBER, LISTENERS, "listeners"),
	STAT(NUMBER, CONNECTIONS, "connections"),
	STAT(NUMBER, CLIENTS, "clients"),
	STAT(NUMBER, SESSIONS, "sessions"),
	STAT(NUMBER, SUBSCRIPTIONS, "subscriptions"),
	STAT(NUMBER, SHARED_SUBSCRIPTIONS, "shared-subscriptions"),
	STAT(NUMBER, RETAINED, "retained"),
	STAT(BYTES, RETAINED_BYTES, "retained-bytes"),
	STAT(NUMBER, MESSAGES, "messages"),
	STAT(BYTES, MESSAGES_BYTES, "messages-bytes"),
	STAT(BYTES, MEMORY, "memory"),
	STAT(NUMBER, BANS, "bans"),
	STAT(NUMBER, CONNECTIONS_TOTAL, "connections-total"),
	STAT(NUMBER, CONNECTIONS_REFUSED, "connections-refused"),
	STAT(NUMBER, CONNECTIONS_BANNED, "connections-banned"),
	STAT(NUMBER, MALFORMED, "malformed"),
	STAT(NUMBER, CONNECTS_RECEIVED, "connects-received"),
	STAT(NUMBER, SESSIONS_EXPIRED, "sessions-expired"),
	STAT(NUMBER, PACKETS_RECEIVED, "packets-received"),
	STAT(NUMBER, PACKETS_SENT, "packets-sent"),
	STAT(BYTES, BYTES_RECEIVED, "bytes-received"),
	STAT(BYTES, BYTES_SENT, "bytes-sent"),
	STAT(BYTES, PAYLOAD_RECEIVED, "payload-received"),
	STAT(BYTES, PAYLOAD_SENT, "payload-sent"),
	STAT(NUMBER, MESSAGES_RECEIVED_QOS0, "messages-received-qos0"),
	STAT(NUMBER, MESSAGES_RECEIVED_QOS1, "messages-received-qos1"),
	STAT(NUMBER, MESSAGES_RECEIVED_QOS2, "messages-received-qos2"),
	STAT(NUMBER, MESSAGES_SENT_QOS0, "messages-sent-qos0"),
	STAT(NUMBER, MESSAGES_SENT_QOS1, "messages-sent-qos1"),
	STAT(NUMBER, MESSAGES_SENT_QOS2, "messages-sent-qos2"),
	STAT(NUMBER, DROPPED_QUEUE_FULL, "dropped-queue-full"),
	STAT(NUMBER, DROPPED_NO_MEMORY, "dropped-no-memory"),
	STAT(NUMBER, DROPPED_TOO_LARGE, "dropped-too-large"),
	STAT(NUMBER, DROPPED_RETAINED_FULL, "dropped-retained-full"),
	STAT(NUMBER, DROPPED_EXPIRED, "dropped-expired"),
	STAT(NUMBER, BH_RUNS, "bh-runs"),
	STAT(NUMBER, THREAD_RUNS, "thread-runs"),
	STAT(NUMBER, HANDOVER_OWNED, "handover-owned"),
	STAT(NUMBER, HANDOVER_NO_MEMORY, "handover-no-memory"),
	STAT(NUMBER, HANDOVER_BUDGET, "handover-budget"),
	STAT(NUMBER, HANDOVER_LARGE, "handover-large"),
	STAT(NUMBER, HANDOVER_SETTING, "handover-setting"),
	STAT(NUMBER, HANDOVER_STATE, "handover-state"),
	STAT(NUMBER, PASSWORDS_WAITING, "passwords-waiting"),
	STAT(NUMBER, PASSWORDS_CHECKED, "passwords-checked"),
	STAT(NUMBER, PASSWORDS_WRONG, "passwords-wrong"),
	STAT(NUMBER, PASSWORDS_REFUSED, "passwords-refused"),
	STAT(NUMBER, DENIED_PUBLISHES, "denied-publishes"),
	STAT(NUMBER, DENIED_DELIVERIES, "denied-deliveries"),
	STAT(NUMBER, PACED, "paced"),
	{ .kind = FIELD_END }
};

static enum exit_code stats_get(struct ctl *ctl)
{
	if (ctl_next_is(ctl, "--prometheus"))
		return prometheus_get(ctl);
	nl_begin(&ctl->nl, KMQTT_CMD_STATS_GET);
	return ctl_get_object(ctl);
}

static const struct verb verbs[] = {
	{ "get", stats_get },
	{ NULL, NULL }
};

const struct noun stats_noun = {
	.name = "stats",
	.summary = "counters",
	.usage =
"Usage: kmqttctl stats [get] [--prometheus]\n\n"
"With --prometheus, metrics are printed as Prometheus reads them, listeners\n"
"included.\n\n"
"kmqttctl(8) tells what the counters count.\n",
	.fields = fields,
	.verbs = verbs,
};
