/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_TREE_H
#define _KMQTT_TOPIC_TREE_H

#include "trie.h"
#include "../wire/packet.h"

/**
 * struct kmqtt_subscriber - what a session is to the tree
 * @subs: its subscriptions; under the tree's lock
 * @nr_subs: how many; under the tree's lock
 * @gone: takes no more subscriptions; under the tree's lock
 */
struct kmqtt_subscriber {
	struct list_head subs;
	u32 nr_subs;
	bool gone;
};

/**
 * struct kmqtt_sub - one subscription
 * @hash: in the tree's table, keyed by @node and @subscriber
 * @match: entry of @node's list; written under the tree's lock, read under RCU
 * @own: entry of @subscriber's list; under the tree's lock
 * @node: constant
 * @subscriber: constant; valid for as long as RCU keeps the subscription
 * @qos: maximum QoS; WRITE_ONCE() under the tree's lock
 * @rcu: readers may stand on it while it is freed
 */
struct kmqtt_sub {
	struct rhash_head hash;
	struct hlist_node match;
	struct list_head own;
	struct kmqtt_trie_node *node;
	struct kmqtt_subscriber *subscriber;
	u8 qos;
	struct rcu_head rcu;
};

/**
 * struct kmqtt_tree - all subscriptions of a broker
 * @trie: topic filters; its lock is the tree's lock
 * @subs: all subscriptions
 * @nr_subs: how many; under the lock, read anywhere
 * @generation: changes with each change; under the lock, read anywhere
 */
struct kmqtt_tree {
	struct kmqtt_trie trie;
	struct rhashtable subs;
	u32 nr_subs;
	u32 generation;
};

/**
 * struct kmqtt_sub_walk - a walk over the subscriptions of one subscriber
 * @node: the filter where the walk rests, in use by it; NULL at first
 * @qos: of that subscription
 */
struct kmqtt_sub_walk {
	struct kmqtt_trie_node *node;
	u8 qos;
};

/**
 * struct kmqtt_match - a subscriber that a topic name reached
 * @subscriber: valid under the RCU section of the match
 * @qos: the greatest QoS of its subscriptions that matched
 */
struct kmqtt_match {
	struct kmqtt_subscriber *subscriber;
	u8 qos;
};

/**
 * struct kmqtt_route - where a topic name leads
 * @matches: an entry for each subscriber
 * @nr: used entries
 * @max: room
 * @steps_max: nodes a match may visit before it gives up
 * @depth: used entries of @stack
 * @stack: nodes still to be visited, with the level to look for below them
 */
struct kmqtt_route {
	struct kmqtt_match *matches;
	u32 nr;
	u32 max;
	u32 steps_max;
	u32 depth;
	struct {
		const struct kmqtt_trie_node *node;
		const u8 *next;
	} stack[KMQTT_LEVELS_MAX + 2];
};

int kmqtt_tree_init(struct kmqtt_tree *tree, struct kmqtt_memory *memory);
void kmqtt_tree_uninit(struct kmqtt_tree *tree);
void kmqtt_subscriber_init(struct kmqtt_subscriber *subscriber);
int kmqtt_tree_subscribe(struct kmqtt_tree *tree,
			 struct kmqtt_subscriber *subscriber,
			 const struct kmqtt_str *filter, u8 qos, u32 max_subs);
int kmqtt_tree_unsubscribe(struct kmqtt_tree *tree,
			   struct kmqtt_subscriber *subscriber,
			   const struct kmqtt_str *filter);
bool kmqtt_tree_leave(struct kmqtt_tree *tree,
		      struct kmqtt_subscriber *subscriber, bool gone);
int kmqtt_tree_walk(struct kmqtt_tree *tree,
		    const struct kmqtt_subscriber *subscriber,
		    struct kmqtt_sub_walk *walk, u8 *filter, size_t size,
		    size_t *len);
void kmqtt_tree_walk_end(struct kmqtt_tree *tree, struct kmqtt_sub_walk *walk);
u32 kmqtt_tree_count(struct kmqtt_tree *tree,
		     const struct kmqtt_subscriber *subscriber);
int kmqtt_tree_match(struct kmqtt_tree *tree, const u8 *name, size_t len,
		     struct kmqtt_route *route);

#endif /* _KMQTT_TOPIC_TREE_H */
