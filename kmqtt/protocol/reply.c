// SPDX-License-Identifier: GPL-2.0
/*
 * What the broker answers, and the reasons that it gives (MQTT 5, 2.4).
 */
#include "reply.h"

#include <linux/slab.h>
#include "../wire/encode.h"

/* Bytes of an acknowledgment with its reason string. */
#define ANSWER_MAX	128

/* Short: they go to constrained clients, and only with errors. */
static const char * const texts[] = {
	[KMQTT_REASON_UNSPECIFIED] = "internal error",
	[KMQTT_REASON_MALFORMED_PACKET] = "malformed packet",
	[KMQTT_REASON_PROTOCOL_ERROR] = "not allowed here or now",
	[KMQTT_REASON_IMPLEMENTATION_SPECIFIC] = "not done by this server",
	[KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION] =
		"protocol version not supported",
	[KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID] =
		"client identifier not allowed",
	[KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD] = "bad user name or password",
	[KMQTT_REASON_NOT_AUTHORIZED] = "not authorized",
	[KMQTT_REASON_SERVER_UNAVAILABLE] = "server out of memory or sessions",
	[KMQTT_REASON_SERVER_BUSY] = "the server is busy",
	[KMQTT_REASON_BANNED] = "banned",
	[KMQTT_REASON_SERVER_SHUTTING_DOWN] = "server shutting down",
	[KMQTT_REASON_BAD_AUTHENTICATION_METHOD] =
		"authentication method not supported",
	[KMQTT_REASON_KEEP_ALIVE_TIMEOUT] = "nothing heard for too long",
	[KMQTT_REASON_SESSION_TAKEN_OVER] = "the client connected anew",
	[KMQTT_REASON_TOPIC_FILTER_INVALID] = "topic filter not valid",
	[KMQTT_REASON_TOPIC_NAME_INVALID] = "topic name not valid",
	[KMQTT_REASON_PACKET_IDENTIFIER_IN_USE] = "packet identifier in use",
	[KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND] =
		"packet identifier not known",
	[KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED] = "receive maximum exceeded",
	[KMQTT_REASON_TOPIC_ALIAS_INVALID] = "topic alias not valid",
	[KMQTT_REASON_PACKET_TOO_LARGE] = "packet too large",
	[KMQTT_REASON_MESSAGE_RATE_TOO_HIGH] = "too many messages",
	[KMQTT_REASON_QUOTA_EXCEEDED] = "a limit was reached",
	[KMQTT_REASON_ADMINISTRATIVE_ACTION] = "ended by the operator",
	[KMQTT_REASON_PAYLOAD_FORMAT_INVALID] = "payload is not UTF-8",
	[KMQTT_REASON_RETAIN_NOT_SUPPORTED] = "no retained messages here",
	[KMQTT_REASON_QOS_NOT_SUPPORTED] = "QoS not supported",
	[KMQTT_REASON_USE_ANOTHER_SERVER] = "use another server",
	[KMQTT_REASON_SERVER_MOVED] = "server moved",
	[KMQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED] =
		"no shared subscriptions here",
	[KMQTT_REASON_CONNECTION_RATE_EXCEEDED] = "too many connections",
	[KMQTT_REASON_MAXIMUM_CONNECT_TIME] = "connected for too long",
	[KMQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED] =
		"no subscription identifiers here",
	[KMQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED] =
		"no wildcards here",
};

/**
 * kmqtt_reason_string() - add a text for those who look at logs
 * @props: properties of a packet
 * @reason: its reason; nothing is added for those that are no error
 *
 * Context: any.
 */
void kmqtt_reason_string(struct kmqtt_props *props, enum kmqtt_reason reason)
{
	const char *text = reason < ARRAY_SIZE(texts) ? texts[reason] : NULL;

	if (!text)
		return;
	props->reason_string.data = text;
	props->reason_string.len = strlen(text);
	kmqtt_prop_add(props, KMQTT_PROP_REASON_STRING);
}

/**
 * kmqtt_reply_send() - have a small packet sent
 * @client: to whom; its link has room reserved
 * @packet: the whole packet
 * @len: its length
 * @batch: sends it at its end
 *
 * One that is too large for the client counts as sent [MQTT-3.1.2-25].
 *
 * Context: the client's receive side.
 * Return: 0, for handlers to pass on.
 */
int kmqtt_reply_send(struct kmqtt_client *client, const u8 *packet, u32 len,
		     struct kmqtt_batch *batch)
{
	if (len > client->max_packet)
		return 0;
	kmqtt_stats_inc(client->broker, packets_out);
	kmqtt_link_ack(&client->link, packet, len);
	kmqtt_link_touch(&client->link, batch);
	return 0;
}

/* With a text if the client wants it, and there is room. */
static size_t encode_ack(struct kmqtt_client *client, u8 *buf,
			 enum kmqtt_packet_type type, u16 id,
			 enum kmqtt_reason reason, struct kmqtt_batch *batch)
{
	size_t max;

	/* [MQTT-3.1.2-29], [MQTT-3.4.2-2], [MQTT-3.5.2-2], [MQTT-3.7.2-2] */
	if (client->problem_info && reason >= KMQTT_REASON_UNSPECIFIED) {
		struct kmqtt_props props = {};

		kmqtt_reason_string(&props, reason);
		max = kmqtt_answer_max(&props);
		if (max <= client->max_packet && max <= ANSWER_MAX &&
		    !kmqtt_link_reserve(&client->link, max, batch->gfp))
			return kmqtt_ack_encode(buf, type, id, reason, &props);
	}
	return kmqtt_ack_encode(buf, type, id, reason, NULL);
}

/**
 * kmqtt_reply_ack() - send a packet that is just an identifier and a reason
 * @client: the client; its link has room for KMQTT_ACK_MAX bytes
 * @type: KMQTT_PUBACK, _PUBREC, _PUBREL, _PUBCOMP, or _UNSUBACK to 3.x
 * @id: packet identifier
 * @reason: why; clients before 5.0 are not told
 * @batch: sends it at its end
 *
 * Context: the client's receive side.
 * Return: 0, for handlers to pass on.
 */
int kmqtt_reply_ack(struct kmqtt_client *client, enum kmqtt_packet_type type,
		    u16 id, enum kmqtt_reason reason,
		    struct kmqtt_batch *batch)
{
	u8 buf[ANSWER_MAX];
	size_t len;

	if (client->version != KMQTT_V5)
		reason = KMQTT_REASON_SUCCESS;
	len = encode_ack(client, buf, type, id, reason, batch);
	return kmqtt_reply_send(client, buf, len, batch);
}

/* What a DISCONNECT can say (MQTT 5, table 3-10), or 0 if there is none. */
static enum kmqtt_reason disconnect_reason(enum kmqtt_reason reason)
{
	switch (reason) {
	case KMQTT_REASON_BANNED:
		return KMQTT_REASON_ADMINISTRATIVE_ACTION;
	case KMQTT_REASON_BAD_AUTHENTICATION_METHOD:
		return KMQTT_REASON_PROTOCOL_ERROR;
	case KMQTT_REASON_SERVER_UNAVAILABLE:
		return KMQTT_REASON_SERVER_BUSY;
	case KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION:
	case KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID:
	case KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD:
		return KMQTT_REASON_NOT_AUTHORIZED;
	case KMQTT_REASON_PACKET_IDENTIFIER_IN_USE:
	case KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND:
		return KMQTT_REASON_PROTOCOL_ERROR;
	default:
		return reason >= KMQTT_REASON_UNSPECIFIED && reason <= U8_MAX ?
		       reason : KMQTT_REASON_SUCCESS;
	}
}

/**
 * kmqtt_reply_disconnect() - tell a client why its connection ends
 * @client: a client that is KMQTT_CLIENT_CLOSING
 *
 * Clients before 5.0 have no such packet; one that has said good-bye itself
 * hears nothing more [MQTT-3.14.0-1].
 *
 * Context: process, may sleep; the caller owns both sides of the connection.
 */
void kmqtt_reply_disconnect(struct kmqtt_client *client)
{
	enum kmqtt_reason reason = disconnect_reason(client->reason);
	const struct kmqtt_text *reference = client->reference;
	struct kmqtt_props props = {};
	size_t max;
	u8 *buf;

	if (client->version != KMQTT_V5 || !client->session ||
	    client->goodbye || !reason)
		return;
	kmqtt_reason_string(&props, reason);
	if (reference) {
		props.server_reference.data = reference->data;
		props.server_reference.len = reference->len;
		kmqtt_prop_add(&props, KMQTT_PROP_SERVER_REFERENCE);
	}
	if (kmqtt_answer_max(&props) > client->max_packet)
		props.present = 0;	/* [MQTT-3.14.2-3] */
	max = kmqtt_answer_max(&props);
	buf = kmalloc(max, GFP_KERNEL);
	if (!buf)
		return;
	max = kmqtt_reasoned_encode(buf, KMQTT_DISCONNECT, reason, &props);
	if (max <= client->max_packet &&
	    !kmqtt_link_reserve(&client->link, max, GFP_KERNEL)) {
		kmqtt_stats_inc(client->broker, packets_out);
		kmqtt_link_ack(&client->link, buf, max);
	}
	kfree(buf);
}
