/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_STORE_H
#define _KMQTT_SESSION_STORE_H

#include <linux/llist.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>
#include "../access/access.h"
#include "session.h"

struct kmqtt_store;

/**
 * struct kmqtt_store_ops - what the broker does for its store
 * @publish: publish the will of a session without connection, of a client that
 *	was @identity; the reference to the will is given away
 * @dropped: a message was dropped for want of room
 *
 * Both run in process context and may sleep.
 */
struct kmqtt_store_ops {
	void (*publish)(struct kmqtt_session *session,
			struct kmqtt_identity *identity,
			struct kmqtt_msg *will);
	void (*dropped)(struct kmqtt_store *store,
			struct kmqtt_session *session);
};

/**
 * struct kmqtt_store - the sessions of a broker
 * @table: all sessions that haven't ended, by client identifier
 * @nr: sessions that exist, ended ones being taken apart included
 * @max: how many may; READ_ONCE() and WRITE_ONCE()
 * @outbox_limits: for each session
 * @check_retain_source: ask whether the author of a retained message may still
 *	publish it; READ_ONCE() and WRITE_ONCE()
 * @memory: account for sessions and what they queue
 * @tree: where they subscribe
 * @retained: what they replay
 * @access: what their clients may do, or NULL for everything; constant
 * @ops: constant
 * @key: of the hash that stands for a client identifier
 * @ended: sessions to be taken apart
 * @reap_work: does that
 * @due: sessions that have expired, or whose will is due
 * @due_work: sees to them
 * @nr_expired: sessions that it has ended; read anywhere
 * @wq: runs both works
 */
struct kmqtt_store {
	struct rhashtable table;
	atomic_t nr;
	u32 max;
	struct kmqtt_outbox_limits outbox_limits;
	bool check_retain_source;
	struct kmqtt_memory *memory;
	struct kmqtt_tree *tree;
	struct kmqtt_retained *retained;
	const struct kmqtt_access *access;
	const struct kmqtt_store_ops *ops;
	siphash_key_t key;
	struct llist_head ended;
	struct work_struct reap_work;
	struct llist_head due;
	struct work_struct due_work;
	unsigned long nr_expired;
	struct workqueue_struct *wq;
};

int kmqtt_store_init(struct kmqtt_store *store, struct kmqtt_memory *memory,
		     struct kmqtt_tree *tree, struct kmqtt_retained *retained,
		     const struct kmqtt_store_ops *ops,
		     struct workqueue_struct *wq);
void kmqtt_store_uninit(struct kmqtt_store *store);
struct kmqtt_session *kmqtt_store_lookup(struct kmqtt_store *store,
					 const u8 *id, size_t len);
int kmqtt_store_add(struct kmqtt_store *store, struct kmqtt_session *session);
void kmqtt_store_forget(struct kmqtt_session *session);
int kmqtt_store_end(struct kmqtt_session *session, enum kmqtt_reason reason,
		    struct kmqtt_msg **will);
void kmqtt_store_walk_start(struct kmqtt_store *store,
			    struct rhashtable_iter *iter);
struct kmqtt_session *kmqtt_store_walk_next(struct rhashtable_iter *iter,
					    bool *again);
void kmqtt_store_walk_stop(struct rhashtable_iter *iter);

#endif /* _KMQTT_SESSION_STORE_H */
