// SPDX-License-Identifier: GPL-2.0
/*
 * The table of sessions, and the end of a session: it leaves the table at
 * once and is taken apart by a work item, however much it holds.
 */
#include "store.h"

#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "expiry.h"
#include "share.h"

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_str *key = data;

	return jhash(key->data, key->len, seed);
}

static u32 hash_session(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_session *session = data;

	return jhash(session->id, session->id_len, seed);
}

static int cmp_session(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_session *session = obj;
	const struct kmqtt_str *key = arg->key;

	return session->id_len != key->len ||
	       memcmp(session->id, key->data, key->len);
}

static const struct rhashtable_params session_params = {
	.head_offset = offsetof(struct kmqtt_session, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_session,
	.obj_cmpfn = cmp_session,
	.automatic_shrinking = true,
};

static void take_apart(struct kmqtt_session *session)
{
	kmqtt_session_disarm_sync(session);
	while (kmqtt_tree_leave(session->store->tree, &session->subscriber,
				true))
		cond_resched();
	kmqtt_share_move(session);
	kmqtt_session_purge(session);
	kmqtt_session_put(session);
}

static void reap_work(struct work_struct *work)
{
	struct kmqtt_store *store =
		container_of(work, struct kmqtt_store, reap_work);
	struct kmqtt_session *session, *next;

	llist_for_each_entry_safe(session, next, llist_del_all(&store->ended),
				  reap) {
		take_apart(session);
		cond_resched();
	}
}

/**
 * kmqtt_store_init() - make an empty store
 * @store: the store; its limits and rules are the caller's to set
 * @memory: account for its sessions
 * @tree: where they subscribe
 * @retained: what they replay
 * @ops: what the broker does for the store
 * @wq: workqueue for taking sessions apart
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_store_init(struct kmqtt_store *store, struct kmqtt_memory *memory,
		     struct kmqtt_tree *tree, struct kmqtt_retained *retained,
		     const struct kmqtt_store_ops *ops,
		     struct workqueue_struct *wq)
{
	atomic_set(&store->nr, 0);
	store->memory = memory;
	store->tree = tree;
	store->retained = retained;
	store->ops = ops;
	store->wq = wq;
	get_random_bytes(&store->key, sizeof(store->key));
	init_llist_head(&store->ended);
	INIT_WORK(&store->reap_work, reap_work);
	init_llist_head(&store->due);
	store->nr_expired = 0;
	INIT_WORK(&store->due_work, kmqtt_store_due_work);
	return rhashtable_init(&store->table, &session_params);
}

/* For rhashtable_free_and_destroy(), after the last connection is gone. */
static void free_session(void *ptr, void *arg)
{
	struct kmqtt_session *session = ptr;
	struct kmqtt_msg *will = NULL;

	spin_lock_bh(&session->lock);
	WARN_ON_ONCE(session->link);
	session->dead = true;
	swap(will, session->will);
	spin_unlock_bh(&session->lock);
	kmqtt_msg_put(will);
	take_apart(session);
}

/**
 * kmqtt_store_uninit() - end all sessions
 * @store: the store; no session has a connection any more
 *
 * Context: process, may sleep; not on the workqueue given to init.
 */
void kmqtt_store_uninit(struct kmqtt_store *store)
{
	/* First nobody ends a session any more but us. */
	disable_work_sync(&store->due_work);
	flush_work(&store->reap_work);
	rhashtable_free_and_destroy(&store->table, free_session, NULL);
	kmqtt_store_drop_due(store);
	WARN_ON_ONCE(atomic_read(&store->nr));
}

/**
 * kmqtt_store_lookup() - find a session
 * @store: the store
 * @id: client identifier
 * @len: its length in bytes
 *
 * Context: any but hard interrupts.
 * Return: the session with a reference for the caller, or NULL.
 */
struct kmqtt_session *kmqtt_store_lookup(struct kmqtt_store *store,
					 const u8 *id, size_t len)
{
	struct kmqtt_str key = { .data = id, .len = len };
	struct kmqtt_session *session;

	rcu_read_lock();
	session = rhashtable_lookup(&store->table, &key, session_params);
	if (session && !kref_get_unless_zero(&session->ref))
		session = NULL;
	rcu_read_unlock();
	return session;
}

/**
 * kmqtt_store_add() - put a new session into the table
 * @store: the store, which takes a reference of its own
 * @session: the session
 *
 * Context: any but hard interrupts.
 * Return: 0, -EEXIST if the client identifier has a session, -ENOMEM.
 */
int kmqtt_store_add(struct kmqtt_store *store, struct kmqtt_session *session)
{
	struct kmqtt_str key = { .data = session->id, .len = session->id_len };
	void *old;

	kref_get(&session->ref);
	rcu_read_lock();
	old = rhashtable_lookup_get_insert_key(&store->table, &key,
					       &session->hash, session_params);
	rcu_read_unlock();
	if (!old)
		return 0;
	kmqtt_session_put(session);
	if (IS_ERR(old))
		return PTR_ERR(old) == -EEXIST ? -EEXIST : -ENOMEM;
	return -EEXIST;
}

/**
 * kmqtt_store_forget() - take a session that has ended out of the table
 * @session: a session that the caller has marked as dead
 *
 * What it holds is given back later, from the store's workqueue.
 *
 * Context: any but hard interrupts.
 */
void kmqtt_store_forget(struct kmqtt_session *session)
{
	struct kmqtt_store *store = session->store;

	rhashtable_remove_fast(&store->table, &session->hash, session_params);
	if (llist_add(&session->reap, &store->ended))
		queue_work(store->wq, &store->reap_work);
}

/**
 * kmqtt_store_end() - end a session
 * @session: the session; the caller's reference stays with the caller
 * @reason: what to tell its client if it has a connection
 * @will: its will, for the caller to publish or drop, or NULL; a caller that
 *	can't publish gives no place for it
 *
 * Context: any but hard interrupts; takes the session's lock.
 * Return: 0, -ESHUTDOWN if it has ended already, -EAGAIN if there is a will
 * and no place for it.
 */
int kmqtt_store_end(struct kmqtt_session *session, enum kmqtt_reason reason,
		    struct kmqtt_msg **will)
{
	int err = 0;

	spin_lock_bh(&session->lock);
	if (session->dead)
		err = -ESHUTDOWN;
	else if (session->will && !will)
		err = -EAGAIN;
	if (err)
		goto out_unlock;
	session->dead = true;
	kmqtt_session_disarm(session);
	if (session->link)
		session->link->ops->close(session->link, reason);
	session->link = NULL;
	WRITE_ONCE(session->subscriber.ready, false);
	if (will) {
		*will = session->will;
		session->will = NULL;
	}
out_unlock:
	spin_unlock_bh(&session->lock);
	if (!err)
		kmqtt_store_forget(session);
	return err;
}

/**
 * kmqtt_store_walk_start() - begin to walk over all sessions
 * @store: the store
 * @iter: the walk
 *
 * Sessions may be left out or met twice if the table changes its size.
 *
 * Context: process, may sleep; to be ended by kmqtt_store_walk_stop().
 */
void kmqtt_store_walk_start(struct kmqtt_store *store,
			    struct rhashtable_iter *iter)
{
	rhashtable_walk_enter(&store->table, iter);
}

/**
 * kmqtt_store_walk_next() - the next session
 * @iter: the walk
 * @again: set to true if the walk has begun again, since the table changed
 *	its size
 *
 * Context: process; takes RCU for a moment.
 * Return: a session with a reference for the caller, or NULL at the end.
 */
struct kmqtt_session *kmqtt_store_walk_next(struct rhashtable_iter *iter,
					    bool *again)
{
	struct kmqtt_session *session;

	if (rhashtable_walk_start_check(iter))
		*again = true;
	do {
		session = rhashtable_walk_next(iter);
		if (IS_ERR(session))
			*again = true;
	} while (IS_ERR(session) ||
		 (session && !kref_get_unless_zero(&session->ref)));
	rhashtable_walk_stop(iter);
	return session;
}

/**
 * kmqtt_store_walk_stop() - end a walk
 * @iter: the walk
 *
 * Context: process, may sleep.
 */
void kmqtt_store_walk_stop(struct rhashtable_iter *iter)
{
	rhashtable_walk_exit(iter);
}
