// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl stats --prometheus: the statistics in Prometheus' text format.
 */
#include "prometheus.h"

#include <linux/kmqtt.h>
#include <stdio.h>
#include <stdlib.h>

#define PREFIX	"kmqtt_"

enum metric_type {
	GAUGE,
	COUNTER,
};

static const char *const types[] = {
	[GAUGE] = "gauge",
	[COUNTER] = "counter",
};

/*
 * A number of the statistics. Those of one metric follow each other, and the
 * first has its help.
 */
struct metric {
	enum metric_type type;
	const char *name;	/* without PREFIX */
	const char *help;
	const char *key;	/* in the row */
	const char *label;	/* or NULL */
	const char *value;	/* of the label */
};

#define ONE(_type, _name, _key, _help)					\
	{ .type = _type, .name = _name, .key = _key, .help = _help }
#define PART(_type, _name, _key, _label, _value, _help)			\
	{								\
		.type = _type, .name = _name, .key = _key,		\
		.help = _help, .label = _label, .value = _value,	\
	}

static const struct metric metrics[] = {
	ONE(GAUGE, "uptime_seconds", "uptime",
	    "Seconds that the broker is there."),
	ONE(GAUGE, "listeners", "listeners", "Open ports."),
	ONE(GAUGE, "connections", "connections",
	    "Connections, those without a CONNECT yet included."),
	ONE(GAUGE, "clients", "clients", "Clients that are connected."),
	ONE(GAUGE, "sessions", "sessions",
	    "Sessions, with and without a connection."),
	ONE(GAUGE, "subscriptions", "subscriptions", "Subscriptions."),
	ONE(GAUGE, "shared_subscriptions", "shared_subscriptions",
	    "Those among the subscriptions that are shared."),
	ONE(GAUGE, "retained_messages", "retained", "Retained messages."),
	ONE(GAUGE, "retained_bytes", "retained_bytes",
	    "Topics, properties and payloads of retained messages."),
	ONE(GAUGE, "messages", "messages",
	    "Messages that are kept: retained, wills, waiting, in flight."),
	ONE(GAUGE, "messages_bytes", "messages_bytes",
	    "Payloads of messages that are kept."),
	ONE(GAUGE, "memory_bytes", "memory",
	    "Memory of the broker, as max-memory limits it."),
	ONE(GAUGE, "bans", "bans", "Bans."),
	ONE(COUNTER, "connections_accepted_total", "connections_total",
	    "Connections accepted."),
	ONE(COUNTER, "connections_refused_total", "connections_refused",
	    "Connections that ended before their CONNECT was accepted."),
	ONE(COUNTER, "connections_banned_total", "connections_banned",
	    "Those of them that were refused because of a ban."),
	ONE(COUNTER, "connections_malformed_total", "malformed",
	    "Connections ended because of a malformed or forbidden packet."),
	ONE(COUNTER, "connects_received_total", "connects_received",
	    "CONNECT packets received."),
	ONE(COUNTER, "sessions_expired_total", "sessions_expired",
	    "Sessions that ended because their time was over."),
	ONE(COUNTER, "packets_received_total", "packets_received",
	    "Packets received, of all kinds."),
	ONE(COUNTER, "packets_sent_total", "packets_sent",
	    "Packets sent, of all kinds."),
	ONE(COUNTER, "received_bytes_total", "bytes_received",
	    "Bytes received."),
	ONE(COUNTER, "sent_bytes_total", "bytes_sent", "Bytes sent."),
	ONE(COUNTER, "payload_received_bytes_total", "payload_received",
	    "Bytes of payload in PUBLISH packets received."),
	ONE(COUNTER, "payload_sent_bytes_total", "payload_sent",
	    "Bytes of payload in PUBLISH packets sent."),
	PART(COUNTER, "messages_received_total", "messages_received_qos0", "qos", "0",
	     "PUBLISH packets received."),
	PART(COUNTER, "messages_received_total", "messages_received_qos1", "qos", "1",
	     NULL),
	PART(COUNTER, "messages_received_total", "messages_received_qos2", "qos", "2",
	     NULL),
	PART(COUNTER, "messages_sent_total", "messages_sent_qos0", "qos", "0",
	     "PUBLISH packets sent."),
	PART(COUNTER, "messages_sent_total", "messages_sent_qos1", "qos", "1",
	     NULL),
	PART(COUNTER, "messages_sent_total", "messages_sent_qos2", "qos", "2",
	     NULL),
	PART(COUNTER, "messages_dropped_total", "dropped_queue_full", "reason", "queue_full",
	     "Messages that did not reach a subscriber or the retained store."),
	PART(COUNTER, "messages_dropped_total", "dropped_no_memory", "reason", "no_memory",
	     NULL),
	PART(COUNTER, "messages_dropped_total", "dropped_too_large", "reason", "too_large",
	     NULL),
	PART(COUNTER, "messages_dropped_total", "dropped_retained_full", "reason", "retained_full",
	     NULL),
	PART(COUNTER, "messages_dropped_total", "dropped_expired", "reason", "expired",
	     NULL),
	PART(COUNTER, "messages_denied_total", "denied_publishes", "right", "write",
	     "Messages that access rules kept from where they were to go."),
	PART(COUNTER, "messages_denied_total", "denied_deliveries", "right", "read",
	     NULL),
	ONE(GAUGE, "passwords_waiting", "passwords_waiting",
	    "Passwords that wait to be checked, or are being checked."),
	ONE(COUNTER, "passwords_checked_total", "passwords_checked",
	    "Passwords that were checked."),
	ONE(COUNTER, "passwords_wrong_total", "passwords_wrong",
	    "Those of them that were wrong, or of nobody."),
	ONE(COUNTER, "passwords_refused_total", "passwords_refused",
	    "Passwords that were not checked, since too many waited."),
	ONE(COUNTER, "clients_paced_total", "paced",
	    "Times that a client was held back for its rate."),
	PART(COUNTER, "passes_total", "bh_runs", "context", "softirq",
	     "Times that a connection was served."),
	PART(COUNTER, "passes_total", "thread_runs", "context", "thread", NULL),
	PART(COUNTER, "handovers_total", "handover_owned", "reason", "owned",
	     "Times that softirq left a connection to a thread."),
	PART(COUNTER, "handovers_total", "handover_no_memory", "reason", "no_memory",
	     NULL),
	PART(COUNTER, "handovers_total", "handover_budget", "reason", "budget",
	     NULL),
	PART(COUNTER, "handovers_total", "handover_large", "reason", "large",
	     NULL),
	PART(COUNTER, "handovers_total", "handover_setting", "reason", "setting",
	     NULL),
	PART(COUNTER, "handovers_total", "handover_state", "reason", "state",
	     NULL),
};

static const struct metric listener_metrics[] = {
	ONE(GAUGE, "listener_connections", "connections",
	    "Connections of a listener."),
	ONE(COUNTER, "listener_connections_accepted_total",
	    "connections_total", "Connections that a listener has accepted."),
};

static void print_head(const struct metric *metric)
{
	printf("# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
	       metric->name, metric->help, metric->name, types[metric->type]);
}

/* Labels of a sample: the first brings the brace, print_value() the other one. */
static void print_label(const char *name, const char *value, bool *first)
{
	printf("%c%s=\"", *first ? '{' : ',', name);
	*first = false;
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", stdout);
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			putchar(*value);
	}
	putchar('"');
}

static void print_value(json_t *value, bool first)
{
	printf("%s %" JSON_INTEGER_FORMAT "\n", first ? "" : "}",
	       json_integer_value(value));
}

/* Begin a sample. Files of several brokers may be read together. */
static void print_name(const struct ctl *ctl, const struct metric *metric,
		       bool *first)
{
	*first = true;
	printf(PREFIX "%s", metric->name);
	if (ctl->netns)
		print_label("netns", ctl->netns, first);
}

/* An older module may not know all of them. */
static void print_stats(const struct ctl *ctl, json_t *row)
{
	const struct metric *metric = metrics;
	const struct metric *end = metrics + sizeof(metrics) / sizeof(*metrics);
	bool first;

	for (; metric < end; metric++) {
		json_t *value = json_object_get(row, metric->key);

		if (!value)
			continue;
		if (metric->help)
			print_head(metric);
		print_name(ctl, metric, &first);
		if (metric->label)
			print_label(metric->label, metric->value, &first);
		print_value(value, first);
	}
}

static void print_listener(const struct ctl *ctl, const struct metric *metric,
			   json_t *row)
{
	const struct field *fields = listener_noun.fields;
	char *id = field_text(field_by_name(fields, "id"), row, false);
	char *address = field_text(field_by_name(fields, "address"), row,
				   false);
	bool first;

	print_name(ctl, metric, &first);
	print_label("listener", id ?: "", &first);
	print_label("address", address ?: "", &first);
	print_value(json_object_get(row, metric->key), first);
	free(address);
	free(id);
}

static void print_listeners(const struct ctl *ctl, json_t *rows)
{
	const struct metric *metric = listener_metrics;
	const struct metric *end = metric + sizeof(listener_metrics) /
					    sizeof(*listener_metrics);
	json_t *row;
	size_t i;

	if (!json_array_size(rows))
		return;
	for (; metric < end; metric++) {
		print_head(metric);
		json_array_foreach(rows, i, row)
			print_listener(ctl, metric, row);
	}
}

/**
 * prometheus_get() - print all there is to be monitored
 * @ctl: run
 *
 * Prints nothing unless all of it could be had: a collector that reads a part
 * takes the rest for gone.
 *
 * Return: how it ended.
 */
enum exit_code prometheus_get(struct ctl *ctl)
{
	json_t *stats = NULL, *listeners = NULL;
	enum exit_code ret;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	if (ctl->style.json)
		return ctl_usage(ctl, "either --json or --prometheus");
	nl_begin(&ctl->nl, KMQTT_CMD_STATS_GET);
	ret = ctl_get_rows(ctl, ctl->noun->fields, false, &stats);
	if (ret == EXIT_DONE) {
		nl_begin(&ctl->nl, KMQTT_CMD_LISTENER_GET);
		ret = ctl_get_rows(ctl, listener_noun.fields, true, &listeners);
	}
	if (ret == EXIT_DONE) {
		print_stats(ctl, json_array_get(stats, 0));
		print_listeners(ctl, listeners);
	}
	json_decref(stats);
	json_decref(listeners);
	return ctl_report(ctl, ret);
}
