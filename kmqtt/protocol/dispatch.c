// SPDX-License-Identifier: GPL-2.0
/*
 * Which packet may come when, and who handles it.
 */
#include "dispatch.h"

#include "../trace.h"
#include "../wire/decode.h"
#include "../wire/encode.h"
#include "ack.h"
#include "connect.h"
#include "publish.h"
#include "subscribe.h"

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
	kmqtt_link_ack(&client->link, buf, kmqtt_pingresp_encode(buf));
	kmqtt_link_touch(&client->link, batch);
	return 0;
}

/* What isn't here is a protocol error [MQTT-3.1.0-1], [MQTT-3.1.0-2]. */
static const packet_fn handlers[KMQTT_CLIENT_STATES][KMQTT_PACKET_TYPES] = {
	[KMQTT_CLIENT_NEW] = {
		[KMQTT_CONNECT]		= kmqtt_connect_packet,
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
	},
};

/* Bytes that the client may send in one packet of this type. */
static u32 size_limit(const struct kmqtt_client *client,
		      const struct kmqtt_fixed *fixed)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	u32 max;

	if (kmqtt_client_state(client) == KMQTT_CLIENT_NEW)
		return min_t(u32, READ_ONCE(limits->max_connect_size), CONTROL_MAX);
	max = READ_ONCE(limits->max_packet_size);
	return fixed->type == KMQTT_PUBLISH ? max : min_t(u32, max, CONTROL_MAX);
}

/**
 * kmqtt_dispatch_check() - may this packet come, before its body has
 * @client: who sends it
 * @fixed: its fixed header
 *
 * Context: the client's receive side.
 * Return: 0, or -ECONNABORTED if the connection was closed.
 */
int kmqtt_dispatch_check(struct kmqtt_client *client,
			 const struct kmqtt_fixed *fixed)
{
	enum kmqtt_client_state state = kmqtt_client_state(client);

	if (!handlers[state][fixed->type])
		return kmqtt_client_fail(client, KMQTT_REASON_PROTOCOL_ERROR);
	if (client->version != KMQTT_V31 && kmqtt_flags_reserved(fixed))
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	if ((u64)fixed->len + fixed->remaining > size_limit(client, fixed))
		return kmqtt_client_fail(client, KMQTT_REASON_PACKET_TOO_LARGE);
	return 0;
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
	int err;

	if (!fn)	/* Closed by somebody else since it was checked. */
		return -ECONNABORTED;
	err = kmqtt_link_reserve(&client->link, KMQTT_ACK_MAX, batch->gfp);
	if (err == -ENOMEM && !batch->bh)
		return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
	if (err)
		return err == -ENOMEM ? -EAGAIN : err;
	trace_kmqtt_packet_in(client, packet->fixed.type,
			      packet->fixed.remaining);
	err = fn(client, packet, batch);
	if (!err)
		kmqtt_stats_inc(client->broker, packets_in);
	return err;
}
