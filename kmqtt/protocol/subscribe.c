// SPDX-License-Identifier: GPL-2.0
/*
 * SUBSCRIBE and UNSUBSCRIBE (MQTT 3.1.1, 3.8 to 3.11).
 */
#include "subscribe.h"

#include <linux/slab.h>
#include "../wire/decode.h"
#include "../wire/encode.h"

/* Filters that softirq deals with; longer packets go to a thread. */
#define FILTERS_BH	16

/* The return code for a filter that is not subscribed to. */
#define SUBACK_FAILURE	0x80

/* Check the whole packet and count its filters. Negative if malformed. */
static int count_filters(struct kmqtt_subscribe s, bool with_options)
{
	struct kmqtt_str filter;
	int nr = 0, ret;
	u8 options;

	for (;;) {
		ret = with_options ? kmqtt_subscribe_next(&s, &filter, &options) :
				     kmqtt_unsubscribe_next(&s, &filter);
		if (ret < 0)
			return ret;
		if (!ret)
			return nr;
		if (!kmqtt_topic_filter_valid(filter.data, filter.len))
			return -EINVAL;
		nr++;
	}
}

/* Decode and check. Returns the number of filters or what the handler returns. */
static int begin(struct kmqtt_client *client, const struct kmqtt_packet *packet,
		 bool with_options, struct kmqtt_batch *batch,
		 struct kmqtt_subscribe *s)
{
	int nr;

	if (kmqtt_subscribe_decode(packet->body, packet->fixed.remaining, s))
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	nr = count_filters(*s, with_options);
	if (nr == -EINVAL)
		return kmqtt_client_fail(client,
					 KMQTT_REASON_TOPIC_FILTER_INVALID);
	if (nr < 0)
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	return batch->bh && nr > FILTERS_BH ? -EAGAIN : nr;
}

/* Returns the return code of the filter, or -ENOMEM. */
static int subscribe_one(struct kmqtt_client *client,
			 const struct kmqtt_str *filter, u8 qos,
			 struct kmqtt_batch *batch)
{
	struct kmqtt_broker *broker = client->broker;
	struct kmqtt_session *session = client->session;
	struct kmqtt_replay *replay;
	int ret;

	replay = kmqtt_replay_create(filter->data, filter->len, qos, false,
				     batch->gfp);
	if (!replay)
		return -ENOMEM;
	ret = kmqtt_tree_subscribe(&broker->tree, &session->subscriber, filter,
				   qos, READ_ONCE(broker->limits.max_subscriptions));
	if (ret < 0) {
		kmqtt_replay_destroy(&broker->retained, replay);
		return ret == -ENOMEM ? ret : SUBACK_FAILURE;
	}
	kmqtt_replay_start(&broker->retained, replay);
	kmqtt_session_replay(session, replay);
	return qos;
}

/**
 * kmqtt_subscribe_packet() - handle a SUBSCRIBE
 * @client: the subscriber
 * @packet: the packet
 * @batch: sends the SUBACK and retained messages
 *
 * To subscribe again is harmless, so a thread may begin anew where softirq ran
 * out of memory half way.
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENOSPC if the client has to
 * read first, -ECONNABORTED if the connection was closed.
 */
int kmqtt_subscribe_packet(struct kmqtt_client *client,
			   const struct kmqtt_packet *packet,
			   struct kmqtt_batch *batch)
{
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	u8 qos, *suback, *p;
	int nr, ret;

	nr = begin(client, packet, true, batch, &s);
	if (nr < 0)
		return nr;
	suback = kmalloc(KMQTT_SUBACK_HEAD_MAX + nr, batch->gfp | __GFP_NOWARN);
	if (!suback)
		goto no_memory;
	p = suback + kmqtt_suback_head_encode(suback, s.id, nr);
	ret = kmqtt_link_reserve(&client->link, p - suback + nr, batch->gfp);
	if (ret == -ENOMEM)
		goto no_memory;
	if (ret)
		goto out_free;
	while (kmqtt_subscribe_next(&s, &filter, &qos) > 0) {
		ret = subscribe_one(client, &filter, qos, batch);
		if (ret < 0 && batch->bh)
			goto no_memory;
		*p++ = ret < 0 ? SUBACK_FAILURE : ret;
	}
	kmqtt_link_ack(&client->link, suback, p - suback);
	kmqtt_link_touch(&client->link, batch);
	ret = 0;
out_free:
	kfree(suback);
	return ret;

no_memory:
	kfree(suback);
	if (batch->bh)
		return -EAGAIN;
	return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
}

/**
 * kmqtt_unsubscribe_packet() - handle an UNSUBSCRIBE
 * @client: the subscriber; its link has room for KMQTT_ACK_MAX bytes
 * @packet: the packet
 * @batch: sends the UNSUBACK
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_unsubscribe_packet(struct kmqtt_client *client,
			     const struct kmqtt_packet *packet,
			     struct kmqtt_batch *batch)
{
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	int nr;

	nr = begin(client, packet, false, batch, &s);
	if (nr < 0)
		return nr;
	while (kmqtt_unsubscribe_next(&s, &filter) > 0)
		kmqtt_tree_unsubscribe(&client->broker->tree,
				       &client->session->subscriber, &filter);
	return kmqtt_client_ack(client, KMQTT_UNSUBACK, s.id, batch);
}
