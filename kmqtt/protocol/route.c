// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a message, whoever published it, to the retained store and to its
 * subscribers (MQTT 5, 3.3.4).
 */
#include "route.h"

#include <linux/slab.h>
#include "../session/author.h"
#include "../session/right.h"
#include "../session/share.h"
#include "../topic/memo.h"
#include "../trace.h"
#include "event.h"
#include "tap.h"

/* Matches that softirq deals with; more go to a thread. */
#define ROUTE_FIRST	128
/* Tree nodes that softirq visits for one message. */
#define ROUTE_STEPS_BH	1024
/* Work of looking at rules, for all subscribers, that softirq does. */
#define ROUTE_RULES_BH	256
/* Rules that members of groups may make it look at, one by one. */
#define ROUTE_MEMBER_RULES_BH	8192
/* Times that a growing tree may make a thread match again. */
#define ROUTE_RETRIES	8

/**
 * kmqtt_route_init() - make room for matches, and for those of before
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
	route->memo = kvzalloc(sizeof(*route->memo), GFP_KERNEL);
	return route->matches && route->memo ? 0 : -ENOMEM;
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
	kvfree(route->memo);
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

/* A message went where it should, or not. Returns false if it was to for sure. */
static bool delivered(struct kmqtt_broker *broker,
		      struct kmqtt_session *session, u8 qos,
		      enum kmqtt_delivered what)
{
	switch (what) {
	case KMQTT_DELIVERED_FULL:
		kmqtt_event_dropped(broker, session, KMQTT_DROP_QUEUE_FULL);
		return true;
	case KMQTT_DELIVERED_NOMEM:
		kmqtt_event_dropped(broker, session, KMQTT_DROP_NO_MEMORY);
		return !qos;
	case KMQTT_DELIVERED_DENIED:
		kmqtt_stats_inc(broker, denied_out);
		return true;
	default:
		return true;
	}
}

/*
 * One delivery for the subscriptions of one subscriber from @i on: with the
 * highest QoS, up to @max_qos, and all identifiers ([MQTT-3.3.4-2] to
 * [MQTT-3.3.4-5]). Returns how many subscriptions that were; @offer has QoS 0xff
 * if there is none.
 */
static u32 gather(struct kmqtt_route *route, u32 i, u64 own_origin, u8 max_qos,
		  struct kmqtt_offer *offer)
{
	const struct kmqtt_match *m = &route->matches[i];
	const struct kmqtt_subscriber *subscriber = m->subscriber;
	const struct kmqtt_msg *msg = offer->msg;
	u32 nr = 0;

	offer->qos = U8_MAX;
	offer->ids = route->ids;
	for (; i + nr < route->nr && m->subscriber == subscriber &&
	     offer->nr_ids < KMQTT_SUB_IDS_MAX; nr++, m++) {
		u8 qos = min_t(u8, max_qos, m->options & KMQTT_SUB_QOS);

		if (m->options & KMQTT_MATCH_DENIED)
			continue;
		/* [MQTT5-3.8.3-3] */
		if (m->options & KMQTT_SUB_NO_LOCAL &&
		    msg->origin == own_origin)
			continue;
		offer->qos = offer->qos == U8_MAX ? qos : max(offer->qos, qos);
		/* [MQTT5-3.3.1-12], [MQTT-3.3.1-13] */
		offer->retain |= msg->retain &&
				 m->options & KMQTT_SUB_RETAIN_AS_PUBLISHED;
		if (m->sub_id)
			route->ids[offer->nr_ids++] = m->sub_id;
	}
	return nr;
}

/* Hand messages to one subscriber. Returns a bit for each that it didn't get. */
static u64 deliver_to(struct kmqtt_broker *broker,
		      struct kmqtt_session *session, struct kmqtt_offer *offer,
		      struct kmqtt_msg **msgs, u32 nr, bool stop,
		      struct kmqtt_batch *batch)
{
	enum kmqtt_delivered what;
	u64 lost = 0;
	u32 i = 0;

	while (i < nr) {
		i += kmqtt_session_deliver_run(session, offer, msgs + i, nr - i,
					       batch, &what);
		/* What was published with QoS 0 was not to arrive for sure. */
		if (i < nr && !delivered(broker, session,
					 min_t(u8, offer->qos, msgs[i]->qos),
					 what)) {
			if (stop)
				return GENMASK_ULL(nr - 1, i);
			lost |= BIT_ULL(i);
		}
		i++;
	}
	return lost;
}

/* The same for a group, of which each message goes to one member. */
static u64 deliver_to_group(struct kmqtt_broker *broker,
			    struct kmqtt_group *group, struct kmqtt_msg **msgs,
			    u32 nr, bool stop, struct kmqtt_batch *batch)
{
	const struct kmqtt_outbox_limits *limits =
		&broker->store.outbox_limits;
	enum kmqtt_delivered what;
	bool ready_only;
	u64 lost = 0;
	u32 i;

	/* What waits for nobody is not for those without a connection. */
	ready_only = !kmqtt_outbox_keeps(limits,
					 kmqtt_outbox_max_qos(limits,
							      msgs[0]->qos));
	for (i = 0; i < nr; i++) {
		what = kmqtt_share_deliver(group, msgs[i], ready_only, batch);
		if (!delivered(broker, NULL, msgs[i]->qos, what)) {
			if (stop)
				return GENMASK_ULL(nr - 1, i);
			lost |= BIT_ULL(i);
		}
	}
	return lost;
}

/**
 * kmqtt_route_deliver() - hand messages to all in the route
 * @broker: the broker
 * @from: session of who published them, or NULL
 * @msgs: messages of one publisher, topic and QoS that are retained by none
 *	or, if there is a single one, by any
 * @nr: how many, up to 64
 * @stop: the publisher sends again what is behind a message that was lost: a
 *	subscriber that lost one gets none of them, lest it comes after them
 * @batch: has the route; flushes the subscribers
 *
 * Context: under RCU, since the route was found.
 * Return: a bit for each message that a subscriber didn't get, though it was to
 * have it for sure.
 */
u64 kmqtt_route_deliver(struct kmqtt_broker *broker,
			const struct kmqtt_session *from,
			struct kmqtt_msg **msgs, u32 nr, bool stop,
			struct kmqtt_batch *batch)
{
	u8 max_qos = kmqtt_outbox_max_qos(&broker->store.outbox_limits,
					  msgs[0]->qos);
	struct kmqtt_route *route = batch->route;
	u64 lost = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		trace_kmqtt_route(broker, msgs[i], route->nr);
	batch->work += nr * kmqtt_route_work(route);
	if (unlikely(kmqtt_tap_any(broker)))
		batch->work += kmqtt_tap_show(broker, from, msgs, nr);
	i = 0;
	while (i < route->nr) {
		const struct kmqtt_match *m = &route->matches[i];
		struct kmqtt_offer offer = { .msg = msgs[0] };
		struct kmqtt_session *session;

		if (m->group) {
			lost |= deliver_to_group(broker, m->group, msgs, nr,
						 stop, batch);
			i++;
			continue;
		}
		session = container_of(m->subscriber, struct kmqtt_session,
				       subscriber);
		if (m->options & KMQTT_MATCH_DENIED)
			kmqtt_stats_add(broker, denied_out, nr);
		i += gather(route, i, session->origin, max_qos, &offer);
		if (offer.qos != U8_MAX)
			lost |= deliver_to(broker, session, &offer, msgs, nr,
					   stop, batch);
	}
	return lost;
}

/* Mark the match if its subscriber may not get the message. */
static int check_match(struct kmqtt_match *m, const struct kmqtt_msg *msg,
		       struct kmqtt_batch *batch)
{
	const struct kmqtt_session *session =
		container_of(m->subscriber, struct kmqtt_session, subscriber);
	int ret = kmqtt_session_may_read(session, msg, batch);

	if (!ret)
		m->options |= KMQTT_MATCH_DENIED;
	return min(ret, 0);
}

/*
 * Mark those who may not get the message. Members of groups are asked when it
 * is delivered. Returns 0, or -EAGAIN if a thread is to do it.
 */
static int check_readers(struct kmqtt_broker *broker,
			 const struct kmqtt_msg *msg, struct kmqtt_batch *batch)
{
	u32 scan_max = kmqtt_access_scan_max(&broker->access);
	struct kmqtt_route *route = batch->route;
	u32 work = batch->work, i;
	int err;

	if (!scan_max)
		return 0;
	if (batch->bh && (u64)scan_max * route->members > ROUTE_MEMBER_RULES_BH)
		return -EAGAIN;
	for (i = 0; i < route->nr; i++) {
		struct kmqtt_match *m = &route->matches[i];

		if (m->group)
			continue;
		if (i && m->subscriber == m[-1].subscriber) {
			m->options |= m[-1].options & KMQTT_MATCH_DENIED;
			continue;
		}
		err = check_match(m, msg, batch);
		if (err || (batch->bh && batch->work - work > ROUTE_RULES_BH))
			return -EAGAIN;
	}
	return 0;
}

/**
 * kmqtt_route_find() - find the subscribers of a message
 * @broker: the broker
 * @msg: the message
 * @batch: gets the route
 *
 * Context: under RCU, which also keeps the subscribers.
 * Return: 0; -ENOSPC or -E2BIG as kmqtt_tree_match(); -EAGAIN if a thread is to
 * look at the rules for them.
 */
int kmqtt_route_find(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		     struct kmqtt_batch *batch)
{
	struct kmqtt_route *route = batch->route;
	int err;

	route->steps_max = batch->bh ? ROUTE_STEPS_BH : U32_MAX;
	err = kmqtt_memo_match(route->memo, &broker->tree, kmqtt_msg_topic(msg),
			       msg->topic_len, route);
	batch->work += route->steps / KMQTT_STEPS_PER_WORK;
	return err ?: check_readers(broker, msg, batch);
}

/*
 * Find the subscribers of @msg's topic and hand it to them. Returns 0, with
 * @good false if deliver() says that one lost it, -EAGAIN if a thread is to do
 * it, -ENOMEM if nobody got it.
 */
static int find_and_deliver(struct kmqtt_broker *broker,
			    const struct kmqtt_session *from,
			    struct kmqtt_msg *msg, struct kmqtt_batch *batch,
			    bool *good)
{
	int tries = ROUTE_RETRIES;
	int err;

	for (;;) {
		/* The matches are valid inside the section that found them. */
		rcu_read_lock();
		err = kmqtt_route_find(broker, msg, batch);
		if (!err)
			*good = !kmqtt_route_deliver(broker, from, &msg, 1,
						     false, batch);
		rcu_read_unlock();
		if (!err)
			return 0;
		if (batch->bh)
			return -EAGAIN;
		if (!tries-- || route_grow(batch->route))
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
 * kmqtt_route() - publish a message
 * @broker: the broker
 * @from: session of who publishes it, or NULL
 * @msg: a filled message that nobody else has
 * @batch: flushes the subscribers; says in @batch->route->nr afterwards how
 *	many subscriptions matched
 * @good: false if a subscriber lost it, though it was to have it for sure
 *
 * Context: softirq or process, as @batch says.
 * Return: 0, -EAGAIN if a thread is to try again, -ENOMEM if nobody got it.
 */
int kmqtt_route(struct kmqtt_broker *broker, const struct kmqtt_session *from,
		struct kmqtt_msg *msg, struct kmqtt_batch *batch, bool *good)
{
	kmqtt_msg_published(msg);
	/* Retained before it is matched: see kmqtt_replay_start(). */
	return retain(broker, msg) ?:
	       find_and_deliver(broker, from, msg, batch, good);
}

/**
 * kmqtt_publish_will() - publish the will of a client that is gone, if it may
 * @session: the client's session
 * @identity: who the client was; the caller has a reference
 * @will: the will; its reference is given back
 * @batch: flushes the subscribers
 *
 * Context: process, may sleep.
 */
void kmqtt_publish_will(struct kmqtt_session *session,
			struct kmqtt_identity *identity,
			struct kmqtt_msg *will, struct kmqtt_batch *batch)
{
	struct kmqtt_broker *broker =
		container_of(session->store, struct kmqtt_broker, store);
	struct kmqtt_author *author = NULL;
	bool good;

	if (!kmqtt_session_may_write(session, identity, will, batch))
		kmqtt_stats_inc(broker, denied_in);
	else if (kmqtt_author_note(&author, session, identity, will,
				   batch->gfp) ||
		 kmqtt_route(broker, session, will, batch, &good))
		kmqtt_event_dropped(broker, NULL, KMQTT_DROP_NO_MEMORY);
	kmqtt_author_put(author);
	kmqtt_msg_put(will);
}

/**
 * kmqtt_publish_last_will() - the same for a session that has ended
 * @session: the session; the caller has a reference
 * @will: the will; its reference is given back
 * @batch: flushes the subscribers
 *
 * Context: process, may sleep.
 */
void kmqtt_publish_last_will(struct kmqtt_session *session,
			     struct kmqtt_msg *will, struct kmqtt_batch *batch)
{
	/* Nobody comes with it any more, so it stays as it is. */
	kmqtt_publish_will(session,
			   rcu_dereference_protected(session->identity, true),
			   will, batch);
}
