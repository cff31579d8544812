// SPDX-License-Identifier: GPL-2.0
/*
 * Clients do the same again and again, and rules change seldom: what was
 * decided once holds until the generation of the rules is another one.
 */
#include "verdict.h"

#include <linux/hash.h>
#include <linux/stringhash.h>
#include "../topic/name.h"

static struct kmqtt_verdict_slot *slot_of(struct kmqtt_verdicts *memo,
					  const struct kmqtt_ask *ask)
{
	u64 who = ask->origin ^ ask->identity->number ^ ask->access;
	u32 hash = full_name_hash(NULL, ask->topic.data, ask->topic.len);

	return &memo->slots[(hash ^ hash_64(who, 32)) % KMQTT_VERDICT_SLOTS];
}

static bool is_known(const struct kmqtt_verdict_slot *slot, u64 generation,
		     const struct kmqtt_ask *ask)
{
	return slot->generation == generation &&
	       slot->identity == ask->identity->number &&
	       slot->origin == ask->origin && slot->access == ask->access &&
	       slot->topic_len == ask->topic.len &&
	       kmqtt_topic_equal(slot->topic, ask->topic.data, ask->topic.len);
}

static void note(struct kmqtt_verdict_slot *slot, u64 generation,
		 const struct kmqtt_ask *ask, bool allowed)
{
	slot->generation = generation;
	slot->identity = ask->identity->number;
	slot->origin = ask->origin;
	slot->access = ask->access;
	slot->allowed = allowed;
	slot->topic_len = ask->topic.len;
	memcpy(slot->topic, ask->topic.data, ask->topic.len);
}

/* What the rules say. Returns as kmqtt_verdict(). */
static int decide(const struct kmqtt_ask *ask, u32 rules_max, u32 *rules)
{
	const struct kmqtt_acl *acl =
		kmqtt_port_realm(ask->identity->port)->acl;
	struct kmqtt_acl_query query = {
		.user.data = ask->identity->user,
		.user.len = ask->identity->user_len,
		.client_id = ask->client_id,
		.topic = ask->topic,
		.access = ask->access,
	};
	u32 nr;

	if (!acl)
		return true;
	nr = kmqtt_acl_work(acl, &query.user);
	if (nr > rules_max)
		return -E2BIG;
	*rules = nr;
	return kmqtt_acl_allows(acl, &query);
}

/**
 * kmqtt_verdict() - do the rules of its realm allow a client to do that?
 * @memo: what was decided lately; may be NULL
 * @ask: who wants what
 * @rules_max: rules to look at, at most
 * @rules: how many were looked at
 *
 * Context: under RCU, which keeps the identity; the memo's own.
 * Return: 1 if so, 0 if not, -E2BIG if @rules_max is too little to say.
 */
int kmqtt_verdict(struct kmqtt_verdicts *memo, const struct kmqtt_ask *ask,
		  u32 rules_max, u32 *rules)
{
	struct kmqtt_verdict_slot *slot;
	u64 generation;
	int ret;

	*rules = 0;
	if (!memo || ask->topic.len > KMQTT_VERDICT_TOPIC_MAX)
		return decide(ask, rules_max, rules);
	/*
	 * Before the rules are looked for: whoever sees this generation sees the
	 * realm that was put in place before it. Pairs with the barriers around
	 * the exchange in kmqtt_access_changed(). The other way round, what is
	 * new already may be noted under a generation that is about to go.
	 */
	generation =
		atomic64_read_acquire(&ask->identity->port->access->generation);
	slot = slot_of(memo, ask);
	if (is_known(slot, generation, ask))
		return slot->allowed;
	ret = decide(ask, rules_max, rules);
	if (ret >= 0)
		note(slot, generation, ask, ret);
	return ret;
}
