/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_MATCH_H
#define _KMQTT_TOPIC_MATCH_H

#include "tree.h"

struct kmqtt_memo;

/* Subscription identifiers of one delivery; with more there are several. */
#define KMQTT_SUB_IDS_MAX	256

/* The subscriber may not get the message. No option has this bit. */
#define KMQTT_MATCH_DENIED	BIT(7)

/**
 * struct kmqtt_match - a subscription that a topic name reached
 * @subscriber: valid under the RCU section of the match; NULL for a group
 * @group: likewise; NULL for a subscriber
 * @sub_id: subscription identifier, 0 for none
 * @options: enum kmqtt_sub_options; KMQTT_MATCH_DENIED is for the owner
 */
struct kmqtt_match {
	struct kmqtt_subscriber *subscriber;
	struct kmqtt_group *group;
	u32 sub_id;
	u8 options;
};

/**
 * struct kmqtt_route - where a topic name leads
 * @matches: an entry for each subscription, those of a subscriber together
 * @nr: used entries
 * @max: room
 * @steps_max: nodes that a match may visit, and members that its groups may
 *	have, before it gives up
 * @steps: nodes that it has visited
 * @members: members of the groups
 * @memo: for the owner: where other names led
 * @ids: for the owner: subscription identifiers of one delivery
 * @depth: used entries of @stack
 * @stack: nodes still to be visited, with the level to look for below them
 */
struct kmqtt_route {
	struct kmqtt_match *matches;
	u32 nr;
	u32 max;
	u32 steps_max;
	u32 steps;
	u32 members;
	struct kmqtt_memo *memo;
	u32 ids[KMQTT_SUB_IDS_MAX];
	u32 depth;
	struct {
		const struct kmqtt_trie_node *node;
		const u8 *next;
	} stack[KMQTT_LEVELS_MAX + 2];
};

int kmqtt_tree_match(struct kmqtt_tree *tree, const u8 *name, size_t len,
		     struct kmqtt_route *route);

#endif /* _KMQTT_TOPIC_MATCH_H */
