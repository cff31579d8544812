/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_SHARE_H
#define _KMQTT_TOPIC_SHARE_H

#include <linux/kref.h>
#include "trie.h"

struct kmqtt_sub;

/* Members of a group: who looks for one that is ready has to ask them all. */
#define KMQTT_GROUP_MAX	10000

/**
 * struct kmqtt_members - the members of a group, for readers under RCU
 * @rcu: readers may stand on it while it is freed
 * @max: room in @sub
 * @sub: the members; entries from the group's @nr on are stale
 */
struct kmqtt_members {
	struct rcu_head rcu;
	u32 max;
	struct kmqtt_sub __rcu *sub[];
};

/**
 * struct kmqtt_group - those who share a subscription (MQTT 5, 4.8.2)
 * @hash: in the table of groups, keyed by @node and @name
 * @match: entry of @node's list; written under the tree's lock, read under RCU
 * @ref: its members' together, and one for each message that it was for
 * @rcu: readers may stand on it while it is freed
 * @memory: account that it came from
 * @node: the filter that they share, in use by the group while it has members
 * @members: written under the tree's lock, read under RCU
 * @nr: how many; written under the tree's lock, read under RCU
 * @turn: counts messages, for taking turns
 * @name_len: bytes of @name
 * @name: ShareName, constant
 */
struct kmqtt_group {
	struct rhash_head hash;
	struct hlist_node match;
	struct kref ref;
	struct rcu_head rcu;
	struct kmqtt_memory *memory;
	struct kmqtt_trie_node *node;
	struct kmqtt_members __rcu *members;
	u32 nr;
	atomic_t turn;
	u16 name_len;
	u8 name[];
};

/**
 * struct kmqtt_groups - all groups of a tree, guarded by the tree's lock
 * @table: the groups
 */
struct kmqtt_groups {
	struct rhashtable table;
};

int kmqtt_groups_init(struct kmqtt_groups *groups);
void kmqtt_groups_uninit(struct kmqtt_groups *groups);
struct kmqtt_group *kmqtt_group_find(struct kmqtt_groups *groups,
				     struct kmqtt_trie_node *node,
				     const u8 *name, u16 len);
struct kmqtt_group *kmqtt_group_create(struct kmqtt_groups *groups,
				       struct kmqtt_trie *trie,
				       struct kmqtt_trie_node *node,
				       const u8 *name, u16 len);
void kmqtt_group_destroy(struct kmqtt_groups *groups,
			 struct kmqtt_trie *trie, struct kmqtt_group *group);
int kmqtt_group_join(struct kmqtt_group *group, struct kmqtt_sub *sub);
void kmqtt_group_leave(struct kmqtt_group *group, struct kmqtt_sub *sub);
struct kmqtt_sub *kmqtt_group_member(const struct kmqtt_group *group, u32 i);
void kmqtt_group_put(struct kmqtt_group *group);

/**
 * kmqtt_group_get() - take a reference
 * @group: a group that the caller holds one of
 *
 * Context: any.
 */
static inline void kmqtt_group_get(struct kmqtt_group *group)
{
	kref_get(&group->ref);
}

#endif /* _KMQTT_TOPIC_SHARE_H */
