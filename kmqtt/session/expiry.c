// SPDX-License-Identifier: GPL-2.0
/*
 * What time does to a session without a connection: its will is published, and
 * it ends (MQTT 5, 3.1.2.11.2 and 3.1.3.2.2).
 *
 * The timer of a session runs only while it has no connection, and holds a
 * reference. All it does is to have a work item look at the session.
 */
#include "expiry.h"

#include <linux/jiffies.h>
#include "../compat.h"
#include "store.h"

/* Look again after so long at the latest: jiffies count less than seconds. */
#define LOOK_AGAIN	(24 * 60 * 60)

/**
 * kmqtt_session_arm() - wait for what is due next
 * @session: a session without a connection; the caller has a reference
 *
 * Context: under the session's lock.
 */
void kmqtt_session_arm(struct kmqtt_session *session)
{
	u64 now = kmqtt_msg_now(), due = session->expires;
	unsigned long delay;

	lockdep_assert_held(&session->lock);
	if (session->will)
		due = min(due, session->will_due);
	if (due == U64_MAX)
		return;
	due = due > now ? due - now : 0;
	due = min_t(u64, due, LOOK_AGAIN * MSEC_PER_SEC);
	delay = msecs_to_jiffies(due) + 1;
	kref_get(&session->ref);
	if (mod_timer(&session->timer, jiffies + delay))
		kmqtt_session_put(session);	/* it had one already */
}

/**
 * kmqtt_session_disarm() - the session has a connection, or has ended
 * @session: the session; the caller has a reference
 *
 * A timer that has fired already finds that there is nothing to do.
 *
 * Context: any but hard interrupts.
 */
void kmqtt_session_disarm(struct kmqtt_session *session)
{
	if (timer_delete(&session->timer))
		kmqtt_session_put(session);
}

/**
 * kmqtt_session_disarm_sync() - the timer is not needed any more, ever
 * @session: a session that has ended; the caller has a reference
 *
 * Context: process.
 */
void kmqtt_session_disarm_sync(struct kmqtt_session *session)
{
	if (timer_shutdown_sync(&session->timer))
		kmqtt_session_put(session);
}

/**
 * kmqtt_session_timeout() - have a session looked at
 * @t: its timer, whose reference goes to the list
 *
 * Context: timer softirq.
 */
void kmqtt_session_timeout(struct timer_list *t)
{
	struct kmqtt_session *session = kmqtt_from_timer(session, t, timer);
	struct kmqtt_store *store = session->store;

	if (test_and_set_bit(KMQTT_SESSION_DUE, &session->flags)) {
		kmqtt_session_put(session);
		return;
	}
	llist_add(&session->due, &store->due);
	queue_work(store->wq, &store->due_work);
}

static void look_at(struct kmqtt_session *session)
{
	struct kmqtt_store *store = session->store;
	struct kmqtt_identity *identity = NULL;
	struct kmqtt_msg *will = NULL;
	bool ended = false;
	u64 now;

	spin_lock_bh(&session->lock);
	if (session->dead || session->link)
		goto out_unlock;
	now = kmqtt_msg_now();
	ended = now >= session->expires;
	session->dead = ended;
	/* At the latest with its session [MQTT5-3.1.2-8]. */
	if (ended || now >= session->will_due)
		swap(will, session->will);
	/* Somebody else may come before it is published. */
	if (will)
		identity = kmqtt_session_identity(session);
	if (!ended)
		kmqtt_session_arm(session);
out_unlock:
	spin_unlock_bh(&session->lock);
	if (ended) {
		WRITE_ONCE(store->nr_expired, store->nr_expired + 1);
		kmqtt_store_forget(session);
	}
	if (will)
		store->ops->publish(session, identity, will);
	kmqtt_identity_put(identity);
}

/**
 * kmqtt_store_due_work() - look at all sessions that are due
 * @work: of the store
 *
 * Context: process, may sleep.
 */
void kmqtt_store_due_work(struct work_struct *work)
{
	struct kmqtt_store *store =
		container_of(work, struct kmqtt_store, due_work);
	struct kmqtt_session *session, *next;

	llist_for_each_entry_safe(session, next, llist_del_all(&store->due),
				  due) {
		clear_bit(KMQTT_SESSION_DUE, &session->flags);
		/* Whoever sees it clear sees what we are about to look at. */
		smp_mb__after_atomic();
		look_at(session);
		kmqtt_session_put(session);
		cond_resched();
	}
}

/**
 * kmqtt_store_drop_due() - nobody looks at due sessions any more
 * @store: a store whose sessions have all ended
 *
 * Context: process, may sleep; the work can't run.
 */
void kmqtt_store_drop_due(struct kmqtt_store *store)
{
	struct kmqtt_session *session, *next;

	llist_for_each_entry_safe(session, next, llist_del_all(&store->due),
				  due)
		kmqtt_session_put(session);
}
