// SPDX-License-Identifier: GPL-2.0
/*
 * A session: its one connection, its queues, its subscriptions. It outlives
 * the connection, so nothing of the connection is kept here but the link, and
 * that only between attach and detach.
 */
#include "session.h"

#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "expiry.h"
#include "right.h"

/* Retained messages are fetched when fewer than this many messages wait. */
#define REFILL_LOW	16
/* Messages and tree nodes of one refill. */
#define REFILL_MESSAGES	32
#define REFILL_STEPS	256
/* Work of looking at rules, after which one ends. */
#define REFILL_WORK	128

/* What a waiting QoS 2 identifier counts as, in bytes. */
#define RECEIVED_COST	16

static size_t session_size(u16 id_len)
{
	return struct_size_t(struct kmqtt_session, id, id_len);
}

/**
 * kmqtt_session_create() - make a session
 * @store: where it will live; kmqtt_store_add() puts it there
 * @id: client identifier
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: any but hard interrupts.
 * Return: a session with one reference, ERR_PTR(-EDQUOT) if the broker has as
 * many as it may, ERR_PTR(-ENOMEM).
 */
struct kmqtt_session *kmqtt_session_create(struct kmqtt_store *store,
					   const struct kmqtt_str *id,
					   gfp_t gfp)
{
	struct kmqtt_session *session;
	int err = -ENOMEM;

	if (atomic_inc_return(&store->nr) > READ_ONCE(store->max)) {
		err = -EDQUOT;
		goto err_nr;
	}
	if (!kmqtt_memory_charge(store->memory, session_size(id->len)))
		goto err_nr;
	session = kzalloc(session_size(id->len), gfp | __GFP_NOWARN);
	if (!session)
		goto err_uncharge;
	kref_init(&session->ref);
	session->store = store;
	session->origin = siphash(id->data, id->len, &store->key);
	timer_setup(&session->timer, kmqtt_session_timeout, 0);
	kmqtt_subscriber_init(&session->subscriber);
	spin_lock_init(&session->lock);
	kmqtt_outbox_init(&session->outbox, store->memory);
	xa_init_flags(&session->received, XA_FLAGS_LOCK_BH);
	INIT_LIST_HEAD(&session->replays);
	session->id_len = id->len;
	memcpy(session->id, id->data, id->len);
	return session;

err_uncharge:
	kmqtt_memory_uncharge(store->memory, session_size(id->len));
err_nr:
	atomic_dec(&store->nr);
	return ERR_PTR(err);
}

static void session_release(struct kref *ref)
{
	struct kmqtt_session *session =
		container_of(ref, struct kmqtt_session, ref);
	struct kmqtt_store *store = session->store;

	kmqtt_session_purge(session);
	kmqtt_identity_put(rcu_access_pointer(session->identity));
	kmqtt_memory_uncharge(store->memory, session_size(session->id_len));
	atomic_dec(&store->nr);
	kfree_rcu(session, rcu);
}

/**
 * kmqtt_session_put() - give a reference back
 * @session: the session or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_session_put(struct kmqtt_session *session)
{
	if (session)
		kref_put(&session->ref, session_release);
}

/*
 * Take what ends with a connection, except for the will. QoS 0 that it had yet to
 * get may be half sent, and goes with it.
 */
static void unlink_link(struct kmqtt_session *session)
{
	lockdep_assert_held(&session->lock);
	session->link = NULL;
	WRITE_ONCE(session->subscriber.ready, false);
	session->disconnected = ktime_get_seconds();
	kmqtt_outbox_drop_best_effort(&session->outbox);
}

/*
 * Is the will of the connection before due? One that is delayed is not if the
 * client has come back in time [MQTT5-3.1.3-9].
 */
static bool will_is_due(const struct kmqtt_session *session)
{
	if (!session->will || !session->will_delay)
		return session->will;
	return !session->link && kmqtt_msg_now() >= session->will_due;
}

/* Who the client was is told where who it is was. */
static void set_identity(struct kmqtt_session *session,
			 struct kmqtt_attach *attach)
{
	attach->identity =
		rcu_replace_pointer(session->identity, attach->identity,
				    lockdep_is_held(&session->lock));
}

/**
 * kmqtt_session_attach() - give a session a connection
 * @session: the session; a connection that it had is closed (0x8E)
 * @attach: the connection and its terms
 * @old_will: the will of the connection that was closed, for the caller to
 *	publish, or NULL; a caller that can't publish gives no place for it
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: 0, -ESHUTDOWN if the session has ended, -EAGAIN if there is a will
 * and no place for it.
 */
int kmqtt_session_attach(struct kmqtt_session *session,
			 struct kmqtt_attach *attach,
			 struct kmqtt_msg **old_will)
{
	struct kmqtt_msg *last = NULL;
	struct kmqtt_link *old;
	int err = 0;

	spin_lock_bh(&session->lock);
	if (session->dead)
		err = -ESHUTDOWN;
	else if (will_is_due(session) && !old_will)
		err = -EAGAIN;
	if (err)
		goto out_unlock;
	kmqtt_session_disarm(session);
	if (will_is_due(session))
		swap(last, session->will);
	kmqtt_msg_put(session->will);
	old = session->link;
	/* What is queued while there is none is for the next. */
	if (old) {
		unlink_link(session);
		old->ops->close(old, KMQTT_REASON_SESSION_TAKEN_OVER);
	}
	if (old_will)
		*old_will = last;
	kmqtt_outbox_restart(&session->outbox);
	session->link = attach->link;
	set_identity(session, attach);
	session->will = attach->will;
	session->will_delay = attach->will_delay;
	WRITE_ONCE(session->expiry, attach->expiry);
	session->version = attach->version;
	session->receive_max = attach->receive_max;
	session->max_packet = attach->max_packet;
	WRITE_ONCE(session->subscriber.ready, true);
out_unlock:
	spin_unlock_bh(&session->lock);
	return err;
}

/**
 * kmqtt_session_identity() - who the client is, or was at its last connection
 * @session: the session
 *
 * Context: under the session's lock.
 * Return: its identity with a reference for the caller; NULL if it never had a
 * connection.
 */
struct kmqtt_identity *kmqtt_session_identity(struct kmqtt_session *session)
{
	struct kmqtt_identity *identity =
		rcu_dereference_protected(session->identity,
					  lockdep_is_held(&session->lock));

	return identity ? kmqtt_identity_get(identity) : NULL;
}

/* The connection is gone and the session stays: for how long? */
static struct kmqtt_msg *begin_offline(struct kmqtt_session *session)
{
	struct kmqtt_msg *will = session->will;
	u64 now = kmqtt_msg_now();

	session->expires = session->expiry == KMQTT_EXPIRY_NEVER ? U64_MAX :
			   now + (u64)session->expiry * MSEC_PER_SEC;
	session->will_due = now + (u64)session->will_delay * MSEC_PER_SEC;
	if (session->will_delay)
		will = NULL;
	else
		session->will = NULL;
	kmqtt_session_arm(session);
	return will;
}

/**
 * kmqtt_session_detach() - take a session's connection away
 * @session: the session; it ends here if it is not to survive the connection
 * @link: the connection that ends
 * @will: the will that @link left, for the caller to publish or drop, or NULL
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: true if the session goes on without a connection; false if it ends,
 * or if @link was not, or no longer, its connection.
 */
bool kmqtt_session_detach(struct kmqtt_session *session,
			  struct kmqtt_link *link, struct kmqtt_msg **will)
{
	bool was, ended = false;

	*will = NULL;
	spin_lock_bh(&session->lock);
	was = session->link == link;
	if (was) {
		unlink_link(session);
		ended = !session->expiry;
		session->dead = ended;
		if (ended)
			swap(*will, session->will);
		else
			*will = begin_offline(session);
	}
	spin_unlock_bh(&session->lock);
	if (ended)
		kmqtt_store_forget(session);
	return was && !ended;
}

/**
 * kmqtt_session_purge() - drop all that a session holds but subscriptions
 * @session: a session that has ended
 *
 * Context: any but hard interrupts; takes the session's lock.
 */
void kmqtt_session_purge(struct kmqtt_session *session)
{
	struct kmqtt_store *store = session->store;
	struct kmqtt_replay *replay, *next;

	spin_lock_bh(&session->lock);
	kmqtt_outbox_uninit(&session->outbox);
	list_for_each_entry_safe(replay, next, &session->replays, list) {
		list_del(&replay->list);
		kmqtt_replay_destroy(store->retained, replay);
	}
	kmqtt_memory_uncharge(store->memory,
			      session->nr_received * RECEIVED_COST);
	WRITE_ONCE(session->nr_received, 0);
	xa_destroy(&session->received);
	spin_unlock_bh(&session->lock);
}

/**
 * kmqtt_session_goodbye() - the client has sent a DISCONNECT
 * @session: its session
 * @link: its connection; nothing happens if it is no longer the session's
 * @drop_will: don't publish the will [MQTT-3.14.4-3]
 * @expiry: seconds that the session survives the connection, or NULL to leave
 *	that as it is
 *
 * Context: any but hard interrupts; takes the session's lock.
 */
void kmqtt_session_goodbye(struct kmqtt_session *session,
			   struct kmqtt_link *link, bool drop_will,
			   const u32 *expiry)
{
	struct kmqtt_msg *will = NULL;

	spin_lock_bh(&session->lock);
	if (session->link == link) {
		if (drop_will)
			swap(will, session->will);
		if (expiry)
			WRITE_ONCE(session->expiry, *expiry);
	}
	spin_unlock_bh(&session->lock);
	kmqtt_msg_put(will);
}

/**
 * kmqtt_session_kick() - close a session's connection
 * @session: the session, which stays
 * @reason: what to tell the client
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: false if it has no connection.
 */
bool kmqtt_session_kick(struct kmqtt_session *session,
			enum kmqtt_reason reason)
{
	bool had;

	spin_lock_bh(&session->lock);
	had = session->link;
	if (had)
		session->link->ops->close(session->link, reason);
	spin_unlock_bh(&session->lock);
	return had;
}

/* Returns why no message can be queued, or KMQTT_DELIVERED_QUEUED. */
static enum kmqtt_delivered takes(const struct kmqtt_session *session, u8 qos)
{
	if (session->dead)
		return KMQTT_DELIVERED_DEAD;
	if (session->link ||
	    kmqtt_outbox_keeps(&session->store->outbox_limits, qos))
		return KMQTT_DELIVERED_QUEUED;
	return KMQTT_DELIVERED_OFFLINE;
}

/**
 * kmqtt_session_deliver_run() - queue messages for a session's client
 * @session: the session; a reference or RCU keeps it
 * @offer: for all of them; its @msg is set here
 * @msgs: the messages
 * @nr: how many
 * @batch: flushes the session's connection at its end; NULL to leave that to
 *	the connection itself
 * @what: what became of the last message that was tried
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: how many are queued; the next one isn't.
 */
u32 kmqtt_session_deliver_run(struct kmqtt_session *session,
			      struct kmqtt_offer *offer,
			      struct kmqtt_msg **msgs, u32 nr,
			      struct kmqtt_batch *batch,
			      enum kmqtt_delivered *what)
{
	u32 i = 0;
	int err;

	spin_lock_bh(&session->lock);
	*what = takes(session, offer->qos);
	if (*what != KMQTT_DELIVERED_QUEUED)
		goto out_unlock;
	i = kmqtt_outbox_push_run(&session->outbox, offer, msgs, nr,
				  &session->store->outbox_limits, &err);
	if (err) {
		/* Another member of a group may have room. */
		session->dropped += !offer->group;
		*what = err == -ENOMEM ? KMQTT_DELIVERED_NOMEM :
					 KMQTT_DELIVERED_FULL;
	}
	if (session->link && batch)
		kmqtt_link_touch(session->link, batch);
	else if (session->link)
		session->link->ops->flush(session->link);
out_unlock:
	spin_unlock_bh(&session->lock);
	return i;
}

/**
 * kmqtt_session_deliver() - queue a message for a session's client
 * @session: the session; a reference or RCU keeps it
 * @offer: the message
 * @batch: as in kmqtt_session_deliver_run()
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: what became of the message.
 */
enum kmqtt_delivered kmqtt_session_deliver(struct kmqtt_session *session,
					   struct kmqtt_offer *offer,
					   struct kmqtt_batch *batch)
{
	enum kmqtt_delivered what;

	kmqtt_session_deliver_run(session, offer, &offer->msg, 1, batch, &what);
	return what;
}

/**
 * kmqtt_session_received() - was this QoS 2 message routed already?
 * @session: the publisher's session
 * @id: packet identifier
 *
 * Context: any.
 * Return: true if it waits for PUBREL.
 */
bool kmqtt_session_received(struct kmqtt_session *session, u16 id)
{
	return xa_load(&session->received, id);
}

/**
 * kmqtt_session_receive() - note a QoS 2 message before it is routed
 * @session: the publisher's session
 * @id: packet identifier, not noted yet
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_session_receive(struct kmqtt_session *session, u16 id)
{
	struct kmqtt_memory *memory = session->store->memory;
	int err = -ESHUTDOWN;

	if (!kmqtt_memory_charge(memory, RECEIVED_COST))
		return -ENOMEM;
	spin_lock_bh(&session->lock);
	if (!session->dead)
		err = xa_insert(&session->received, id, xa_mk_value(1),
				GFP_ATOMIC | __GFP_NOWARN);
	if (!err)
		WRITE_ONCE(session->nr_received, session->nr_received + 1);
	spin_unlock_bh(&session->lock);
	if (err)
		kmqtt_memory_uncharge(memory, RECEIVED_COST);
	return err;
}

/**
 * kmqtt_session_release() - a PUBREL came: the identifier is free again
 * @session: the publisher's session
 * @id: packet identifier, maybe not noted
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: true if it was noted.
 */
bool kmqtt_session_release(struct kmqtt_session *session, u16 id)
{
	bool was;

	spin_lock_bh(&session->lock);
	was = xa_erase(&session->received, id);
	if (was)
		WRITE_ONCE(session->nr_received, session->nr_received - 1);
	spin_unlock_bh(&session->lock);
	if (was)
		kmqtt_memory_uncharge(session->store->memory, RECEIVED_COST);
	return was;
}

/* End the replay of a filter, if there is one under way. */
static void end_replay(struct kmqtt_session *session, const u8 *filter, u16 len)
{
	u32 hash = kmqtt_replay_hash(filter, len);
	struct kmqtt_replay *replay;

	lockdep_assert_held(&session->lock);
	list_for_each_entry(replay, &session->replays, list) {
		if (kmqtt_replay_is(replay, hash, filter, len)) {
			list_del(&replay->list);
			kmqtt_replay_destroy(session->store->retained, replay);
			return;
		}
	}
}

/**
 * kmqtt_session_drop_replay() - the client has unsubscribed
 * @session: the session
 * @filter: from what
 * @len: bytes of @filter
 *
 * Context: any but hard interrupts; takes the session's lock.
 */
void kmqtt_session_drop_replay(struct kmqtt_session *session,
			       const u8 *filter, u16 len)
{
	spin_lock_bh(&session->lock);
	end_replay(session, filter, len);
	spin_unlock_bh(&session->lock);
}

/**
 * kmqtt_session_replay() - have retained messages sent to the client
 * @session: the session
 * @replay: where to take them from; the session owns it from now on
 *
 * A replay of the same filter that is under way ends: the new one begins at
 * the start. They are fetched by kmqtt_session_refill() as there is room.
 *
 * Context: any but hard interrupts; takes the session's lock.
 */
void kmqtt_session_replay(struct kmqtt_session *session,
			  struct kmqtt_replay *replay)
{
	spin_lock_bh(&session->lock);
	end_replay(session, replay->filter, replay->filter_len);
	if (session->dead)
		kmqtt_replay_destroy(session->store->retained, replay);
	else
		list_add_tail(&replay->list, &session->replays);
	spin_unlock_bh(&session->lock);
}

/* The message that is due next; a negative errno or 0 as kmqtt_replay_next(). */
static int next_retained(struct kmqtt_session *session,
			 struct kmqtt_replay *replay, u32 *steps,
			 struct kmqtt_msg **msg)
{
	*msg = replay->msg;
	replay->msg = NULL;
	if (*msg)
		return 1;
	return kmqtt_replay_next(session->store->retained, replay, steps, msg);
}

/* Returns -ENOBUFS if the message has to wait for room, else 0. */
static int push_retained(struct kmqtt_session *session,
			 struct kmqtt_replay *replay, struct kmqtt_msg *msg)
{
	const struct kmqtt_outbox_limits *limits =
		&session->store->outbox_limits;
	struct kmqtt_outbox *outbox = &session->outbox;
	struct kmqtt_offer offer = {
		.msg = msg,
		.ids = &replay->sub_id,
		.nr_ids = replay->sub_id ? 1 : 0,
		.qos = min_t(u8, kmqtt_outbox_max_qos(limits, msg->qos),
			     replay->options & KMQTT_SUB_QOS),
		.retain = true,
	};
	int err = 0;

	/* Not what the client has published itself, if it wants so. */
	if (!(replay->options & KMQTT_SUB_NO_LOCAL) ||
	    msg->origin != session->origin)
		err = kmqtt_outbox_push(outbox, &offer, limits);
	if (err == -ENOBUFS && outbox->bytes)
		return err;
	session->dropped += !!err;
	return 0;
}

/*
 * Queue a message if the client may get it. Returns 0 if it is done with,
 * -ENOBUFS if there is no room for it, -EAGAIN if a thread is to do it.
 */
static int offer_retained(struct kmqtt_session *session,
			  struct kmqtt_replay *replay, struct kmqtt_msg *msg,
			  struct kmqtt_batch *batch, u32 *denied)
{
	int ret;

	rcu_read_lock();
	ret = kmqtt_session_may_replay(session, msg, batch);
	rcu_read_unlock();
	if (!ret)
		++*denied;
	else if (ret > 0)
		ret = push_retained(session, replay, msg);
	if (ret)
		replay->msg = msg;
	else
		kmqtt_msg_put(msg);
	return ret;
}

/**
 * kmqtt_session_refill() - fetch retained messages if the outbox has room
 * @session: the session
 * @batch: says in what context; counts the work
 * @denied: is increased by the messages that the client may not get
 *
 * Context: under the session's lock, on the connection's transmit side.
 * Return: true if it should be called again before the transmit side rests.
 */
bool kmqtt_session_refill(struct kmqtt_session *session,
			  struct kmqtt_batch *batch, u32 *denied)
{
	u32 steps = REFILL_STEPS, left = REFILL_MESSAGES, work = batch->work;
	struct kmqtt_replay *replay;
	struct kmqtt_msg *msg;
	int ret;

	lockdep_assert_held(&session->lock);

	while ((replay = list_first_entry_or_null(&session->replays,
						  struct kmqtt_replay, list))) {
		if (kmqtt_outbox_queued(&session->outbox) >= REFILL_LOW)
			return false;
		ret = next_retained(session, replay, &steps, &msg);
		if (ret == -EAGAIN)
			return true;
		if (!ret) {
			list_del(&replay->list);
			kmqtt_replay_destroy(session->store->retained, replay);
			continue;
		}
		ret = offer_retained(session, replay, msg, batch, denied);
		/* Softirq that is called again to no avail leaves it, too. */
		if (ret)
			return ret == -EAGAIN;
		if (!--left || batch->work - work > REFILL_WORK)
			return true;
	}
	return false;
}
