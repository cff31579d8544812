// SPDX-License-Identifier: GPL-2.0
/*
 * Publishers publish to few topics, and trees change seldom: where a topic led
 * last it leads again, until the tree's generation is another one.
 */
#include "memo.h"

#include <linux/stringhash.h>
#include "name.h"

static struct kmqtt_memo_slot *slot_of(struct kmqtt_memo *memo, const u8 *name,
				       size_t len)
{
	u32 hash = full_name_hash(NULL, name, len);

	return &memo->slots[hash % KMQTT_MEMO_SLOTS];
}

/* Returns 0, or -E2BIG as kmqtt_tree_match() does. */
static int recall(const struct kmqtt_memo_slot *slot, struct kmqtt_route *route)
{
	u32 i;

	route->nr = slot->nr;
	route->steps = 0;
	route->members = 0;
	for (i = 0; i < slot->nr; i++) {
		const struct kmqtt_match *m = &slot->matches[i];

		route->matches[i] = *m;
		if (m->group)
			route->members += READ_ONCE(m->group->nr);
	}
	return route->members > route->steps_max ? -E2BIG : 0;
}

static void note(struct kmqtt_memo_slot *slot, u64 generation, const u8 *name,
		 size_t len, const struct kmqtt_route *route)
{
	slot->generation = generation;
	slot->topic_len = len;
	slot->nr = route->nr;
	memcpy(slot->matches, route->matches,
	       route->nr * sizeof(*route->matches));
	memcpy(slot->topic, name, len);
}

/**
 * kmqtt_memo_match() - find all subscribers of a topic name, or remember them
 * @memo: what is remembered; there is room in @route for what a slot has
 * @tree: the tree
 * @name: a valid topic name
 * @len: its length in bytes
 * @route: room for the matches, and the bounds of the search
 *
 * Context: under RCU, which also keeps the subscribers; the memo's own.
 * Return: as kmqtt_tree_match().
 */
int kmqtt_memo_match(struct kmqtt_memo *memo, struct kmqtt_tree *tree,
		     const u8 *name, size_t len, struct kmqtt_route *route)
{
	u64 generation = kmqtt_tree_generation(tree);
	struct kmqtt_memo_slot *slot;
	int err;

	if (!generation || len > KMQTT_MEMO_TOPIC_MAX)
		return kmqtt_tree_match(tree, name, len, route);
	slot = slot_of(memo, name, len);
	if (slot->generation == generation && slot->topic_len == len &&
	    kmqtt_topic_equal(slot->topic, name, len))
		return recall(slot, route);
	err = kmqtt_tree_match(tree, name, len, route);
	if (!err && route->nr <= KMQTT_MEMO_MATCHES)
		note(slot, generation, name, len, route);
	return err;
}
