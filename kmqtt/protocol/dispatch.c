// SPDX-License-Identifier: GPL-2.0
/*
 * Which packet may come when, and who handles it.
 */
#include "dispatch.h"

#include "../trace.h"
#include "../wire/decode.h"
#include "../wire/encode.h"
#include "ack.h"
#include "auth.h"
#include "connect.h"
#include "disconnect.h"
#include "publish.h"
#include "reply.h"
#include "run.h"
#include "subscribe.h"
#include "tap.h"

/*
 * Packets other than PUBLISH are taken apart in one piece and have to fit the
 * receive buffer. This is room for the longest filter there can be, and for
 * some thousand common ones.
 */
#define CONTROL_MAX	(72 << 10)

typedef int (*packet_fn)(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch);

static int pingreq_packet(struct kmqtt_client *client,
			  const struct kmqtt_packet *packet,
			  struct kmqtt_batch *batch)
{
	u8 buf[KMQTT_ACK_MAX];

	if (packet->fixed.remaining)
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	return kmqtt_reply_send(client, buf, kmqtt_pingresp_encode(buf), batch);
}

/* What isn't here is a protocol error [MQTT-3.1.0-1], [MQTT-3.1.0-2]. */
static const packet_fn handlers[KMQTT_CLIENT_STATES][KMQTT_PACKET_TYPES] = {
	[KMQTT_CLIENT_NEW] = {
		[KMQTT_CONNECT]		= kmqtt_connect_packet,
	},
	[KMQTT_CLIENT_AUTH] = {
		[KMQTT_DISCONNECT]	= kmqtt_disconnect_packet,
		[KMQTT_AUTH]		= kmqtt_auth_packet,
	},
	[KMQTT_CLIENT_ONLINE] = {
		[KMQTT_PUBLISH]		= kmqtt_publish_packet,
		[KMQTT_PUBACK]		= kmqtt_ack_packet,
		[KMQTT_PUBREC]		= kmqtt_ack_packet,
		[KMQTT_PUBREL]		= kmqtt_ack_packet,
		[KMQTT_PUBCOMP]		= kmqtt_ack_packet,
		[KMQTT_SUBSCRIBE]	= kmqtt_subscribe_packet,
		[KMQTT_UNSUBSCRIBE]	= kmqtt_unsubscribe_packet,
		[KMQTT_PINGREQ]		= pingreq_packet,
		[KMQTT_DISCONNECT]	= kmqtt_disconnect_packet,
		[KMQTT_AUTH]		= kmqtt_auth_packet,
	},
};

/* Bytes that the client may send in one packet of this type. */
static u32 size_limit(const struct kmqtt_client *client,
		      const struct kmqtt_fixed *fixed)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	u32 max;

	if (kmqtt_client_state(client) < KMQTT_CLIENT_ONLINE)
		return min_t(u32, READ_ONCE(limits->max_connect_size), CONTROL_MAX);
	max = READ_ONCE(limits->max_packet_size);
	return fixed->type == KMQTT_PUBLISH ? max : min_t(u32, max, CONTROL_MAX);
}

/**
 * kmqtt_dispatch_fail() - close a connection for a packet that isn't handled
 * @client: the client
 * @reason: why
 * @data: the packet, with its fixed header
 * @len: bytes there, maybe few
 * @batch: how to allocate
 *
 * Who is waiting for a CONNACK is told with one.
 *
 * Context: the client's receive side.
 * Return: -EAGAIN if a thread is to try again, -ECONNABORTED if the connection
 * was closed.
 */
int kmqtt_dispatch_fail(struct kmqtt_client *client, enum kmqtt_reason reason,
			const u8 *data, u32 len, struct kmqtt_batch *batch)
{
	enum kmqtt_client_state state = kmqtt_client_state(client);

	if (state == KMQTT_CLIENT_AUTH)
		return kmqtt_connect_refuse(client, reason, batch);
	if (state == KMQTT_CLIENT_NEW && kmqtt_connect_is_v5(data, len)) {
		client->version = KMQTT_V5;
		return kmqtt_connect_refuse(client, reason, batch);
	}
	return kmqtt_client_fail(client, reason);
}

/* Is this packet out of place? A reason, or KMQTT_REASON_SUCCESS. */
static enum kmqtt_reason check_fixed(const struct kmqtt_client *client,
				     const struct kmqtt_fixed *fixed)
{
	if (!handlers[kmqtt_client_state(client)][fixed->type])
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (!kmqtt_fixed_allowed(fixed, client->version))
		return KMQTT_REASON_MALFORMED_PACKET;
	if ((u64)fixed->len + fixed->remaining > size_limit(client, fixed))
		return KMQTT_REASON_PACKET_TOO_LARGE;
	return KMQTT_REASON_SUCCESS;
}

/**
 * kmqtt_dispatch_check() - may this packet come, before its body has
 * @client: who sends it
 * @fixed: its fixed header
 * @data: the packet, with its fixed header
 * @len: bytes there, maybe few
 * @batch: how to allocate
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_dispatch_check(struct kmqtt_client *client,
			 const struct kmqtt_fixed *fixed, const u8 *data,
			 u32 len, struct kmqtt_batch *batch)
{
	enum kmqtt_reason reason;

	/* Somebody else has closed it: there is nothing wrong with the packet. */
	if (kmqtt_client_state(client) == KMQTT_CLIENT_CLOSING)
		return -ECONNABORTED;
	reason = check_fixed(client, fixed);
	return reason ? kmqtt_dispatch_fail(client, reason, data, len, batch) :
			0;
}

/* May there be something to send back? */
static bool is_answered(const struct kmqtt_fixed *fixed)
{
	switch (fixed->type) {
	case KMQTT_PUBLISH:
		return fixed->flags & KMQTT_PUBLISH_QOS;
	case KMQTT_PUBACK:
	case KMQTT_PUBCOMP:
		return false;
	default:
		return true;
	}
}

/**
 * kmqtt_dispatch() - handle a packet that kmqtt_dispatch_check() let through
 * @client: who sent it
 * @packet: the packet
 * @batch: flushed by the caller when it has no more packets
 *
 * Context: the client's receive side.
 * Return: 0 if the packet is done with, -EAGAIN if a thread is to try again,
 * -ENOSPC if the client has to read first, -ECONNABORTED if the connection was
 * closed.
 */
int kmqtt_dispatch(struct kmqtt_client *client,
		   const struct kmqtt_packet *packet,
		   struct kmqtt_batch *batch)
{
	packet_fn fn = handlers[kmqtt_client_state(client)][packet->fixed.type];
	int err = 0;

	if (!fn)	/* Closed by somebody else since it was checked. */
		return -ECONNABORTED;
	if (packet->fixed.type != KMQTT_PUBLISH)
		err = kmqtt_run_end(client, batch);
	if (err)
		return err;
	if (is_answered(&packet->fixed))
		err = kmqtt_link_reserve(&client->link,
					 (batch->run->nr + 1) * KMQTT_ACK_MAX,
					 batch->gfp);
	if (err == -ENOMEM && !batch->bh)
		return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
	if (err)
		return err == -ENOMEM ? -EAGAIN : err;
	trace_kmqtt_packet_in(client, packet->fixed.type,
			      packet->fixed.remaining);
	err = fn(client, packet, batch);
	if (err == -EAGAIN || err == -ENOSPC)
		return err;
	kmqtt_history_note(&client->history->in, packet->fixed.type,
			   packet->fixed.remaining);
	if (unlikely(kmqtt_tap_any(client->broker)))
		batch->work += kmqtt_tap_received(client, &packet->fixed,
						  packet->body,
						  packet->fixed.remaining);
	kmqtt_stats_inc(client->broker, packets_in);
	if (packet->fixed.type == KMQTT_CONNECT)
		kmqtt_stats_inc(client->broker, connects_in);
	return err;
}
