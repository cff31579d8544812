/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_TREE_H
#define _KMQTT_TOPIC_TREE_H

#include "share.h"
#include "../wire/packet.h"

/**
 * struct kmqtt_subscriber - what a session is to the tree
 * @subs: its subscriptions; under the tree's lock
 * @nr_subs: how many; under the tree's lock
 * @gone: takes no more subscriptions; under the tree's lock
 * @ready: for the owner: may be given messages of a group at once;
 *	READ_ONCE() and WRITE_ONCE()
 */
struct kmqtt_subscriber {
	struct list_head subs;
	u32 nr_subs;
	bool gone;
	bool ready;
};

/**
 * struct kmqtt_sub - one subscription
 * @hash: in the tree's table, keyed by @node, @subscriber and @group
 * @match: entry of @node's list, unless it is shared; written under the tree's
 *	lock, read under RCU
 * @own: entry of @subscriber's list; under the tree's lock
 * @node: constant
 * @subscriber: constant; valid for as long as RCU keeps the subscription
 * @group: group of a shared subscription, or NULL; constant
 * @member: place in @group; under the tree's lock
 * @id: subscription identifier, 0 for none; WRITE_ONCE() under the tree's lock
 * @options: enum kmqtt_sub_options; WRITE_ONCE() under the tree's lock
 * @rcu: readers may stand on it while it is freed
 */
struct kmqtt_sub {
	struct rhash_head hash;
	struct hlist_node match;
	struct list_head own;
	struct kmqtt_trie_node *node;
	struct kmqtt_subscriber *subscriber;
	struct kmqtt_group *group;
	u32 member;
	u32 id;
	u8 options;
	struct rcu_head rcu;
};

/**
 * struct kmqtt_sub_request - what a client asks for with one filter
 * @filter: valid
 * @options: enum kmqtt_sub_options
 * @id: subscription identifier, 0 for none
 */
struct kmqtt_sub_request {
	struct kmqtt_filter filter;
	u8 options;
	u32 id;
};

/**
 * struct kmqtt_tree - all subscriptions of a broker
 * @trie: topic filters; its lock is the tree's lock
 * @subs: all subscriptions
 * @groups: of shared ones
 * @nr_subs: how many; under the lock, read anywhere
 * @nr_shared: those among them that are shared; the same
 * @generation: another one after each change, of all that trees ever had; odd
 *	during a change; changed under the lock, read anywhere
 */
struct kmqtt_tree {
	struct kmqtt_trie trie;
	struct rhashtable subs;
	struct kmqtt_groups groups;
	u32 nr_subs;
	u32 nr_shared;
	atomic64_t generation;
};

/**
 * struct kmqtt_sub_walk - a walk over the subscriptions of one subscriber
 * @node: the filter where the walk rests, in use by it; NULL at first
 * @group: of that subscription, with a reference, or NULL
 * @options: of that subscription
 * @id: of that subscription
 */
struct kmqtt_sub_walk {
	struct kmqtt_trie_node *node;
	struct kmqtt_group *group;
	u8 options;
	u32 id;
};

int kmqtt_tree_init(struct kmqtt_tree *tree, struct kmqtt_memory *memory);
void kmqtt_tree_uninit(struct kmqtt_tree *tree);
void kmqtt_subscriber_init(struct kmqtt_subscriber *subscriber);
int kmqtt_tree_subscribe(struct kmqtt_tree *tree,
			 struct kmqtt_subscriber *subscriber,
			 const struct kmqtt_sub_request *request, u32 max_subs);
int kmqtt_tree_unsubscribe(struct kmqtt_tree *tree,
			   struct kmqtt_subscriber *subscriber,
			   const struct kmqtt_filter *filter);
bool kmqtt_tree_leave(struct kmqtt_tree *tree,
		      struct kmqtt_subscriber *subscriber, bool gone);
int kmqtt_tree_walk(struct kmqtt_tree *tree,
		    const struct kmqtt_subscriber *subscriber,
		    struct kmqtt_sub_walk *walk, u8 *filter, size_t size,
		    size_t *len);
void kmqtt_tree_walk_end(struct kmqtt_tree *tree, struct kmqtt_sub_walk *walk);
u32 kmqtt_tree_count(struct kmqtt_tree *tree,
		     const struct kmqtt_subscriber *subscriber);

/**
 * kmqtt_tree_generation() - which state of which tree is this?
 * @tree: the tree
 *
 * What is found afterwards in the tree, within the same RCU section, is there
 * and valid in all sections in which this number comes again.
 *
 * Context: under RCU.
 * Return: a number that no other state of any tree has, or 0 if the tree is
 * just changing.
 */
static inline u64 kmqtt_tree_generation(struct kmqtt_tree *tree)
{
	/* Pairs with change_end(). */
	u64 generation = atomic64_read_acquire(&tree->generation);

	return generation & 1 ? 0 : generation;
}

#endif /* _KMQTT_TOPIC_TREE_H */
