/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_VERDICT_H
#define _KMQTT_ACCESS_VERDICT_H

#include "acl.h"
#include "port.h"

/* What is remembered: so many decisions, about topics of so many bytes. */
#define KMQTT_VERDICT_SLOTS	512
#define KMQTT_VERDICT_TOPIC_MAX	140

/**
 * struct kmqtt_verdict_slot - what was decided once
 * @generation: of the rules; 0 if there is no decision
 * @identity: number of the client's identity
 * @origin: stands for its client identifier
 * @topic_len: bytes of @topic
 * @access: enum kmqtt_acl_access
 * @allowed: the decision
 * @topic: what it is about
 */
struct kmqtt_verdict_slot {
	u64 generation;
	u64 identity;
	u64 origin;
	u16 topic_len;
	u8 access;
	bool allowed;
	u8 topic[KMQTT_VERDICT_TOPIC_MAX];
};

/**
 * struct kmqtt_verdicts - what was decided lately
 * @slots: each for the decisions of one hash
 *
 * Belongs to one context, so nothing in it is locked or shared.
 */
struct kmqtt_verdicts {
	struct kmqtt_verdict_slot slots[KMQTT_VERDICT_SLOTS];
};

/**
 * struct kmqtt_ask - a client asks for something
 * @identity: who it is
 * @origin: stands for @client_id
 * @client_id: client identifier
 * @topic: topic name
 * @access: KMQTT_ACL_ACCESS_READ or KMQTT_ACL_ACCESS_WRITE
 */
struct kmqtt_ask {
	const struct kmqtt_identity *identity;
	u64 origin;
	struct kmqtt_str client_id;
	struct kmqtt_str topic;
	enum kmqtt_acl_access access;
};

int kmqtt_verdict(struct kmqtt_verdicts *memo, const struct kmqtt_ask *ask,
		  u32 rules_max, u32 *rules);

#endif /* _KMQTT_ACCESS_VERDICT_H */
