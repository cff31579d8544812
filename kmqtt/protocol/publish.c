// SPDX-License-Identifier: GPL-2.0
/*
 * PUBLISH from a client, and the way of any message to its subscribers
 * (MQTT 3.1.1, 3.3 and 4.3).
 *
 * Everything that can fail comes before the first effect, so that softirq may
 * give up at any of these points and a thread begins again.
 */
#include "publish.h"

#include <linux/slab.h>
#include "../trace.h"
#include "../wire/decode.h"
#include "event.h"

/* Matches that softirq deals with; more go to a thread. */
#define ROUTE_FIRST	128
/* Tree nodes that softirq visits for one message. */
#define ROUTE_STEPS_BH	1024
/* Times that a growing tree may make a thread match again. */
#define ROUTE_RETRIES	8

/**
 * kmqtt_route_init() - make room for matches
 * @route: the room
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_route_init(struct kmqtt_route *route)
{
	route->max = ROUTE_FIRST;
	route->matches = kvmalloc_array(route->max, sizeof(*route->matches),
					GFP_KERNEL);
	return route->matches ? 0 : -ENOMEM;
}

/**
 * kmqtt_route_uninit() - give room for matches back
 * @route: the room
 *
 * Context: process, may sleep.
 */
void kmqtt_route_uninit(struct kmqtt_route *route)
{
	kvfree(route->matches);
}

static int route_grow(struct kmqtt_route *route)
{
	u32 max = roundup_pow_of_two(route->nr);
	struct kmqtt_match *matches;

	matches = kvmalloc_array(max, sizeof(*matches), GFP_KERNEL);
	if (!matches)
		return -ENOMEM;
	kvfree(route->matches);
	route->matches = matches;
	route->max = max;
	return 0;
}

/*
 * Hand @msg to all in the route. Returns false if a subscriber lost it, though
 * it was to have it for sure.
 */
static bool deliver(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		    struct kmqtt_batch *batch)
{
	const struct kmqtt_route *route = batch->route;
	bool good = true;
	u32 i;

	trace_kmqtt_route(broker, msg, route->nr);
	for (i = 0; i < route->nr; i++) {
		const struct kmqtt_match *m = &route->matches[i];
		struct kmqtt_session *session =
			container_of(m->subscriber, struct kmqtt_session,
				     subscriber);
		u8 qos = min(msg->qos, m->qos);

		switch (kmqtt_session_deliver(session, msg, qos, false, batch)) {
		case KMQTT_DELIVERED_FULL:
			kmqtt_event_dropped(broker, session,
					    KMQTT_DROP_QUEUE_FULL);
			break;
		case KMQTT_DELIVERED_NOMEM:
			kmqtt_event_dropped(broker, session,
					    KMQTT_DROP_NO_MEMORY);
			good &= !qos;
			break;
		default:
			break;
		}
	}
	return good;
}

/*
 * Find the subscribers of @msg's topic and hand it to them. Returns 0 with
 * @good as deliver() says, -EAGAIN if a thread is to do it, -ENOMEM if nobody
 * got it.
 */
static int route(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		 struct kmqtt_batch *batch, bool *good)
{
	struct kmqtt_route *route = batch->route;
	int tries = ROUTE_RETRIES;
	int err;

	route->steps_max = batch->bh ? ROUTE_STEPS_BH : U32_MAX;
	for (;;) {
		/* The matches are valid inside the section that found them. */
		rcu_read_lock();
		err = kmqtt_tree_match(&broker->tree, kmqtt_msg_topic(msg),
				       msg->topic_len, route);
		if (!err)
			*good = deliver(broker, msg, batch);
		rcu_read_unlock();
		if (!err)
			return 0;
		if (batch->bh)
			return -EAGAIN;
		if (!tries-- || route_grow(route))
			return -ENOMEM;
	}
}

/* Update the retained store [MQTT-3.3.1-5], [MQTT-3.3.1-10]. */
static int retain(struct kmqtt_broker *broker, struct kmqtt_msg *msg)
{
	int err;

	if (!msg->retain)
		return 0;
	if (!msg->payload_len) {
		kmqtt_retained_clear(&broker->retained, kmqtt_msg_topic(msg),
				     msg->topic_len);
		return 0;
	}
	err = kmqtt_retained_set(&broker->retained, msg,
				 READ_ONCE(broker->limits.max_retained));
	if (err == -EDQUOT) {
		kmqtt_event_dropped(broker, NULL, KMQTT_DROP_RETAINED_FULL);
		return 0;
	}
	return err;
}

/**
 * kmqtt_publish_will() - publish the will of a client that is gone
 * @broker: the broker
 * @will: the will; its reference is given back
 * @batch: flushes the subscribers
 *
 * Context: process, may sleep.
 */
void kmqtt_publish_will(struct kmqtt_broker *broker, struct kmqtt_msg *will,
			struct kmqtt_batch *batch)
{
	bool good;

	retain(broker, will);
	if (route(broker, will, batch, &good))
		kmqtt_event_dropped(broker, NULL, KMQTT_DROP_NO_MEMORY);
	kmqtt_msg_put(will);
}

/* In a thread there is nobody left to try again. */
static int no_memory(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	if (batch->bh)
		return -EAGAIN;
	return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
}

/**
 * kmqtt_publish_begin() - begin to receive a PUBLISH
 * @client: the publisher
 * @fixed: its fixed header
 * @data: what follows it
 * @len: bytes there; fewer than announced if the payload is still coming
 * @in: the message, without payload, on success
 * @batch: how to allocate
 * @head_len: bytes of @data before the payload, on success
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENODATA if the head is
 * incomplete, -ECONNABORTED if the connection was closed.
 */
int kmqtt_publish_begin(struct kmqtt_client *client,
			const struct kmqtt_fixed *fixed, const u8 *data,
			size_t len, struct kmqtt_incoming *in,
			struct kmqtt_batch *batch, u32 *head_len)
{
	struct kmqtt_publish pub;
	int err;

	err = kmqtt_publish_decode(fixed, data, len, &pub);
	if (err == -EAGAIN)
		return -ENODATA;
	if (err)
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	if (!kmqtt_topic_name_valid(pub.topic.data, pub.topic.len))
		return kmqtt_client_fail(client,
					 KMQTT_REASON_TOPIC_NAME_INVALID);
	in->id = pub.id;
	in->msg = kmqtt_msg_create(&client->broker->memory, &pub.topic,
				   pub.payload_len, batch->gfp);
	if (!in->msg)
		return no_memory(client, batch);
	in->msg->qos = pub.qos;
	in->msg->retain = pub.retain;
	*head_len = pub.head_len;
	return 0;
}

/**
 * kmqtt_publish_abort() - a message will not come after all
 * @in: the message
 *
 * Context: any but hard interrupts.
 */
void kmqtt_publish_abort(struct kmqtt_incoming *in)
{
	kmqtt_msg_put(in->msg);
	in->msg = NULL;
}

/* Route a filled message. All or nothing up to deliver(). */
static int accept_msg(struct kmqtt_client *client, struct kmqtt_incoming *in,
		      struct kmqtt_batch *batch)
{
	struct kmqtt_broker *broker = client->broker;
	struct kmqtt_msg *msg = in->msg;
	bool assured = msg->qos == KMQTT_QOS2;
	bool good = true;
	int err;

	/* A QoS 2 message is routed once, however often it comes. */
	if (assured && kmqtt_session_received(client->session, in->id))
		return 0;
	if (assured && kmqtt_session_receive(client->session, in->id))
		return no_memory(client, batch);
	/* Retained before it is matched: see kmqtt_replay_start(). */
	err = retain(broker, msg) ?: route(broker, msg, batch, &good);
	/*
	 * A subscriber lost it for lack of memory: leave it unacknowledged,
	 * and the publisher will send it again.
	 */
	if (!err && (good || !msg->qos))
		return 0;
	if (assured)
		kmqtt_session_release(client->session, in->id);
	if (!err)
		return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
	return no_memory(client, batch);
}

/**
 * kmqtt_publish_finish() - the payload is complete: route and acknowledge
 * @client: the publisher; its link has room for KMQTT_ACK_MAX bytes
 * @in: the message; given back unless the return is -EAGAIN
 * @batch: flushes the subscribers
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_publish_finish(struct kmqtt_client *client,
			 struct kmqtt_incoming *in, struct kmqtt_batch *batch)
{
	u8 qos = in->msg->qos;
	int err;

	err = accept_msg(client, in, batch);
	if (err == -EAGAIN)
		return err;
	kmqtt_publish_abort(in);
	if (err)
		return err;
	client->messages_in++;
	kmqtt_stats_inc(client->broker, messages_in[qos]);
	if (qos == KMQTT_QOS1)
		kmqtt_client_ack(client, KMQTT_PUBACK, in->id, batch);
	else if (qos == KMQTT_QOS2)
		kmqtt_client_ack(client, KMQTT_PUBREC, in->id, batch);
	return 0;
}

/**
 * kmqtt_publish_packet() - handle a PUBLISH that is there as a whole
 * @client: the publisher; its link has room for KMQTT_ACK_MAX bytes
 * @packet: the packet
 * @batch: flushes the subscribers
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_publish_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch)
{
	struct kmqtt_incoming in = {};
	u32 head_len;
	int err;

	err = kmqtt_publish_begin(client, &packet->fixed, packet->body,
				  packet->fixed.remaining, &in, batch,
				  &head_len);
	if (err)
		return err;
	if (kmqtt_msg_write(in.msg, packet->body + head_len,
			    in.msg->payload_len, batch->gfp)) {
		kmqtt_publish_abort(&in);
		return no_memory(client, batch);
	}
	err = kmqtt_publish_finish(client, &in, batch);
	if (err == -EAGAIN)
		kmqtt_publish_abort(&in);
	return err;
}
