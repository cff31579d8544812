// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of shared subscriptions. A group stands in the list of its filter's
 * node like a subscription; which member gets a message is decided above, by
 * those who know about sessions.
 */
#include "share.h"

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "tree.h"

#define MEMBERS_FIRST	4

struct group_key {
	const struct kmqtt_trie_node *node;
	const u8 *name;
	u16 len;
};

static u32 hash_name(const struct kmqtt_trie_node *node, const u8 *name,
		     u16 len, u32 seed)
{
	return jhash(name, len, seed ^ hash_ptr(node, 32));
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct group_key *key = data;

	return hash_name(key->node, key->name, key->len, seed);
}

static u32 hash_group(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_group *group = data;

	return hash_name(group->node, group->name, group->name_len, seed);
}

static int cmp_group(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_group *group = obj;
	const struct group_key *key = arg->key;

	return group->node != key->node || group->name_len != key->len ||
	       memcmp(group->name, key->name, key->len);
}

static const struct rhashtable_params group_params = {
	.head_offset = offsetof(struct kmqtt_group, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_group,
	.obj_cmpfn = cmp_group,
	.automatic_shrinking = true,
};

/**
 * kmqtt_groups_init() - make an empty table
 * @groups: the table
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_groups_init(struct kmqtt_groups *groups)
{
	return rhashtable_init(&groups->table, &group_params);
}

/**
 * kmqtt_groups_uninit() - free an empty table
 * @groups: the table; all groups are destroyed
 *
 * Context: process, may sleep.
 */
void kmqtt_groups_uninit(struct kmqtt_groups *groups)
{
	rhashtable_destroy(&groups->table);
}

/**
 * kmqtt_group_find() - find a group
 * @groups: the table
 * @node: filter that it shares
 * @name: its name
 * @len: bytes of @name
 *
 * Context: under the tree's lock.
 * Return: the group or NULL.
 */
struct kmqtt_group *kmqtt_group_find(struct kmqtt_groups *groups,
				     struct kmqtt_trie_node *node,
				     const u8 *name, u16 len)
{
	struct group_key key = { .node = node, .name = name, .len = len };

	return rhashtable_lookup_fast(&groups->table, &key, group_params);
}

static size_t group_size(u16 name_len)
{
	return struct_size_t(struct kmqtt_group, name, name_len);
}

static size_t members_size(u32 max)
{
	return struct_size_t(struct kmqtt_members, sub, max);
}

static struct kmqtt_members *members_create(struct kmqtt_memory *memory, u32 max)
{
	struct kmqtt_members *members;

	if (!kmqtt_memory_charge(memory, members_size(max)))
		return NULL;
	members = kvzalloc(members_size(max), GFP_ATOMIC | __GFP_NOWARN);
	if (!members) {
		kmqtt_memory_uncharge(memory, members_size(max));
		return NULL;
	}
	members->max = max;
	return members;
}

static void members_free(struct kmqtt_members *members,
			 struct kmqtt_memory *memory)
{
	kmqtt_memory_uncharge(memory, members_size(members->max));
	kvfree_rcu(members, rcu);
}

/**
 * kmqtt_group_create() - make a group without members
 * @groups: where to put it
 * @trie: of the tree
 * @node: filter that it shares; the group is one more user of it
 * @name: its name
 * @len: bytes of @name
 *
 * Context: under the tree's lock.
 * Return: the group or NULL.
 */
struct kmqtt_group *kmqtt_group_create(struct kmqtt_groups *groups,
				       struct kmqtt_trie *trie,
				       struct kmqtt_trie_node *node,
				       const u8 *name, u16 len)
{
	struct kmqtt_memory *memory = trie->memory;
	struct kmqtt_members *members;
	struct kmqtt_group *group;

	if (!kmqtt_memory_charge(memory, group_size(len)))
		return NULL;
	members = members_create(memory, MEMBERS_FIRST);
	if (!members)
		goto err_uncharge;
	group = kzalloc(group_size(len), GFP_ATOMIC | __GFP_NOWARN);
	if (!group)
		goto err_members;
	kref_init(&group->ref);
	group->memory = memory;
	group->node = node;
	group->name_len = len;
	memcpy(group->name, name, len);
	RCU_INIT_POINTER(group->members, members);
	if (rhashtable_insert_fast(&groups->table, &group->hash, group_params))
		goto err_free;
	node->users++;
	hlist_add_head_rcu(&group->match, &node->groups);
	return group;

err_free:
	kfree(group);
err_members:
	members_free(members, memory);
err_uncharge:
	kmqtt_memory_uncharge(memory, group_size(len));
	return NULL;
}

/**
 * kmqtt_group_destroy() - nobody finds a group any more
 * @groups: the table it is in
 * @trie: of the tree
 * @group: a group without members
 *
 * Context: under the tree's lock.
 */
void kmqtt_group_destroy(struct kmqtt_groups *groups,
			 struct kmqtt_trie *trie, struct kmqtt_group *group)
{
	hlist_del_rcu(&group->match);
	rhashtable_remove_fast(&groups->table, &group->hash, group_params);
	kmqtt_trie_put(trie, group->node);
	kmqtt_group_put(group);
}

static void group_release(struct kref *ref)
{
	struct kmqtt_group *group = container_of(ref, struct kmqtt_group, ref);
	struct kmqtt_memory *memory = group->memory;

	members_free(rcu_dereference_protected(group->members, true), memory);
	kmqtt_memory_uncharge(memory, group_size(group->name_len));
	kfree_rcu(group, rcu);
}

/**
 * kmqtt_group_put() - give a reference back
 * @group: a group or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_group_put(struct kmqtt_group *group)
{
	if (group)
		kref_put(&group->ref, group_release);
}

/* Changes are made under the tree's lock, which the callers assert. */
static struct kmqtt_members *members_of(const struct kmqtt_group *group)
{
	return rcu_dereference_protected(group->members, true);
}

/**
 * kmqtt_group_join() - become a member
 * @group: the group
 * @sub: the member's subscription
 *
 * Context: under the tree's lock.
 * Return: 0, -ENOMEM, -EDQUOT if it has as many members as it may.
 */
int kmqtt_group_join(struct kmqtt_group *group, struct kmqtt_sub *sub)
{
	struct kmqtt_members *old = members_of(group), *members = old;
	u32 i;

	if (group->nr == KMQTT_GROUP_MAX)
		return -EDQUOT;
	if (group->nr == old->max) {
		members = members_create(group->memory, 2 * old->max);
		if (!members)
			return -ENOMEM;
		for (i = 0; i < group->nr; i++)
			RCU_INIT_POINTER(members->sub[i],
					 rcu_access_pointer(old->sub[i]));
		rcu_assign_pointer(group->members, members);
		members_free(old, group->memory);
	}
	sub->member = group->nr;
	rcu_assign_pointer(members->sub[group->nr], sub);
	WRITE_ONCE(group->nr, group->nr + 1);
	return 0;
}

/**
 * kmqtt_group_leave() - cease to be a member
 * @group: the group
 * @sub: the member's subscription, which RCU keeps for those who still see it
 *
 * Context: under the tree's lock.
 */
void kmqtt_group_leave(struct kmqtt_group *group, struct kmqtt_sub *sub)
{
	struct kmqtt_members *members = members_of(group);
	struct kmqtt_sub *last;

	WRITE_ONCE(group->nr, group->nr - 1);
	last = rcu_dereference_protected(members->sub[group->nr], true);
	last->member = sub->member;
	rcu_assign_pointer(members->sub[sub->member], last);
	RCU_INIT_POINTER(members->sub[group->nr], NULL);
}

/**
 * kmqtt_group_member() - look at a member
 * @group: the group
 * @i: its number, below what @group->nr was a moment ago
 *
 * Context: under RCU, which keeps the subscription and its subscriber.
 * Return: its subscription, or NULL if there are fewer members now.
 */
struct kmqtt_sub *kmqtt_group_member(const struct kmqtt_group *group, u32 i)
{
	const struct kmqtt_members *members = rcu_dereference(group->members);

	return i < members->max ? rcu_dereference(members->sub[i]) : NULL;
}
