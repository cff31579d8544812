// SPDX-License-Identifier: GPL-2.0
/*
 * From a topic name to the subscriptions that match it.
 */
#include "match.h"

#include <linux/rculist.h>
#include <linux/sort.h>

static void add_match(struct kmqtt_route *route, const struct kmqtt_match *m)
{
	if (route->nr < route->max)
		route->matches[route->nr] = *m;
	route->nr++;
}

static void add_matches(struct kmqtt_route *route,
			const struct kmqtt_trie_node *node, u32 *nr_nodes)
{
	struct kmqtt_group *group;
	struct kmqtt_sub *sub;
	u32 before = route->nr;

	hlist_for_each_entry_rcu(sub, &node->subs, match) {
		struct kmqtt_match m = {
			.subscriber = sub->subscriber,
			.sub_id = READ_ONCE(sub->id),
			.options = READ_ONCE(sub->options),
		};

		add_match(route, &m);
	}
	*nr_nodes += route->nr != before;
	hlist_for_each_entry_rcu(group, &node->groups, match) {
		struct kmqtt_match m = { .group = group };

		add_match(route, &m);
		route->members += READ_ONCE(group->nr);
	}
}

static int cmp_match(const void *a, const void *b)
{
	const struct kmqtt_match *x = a, *y = b;

	if (x->subscriber != y->subscriber)
		return x->subscriber < y->subscriber ? -1 : 1;
	return 0;
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
 * On success the matches of a subscriber stand one behind the other, so that
 * they can be made one delivery [MQTT-3.3.4-2]. Those that don't fit are counted
 * in @route->nr only.
 *
 * Context: under RCU, which also keeps the subscribers.
 * Return: 0, -ENOSPC if @route->nr tells of more matches than fit, -E2BIG if
 * @route->steps_max is too little.
 */
int kmqtt_tree_match(struct kmqtt_tree *tree, const u8 *name, size_t len,
		     struct kmqtt_route *route)
{
	u32 nr_nodes = 0;

	route->nr = 0;
	route->steps = 0;
	route->members = 0;
	route->depth = 0;
	push(route, tree->trie.root, name);
	while (route->depth) {
		const struct kmqtt_trie_node *node, *multi;
		const u8 *next;

		if (route->steps++ >= route->steps_max)
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
	if (route->members > route->steps_max)
		return -E2BIG;
	if (route->nr > route->max)
		return -ENOSPC;
	/* Within one node, no subscriber comes twice. */
	if (nr_nodes > 1)
		sort(route->matches, route->nr, sizeof(*route->matches),
		     cmp_match, NULL);
	return 0;
}
