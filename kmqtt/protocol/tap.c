// SPDX-License-Identifier: GPL-2.0
/*
 * Messages and packets as they come by, for who looks on.
 */
#include "tap.h"

#include <linux/unaligned.h>
#include "../topic/name.h"
#include "../wire/decode.h"
#include "client.h"

/**
 * kmqtt_tap_show() - show messages to those who want to see them
 * @broker: where
 * @from: session of who published them, or NULL
 * @msgs: messages of one topic
 * @nr: how many
 *
 * Context: under RCU, in softirq or process context.
 * Return: how often one was shown.
 */
u32 kmqtt_tap_show(const struct kmqtt_broker *broker,
		   const struct kmqtt_session *from, struct kmqtt_msg **msgs,
		   u32 nr)
{
	const u8 *topic = kmqtt_msg_topic(msgs[0]);
	struct kmqtt_tap *tap;
	u32 shown = 0, i;

	hlist_for_each_entry_rcu(tap, &broker->taps, list) {
		if (!tap->message ||
		    !kmqtt_topic_matches(tap->filter, tap->filter_len, topic,
					 msgs[0]->topic_len))
			continue;
		for (i = 0; i < nr; i++)
			tap->message(tap, msgs[i], from);
		shown += nr;
	}
	return shown;
}

static u8 type_of(const struct kmqtt_tapped *packet)
{
	return packet->first >> 4;
}

/* Where a packet has its identifier, if it has one there. */
static u16 packet_id(const struct kmqtt_tapped *packet, const u8 *body, u32 len)
{
	u32 at = 0;

	switch (type_of(packet)) {
	case KMQTT_PUBLISH:
		if (!(packet->first & KMQTT_PUBLISH_QOS) || len < 2)
			return 0;
		at = 2 + get_unaligned_be16(body);
		break;
	case KMQTT_PUBACK ... KMQTT_UNSUBACK:
		break;
	default:
		return 0;
	}
	return at + 2 <= len ? get_unaligned_be16(body + at) : 0;
}

/* The place of the one reason code in a packet of MQTT 5, or -1. */
static int reason_at(u8 type)
{
	switch (type) {
	case KMQTT_CONNACK:
		return 1;
	case KMQTT_PUBACK:
	case KMQTT_PUBREC:
	case KMQTT_PUBREL:
	case KMQTT_PUBCOMP:
		return 2;
	case KMQTT_DISCONNECT:
	case KMQTT_AUTH:
		return 0;
	default:
		return -1;
	}
}

/* What @len bytes of a packet's body, maybe not all of them, say. */
static void look_into(struct kmqtt_tapped *packet, const u8 *body, u32 len)
{
	int at = reason_at(type_of(packet));

	packet->id = packet_id(packet, body, len);
	if (packet->client->version != KMQTT_V5 || at < 0)
		return;
	/* At the end of a packet it may be left out, for success. */
	if (at < packet->remaining && at >= len)
		return;
	packet->has_reason = true;
	packet->reason = at < packet->remaining ? body[at] :
						  KMQTT_REASON_SUCCESS;
}

/* The identifier that a CONNECT tells. Returns false if there is none. */
static noinline_for_stack bool connect_id(struct kmqtt_str *id, const u8 *body,
					  u32 len)
{
	struct kmqtt_connect c;

	if (kmqtt_connect_decode(body, len, &c) || !c.client_id.len)
		return false;
	*id = c.client_id;
	return true;
}

/* Whose packet is it? Under RCU. Returns false if the client has no name yet. */
static bool find_name(struct kmqtt_tapped *packet, const u8 *body, u32 len)
{
	const struct kmqtt_session *session;

	/* Pairs with kmqtt_admit(). */
	session = smp_load_acquire(&packet->client->session);
	if (session) {
		packet->client_id.data = session->id;
		packet->client_id.len = session->id_len;
		return true;
	}
	return type_of(packet) == KMQTT_CONNECT && !packet->sent &&
	       connect_id(&packet->client_id, body, len);
}

static bool is_wanted(const struct kmqtt_tap *tap, const struct kmqtt_str *id)
{
	return tap->packet && tap->client_id.len == id->len &&
	       !memcmp(tap->client_id.data, id->data, id->len);
}

/* Returns how often it was shown. */
static u32 show_packet(struct kmqtt_tapped *packet, const u8 *body, u32 len)
{
	struct kmqtt_tap *tap;
	u32 shown = 0;

	rcu_read_lock();
	if (find_name(packet, body, len)) {
		look_into(packet, body, len);
		hlist_for_each_entry_rcu(tap, &packet->client->broker->taps,
					 list) {
			if (!is_wanted(tap, &packet->client_id))
				continue;
			tap->packet(tap, packet);
			shown++;
		}
	}
	rcu_read_unlock();
	return shown;
}

/**
 * kmqtt_tap_received() - show a packet of a client to those who want to see it
 * @client: who sent it
 * @fixed: its fixed header
 * @body: what follows that
 * @len: bytes there: all, or of a PUBLISH at least what is before the payload
 *
 * Context: the client's receive side, in softirq or process context.
 * Return: how often it was shown.
 */
u32 kmqtt_tap_received(const struct kmqtt_client *client,
		       const struct kmqtt_fixed *fixed, const u8 *body, u32 len)
{
	struct kmqtt_tapped packet = {
		.client = client,
		.remaining = fixed->remaining,
		.first = fixed->type << 4 | fixed->flags,
	};

	return show_packet(&packet, body, len);
}

/**
 * kmqtt_tap_sent() - show a packet to a client to those who want to see it
 * @client: to whom
 * @first: its first byte
 * @remaining: its remaining length
 * @body: what follows the fixed header
 * @len: bytes there, maybe few
 *
 * Context: the client's transmit side, in softirq or process context.
 * Return: how often it was shown.
 */
u32 kmqtt_tap_sent(const struct kmqtt_client *client, u8 first, u32 remaining,
		   const u8 *body, u32 len)
{
	struct kmqtt_tapped packet = {
		.client = client,
		.remaining = remaining,
		.first = first,
		.sent = true,
	};

	return show_packet(&packet, body, len);
}
