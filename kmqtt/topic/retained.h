/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_RETAINED_H
#define _KMQTT_TOPIC_RETAINED_H

#include "message.h"
#include "trie.h"

/**
 * struct kmqtt_retained - the retained messages of a broker
 * @trie: topic names; its lock is the store's lock
 * @seq: counts the messages ever retained; under the lock
 * @nr: messages retained now; under the lock, read anywhere
 * @bytes: their topics and payloads; under the lock
 */
struct kmqtt_retained {
	struct kmqtt_trie trie;
	u64 seq;
	u32 nr;
	u64 bytes;
};

/**
 * struct kmqtt_replay - a walk over the retained messages of one filter
 * @list: for the owner
 * @node: where the walk rests, in use by it; NULL before the first step
 * @msg: for the owner: a message that it had no room for; holds a reference
 * @seq: messages retained later are left out, their publishers' route has them
 * @qos: for the owner: maximum QoS of the subscription
 * @all: wildcards stand for first levels with $, too
 * @done: the end was reached
 * @nr_levels: levels of @filter
 * @multi: the level of '#', counted from 1, or 0
 * @filter_len: bytes of @filter
 * @filter: a valid topic filter
 *
 * The owner serializes all use of a replay.
 */
struct kmqtt_replay {
	struct list_head list;
	struct kmqtt_trie_node *node;
	struct kmqtt_msg *msg;
	u64 seq;
	u8 qos;
	bool all;
	bool done;
	u16 nr_levels;
	u16 multi;
	u16 filter_len;
	u8 filter[];
};

int kmqtt_retained_init(struct kmqtt_retained *store,
			struct kmqtt_memory *memory);
void kmqtt_retained_uninit(struct kmqtt_retained *store);
int kmqtt_retained_set(struct kmqtt_retained *store, struct kmqtt_msg *msg,
		       u32 max_messages);
int kmqtt_retained_clear(struct kmqtt_retained *store, const u8 *name,
			 size_t len);
struct kmqtt_replay *kmqtt_replay_create(const u8 *filter, u16 len, u8 qos,
					 bool all, gfp_t gfp);
void kmqtt_replay_start(struct kmqtt_retained *store,
			struct kmqtt_replay *replay);
int kmqtt_replay_next(struct kmqtt_retained *store,
		      struct kmqtt_replay *replay, u32 *steps,
		      struct kmqtt_msg **msg);
void kmqtt_replay_destroy(struct kmqtt_retained *store,
			  struct kmqtt_replay *replay);

#endif /* _KMQTT_TOPIC_RETAINED_H */
