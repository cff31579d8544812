// SPDX-License-Identifier: GPL-2.0
/*
 * Retained messages by topic name, and walks over those a filter matches. A
 * walk can rest between any two steps, so that a subscription to a million
 * retained messages neither takes the lock for long nor fills any queue.
 */
#include "retained.h"

#include <linux/jhash.h>
#include <linux/slab.h>

/* Seconds between two looks for messages that have expired, and their steps. */
#define SWEEP_SECONDS	60
#define SWEEP_STEPS	256

static void sweep(struct work_struct *work);

/**
 * kmqtt_retained_init() - make an empty store
 * @store: the store
 * @memory: account for its nodes
 * @wq: workqueue for forgetting what has expired
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_retained_init(struct kmqtt_retained *store,
			struct kmqtt_memory *memory,
			struct workqueue_struct *wq)
{
	store->seq = 0;
	store->nr = 0;
	store->bytes = 0;
	store->nr_expiring = 0;
	store->wq = wq;
	INIT_DELAYED_WORK(&store->sweep, sweep);
	return kmqtt_trie_init(&store->trie, memory);
}

/* Take the message out of @node, which may free the node. */
static struct kmqtt_msg *take_msg(struct kmqtt_retained *store,
				  struct kmqtt_trie_node *node)
{
	struct kmqtt_msg *msg = node->msg;

	if (!msg)
		return NULL;
	node->msg = NULL;
	WRITE_ONCE(store->nr, store->nr - 1);
	store->bytes -= kmqtt_msg_size(msg);
	store->nr_expiring -= msg->has_expiry;
	kmqtt_trie_put(&store->trie, node);
	return msg;
}

/**
 * kmqtt_retained_uninit() - free a store and its messages
 * @store: the store; all replays must be destroyed
 *
 * Context: process, may sleep.
 */
void kmqtt_retained_uninit(struct kmqtt_retained *store)
{
	struct kmqtt_trie_node *root = store->trie.root, *node;
	struct kmqtt_msg *msg;

	disable_delayed_work_sync(&store->sweep);
	/* A leaf always has a message: nothing else keeps a node now. */
	while (!list_empty(&root->children)) {
		spin_lock_bh(&store->trie.lock);
		node = root;
		while (!list_empty(&node->children))
			node = list_first_entry(&node->children,
						struct kmqtt_trie_node, sibling);
		msg = take_msg(store, node);
		spin_unlock_bh(&store->trie.lock);
		if (WARN_ON_ONCE(!msg))
			break;
		kmqtt_msg_put(msg);
		cond_resched();
	}
	kmqtt_trie_uninit(&store->trie);
}

/**
 * kmqtt_retained_set() - retain a message in place of what its topic had
 * @store: the store
 * @msg: a filled message; the store takes a reference of its own
 * @max_messages: how many the store may hold
 *
 * Context: any but hard interrupts; takes the store's lock.
 * Return: 0, -ENOMEM, or -EDQUOT if the store is full. What was retained
 * before then stays.
 */
int kmqtt_retained_set(struct kmqtt_retained *store, struct kmqtt_msg *msg,
		       u32 max_messages)
{
	struct kmqtt_msg *old = NULL;
	struct kmqtt_trie_node *node;
	int err = 0;

	spin_lock_bh(&store->trie.lock);
	node = kmqtt_trie_get(&store->trie, kmqtt_msg_topic(msg),
			      msg->topic_len);
	if (!node) {
		err = -ENOMEM;
		goto out_unlock;
	}
	if (!node->msg && store->nr >= max_messages) {
		kmqtt_trie_put(&store->trie, node);
		err = -EDQUOT;
		goto out_unlock;
	}
	old = take_msg(store, node);
	node->msg = kmqtt_msg_get(msg);
	node->seq = ++store->seq;
	WRITE_ONCE(store->nr, store->nr + 1);
	store->bytes += kmqtt_msg_size(msg);
	if (msg->has_expiry && !store->nr_expiring++)
		queue_delayed_work(store->wq, &store->sweep,
				   SWEEP_SECONDS * HZ);
out_unlock:
	spin_unlock_bh(&store->trie.lock);
	kmqtt_msg_put(old);
	return err;
}

/**
 * kmqtt_retained_clear() - forget the message of a topic
 * @store: the store
 * @name: a topic name
 * @len: its length in bytes
 *
 * Context: any but hard interrupts; takes the store's lock.
 * Return: 0, or -ENOENT if there was none.
 */
int kmqtt_retained_clear(struct kmqtt_retained *store, const u8 *name,
			 size_t len)
{
	struct kmqtt_msg *old = NULL;
	struct kmqtt_trie_node *node;

	spin_lock_bh(&store->trie.lock);
	node = kmqtt_trie_find(&store->trie, name, len);
	if (node)
		old = take_msg(store, node);
	spin_unlock_bh(&store->trie.lock);
	kmqtt_msg_put(old);
	return old ? 0 : -ENOENT;
}

/**
 * kmqtt_replay_hash() - a number for looking for a replay
 * @filter: its filter
 * @len: bytes of @filter
 *
 * Context: any.
 * Return: the number.
 */
u32 kmqtt_replay_hash(const u8 *filter, u16 len)
{
	return jhash(filter, len, 0);
}

/**
 * kmqtt_replay_is() - is this the replay of a filter?
 * @replay: the replay
 * @hash: kmqtt_replay_hash() of @filter
 * @filter: the filter
 * @len: bytes of @filter
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_replay_is(const struct kmqtt_replay *replay, u32 hash,
		     const u8 *filter, u16 len)
{
	return replay->hash == hash && replay->filter_len == len &&
	       !memcmp(replay->filter, filter, len);
}

/**
 * kmqtt_replay_create() - prepare to walk over what a filter matches
 * @memory: account to charge, or NULL: walks of our own, which are few, must
 *	not fail for want of the room that they are to make
 * @filter: a valid topic filter
 * @len: its length in bytes
 * @all: let wildcards stand for first levels with $, too
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: any but hard interrupts.
 * Return: the walk, or NULL.
 */
struct kmqtt_replay *kmqtt_replay_create(struct kmqtt_memory *memory,
					 const u8 *filter, u16 len, bool all,
					 gfp_t gfp)
{
	struct kmqtt_replay *replay;
	size_t size = struct_size(replay, filter, len);
	struct kmqtt_levels l;

	if (memory && !kmqtt_memory_charge(memory, size))
		return NULL;
	replay = kzalloc(size, gfp | __GFP_NOWARN);
	if (!replay) {
		if (memory)
			kmqtt_memory_uncharge(memory, size);
		return NULL;
	}
	replay->memory = memory;
	replay->hash = kmqtt_replay_hash(filter, len);
	INIT_LIST_HEAD(&replay->list);
	replay->all = all;
	replay->filter_len = len;
	memcpy(replay->filter, filter, len);
	kmqtt_levels_start(&l, filter, len);
	while (kmqtt_levels_next(&l)) {
		replay->level[replay->nr_levels++] = l.level - filter;
		if (kmqtt_level_is(&l, '#'))
			replay->multi = replay->nr_levels;
	}
	return replay;
}

/**
 * kmqtt_replay_start() - decide that from now on nothing new is walked to
 * @store: the store
 * @replay: a walk that has not begun
 *
 * What is published from now on reaches the subscriber through the tree, if
 * the publisher retains a message before it looks for subscribers and the
 * subscription is in the tree before this call.
 *
 * Context: any but hard interrupts; takes the store's lock.
 */
void kmqtt_replay_start(struct kmqtt_retained *store,
			struct kmqtt_replay *replay)
{
	spin_lock_bh(&store->trie.lock);
	replay->seq = store->seq;
	spin_unlock_bh(&store->trie.lock);
}

/* Set @l onto level @depth of the filter, counted from 1. */
static void filter_level(const struct kmqtt_replay *replay, u16 depth,
			 struct kmqtt_levels *l)
{
	u16 start = replay->level[depth - 1];
	u32 end = depth < replay->nr_levels ? replay->level[depth] - 1 :
					      replay->filter_len;

	l->level = replay->filter + start;
	l->len = end - start;
}

static bool is_wild(const struct kmqtt_replay *replay, u16 depth)
{
	struct kmqtt_levels l;

	if (replay->multi && depth >= replay->multi)
		return true;
	filter_level(replay, depth, &l);
	return kmqtt_level_is(&l, '+');
}

/* Does the filter match the whole name of a node that the walk came to? */
static bool is_match(const struct kmqtt_replay *replay,
		     const struct kmqtt_trie_node *node)
{
	if (replay->multi)
		return node->depth + 1 >= replay->multi && node->depth;
	return node->depth == replay->nr_levels;
}

static bool is_hidden(const struct kmqtt_replay *replay,
		      const struct kmqtt_trie_node *node)
{
	return !replay->all && node->depth == 1 && node->len &&
	       node->level[0] == '$' && is_wild(replay, 1);
}

static bool is_due(const struct kmqtt_replay *replay,
		   const struct kmqtt_trie_node *node)
{
	return node->msg && node->seq <= replay->seq &&
	       is_match(replay, node) && !is_hidden(replay, node) &&
	       kmqtt_msg_expired(node->msg) == replay->expired;
}

static struct kmqtt_trie_node *first_below(struct kmqtt_retained *store,
					   const struct kmqtt_replay *replay,
					   struct kmqtt_trie_node *node)
{
	struct kmqtt_levels l;

	if (is_hidden(replay, node) ||
	    (!replay->multi && node->depth >= replay->nr_levels))
		return NULL;
	if (is_wild(replay, node->depth + 1))
		return list_first_entry_or_null(&node->children, typeof(*node),
						sibling);
	filter_level(replay, node->depth + 1, &l);
	return kmqtt_trie_child(&store->trie, node, l.level, l.len);
}

static struct kmqtt_trie_node *replay_step(struct kmqtt_retained *store,
					   const struct kmqtt_replay *replay,
					   struct kmqtt_trie_node *node)
{
	struct kmqtt_trie_node *below = first_below(store, replay, node);

	if (below)
		return below;
	for (; node->parent; node = node->parent) {
		if (is_wild(replay, node->depth) &&
		    !list_is_last(&node->sibling, &node->parent->children))
			return list_next_entry(node, sibling);
	}
	return NULL;
}

/**
 * kmqtt_replay_next() - walk on to the next message
 * @store: the store
 * @replay: the walk
 * @steps: nodes that may still be visited; counted down
 * @msg: the message, with a reference for the caller
 *
 * Context: any but hard interrupts; takes the store's lock.
 * Return: 1 with a message, 0 at the end, -EAGAIN if @steps is used up.
 */
int kmqtt_replay_next(struct kmqtt_retained *store,
		      struct kmqtt_replay *replay, u32 *steps,
		      struct kmqtt_msg **msg)
{
	struct kmqtt_trie_node *node, *rest;
	int ret = 0;

	if (replay->done)
		return 0;
	spin_lock_bh(&store->trie.lock);
	rest = replay->node;
	node = rest ?: store->trie.root;
	while ((node = replay_step(store, replay, node))) {
		if (is_due(replay, node)) {
			*msg = kmqtt_msg_get(node->msg);
			ret = 1;
			break;
		}
		if (!*steps) {
			ret = -EAGAIN;
			break;
		}
		--*steps;
	}
	/* Be a user of the new place before the old one may go. */
	if (node)
		node->users++;
	else
		replay->done = true;
	replay->node = node;
	if (rest)
		kmqtt_trie_put(&store->trie, rest);
	spin_unlock_bh(&store->trie.lock);
	return ret;
}

/**
 * kmqtt_replay_destroy() - end a walk, wherever it stands
 * @store: the store
 * @replay: the walk
 *
 * Context: any but hard interrupts; takes the store's lock.
 */
void kmqtt_replay_destroy(struct kmqtt_retained *store,
			  struct kmqtt_replay *replay)
{
	if (replay->node) {
		spin_lock_bh(&store->trie.lock);
		kmqtt_trie_put(&store->trie, replay->node);
		spin_unlock_bh(&store->trie.lock);
	}
	kmqtt_msg_put(replay->msg);
	if (replay->memory)
		kmqtt_memory_uncharge(replay->memory,
				      struct_size(replay, filter,
						  replay->filter_len));
	kfree(replay);
}

/* Forget @msg, unless its topic has another one by now. */
static void forget(struct kmqtt_retained *store, struct kmqtt_msg *msg)
{
	struct kmqtt_msg *old = NULL;
	struct kmqtt_trie_node *node;

	spin_lock_bh(&store->trie.lock);
	node = kmqtt_trie_find(&store->trie, kmqtt_msg_topic(msg),
			       msg->topic_len);
	if (node && node->msg == msg)
		old = take_msg(store, node);
	spin_unlock_bh(&store->trie.lock);
	kmqtt_msg_put(old);
}

/* Messages that have expired are nobody's to see, but they take memory. */
static void sweep(struct work_struct *work)
{
	struct kmqtt_retained *store =
		container_of(to_delayed_work(work), struct kmqtt_retained, sweep);
	u32 steps = SWEEP_STEPS;
	struct kmqtt_replay *replay;
	struct kmqtt_msg *msg;
	int ret;

	replay = kmqtt_replay_create(NULL, "#", 1, true, GFP_KERNEL);
	if (!replay)
		goto out_again;
	replay->expired = true;
	replay->seq = U64_MAX;
	while ((ret = kmqtt_replay_next(store, replay, &steps, &msg))) {
		if (ret == 1) {
			forget(store, msg);
			kmqtt_msg_put(msg);
		}
		if (ret == -EAGAIN)
			steps = SWEEP_STEPS;
		cond_resched();
	}
	kmqtt_replay_destroy(store, replay);
out_again:
	spin_lock_bh(&store->trie.lock);
	if (store->nr_expiring)
		queue_delayed_work(store->wq, &store->sweep,
				   SWEEP_SECONDS * HZ);
	spin_unlock_bh(&store->trie.lock);
}
