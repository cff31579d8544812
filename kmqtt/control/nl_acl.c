// SPDX-License-Identifier: GPL-2.0
/*
 * Realms, and the access rules in them.
 */
#include "genl.h"
#include "reply.h"

/* Room for any rule. */
#define RULE_SIZE	SZ_16K

static_assert(KMQTT_RULE_TOPIC_MAX + KMQTT_IDENTITY_USER_MAX < RULE_SIZE - 1024);

/**
 * struct acl_dump - a dump of access rules
 * @realm: the realm where it stands, with a reference; NULL at the end
 * @rule: the rule that is next there
 */
struct acl_dump {
	struct kmqtt_realm *realm;
	u32 rule;
};

static_assert(sizeof(struct acl_dump) <=
	      sizeof_field(struct netlink_callback, ctx));

static struct acl_dump *dump_of(struct netlink_callback *cb)
{
	return (struct acl_dump *)cb->ctx;
}

/* The entries of a dump belong together if no configuration came meanwhile. */
static void set_seq(struct netlink_callback *cb,
		    const struct kmqtt_access *access)
{
	cb->seq = (u32)atomic64_read(&access->generation) ?: 1;
}

static int put_realm(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct kmqtt_realm *realm)
{
	const struct kmqtt_acl *acl = realm->acl;
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_REALM_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, KMQTT_A_REALM_NUMBER, realm->number) ||
	    nla_put_u8(skb, KMQTT_A_REALM_AUTHENTICATE, realm->authenticate) ||
	    nla_put_u8(skb, KMQTT_A_REALM_RESTRICT, !!acl) ||
	    nla_put_u32(skb, KMQTT_A_REALM_USERS, READ_ONCE(realm->users.nr)) ||
	    nla_put_u32(skb, KMQTT_A_REALM_RULES, acl ? acl->nr : 0)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_realm_get_dumpit() - tell of some more realms
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_realm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_access *access = &kmqtt_nl_dump_broker(cb)->access;
	u64 *next = (u64 *)cb->ctx;
	struct kmqtt_realm *realm;
	int err = 0;

	set_seq(cb, access);
	while (!err && *next <= U32_MAX) {
		realm = kmqtt_access_realm(access, *next);
		if (!realm)
			break;
		err = put_realm(skb, cb, realm);
		if (!err)
			*next = (u64)realm->number + 1;
		kmqtt_realm_put(realm);
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_acl_get_start() - begin to tell of access rules
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int kmqtt_nl_acl_get_start(struct netlink_callback *cb)
{
	struct kmqtt_access *access = &kmqtt_nl_dump_broker(cb)->access;

	cb->min_dump_alloc = RULE_SIZE;
	dump_of(cb)->realm = kmqtt_access_realm(access, 0);
	return 0;
}

static void next_realm(struct acl_dump *dump, struct kmqtt_access *access)
{
	u32 number = dump->realm->number;

	kmqtt_realm_put(dump->realm);
	dump->realm = number == U32_MAX ?
		      NULL : kmqtt_access_realm(access, number + 1);
	dump->rule = 0;
}

static int put_rule(struct sk_buff *skb, struct netlink_callback *cb,
		    u32 realm, const struct kmqtt_rule *rule)
{
	struct kmqtt_str topic = kmqtt_rule_topic(rule);
	struct kmqtt_str user = kmqtt_rule_user(rule);
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_ACL_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, KMQTT_A_ACL_REALM, realm) ||
	    nla_put_u32(skb, KMQTT_A_ACL_KIND, rule->kind) ||
	    (user.len && nla_put(skb, KMQTT_A_ACL_USER, user.len, user.data)) ||
	    nla_put_u32(skb, KMQTT_A_ACL_ACCESS, rule->access) ||
	    nla_put(skb, KMQTT_A_ACL_TOPIC, topic.len, topic.data)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_acl_get_dumpit() - tell of some more access rules
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_acl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_access *access = &kmqtt_nl_dump_broker(cb)->access;
	struct acl_dump *dump = dump_of(cb);
	int err = 0;

	set_seq(cb, access);
	while (!err && dump->realm) {
		const struct kmqtt_acl *acl = dump->realm->acl;

		if (!acl || dump->rule == acl->nr) {
			next_realm(dump, access);
			continue;
		}
		err = put_rule(skb, cb, dump->realm->number,
			       acl->rules[dump->rule]);
		dump->rule += !err;
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_acl_get_done() - end telling of access rules
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int kmqtt_nl_acl_get_done(struct netlink_callback *cb)
{
	kmqtt_realm_put(dump_of(cb)->realm);
	return 0;
}
