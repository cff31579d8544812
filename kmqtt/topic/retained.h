/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_RETAINED_H
#define _KMQTT_TOPIC_RETAINED_H

#include <linux/workqueue.h>
#include "message.h"
#include "trie.h"

/**
 * struct kmqtt_retained - the retained messages of a broker
 * @trie: topic names; its lock is the store's lock
 * @seq: counts the messages ever retained; under the lock
 * @nr: messages retained now; under the lock, read anywhere
 * @bytes: their topics and payloads; under the lock
 * @nr_expiring: those among them that expire; under the lock
 * @sweep: forgets those that have expired
 * @wq: runs @sweep
 */
struct kmqtt_retained {
	struct kmqtt_trie trie;
	u64 seq;
	u32 nr;
	u64 bytes;
	u32 nr_expiring;
	struct delayed_work sweep;
	struct workqueue_struct *wq;
};

/**
 * struct kmqtt_replay - a walk over the retained messages of one filter
 * @memory: account that was charged for it, or NULL
 * @list: for the owner
 * @node: where the walk rests, in use by it; NULL before the first step
 * @msg: for the owner: a message that it had no room for; holds a reference
 * @seq: messages retained later are left out, their publishers' route has them
 * @options: for the owner: enum kmqtt_sub_options of the subscription
 * @sub_id: for the owner: subscription identifier
 * @all: wildcards stand for first levels with $, too
 * @expired: walk to messages that have expired, and to no others
 * @done: the end was reached
 * @hash: of @filter
 * @nr_levels: levels of @filter
 * @multi: the level of '#', counted from 1, or 0
 * @level: where in @filter each of them begins
 * @filter_len: bytes of @filter
 * @filter: a valid topic filter
 *
 * The owner serializes all use of a replay.
 */
struct kmqtt_replay {
	struct kmqtt_memory *memory;
	struct list_head list;
	struct kmqtt_trie_node *node;
	struct kmqtt_msg *msg;
	u64 seq;
	u32 sub_id;
	u8 options;
	bool all;
	bool expired;
	bool done;
	u32 hash;
	u16 nr_levels;
	u16 multi;
	u16 level[KMQTT_LEVELS_MAX];
	u16 filter_len;
	u8 filter[];
};

int kmqtt_retained_init(struct kmqtt_retained *store,
			struct kmqtt_memory *memory,
			struct workqueue_struct *wq);
void kmqtt_retained_uninit(struct kmqtt_retained *store);
int kmqtt_retained_set(struct kmqtt_retained *store, struct kmqtt_msg *msg,
		       u32 max_messages);
int kmqtt_retained_clear(struct kmqtt_retained *store, const u8 *name,
			 size_t len);
struct kmqtt_replay *kmqtt_replay_create(struct kmqtt_memory *memory,
					 const u8 *filter, u16 len, bool all,
					 gfp_t gfp);
u32 kmqtt_replay_hash(const u8 *filter, u16 len);
bool kmqtt_replay_is(const struct kmqtt_replay *replay, u32 hash,
		     const u8 *filter, u16 len);
void kmqtt_replay_start(struct kmqtt_retained *store,
			struct kmqtt_replay *replay);
int kmqtt_replay_next(struct kmqtt_retained *store,
		      struct kmqtt_replay *replay, u32 *steps,
		      struct kmqtt_msg **msg);
void kmqtt_replay_destroy(struct kmqtt_retained *store,
			  struct kmqtt_replay *replay);

#endif /* _KMQTT_TOPIC_RETAINED_H */
