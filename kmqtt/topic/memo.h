/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_MEMO_H
#define _KMQTT_TOPIC_MEMO_H

#include "match.h"

/* What is remembered: so many topic names, of so many bytes and matches each. */
#define KMQTT_MEMO_SLOTS	256
#define KMQTT_MEMO_TOPIC_MAX	140
#define KMQTT_MEMO_MATCHES	4

/**
 * struct kmqtt_memo_slot - where a topic name led
 * @generation: of the tree that the matches are from; 0 if there are none
 * @topic_len: bytes of @topic
 * @nr: used entries of @matches
 * @matches: as in struct kmqtt_route; valid for as long as the tree stays as it
 *	was, under an RCU section that began before
 * @topic: the name
 */
struct kmqtt_memo_slot {
	u64 generation;
	u16 topic_len;
	u16 nr;
	struct kmqtt_match matches[KMQTT_MEMO_MATCHES];
	u8 topic[KMQTT_MEMO_TOPIC_MAX];
};

/**
 * struct kmqtt_memo - matches of topics that were published to lately
 * @slots: each for the names of one hash
 *
 * Belongs to one context, so nothing in it is locked or shared.
 */
struct kmqtt_memo {
	struct kmqtt_memo_slot slots[KMQTT_MEMO_SLOTS];
};

int kmqtt_memo_match(struct kmqtt_memo *memo, struct kmqtt_tree *tree,
		     const u8 *name, size_t len, struct kmqtt_route *route);

#endif /* _KMQTT_TOPIC_MEMO_H */
