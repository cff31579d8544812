// SPDX-License-Identifier: GPL-2.0
/*
 * Which member of a group gets a message (MQTT 5, 4.8.2): those that are
 * connected and have room take turns; if there are none, it waits with one
 * that is not connected. Who may not read it is passed over. When a member
 * goes, others get what it had not begun to get.
 */
#include "share.h"

#include "right.h"

/* Members without room that are asked before a message is given up. */
#define TRIES_MAX	64

/* May the client of a session get a message? */
static bool may_read(const struct kmqtt_session *session,
		     const struct kmqtt_msg *msg, struct kmqtt_batch *batch)
{
	int ret = kmqtt_session_may_read(session, msg, batch);

	/* There are more rules than when the route was found: it's too late. */
	return ret < 0 ? kmqtt_session_may_read(session, msg, NULL) : ret;
}

/* Returns what became of the message, or KMQTT_DELIVERED_OFFLINE. */
static enum kmqtt_delivered offer_to(const struct kmqtt_sub *sub,
				     struct kmqtt_group *group,
				     struct kmqtt_msg *msg, bool ready_only,
				     struct kmqtt_batch *batch)
{
	struct kmqtt_session *session = container_of(sub->subscriber,
						     struct kmqtt_session,
						     subscriber);
	u8 options = READ_ONCE(sub->options);
	u32 id = READ_ONCE(sub->id);
	struct kmqtt_offer offer = {
		.msg = msg,
		.group = group,
		.ids = &id,
		.nr_ids = id ? 1 : 0,
		.qos = min_t(u8, options & KMQTT_SUB_QOS,
			     kmqtt_outbox_max_qos(&session->store->outbox_limits,
						  msg->qos)),
		.retain = msg->retain &&
			  options & KMQTT_SUB_RETAIN_AS_PUBLISHED,
	};

	/* It would be for nothing to take its lock. */
	if (!READ_ONCE(sub->subscriber->ready) &&
	    (ready_only || !kmqtt_outbox_keeps(&session->store->outbox_limits,
					       offer.qos)))
		return KMQTT_DELIVERED_OFFLINE;
	if (!may_read(session, msg, batch))
		return KMQTT_DELIVERED_DENIED;
	return kmqtt_session_deliver(session, &offer, batch);
}

/* Ask those who are ready, or all, from @turn on. */
static enum kmqtt_delivered ask_members(struct kmqtt_group *group, u32 turn,
					struct kmqtt_msg *msg, bool ready_only,
					struct kmqtt_batch *batch)
{
	enum kmqtt_delivered ret, got = KMQTT_DELIVERED_OFFLINE;
	u32 nr = READ_ONCE(group->nr);
	int tries = TRIES_MAX;
	u32 i;

	for (i = 0; i < nr && tries; i++) {
		const struct kmqtt_sub *sub =
			kmqtt_group_member(group, (turn + i) % nr);

		if (!sub)
			continue;
		ret = offer_to(sub, group, msg, ready_only, batch);
		if (ret == KMQTT_DELIVERED_QUEUED)
			return ret;
		if (ret == KMQTT_DELIVERED_DENIED &&
		    got == KMQTT_DELIVERED_OFFLINE)
			got = ret;
		if (ret == KMQTT_DELIVERED_DENIED ||
		    ret == KMQTT_DELIVERED_OFFLINE ||
		    ret == KMQTT_DELIVERED_DEAD)
			continue;
		got = ret;
		tries--;
	}
	return got;
}

/**
 * kmqtt_share_deliver() - queue a message for one member of a group
 * @group: the group; a reference or RCU keeps it
 * @msg: a filled message
 * @ready_only: not for members without a connection
 * @batch: flushes the member's connection at its end; NULL to leave that to
 *	the connection itself
 *
 * Context: under RCU; takes locks of sessions.
 * Return: KMQTT_DELIVERED_QUEUED if one has it; else why nobody does.
 */
enum kmqtt_delivered kmqtt_share_deliver(struct kmqtt_group *group,
					 struct kmqtt_msg *msg, bool ready_only,
					 struct kmqtt_batch *batch)
{
	u32 turn = atomic_inc_return(&group->turn);
	enum kmqtt_delivered ret;

	ret = ask_members(group, turn, msg, true, batch);
	if (ret == KMQTT_DELIVERED_QUEUED || ready_only)
		return ret;
	/* All: somebody may have got ready, or moved, while we looked. */
	return ask_members(group, turn, msg, false, batch);
}

/* Give a message that others may get back to the session that had it. */
static bool take_back(struct kmqtt_session *session, u64 pos,
		      const struct kmqtt_entry *entry)
{
	struct kmqtt_offer offer = {
		.msg = entry->msg,
		.group = entry->extra->group,
		.ids = entry->extra->ids,
		.nr_ids = entry->extra->nr_ids,
		.qos = entry->qos,
		.retain = entry->flags & KMQTT_ENTRY_RETAIN,
	};
	bool done;

	spin_lock_bh(&session->lock);
	done = !session->dead &&
	       (kmqtt_outbox_put_back(&session->outbox, pos, entry) ||
		!kmqtt_outbox_push(&session->outbox, &offer,
				   &session->store->outbox_limits));
	if (session->link)
		session->link->ops->flush(session->link);
	spin_unlock_bh(&session->lock);
	return done;
}

static bool take_next(struct kmqtt_session *session, u64 *pos,
		      struct kmqtt_entry *entry, bool *ended)
{
	bool got = false;

	spin_lock_bh(&session->lock);
	*ended = session->dead;
	/* A client that is back gets them itself. */
	if (!session->link)
		got = kmqtt_outbox_take_shared(&session->outbox, *ended, pos,
					       entry);
	spin_unlock_bh(&session->lock);
	return got;
}

static bool give_away(const struct kmqtt_entry *entry, bool ready_only)
{
	enum kmqtt_delivered ret;

	rcu_read_lock();
	ret = kmqtt_share_deliver(entry->extra->group, entry->msg, ready_only,
				  NULL);
	rcu_read_unlock();
	return ret == KMQTT_DELIVERED_QUEUED;
}

/**
 * kmqtt_share_move() - give messages of groups to other members
 * @session: a session without a connection; one that has not ended keeps what
 *	nobody else can take at once
 *
 * Context: process, may sleep; takes locks of sessions.
 */
void kmqtt_share_move(struct kmqtt_session *session)
{
	struct kmqtt_entry entry;
	bool ended;
	u64 pos = 0;

	while (take_next(session, &pos, &entry, &ended)) {
		/* It may end while we have the message: then anybody will do. */
		if (!give_away(&entry, !ended) &&
		    (ended || (!take_back(session, pos, &entry) &&
			       !give_away(&entry, false))))
			session->store->ops->dropped(session->store, session);
		kmqtt_extra_put(entry.extra);
		kmqtt_msg_put(entry.msg);
		cond_resched();
	}
}
