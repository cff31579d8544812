// SPDX-License-Identifier: GPL-2.0
/*
 * A tree with one node for each level. All nodes of a trie are in one hash
 * table, so that a node with a million children costs no more to pass than one
 * with two, and the table grows by itself.
 */
#include "trie.h"

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/slab.h>

struct trie_key {
	const struct kmqtt_trie_node *parent;
	const u8 *level;
	size_t len;
};

static u32 hash_level(const struct kmqtt_trie_node *parent, const u8 *level,
		      size_t len, u32 seed)
{
	return jhash(level, len, seed ^ hash_ptr(parent, 32));
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct trie_key *key = data;

	return hash_level(key->parent, key->level, key->len, seed);
}

static u32 hash_node(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_trie_node *node = data;

	return hash_level(node->parent, node->level, node->len, seed);
}

static int cmp_node(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_trie_node *node = obj;
	const struct trie_key *key = arg->key;

	return node->parent != key->parent || node->len != key->len ||
	       memcmp(node->level, key->level, key->len);
}

static const struct rhashtable_params trie_params = {
	.head_offset = offsetof(struct kmqtt_trie_node, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_node,
	.obj_cmpfn = cmp_node,
	.automatic_shrinking = true,
};

/**
 * kmqtt_trie_init() - make an empty trie
 * @trie: the trie
 * @memory: account for its nodes
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_trie_init(struct kmqtt_trie *trie, struct kmqtt_memory *memory)
{
	int err;

	spin_lock_init(&trie->lock);
	trie->memory = memory;
	trie->root = kzalloc(sizeof(*trie->root), GFP_KERNEL);
	if (!trie->root)
		return -ENOMEM;
	INIT_LIST_HEAD(&trie->root->children);
	err = rhashtable_init(&trie->nodes, &trie_params);
	if (err)
		kfree(trie->root);
	return err;
}

/**
 * kmqtt_trie_uninit() - free an empty trie
 * @trie: a trie that every user has left
 *
 * Context: process, may sleep.
 */
void kmqtt_trie_uninit(struct kmqtt_trie *trie)
{
	WARN_ON_ONCE(!list_empty(&trie->root->children));
	rhashtable_destroy(&trie->nodes);
	kfree(trie->root);
}

/**
 * kmqtt_trie_child() - step one level down
 * @trie: the trie
 * @parent: where from
 * @level: the level's bytes
 * @len: how many
 *
 * Context: under RCU or the trie's lock.
 * Return: the child or NULL.
 */
struct kmqtt_trie_node *kmqtt_trie_child(struct kmqtt_trie *trie,
					 const struct kmqtt_trie_node *parent,
					 const u8 *level, size_t len)
{
	struct trie_key key = { .parent = parent, .level = level, .len = len };

	return rhashtable_lookup_fast(&trie->nodes, &key, trie_params);
}

/**
 * kmqtt_trie_find() - find the node of a whole name or filter
 * @trie: the trie
 * @name: a valid name or filter; wildcards are levels like any other here
 * @len: its length in bytes
 *
 * Context: under RCU and, for more than the pointer, the trie's lock.
 * Return: the node or NULL.
 */
struct kmqtt_trie_node *kmqtt_trie_find(struct kmqtt_trie *trie,
					const u8 *name, size_t len)
{
	struct kmqtt_trie_node *node = trie->root;
	struct kmqtt_levels l;

	kmqtt_levels_start(&l, name, len);
	while (node && kmqtt_levels_next(&l))
		node = kmqtt_trie_child(trie, node, l.level, l.len);
	return node;
}

static struct kmqtt_trie_node *node_create(struct kmqtt_trie *trie,
					   struct kmqtt_trie_node *parent,
					   const struct kmqtt_levels *l)
{
	struct kmqtt_trie_node *node;
	size_t size = struct_size(node, level, l->len);

	if (!kmqtt_memory_charge(trie->memory, size))
		return NULL;
	node = kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	if (!node)
		goto err_uncharge;
	INIT_LIST_HEAD(&node->children);
	node->parent = parent;
	node->depth = parent->depth + 1;
	node->len = l->len;
	memcpy(node->level, l->level, l->len);
	if (rhashtable_insert_fast(&trie->nodes, &node->hash, trie_params))
		goto err_free;

	parent->users++;
	list_add_tail(&node->sibling, &parent->children);
	if (kmqtt_level_is(l, '+'))
		rcu_assign_pointer(parent->plus, node);
	else if (kmqtt_level_is(l, '#'))
		rcu_assign_pointer(parent->multi, node);
	return node;

err_free:
	kfree(node);
err_uncharge:
	kmqtt_memory_uncharge(trie->memory, size);
	return NULL;
}

static void node_remove(struct kmqtt_trie *trie, struct kmqtt_trie_node *node)
{
	struct kmqtt_trie_node *parent = node->parent;

	list_del(&node->sibling);
	if (rcu_access_pointer(parent->plus) == node)
		RCU_INIT_POINTER(parent->plus, NULL);
	if (rcu_access_pointer(parent->multi) == node)
		RCU_INIT_POINTER(parent->multi, NULL);
	rhashtable_remove_fast(&trie->nodes, &node->hash, trie_params);
	kmqtt_memory_uncharge(trie->memory, struct_size(node, level, node->len));
	kfree_rcu(node, rcu);
}

/**
 * kmqtt_trie_get() - become a user of the node of a name, made if need be
 * @trie: the trie
 * @name: a valid name or filter
 * @len: its length in bytes
 *
 * Context: under the trie's lock.
 * Return: the node, or NULL if there is no memory.
 */
struct kmqtt_trie_node *kmqtt_trie_get(struct kmqtt_trie *trie,
				       const u8 *name, size_t len)
{
	struct kmqtt_trie_node *node = trie->root, *child;
	struct kmqtt_levels l;

	lockdep_assert_held(&trie->lock);

	kmqtt_levels_start(&l, name, len);
	while (kmqtt_levels_next(&l)) {
		child = kmqtt_trie_child(trie, node, l.level, l.len);
		if (!child)
			child = node_create(trie, node, &l);
		if (!child) {
			/* Give back the levels that nobody uses yet. */
			node->users++;
			kmqtt_trie_put(trie, node);
			return NULL;
		}
		node = child;
	}
	node->users++;
	return node;
}

/**
 * kmqtt_trie_put() - stop being a user of a node
 * @trie: the trie
 * @node: a node from kmqtt_trie_get()
 *
 * Nodes that nobody uses any more go, up to the first that is still in use.
 *
 * Context: under the trie's lock.
 */
void kmqtt_trie_put(struct kmqtt_trie *trie, struct kmqtt_trie_node *node)
{
	lockdep_assert_held(&trie->lock);

	while (!--node->users && node != trie->root) {
		struct kmqtt_trie_node *parent = node->parent;

		node_remove(trie, node);
		node = parent;
	}
}

/**
 * kmqtt_trie_path() - write a node's whole name or filter
 * @node: a node, not the root
 * @to: where to
 * @size: room there
 *
 * Context: under RCU or the trie's lock.
 * Return: bytes the name has; nothing is written if that is more than @size.
 */
size_t kmqtt_trie_path(const struct kmqtt_trie_node *node, u8 *to, size_t size)
{
	const struct kmqtt_trie_node *n;
	size_t len = 0;
	u8 *p;

	for (n = node; n->parent; n = n->parent)
		len += n->len + 1;
	len--;
	if (len > size)
		return len;
	p = to + len;
	for (n = node; n->parent; n = n->parent) {
		p -= n->len;
		memcpy(p, n->level, n->len);
		if (n->depth > 1)
			*--p = '/';
	}
	return len;
}
