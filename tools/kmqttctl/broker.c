// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl broker: settings
 */
#include <linux/kmqtt.h>

#include "ctl.h"

#define SETTING(_kind, _size, _attr, _name, ...)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_BROKER_ ## _attr,		\
		.size = _size,					\
		.name = _name,					\
		__VA_ARGS__					\
	}

static const char *const backpressures[] = {
	[KMQTT_BACKPRESSURE_DROP] = "drop",
	[KMQTT_BACKPRESSURE_HOLD] = "hold",
	NULL
};

static const char *const redirects[] = {
	[KMQTT_REDIRECT_OFF] = "off",
	[KMQTT_REDIRECT_TEMPORARY] = "temporary",
	[KMQTT_REDIRECT_PERMANENT] = "permanent",
	NULL
};

static const struct field fields[] = {
	SETTING(NUMBER, 4, MAX_CONNECTIONS, "max-connections"),
	SETTING(NUMBER, 4, MAX_CONNECTIONS_PER_SOURCE,
		"max-connections-per-source"),
	SETTING(SECONDS, 4, CONNECT_TIMEOUT, "connect-timeout",
		.min = 1, .max = 3600),
	SETTING(BYTES, 4, MAX_PACKET_SIZE, "max-packet-size",
		.min = 1024, .max = 268435460),
	SETTING(NUMBER, 4, MAX_INFLIGHT, "max-inflight",
		.min = 1, .max = UINT16_MAX),
	SETTING(NUMBER, 4, MAX_QUEUED_MESSAGES, "max-queued-messages"),
	SETTING(BYTES, 0, MAX_QUEUED_BYTES, "max-queued-bytes"),
	SETTING(BYTES, 0, MAX_MEMORY, "max-memory", .min = 65536),
	SETTING(NUMBER, 4, MAX_SESSIONS, "max-sessions"),
	SETTING(NUMBER, 4, MAX_RETAINED, "max-retained"),
	SETTING(NUMBER, 4, MAX_SUBSCRIPTIONS, "max-subscriptions"),
	SETTING(SWITCH, 1, BH_PATH, "bh-path"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_BROKER_BACKPRESSURE, .size = 1,
	  .name = "backpressure", .names = backpressures },
	SETTING(SECONDS, 4, MAX_SESSION_EXPIRY, "max-session-expiry"),
	SETTING(NUMBER, 2, RECEIVE_MAX, "receive-max", .min = 1),
	SETTING(NUMBER, 2, TOPIC_ALIAS_MAX, "topic-alias-max"),
	SETTING(SECONDS, 2, MAX_KEEPALIVE, "max-keepalive"),
	SETTING(NUMBER, 1, MAX_QOS, "max-qos", .max = 2),
	SETTING(SWITCH, 1, RETAIN_AVAILABLE, "retain-available"),
	SETTING(SWITCH, 1, WILDCARD_AVAILABLE, "wildcard-available"),
	SETTING(SWITCH, 1, SHARED_AVAILABLE, "shared-available"),
	SETTING(SWITCH, 1, SUBSCRIPTION_IDS_AVAILABLE,
		"subscription-ids-available"),
	SETTING(SWITCH, 1, VALIDATE_PAYLOAD, "validate-payload"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_BROKER_REDIRECT, .size = 1,
	  .name = "redirect", .names = redirects },
	SETTING(TEXT, 0, RESPONSE_INFORMATION, "response-information"),
	SETTING(TEXT, 0, SERVER_REFERENCE, "server-reference"),
	SETTING(TEXT, 0, REQUIRED_CLIENT_ID_PREFIX,
		"required-client-id-prefix"),
	SETTING(SECONDS, 4, SYS_INTERVAL, "sys-interval", .max = UINT16_MAX),
	SETTING(NUMBER, 4, MAX_BANS, "max-bans", .max = 1 << 20),
	SETTING(NUMBER, 4, FLAPPING_MAX, "flapping-max"),
	SETTING(SECONDS, 4, FLAPPING_WINDOW, "flapping-window",
		.min = 1, .max = 86400),
	SETTING(SECONDS, 4, FLAPPING_BAN, "flapping-ban", .min = 1),
	SETTING(BYTES, 4, MAX_PAYLOAD_SIZE, "max-payload-size",
		.max = 268435455),
	SETTING(SWITCH, 1, QUEUE_QOS0, "queue-qos0"),
	SETTING(SWITCH, 1, UPGRADE_QOS, "upgrade-qos"),
	SETTING(BYTES, 0, MAX_INFLIGHT_BYTES, "max-inflight-bytes", .min = 1),
	SETTING(SWITCH, 1, CHECK_RETAIN_SOURCE, "check-retain-source"),
	{ .kind = FIELD_END }
};

static enum exit_code broker_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_BROKER_GET);
	return ctl_get_object(ctl);
}

static enum exit_code broker_set(struct ctl *ctl)
{
	const char *name = ctl_next_arg(ctl);

	if (!name)
		return ctl_usage(ctl, "which setting?");
	nl_begin(&ctl->nl, KMQTT_CMD_BROKER_SET);
	for (; name; name = ctl_next_arg(ctl)) {
		if (!field_by_name(fields, name))
			return ctl_not(ctl, name, "a setting");
		if (ctl_put(ctl, name))
			return EXIT_USAGE;
	}
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", broker_get },
	{ "set", broker_set },
	{ NULL, NULL }
};

const struct noun broker_noun = {
	.name = "broker",
	.summary = "settings and limits",
	.usage =
"Usage: kmqttctl broker [get]\n"
"       kmqttctl broker set SETTING VALUE [SETTING VALUE ...]\n\n"
"Settings:\n"
"  max-connections NUMBER             at a time\n"
"  max-connections-per-source NUMBER  at a time from one address\n"
"  connect-timeout SECONDS            from accept to CONNECT\n"
"  max-packet-size BYTES              from clients, after CONNECT\n"
"  max-inflight NUMBER                messages unacknowledged by a client\n"
"  max-queued-messages NUMBER         waiting, for each session\n"
"  max-queued-bytes BYTES             waiting or in flight, for each session\n"
"  max-memory BYTES                   of the whole broker\n"
"  max-sessions NUMBER                with and without a connection\n"
"  max-retained NUMBER                retained messages\n"
"  max-subscriptions NUMBER           of each session\n"
"  bh-path on|off                     serve connections in softirq\n"
"  backpressure drop|hold             QoS 1 and 2 and a full queue: drop the\n"
"                                     message or hold its publisher\n"
"  max-session-expiry SECONDS         that sessions outlive connections\n"
"  receive-max NUMBER                 QoS 2 messages on the way from a client\n"
"  topic-alias-max NUMBER             that a client may use\n"
"  max-keepalive SECONDS              0 for no maximum\n"
"  max-qos 0|1|2                      of messages and subscriptions\n"
"  retain-available on|off            let clients retain messages\n"
"  wildcard-available on|off          let clients use wildcards\n"
"  shared-available on|off            let clients share subscriptions\n"
"  subscription-ids-available on|off  let clients number subscriptions\n"
"  validate-payload on|off            check text for being UTF-8\n"
"  redirect off|temporary|permanent   send new clients away\n"
"  response-information TEXT          basis of response topics, '' for none\n"
"  server-reference TEXT              where clients are sent, '' for none\n"
"  required-client-id-prefix TEXT     that client identifiers have, '' for none\n"
"  sys-interval SECONDS               between updates of $SYS, 0 for none\n"
"  max-bans NUMBER                    at a time\n"
"  flapping-max NUMBER                times that a client may connect within\n"
"                                     flapping-window, 0 for no limit\n"
"  flapping-window SECONDS            from the first of them on\n"
"  flapping-ban SECONDS               that it is banned for more\n"
"  max-payload-size BYTES             of messages; larger ones are dropped\n"
"  queue-qos0 on|off                  let QoS 0 wait for clients, too\n"
"  upgrade-qos on|off                 deliver with the QoS of subscriptions\n"
"  max-inflight-bytes BYTES           of messages unacknowledged by a client\n"
"  check-retain-source on|off         deliver what is retained for as long as\n"
"                                     its publisher may publish it\n\n"
"BYTES may end in K, M, G or T, SECONDS in s, m, h or d.\n",
	.fields = fields,
	.verbs = verbs,
};
