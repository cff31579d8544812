/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_ACL_H
#define _KMQTT_ACCESS_ACL_H

#include <uapi/linux/kmqtt.h>
#include "../topic/memory.h"
#include "../wire/packet.h"

/* Rules that a realm may have. */
#define KMQTT_NR_RULES_MAX	65536
/* Bytes of a rule's filter or pattern. */
#define KMQTT_RULE_TOPIC_MAX	8192

/**
 * struct kmqtt_rule - an access rule, immutable
 * @number: its place among those that were added
 * @kind: enum kmqtt_acl_kind
 * @access: enum kmqtt_acl_access, of which each bit allows something
 * @user_len: bytes of the user's name, 0 if it isn't for a user
 * @topic_len: bytes of the filter or pattern
 * @text: the filter or pattern, then the user's name
 */
struct kmqtt_rule {
	u32 number;
	u8 kind;
	u8 access;
	u16 user_len;
	u16 topic_len;
	u8 text[];
};

/**
 * struct kmqtt_acl - all rules of a realm, immutable once they are sealed
 * @memory: account to charge
 * @rules: in the order in which they were added
 * @nr: how many
 * @max: room
 * @sorted: the same rules: those for clients without a user name, for users by
 *	name, patterns; of each of these what denies comes first. NULL before
 *	they are sealed
 * @nr_anonymous: those for clients without a user name
 * @nr_patterns: patterns
 * @scan_max: the most that there are for one client
 */
struct kmqtt_acl {
	struct kmqtt_memory *memory;
	const struct kmqtt_rule **rules;
	u32 nr;
	u32 max;
	const struct kmqtt_rule **sorted;
	u32 nr_anonymous;
	u32 nr_patterns;
	u32 scan_max;
};

/**
 * struct kmqtt_acl_query - may this client do that?
 * @user: user name, empty for none
 * @client_id: client identifier
 * @topic: topic name
 * @access: KMQTT_ACL_ACCESS_READ or KMQTT_ACL_ACCESS_WRITE
 */
struct kmqtt_acl_query {
	struct kmqtt_str user;
	struct kmqtt_str client_id;
	struct kmqtt_str topic;
	enum kmqtt_acl_access access;
};

struct kmqtt_acl *kmqtt_acl_create(struct kmqtt_memory *memory);
void kmqtt_acl_destroy(struct kmqtt_acl *acl);
int kmqtt_acl_add(struct kmqtt_acl *acl, enum kmqtt_acl_kind kind,
		  const struct kmqtt_str *user, enum kmqtt_acl_access access,
		  const struct kmqtt_str *topic);
int kmqtt_acl_seal(struct kmqtt_acl *acl);
u32 kmqtt_acl_work(const struct kmqtt_acl *acl, const struct kmqtt_str *user);
bool kmqtt_acl_allows(const struct kmqtt_acl *acl,
		      const struct kmqtt_acl_query *query);

/**
 * kmqtt_rule_topic() - what a rule is about
 * @rule: the rule
 *
 * Context: any.
 * Return: its filter or pattern.
 */
static inline struct kmqtt_str kmqtt_rule_topic(const struct kmqtt_rule *rule)
{
	return (struct kmqtt_str) {
		.data = rule->text,
		.len = rule->topic_len,
	};
}

/**
 * kmqtt_rule_user() - whom a rule is for
 * @rule: the rule
 *
 * Context: any.
 * Return: the user's name, empty if it isn't for a user.
 */
static inline struct kmqtt_str kmqtt_rule_user(const struct kmqtt_rule *rule)
{
	return (struct kmqtt_str) {
		.data = rule->text + rule->topic_len,
		.len = rule->user_len,
	};
}

#endif /* _KMQTT_ACCESS_ACL_H */
