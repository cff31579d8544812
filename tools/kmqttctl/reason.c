// SPDX-License-Identifier: GPL-2.0
/*
 * Names of enum kmqtt_reason.
 */
#include "reason.h"

#include <stddef.h>
#include <string.h>
#include <linux/kmqtt.h>

static const struct {
	uint32_t reason;
	const char *name;
} names[] = {
	{ KMQTT_REASON_NORMAL_DISCONNECTION, "normal-disconnection" },
	{ KMQTT_REASON_GRANTED_QOS_1, "granted-qos-1" },
	{ KMQTT_REASON_GRANTED_QOS_2, "granted-qos-2" },
	{ KMQTT_REASON_DISCONNECT_WITH_WILL, "disconnect-with-will" },
	{ KMQTT_REASON_NO_MATCHING_SUBSCRIBERS, "no-matching-subscribers" },
	{ KMQTT_REASON_NO_SUBSCRIPTION_EXISTED, "no-subscription-existed" },
	{ KMQTT_REASON_CONTINUE_AUTHENTICATION, "continue-authentication" },
	{ KMQTT_REASON_RE_AUTHENTICATE, "re-authenticate" },
	{ KMQTT_REASON_UNSPECIFIED, "unspecified" },
	{ KMQTT_REASON_MALFORMED_PACKET, "malformed-packet" },
	{ KMQTT_REASON_PROTOCOL_ERROR, "protocol-error" },
	{ KMQTT_REASON_IMPLEMENTATION_SPECIFIC, "implementation-specific" },
	{ KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION,
	  "unsupported-protocol-version" },
	{ KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID,
	  "client-identifier-not-valid" },
	{ KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD,
	  "bad-user-name-or-password" },
	{ KMQTT_REASON_NOT_AUTHORIZED, "not-authorized" },
	{ KMQTT_REASON_SERVER_UNAVAILABLE, "server-unavailable" },
	{ KMQTT_REASON_SERVER_BUSY, "server-busy" },
	{ KMQTT_REASON_BANNED, "banned" },
	{ KMQTT_REASON_SERVER_SHUTTING_DOWN, "server-shutting-down" },
	{ KMQTT_REASON_BAD_AUTHENTICATION_METHOD,
	  "bad-authentication-method" },
	{ KMQTT_REASON_KEEP_ALIVE_TIMEOUT, "keep-alive-timeout" },
	{ KMQTT_REASON_SESSION_TAKEN_OVER, "session-taken-over" },
	{ KMQTT_REASON_TOPIC_FILTER_INVALID, "topic-filter-invalid" },
	{ KMQTT_REASON_TOPIC_NAME_INVALID, "topic-name-invalid" },
	{ KMQTT_REASON_PACKET_IDENTIFIER_IN_USE, "packet-identifier-in-use" },
	{ KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND,
	  "packet-identifier-not-found" },
	{ KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED, "receive-maximum-exceeded" },
	{ KMQTT_REASON_TOPIC_ALIAS_INVALID, "topic-alias-invalid" },
	{ KMQTT_REASON_PACKET_TOO_LARGE, "packet-too-large" },
	{ KMQTT_REASON_MESSAGE_RATE_TOO_HIGH, "message-rate-too-high" },
	{ KMQTT_REASON_QUOTA_EXCEEDED, "quota-exceeded" },
	{ KMQTT_REASON_ADMINISTRATIVE_ACTION, "administrative-action" },
	{ KMQTT_REASON_PAYLOAD_FORMAT_INVALID, "payload-format-invalid" },
	{ KMQTT_REASON_RETAIN_NOT_SUPPORTED, "retain-not-supported" },
	{ KMQTT_REASON_QOS_NOT_SUPPORTED, "qos-not-supported" },
	{ KMQTT_REASON_USE_ANOTHER_SERVER, "use-another-server" },
	{ KMQTT_REASON_SERVER_MOVED, "server-moved" },
	{ KMQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
	  "shared-subscriptions-not-supported" },
	{ KMQTT_REASON_CONNECTION_RATE_EXCEEDED, "connection-rate-exceeded" },
	{ KMQTT_REASON_MAXIMUM_CONNECT_TIME, "maximum-connect-time" },
	{ KMQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
	  "subscription-identifiers-not-supported" },
	{ KMQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
	  "wildcard-subscriptions-not-supported" },
	{ KMQTT_REASON_CONNECTION_LOST, "connection-lost" },
	{ KMQTT_REASON_CONNECT_TIMEOUT, "connect-timeout" },
	{ 0, NULL }
};

/**
 * reason_name() - what a reason is called
 * @reason: value of enum kmqtt_reason
 *
 * Return: its name, or NULL if it has none.
 */
const char *reason_name(uint32_t reason)
{
	size_t i;

	for (i = 0; names[i].name; i++)
		if (names[i].reason == reason)
			return names[i].name;
	return NULL;
}

/**
 * reason_read() - find a reason by its name
 * @name: its name
 * @reason: its value
 *
 * Return: true if there is such a reason.
 */
bool reason_read(const char *name, uint32_t *reason)
{
	size_t i;

	for (i = 0; names[i].name; i++) {
		if (!strcmp(names[i].name, name)) {
			*reason = names[i].reason;
			return true;
		}
	}
	return false;
}
