// SPDX-License-Identifier: GPL-2.0
/*
 * The subscription tree. Changes take its lock; a match takes nothing but RCU.
 */
#include "tree.h"

#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/sort.h>

/* Subscriptions that kmqtt_tree_leave() ends before it lets others in. */
#define LEAVE_BUDGET	64

struct sub_key {
	const struct kmqtt_trie_node *node;
	const struct kmqtt_subscriber *subscriber;
};

static u32 hash_pair(const struct kmqtt_trie_node *node,
		     const struct kmqtt_subscriber *subscriber, u32 seed)
{
	return hash_ptr(node, 32) ^ (hash_ptr(subscriber, 32) * 31 + seed);
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct sub_key *key = data;

	return hash_pair(key->node, key->subscriber, seed);
}

static u32 hash_sub(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_sub *sub = data;

	return hash_pair(sub->node, sub->subscriber, seed);
}

static int cmp_sub(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_sub *sub = obj;
	const struct sub_key *key = arg->key;

	return sub->node != key->node || sub->subscriber != key->subscriber;
}

static const struct rhashtable_params sub_params = {
	.head_offset = offsetof(struct kmqtt_sub, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_sub,
	.obj_cmpfn = cmp_sub,
	.automatic_shrinking = true,
};

/**
 * kmqtt_tree_init() - make an empty tree
 * @tree: the tree
 * @memory: account for what it holds
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_tree_init(struct kmqtt_tree *tree, struct kmqtt_memory *memory)
{
	int err;

	tree->nr_subs = 0;
	tree->generation = 0;
	err = kmqtt_trie_init(&tree->trie, memory);
	if (err)
		return err;
	err = rhashtable_init(&tree->subs, &sub_params);
	if (err)
		kmqtt_trie_uninit(&tree->trie);
	return err;
}

/**
 * kmqtt_tree_uninit() - free an empty tree
 * @tree: a tree that every subscriber has left
 *
 * Context: process, may sleep.
 */
void kmqtt_tree_uninit(struct kmqtt_tree *tree)
{
	rhashtable_destroy(&tree->subs);
	kmqtt_trie_uninit(&tree->trie);
}

/**
 * kmqtt_subscriber_init() - make a subscriber without subscriptions
 * @subscriber: the subscriber
 *
 * Context: any.
 */
void kmqtt_subscriber_init(struct kmqtt_subscriber *subscriber)
{
	INIT_LIST_HEAD(&subscriber->subs);
	subscriber->nr_subs = 0;
	subscriber->gone = false;
}

static void changed(struct kmqtt_tree *tree)
{
	/* Pairs with readers that keep a match for as long as this stands. */
	smp_store_release(&tree->generation, tree->generation + 1);
}

static struct kmqtt_sub *sub_find(struct kmqtt_tree *tree,
				  struct kmqtt_trie_node *node,
				  const struct kmqtt_subscriber *subscriber)
{
	struct sub_key key = { .node = node, .subscriber = subscriber };

	return rhashtable_lookup_fast(&tree->subs, &key, sub_params);
}

static int sub_add(struct kmqtt_tree *tree, struct kmqtt_trie_node *node,
		   struct kmqtt_subscriber *subscriber, u8 qos)
{
	struct kmqtt_sub *sub;

	if (!kmqtt_memory_charge(tree->trie.memory, sizeof(*sub)))
		return -ENOMEM;
	sub = kzalloc(sizeof(*sub), GFP_ATOMIC | __GFP_NOWARN);
	if (!sub)
		goto err_uncharge;
	sub->node = node;
	sub->subscriber = subscriber;
	sub->qos = qos;
	if (rhashtable_insert_fast(&tree->subs, &sub->hash, sub_params))
		goto err_free;
	list_add_tail(&sub->own, &subscriber->subs);
	subscriber->nr_subs++;
	WRITE_ONCE(tree->nr_subs, tree->nr_subs + 1);
	hlist_add_head_rcu(&sub->match, &node->subs);
	return 0;

err_free:
	kfree(sub);
err_uncharge:
	kmqtt_memory_uncharge(tree->trie.memory, sizeof(*sub));
	return -ENOMEM;
}

static void sub_remove(struct kmqtt_tree *tree, struct kmqtt_sub *sub)
{
	hlist_del_rcu(&sub->match);
	list_del(&sub->own);
	sub->subscriber->nr_subs--;
	WRITE_ONCE(tree->nr_subs, tree->nr_subs - 1);
	rhashtable_remove_fast(&tree->subs, &sub->hash, sub_params);
	kmqtt_trie_put(&tree->trie, sub->node);
	kmqtt_memory_uncharge(tree->trie.memory, sizeof(*sub));
	kfree_rcu(sub, rcu);
}

/**
 * kmqtt_tree_subscribe() - add or replace a subscription
 * @tree: the tree
 * @subscriber: who
 * @filter: a valid topic filter
 * @qos: maximum QoS
 * @max_subs: subscriptions one subscriber may have
 *
 * Context: any but hard interrupts; takes the tree's lock.
 * Return: 0 if new, 1 if it replaced one, -ENOMEM, -EDQUOT if @subscriber has
 * too many, -ESHUTDOWN if it has left for good.
 */
int kmqtt_tree_subscribe(struct kmqtt_tree *tree,
			 struct kmqtt_subscriber *subscriber,
			 const struct kmqtt_str *filter, u8 qos, u32 max_subs)
{
	struct kmqtt_trie_node *node;
	struct kmqtt_sub *sub;
	int ret = 0;

	spin_lock_bh(&tree->trie.lock);
	if (subscriber->gone) {
		ret = -ESHUTDOWN;
		goto out_unlock;
	}
	node = kmqtt_trie_get(&tree->trie, filter->data, filter->len);
	if (!node) {
		ret = -ENOMEM;
		goto out_unlock;
	}
	sub = sub_find(tree, node, subscriber);
	if (sub) {
		WRITE_ONCE(sub->qos, qos);
		ret = 1;
	} else if (subscriber->nr_subs >= max_subs) {
		ret = -EDQUOT;
	} else {
		ret = sub_add(tree, node, subscriber, qos);
	}
	if (ret)	/* No new subscription has taken over our use of it. */
		kmqtt_trie_put(&tree->trie, node);
	changed(tree);
out_unlock:
	spin_unlock_bh(&tree->trie.lock);
	return ret;
}

/**
 * kmqtt_tree_unsubscribe() - end a subscription
 * @tree: the tree
 * @subscriber: whose
 * @filter: its filter, byte for byte [MQTT-3.10.4-1]
 *
 * Context: any but hard interrupts; takes the tree's lock.
 * Return: 0, or -ENOENT if there is none.
 */
int kmqtt_tree_unsubscribe(struct kmqtt_tree *tree,
			   struct kmqtt_subscriber *subscriber,
			   const struct kmqtt_str *filter)
{
	struct kmqtt_trie_node *node;
	struct kmqtt_sub *sub = NULL;

	spin_lock_bh(&tree->trie.lock);
	node = kmqtt_trie_find(&tree->trie, filter->data, filter->len);
	if (node)
		sub = sub_find(tree, node, subscriber);
	if (sub) {
		sub_remove(tree, sub);
		changed(tree);
	}
	spin_unlock_bh(&tree->trie.lock);
	return sub ? 0 : -ENOENT;
}

/**
 * kmqtt_tree_leave() - end some of a subscriber's subscriptions
 * @tree: the tree
 * @subscriber: whose
 * @gone: let it make no new ones
 *
 * Ends a bounded number; to be called again for as long as it returns true.
 *
 * Context: any but hard interrupts; takes the tree's lock.
 * Return: true if there are more.
 */
bool kmqtt_tree_leave(struct kmqtt_tree *tree,
		      struct kmqtt_subscriber *subscriber, bool gone)
{
	struct kmqtt_sub *sub, *next;
	int budget = LEAVE_BUDGET;
	bool more;

	spin_lock_bh(&tree->trie.lock);
	subscriber->gone = gone;
	list_for_each_entry_safe(sub, next, &subscriber->subs, own) {
		if (!budget--)
			break;
		sub_remove(tree, sub);
	}
	changed(tree);
	more = !list_empty(&subscriber->subs);
	spin_unlock_bh(&tree->trie.lock);
	return more;
}

/**
 * kmqtt_tree_walk() - walk on to the next subscription of a subscriber
 * @tree: the tree
 * @subscriber: whose; the caller's reference keeps it
 * @walk: the walk; may rest for any time between two steps
 * @filter: room for the filter
 * @size: bytes there; nothing is written if the filter is longer
 * @len: length of the filter in bytes
 *
 * Context: process; takes the tree's lock.
 * Return: 1 with a subscription, 0 at the end, -ESTALE if the subscription
 * where the walk rested is gone and with it the place to go on from.
 */
int kmqtt_tree_walk(struct kmqtt_tree *tree,
		    const struct kmqtt_subscriber *subscriber,
		    struct kmqtt_sub_walk *walk, u8 *filter, size_t size,
		    size_t *len)
{
	const struct list_head *at = &subscriber->subs;
	struct kmqtt_sub *sub;
	int ret = 0;

	spin_lock_bh(&tree->trie.lock);
	if (walk->node) {
		sub = sub_find(tree, walk->node, subscriber);
		kmqtt_trie_put(&tree->trie, walk->node);
		walk->node = NULL;
		if (!sub) {
			ret = -ESTALE;
			goto out_unlock;
		}
		at = &sub->own;
	}
	if (at->next != &subscriber->subs) {
		sub = list_entry(at->next, struct kmqtt_sub, own);
		sub->node->users++;
		walk->node = sub->node;
		walk->qos = sub->qos;
		*len = kmqtt_trie_path(sub->node, filter, size);
		ret = 1;
	}
out_unlock:
	spin_unlock_bh(&tree->trie.lock);
	return ret;
}

/**
 * kmqtt_tree_walk_end() - end a walk, wherever it stands
 * @tree: the tree
 * @walk: the walk
 *
 * Context: process; takes the tree's lock.
 */
void kmqtt_tree_walk_end(struct kmqtt_tree *tree, struct kmqtt_sub_walk *walk)
{
	if (!walk->node)
		return;
	spin_lock_bh(&tree->trie.lock);
	kmqtt_trie_put(&tree->trie, walk->node);
	spin_unlock_bh(&tree->trie.lock);
	walk->node = NULL;
}

/**
 * kmqtt_tree_count() - how many subscriptions a subscriber has
 * @tree: the tree
 * @subscriber: the subscriber
 *
 * Context: any but hard interrupts; takes the tree's lock.
 * Return: the number.
 */
u32 kmqtt_tree_count(struct kmqtt_tree *tree,
		     const struct kmqtt_subscriber *subscriber)
{
	u32 nr;

	spin_lock_bh(&tree->trie.lock);
	nr = subscriber->nr_subs;
	spin_unlock_bh(&tree->trie.lock);
	return nr;
}

static void add_matches(struct kmqtt_route *route,
			const struct kmqtt_trie_node *node, u32 *nr_nodes)
{
	struct kmqtt_sub *sub;
	u32 before = route->nr;

	hlist_for_each_entry_rcu(sub, &node->subs, match) {
		if (route->nr < route->max) {
			struct kmqtt_match *m = &route->matches[route->nr];

			m->subscriber = sub->subscriber;
			m->qos = READ_ONCE(sub->qos);
		}
		route->nr++;
	}
	*nr_nodes += route->nr != before;
}

static int cmp_match(const void *a, const void *b)
{
	const struct kmqtt_match *x = a, *y = b;

	if (x->subscriber != y->subscriber)
		return x->subscriber < y->subscriber ? -1 : 1;
	return 0;
}

/* One entry for each subscriber, with the greatest QoS [MQTT-3.3.5-1]. */
static void merge_matches(struct kmqtt_route *route)
{
	struct kmqtt_match *to = route->matches;
	u32 i;

	sort(route->matches, route->nr, sizeof(*to), cmp_match, NULL);
	for (i = 1; i < route->nr; i++) {
		const struct kmqtt_match *m = &route->matches[i];

		if (m->subscriber == to->subscriber)
			to->qos = max(to->qos, m->qos);
		else
			*++to = *m;
	}
	route->nr = to - route->matches + 1;
}

static void push(struct kmqtt_route *route, const struct kmqtt_trie_node *node,
		 const u8 *next)
{
	if (!node)
		return;
	if (WARN_ON_ONCE(route->depth == ARRAY_SIZE(route->stack)))
		return;
	route->stack[route->depth].node = node;
	route->stack[route->depth++].next = next;
}

/* Visit the children of @node that go on with the level at @next. */
static void descend(struct kmqtt_tree *tree, struct kmqtt_route *route,
		    const struct kmqtt_trie_node *node, const u8 *next,
		    const u8 *end, u32 *nr_nodes)
{
	const struct kmqtt_trie_node *multi = rcu_dereference(node->multi);
	struct kmqtt_levels l = { .next = next, .end = end };
	/* A first level with $ takes no wildcard [MQTT-4.7.2-1]. */
	bool wild = node->depth || *next != '$';

	if (multi && wild)
		add_matches(route, multi, nr_nodes);
	kmqtt_levels_next(&l);
	if (wild)
		push(route, rcu_dereference(node->plus), l.next);
	push(route, kmqtt_trie_child(&tree->trie, node, l.level, l.len), l.next);
}

/**
 * kmqtt_tree_match() - find all subscribers of a topic name
 * @tree: the tree
 * @name: a valid topic name
 * @len: its length in bytes
 * @route: room for the matches, and the bounds of the search
 *
 * On success each subscriber is in @route once. Subscribers that don't fit are
 * counted in @route->nr only.
 *
 * Context: under RCU, which also keeps the subscribers.
 * Return: 0, -ENOSPC if @route->nr tells of more matches than fit, -E2BIG if
 * more than @route->steps_max nodes would have to be visited.
 */
int kmqtt_tree_match(struct kmqtt_tree *tree, const u8 *name, size_t len,
		     struct kmqtt_route *route)
{
	u32 steps = 0, nr_nodes = 0;

	route->nr = 0;
	route->depth = 0;
	push(route, tree->trie.root, name);
	while (route->depth) {
		const struct kmqtt_trie_node *node, *multi;
		const u8 *next;

		if (steps++ >= route->steps_max)
			return -E2BIG;
		route->depth--;
		node = route->stack[route->depth].node;
		next = route->stack[route->depth].next;
		if (next) {
			descend(tree, route, node, next, name + len, &nr_nodes);
			continue;
		}
		add_matches(route, node, &nr_nodes);
		/* "a/#" is also for "a" itself. */
		multi = rcu_dereference(node->multi);
		if (multi)
			add_matches(route, multi, &nr_nodes);
	}
	if (route->nr > route->max)
		return -ENOSPC;
	if (nr_nodes > 1)
		merge_matches(route);
	return 0;
}
