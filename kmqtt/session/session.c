// SPDX-License-Identifier: GPL-2.0
/*
 * A session: its one connection, its queues, its subscriptions. It outlives
 * the connection, so nothing of the connection is kept here but the link, and
 * that only between attach and detach.
 */
#include "session.h"

#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "store.h"

/* Retained messages are fetched when fewer than this many messages wait. */
#define REFILL_LOW	16
/* Messages and tree nodes of one refill. */
#define REFILL_MESSAGES	32
#define REFILL_STEPS	256

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

/* Take what ends with a connection. The caller publishes or drops the will. */
static struct kmqtt_msg *unlink_link(struct kmqtt_session *session)
{
	struct kmqtt_msg *will = session->will;

	lockdep_assert_held(&session->lock);
	session->link = NULL;
	session->will = NULL;
	session->disconnected = ktime_get_seconds();
	kmqtt_outbox_drop_best_effort(&session->outbox);
	return will;
}

/**
 * kmqtt_session_attach() - give a session a connection
 * @session: the session
 * @link: the connection; one that the session had is closed (0x8E)
 * @will: what to publish when @link is lost, or NULL; its reference moves to
 *	the session on success
 * @persistent: let the session survive the connection
 * @version: protocol level of the client
 * @old_will: the will of the connection that was closed, for the caller to
 *	publish, or NULL; a caller that can't publish gives no place for it
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: 0, -ESHUTDOWN if the session has ended, -EAGAIN if there is a will
 * and no place for it.
 */
int kmqtt_session_attach(struct kmqtt_session *session,
			 struct kmqtt_link *link, struct kmqtt_msg *will,
			 bool persistent, u8 version,
			 struct kmqtt_msg **old_will)
{
	struct kmqtt_link *old;
	struct kmqtt_msg *last;
	int err = 0;

	spin_lock_bh(&session->lock);
	if (session->dead)
		err = -ESHUTDOWN;
	else if (session->will && !old_will)
		err = -EAGAIN;
	if (err)
		goto out_unlock;
	old = session->link;
	last = unlink_link(session);
	if (old)
		old->ops->close(old, KMQTT_REASON_SESSION_TAKEN_OVER);
	if (old_will)
		*old_will = last;
	kmqtt_outbox_restart(&session->outbox);
	session->link = link;
	session->will = will;
	session->persistent = persistent;
	session->version = version;
out_unlock:
	spin_unlock_bh(&session->lock);
	return err;
}

/**
 * kmqtt_session_detach() - take a session's connection away
 * @session: the session; it ends here if it isn't persistent
 * @link: the connection that ends
 * @will: the will that @link left, for the caller to publish or drop, or NULL
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: false if @link was not, or no longer, the session's connection.
 */
bool kmqtt_session_detach(struct kmqtt_session *session,
			  struct kmqtt_link *link, struct kmqtt_msg **will)
{
	bool was, ended = false;

	*will = NULL;
	spin_lock_bh(&session->lock);
	was = session->link == link;
	if (was) {
		*will = unlink_link(session);
		ended = !session->persistent;
		session->dead = ended;
	}
	spin_unlock_bh(&session->lock);
	if (ended)
		kmqtt_store_forget(session);
	return was;
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
	session->nr_received = 0;
	xa_destroy(&session->received);
	spin_unlock_bh(&session->lock);
}

/**
 * kmqtt_session_drop_will() - the client has said goodbye [MQTT-3.14.4-3]
 * @session: its session
 * @link: its connection
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: false if @link is no longer the session's connection.
 */
bool kmqtt_session_drop_will(struct kmqtt_session *session,
			     struct kmqtt_link *link)
{
	struct kmqtt_msg *will = NULL;
	bool ours;

	spin_lock_bh(&session->lock);
	ours = session->link == link;
	if (ours)
		swap(will, session->will);
	spin_unlock_bh(&session->lock);
	kmqtt_msg_put(will);
	return ours;
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

/**
 * kmqtt_session_deliver() - queue a message for a session's client
 * @session: the session; a reference or RCU keeps it
 * @msg: a filled message
 * @qos: of the delivery
 * @retain: deliver with the RETAIN flag
 * @batch: flushes the session's connection at its end
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: what became of the message.
 */
enum kmqtt_delivered kmqtt_session_deliver(struct kmqtt_session *session,
					   struct kmqtt_msg *msg, u8 qos,
					   bool retain,
					   struct kmqtt_batch *batch)
{
	enum kmqtt_delivered ret = KMQTT_DELIVERED_QUEUED;
	int err;

	spin_lock_bh(&session->lock);
	if (session->dead) {
		ret = KMQTT_DELIVERED_DEAD;
		goto out_unlock;
	}
	if (!session->link && !qos) {
		ret = KMQTT_DELIVERED_OFFLINE;
		goto out_unlock;
	}
	err = kmqtt_outbox_push(&session->outbox, msg, qos, retain,
				&session->store->outbox_limits);
	if (err) {
		session->dropped++;
		ret = err == -ENOMEM ? KMQTT_DELIVERED_NOMEM :
				       KMQTT_DELIVERED_FULL;
	}
	if (session->link)
		kmqtt_link_touch(session->link, batch);
out_unlock:
	spin_unlock_bh(&session->lock);
	return ret;
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
		session->nr_received++;
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
 */
void kmqtt_session_release(struct kmqtt_session *session, u16 id)
{
	bool was;

	spin_lock_bh(&session->lock);
	was = xa_erase(&session->received, id);
	if (was)
		session->nr_received--;
	spin_unlock_bh(&session->lock);
	if (was)
		kmqtt_memory_uncharge(session->store->memory, RECEIVED_COST);
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
	struct kmqtt_retained *store = session->store->retained;
	struct kmqtt_replay *old;

	spin_lock_bh(&session->lock);
	list_for_each_entry(old, &session->replays, list) {
		if (old->filter_len == replay->filter_len &&
		    !memcmp(old->filter, replay->filter, old->filter_len)) {
			list_del(&old->list);
			kmqtt_replay_destroy(store, old);
			break;
		}
	}
	if (session->dead)
		kmqtt_replay_destroy(store, replay);
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

/* Returns false if the message has to wait for room. */
static bool push_retained(struct kmqtt_session *session,
			  struct kmqtt_replay *replay, struct kmqtt_msg *msg)
{
	struct kmqtt_outbox *outbox = &session->outbox;
	int err;

	err = kmqtt_outbox_push(outbox, msg, min(msg->qos, replay->qos), true,
				&session->store->outbox_limits);
	if (err == -ENOBUFS && outbox->bytes) {
		replay->msg = msg;
		return false;
	}
	if (err)
		session->dropped++;
	kmqtt_msg_put(msg);
	return true;
}

/**
 * kmqtt_session_refill() - fetch retained messages if the outbox has room
 * @session: the session
 *
 * Context: under the session's lock, on the connection's transmit side.
 * Return: true if it should be called again before the transmit side rests.
 */
bool kmqtt_session_refill(struct kmqtt_session *session)
{
	u32 steps = REFILL_STEPS, left = REFILL_MESSAGES;
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
		if (!push_retained(session, replay, msg))
			return false;
		if (!--left)
			return true;
	}
	return false;
}
