// SPDX-License-Identifier: GPL-2.0
/*
 * The subscription tree: its changes, which take its lock. What looks up matches
 * takes nothing but RCU and has a file of its own.
 */
#include "tree.h"

#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/slab.h>

/* Subscriptions that kmqtt_tree_leave() ends before it lets others in. */
#define LEAVE_BUDGET	64

/* Of all trees: an address that a tree had may be another's later. */
static atomic64_t last_generation = ATOMIC64_INIT(0);

/*
 * Who remembers matches has to see that they are out of date before anything
 * that they lead to is given to RCU, whose grace period orders the two; and must
 * not remember what it sees of a change half way.
 */
static void change_begin(struct kmqtt_tree *tree)
{
	atomic64_set(&tree->generation, atomic64_read(&tree->generation) | 1);
}

static void change_end(struct kmqtt_tree *tree)
{
	/* Pairs with kmqtt_tree_generation(). */
	atomic64_set_release(&tree->generation,
			     atomic64_add_return(2, &last_generation));
}

struct sub_key {
	const struct kmqtt_trie_node *node;
	const struct kmqtt_subscriber *subscriber;
	const struct kmqtt_group *group;
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

	return sub->node != key->node || sub->subscriber != key->subscriber ||
	       sub->group != key->group;
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
	tree->nr_shared = 0;
	change_end(tree);
	err = kmqtt_trie_init(&tree->trie, memory);
	if (err)
		return err;
	err = rhashtable_init(&tree->subs, &sub_params);
	if (err)
		goto err_trie;
	err = kmqtt_groups_init(&tree->groups);
	if (err)
		goto err_subs;
	return 0;

err_subs:
	rhashtable_destroy(&tree->subs);
err_trie:
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
	kmqtt_groups_uninit(&tree->groups);
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
	subscriber->ready = false;
}

static struct kmqtt_sub *sub_find(struct kmqtt_tree *tree,
				  struct kmqtt_trie_node *node,
				  const struct kmqtt_subscriber *subscriber,
				  const struct kmqtt_group *group)
{
	struct sub_key key = {
		.node = node,
		.subscriber = subscriber,
		.group = group,
	};

	return rhashtable_lookup_fast(&tree->subs, &key, sub_params);
}

static void leave_group(struct kmqtt_tree *tree, struct kmqtt_sub *sub)
{
	kmqtt_group_leave(sub->group, sub);
	if (!sub->group->nr)
		kmqtt_group_destroy(&tree->groups, &tree->trie, sub->group);
}

/* Let matches find a subscription. */
static int sub_show(struct kmqtt_tree *tree, struct kmqtt_sub *sub)
{
	if (sub->group)
		return kmqtt_group_join(sub->group, sub);
	hlist_add_head_rcu(&sub->match, &sub->node->subs);
	return 0;
}

static int sub_add(struct kmqtt_tree *tree, struct kmqtt_trie_node *node,
		   struct kmqtt_subscriber *subscriber,
		   struct kmqtt_group *group,
		   const struct kmqtt_sub_request *request)
{
	struct kmqtt_sub *sub;
	int err;

	if (!kmqtt_memory_charge(tree->trie.memory, sizeof(*sub)))
		return -ENOMEM;
	sub = kzalloc(sizeof(*sub), GFP_ATOMIC | __GFP_NOWARN);
	if (!sub)
		goto err_uncharge;
	sub->node = node;
	sub->subscriber = subscriber;
	sub->group = group;
	sub->id = request->id;
	sub->options = request->options;
	if (rhashtable_insert_fast(&tree->subs, &sub->hash, sub_params))
		goto err_free;
	err = sub_show(tree, sub);
	if (err)
		goto err_remove;
	list_add_tail(&sub->own, &subscriber->subs);
	subscriber->nr_subs++;
	WRITE_ONCE(tree->nr_subs, tree->nr_subs + 1);
	WRITE_ONCE(tree->nr_shared, tree->nr_shared + !!group);
	return 0;

err_remove:
	rhashtable_remove_fast(&tree->subs, &sub->hash, sub_params);
	kmqtt_memory_uncharge(tree->trie.memory, sizeof(*sub));
	kfree_rcu(sub, rcu);
	return err;

err_free:
	kfree(sub);
err_uncharge:
	kmqtt_memory_uncharge(tree->trie.memory, sizeof(*sub));
	return -ENOMEM;
}

static void sub_remove(struct kmqtt_tree *tree, struct kmqtt_sub *sub)
{
	if (sub->group)
		leave_group(tree, sub);
	else
		hlist_del_rcu(&sub->match);
	list_del(&sub->own);
	sub->subscriber->nr_subs--;
	WRITE_ONCE(tree->nr_subs, tree->nr_subs - 1);
	WRITE_ONCE(tree->nr_shared, tree->nr_shared - !!sub->group);
	rhashtable_remove_fast(&tree->subs, &sub->hash, sub_params);
	kmqtt_trie_put(&tree->trie, sub->node);
	kmqtt_memory_uncharge(tree->trie.memory, sizeof(*sub));
	kfree_rcu(sub, rcu);
}

/* Returns as kmqtt_tree_subscribe(), with @node in use only if that is 0. */
static int subscribe_node(struct kmqtt_tree *tree, struct kmqtt_trie_node *node,
			  struct kmqtt_subscriber *subscriber,
			  const struct kmqtt_sub_request *request, u32 max_subs)
{
	const struct kmqtt_filter *f = &request->filter;
	struct kmqtt_group *group = NULL;
	struct kmqtt_sub *sub = NULL;
	int err;

	if (f->share)
		group = kmqtt_group_find(&tree->groups, node, f->share,
					 f->share_len);
	if (group || !f->share)
		sub = sub_find(tree, node, subscriber, group);
	if (sub) {
		WRITE_ONCE(sub->options, request->options);
		WRITE_ONCE(sub->id, request->id);
		return 1;
	}
	if (subscriber->nr_subs >= max_subs)
		return -EDQUOT;
	if (f->share && !group) {
		group = kmqtt_group_create(&tree->groups, &tree->trie, node,
					   f->share, f->share_len);
		if (!group)
			return -ENOMEM;
	}
	err = sub_add(tree, node, subscriber, group, request);
	if (err && group && !group->nr)
		kmqtt_group_destroy(&tree->groups, &tree->trie, group);
	return err;
}

/**
 * kmqtt_tree_subscribe() - add or replace a subscription
 * @tree: the tree
 * @subscriber: who
 * @request: to what, and how
 * @max_subs: subscriptions one subscriber may have
 *
 * Context: any but hard interrupts; takes the tree's lock.
 * Return: 0 if new, 1 if it replaced one [MQTT5-3.8.4-3], -ENOMEM, -EDQUOT if
 * @subscriber has too many or the group has, -ESHUTDOWN if it has left for good.
 */
int kmqtt_tree_subscribe(struct kmqtt_tree *tree,
			 struct kmqtt_subscriber *subscriber,
			 const struct kmqtt_sub_request *request, u32 max_subs)
{
	struct kmqtt_trie_node *node;
	int ret;

	spin_lock_bh(&tree->trie.lock);
	if (subscriber->gone) {
		ret = -ESHUTDOWN;
		goto out_unlock;
	}
	node = kmqtt_trie_get(&tree->trie, request->filter.topic,
			      request->filter.len);
	if (!node) {
		ret = -ENOMEM;
		goto out_unlock;
	}
	change_begin(tree);
	ret = subscribe_node(tree, node, subscriber, request, max_subs);
	change_end(tree);
	if (ret)	/* No new subscription has taken over our use of it. */
		kmqtt_trie_put(&tree->trie, node);
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
			   const struct kmqtt_filter *filter)
{
	struct kmqtt_group *group = NULL;
	struct kmqtt_trie_node *node;
	struct kmqtt_sub *sub = NULL;

	spin_lock_bh(&tree->trie.lock);
	node = kmqtt_trie_find(&tree->trie, filter->topic, filter->len);
	if (node && filter->share)
		group = kmqtt_group_find(&tree->groups, node, filter->share,
					 filter->share_len);
	if (node && (group || !filter->share))
		sub = sub_find(tree, node, subscriber, group);
	if (sub) {
		change_begin(tree);
		sub_remove(tree, sub);
		change_end(tree);
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
	change_begin(tree);
	list_for_each_entry_safe(sub, next, &subscriber->subs, own) {
		if (!budget--)
			break;
		sub_remove(tree, sub);
	}
	change_end(tree);
	more = !list_empty(&subscriber->subs);
	spin_unlock_bh(&tree->trie.lock);
	return more;
}

/* Leave the place where a walk rested. */
static void walk_leave(struct kmqtt_tree *tree, struct kmqtt_sub_walk *walk)
{
	kmqtt_trie_put(&tree->trie, walk->node);
	kmqtt_group_put(walk->group);
	walk->node = NULL;
	walk->group = NULL;
}

/**
 * kmqtt_tree_walk() - walk on to the next subscription of a subscriber
 * @tree: the tree
 * @subscriber: whose; the caller's reference keeps it
 * @walk: the walk; may rest for any time between two steps
 * @filter: room for the topic filter
 * @size: bytes there; nothing is written if the filter is longer
 * @len: length of the topic filter in bytes
 *
 * The name of a shared subscription's group is @walk->group's.
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
		sub = sub_find(tree, walk->node, subscriber, walk->group);
		walk_leave(tree, walk);
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
		walk->group = sub->group;
		if (walk->group)
			kmqtt_group_get(walk->group);
		walk->options = sub->options;
		walk->id = sub->id;
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
	walk_leave(tree, walk);
	spin_unlock_bh(&tree->trie.lock);
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
