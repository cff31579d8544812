/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_TRIE_H
#define _KMQTT_TOPIC_TRIE_H

#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include "memory.h"
#include "name.h"

struct kmqtt_msg;

/**
 * struct kmqtt_trie_node - one level of a topic name or filter
 * @hash: in the trie's table of all nodes, keyed by @parent and @level
 * @parent: constant; NULL for the root
 * @children: nodes below, oldest first; under the trie's lock
 * @sibling: entry in @parent's @children; under the trie's lock
 * @plus: the child for '+'; written under the lock, read under RCU
 * @multi: the child for '#'; written under the lock, read under RCU
 * @users: children and callers of kmqtt_trie_get(); under the trie's lock
 * @depth: 0 for the root
 * @subs: subscriptions to this filter; written under the lock, read under RCU
 * @groups: groups of shared subscriptions to it, likewise
 * @msg: message retained for this name; under the trie's lock
 * @seq: when @msg was retained; under the trie's lock
 * @rcu: readers may stand on the node while it is freed
 * @len: bytes of @level
 * @level: the level itself
 *
 * The subscription tree uses @subs and @groups, the retained store @msg and @seq.
 */
struct kmqtt_trie_node {
	struct rhash_head hash;
	struct kmqtt_trie_node *parent;
	struct list_head children;
	struct list_head sibling;
	struct kmqtt_trie_node __rcu *plus;
	struct kmqtt_trie_node __rcu *multi;
	u32 users;
	u16 depth;
	u16 len;
	union {
		struct {
			struct hlist_head subs;
			struct hlist_head groups;
		};
		struct {
			struct kmqtt_msg *msg;
			u64 seq;
		};
	};
	struct rcu_head rcu;
	u8 level[];
};

/**
 * struct kmqtt_trie - levels of names or filters, shared by their prefixes
 * @lock: guards every change; a leaf, taken with softirqs off
 * @nodes: all nodes but the root
 * @root: the node above all first levels
 * @memory: account for the nodes
 */
struct kmqtt_trie {
	spinlock_t lock;		/* every change of nodes */
	struct rhashtable nodes;
	struct kmqtt_trie_node *root;
	struct kmqtt_memory *memory;
};

int kmqtt_trie_init(struct kmqtt_trie *trie, struct kmqtt_memory *memory);
void kmqtt_trie_uninit(struct kmqtt_trie *trie);
struct kmqtt_trie_node *kmqtt_trie_child(struct kmqtt_trie *trie,
					 const struct kmqtt_trie_node *parent,
					 const u8 *level, size_t len);
struct kmqtt_trie_node *kmqtt_trie_find(struct kmqtt_trie *trie,
					const u8 *name, size_t len);
struct kmqtt_trie_node *kmqtt_trie_get(struct kmqtt_trie *trie,
				       const u8 *name, size_t len);
void kmqtt_trie_put(struct kmqtt_trie *trie, struct kmqtt_trie_node *node);
size_t kmqtt_trie_path(const struct kmqtt_trie_node *node, u8 *to, size_t size);

#endif /* _KMQTT_TOPIC_TRIE_H */
