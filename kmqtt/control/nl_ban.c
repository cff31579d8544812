// SPDX-License-Identifier: GPL-2.0
/*
 * Bans: who is not let in.
 */
#include "../protocol/banned.h"
#include "genl.h"
#include <net/ipv6.h>
#include "../net/conn.h"
#include "../net/registry.h"
#include "../wire/utf8.h"
#include "config.h"
#include "reply.h"

/* A network of a request, in @key and @addr, or what is wrong with it. */
static int read_network(struct genl_info *info, struct kmqtt_ban_key *key,
			struct in6_addr *addr)
{
	const struct nlattr *addr4 = info->attrs[KMQTT_A_BAN_ADDR4];
	const struct nlattr *addr6 = info->attrs[KMQTT_A_BAN_ADDR6];
	const struct nlattr *prefix = info->attrs[KMQTT_A_BAN_PREFIX];
	unsigned int skip = addr4 ? KMQTT_BAN_PREFIX_IPV4 : 0;
	unsigned int bits = KMQTT_BAN_PREFIX_MAX - skip;
	struct in6_addr network;

	if (prefix && nla_get_u8(prefix) > bits) {
		NL_SET_ERR_MSG_ATTR(info->extack, prefix,
				    "an address of IPv4 has 32 bits");
		return -EINVAL;
	}
	if (prefix)
		bits = nla_get_u8(prefix);
	if (addr4)
		ipv6_addr_set_v4mapped(nla_get_in_addr(addr4), addr);
	else
		*addr = nla_get_in6_addr(addr6);
	key->kind = KMQTT_BAN_ADDRESS;
	key->prefix = skip + bits;
	key->value.data = addr->s6_addr;
	key->value.len = sizeof(*addr);
	if (kmqtt_ban_mask(&network, addr, key->prefix))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, addr4 ?: addr6,
			    "the address has bits behind the prefix");
	return -EINVAL;
}

static int read_name(struct genl_info *info, struct kmqtt_ban_key *key,
		     const struct nlattr *attr, enum kmqtt_ban_kind kind)
{
	key->kind = kind;
	key->prefix = 0;
	key->value = kmqtt_nl_str(attr);
	if (info->attrs[KMQTT_A_BAN_PREFIX]) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_BAN_PREFIX],
				    "only addresses have a prefix");
		return -EINVAL;
	}
	if (key->value.len &&
	    kmqtt_utf8_valid(key->value.data, key->value.len))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "nobody is called that: empty, or not UTF-8");
	return -EINVAL;
}

/* Whom a request is about; @addr is for what @key points to. */
static int read_key(struct genl_info *info, struct kmqtt_ban_key *key,
		    struct in6_addr *addr)
{
	static const u8 keys[] = {
		KMQTT_A_BAN_ADDR4, KMQTT_A_BAN_ADDR6, KMQTT_A_BAN_CLIENT_ID,
		KMQTT_A_BAN_USER,
	};
	int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		nr += !!info->attrs[keys[i]];
	if (nr != 1) {
		NL_SET_ERR_MSG(info->extack,
			       "exactly one of address, client-id and user is needed");
		return -EINVAL;
	}
	if (info->attrs[KMQTT_A_BAN_CLIENT_ID])
		return read_name(info, key, info->attrs[KMQTT_A_BAN_CLIENT_ID],
				 KMQTT_BAN_CLIENT);
	if (info->attrs[KMQTT_A_BAN_USER])
		return read_name(info, key, info->attrs[KMQTT_A_BAN_USER],
				 KMQTT_BAN_USER);
	return read_network(info, key, addr);
}

static int read_reason(struct genl_info *info, struct kmqtt_str *reason)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_BAN_REASON];

	*reason = (struct kmqtt_str) {};
	if (!attr)
		return 0;
	*reason = kmqtt_nl_str(attr);
	if (kmqtt_utf8_valid(reason->data, reason->len))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "the text is not UTF-8");
	return -EINVAL;
}

static void close_banned(struct kmqtt_registry *registry)
{
	struct kmqtt_conn *conn;
	u64 id = 0;

	while ((conn = kmqtt_registry_next(registry, id))) {
		id = conn->client.id;
		if (kmqtt_banned(&conn->client))
			kmqtt_conn_close(conn, KMQTT_REASON_BANNED);
		kmqtt_link_put(&conn->client.link);
		cond_resched();
	}
}

/**
 * kmqtt_nl_ban_add_doit() - ban somebody
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_ban_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *expiry = info->attrs[KMQTT_A_BAN_EXPIRY];
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct kmqtt_ban_key key;
	struct kmqtt_str reason;
	struct in6_addr addr;
	int err;

	err = kmqtt_config_refuse(info) ?: read_key(info, &key, &addr) ?:
	      read_reason(info, &reason);
	if (err)
		return err;
	err = kmqtt_ban_add(&broker->access.bans, &key,
			    expiry ? nla_get_u32(expiry) : 0,
			    KMQTT_BAN_ORIGIN_OPERATOR, &reason, GFP_KERNEL);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack,
			       "there are as many bans as max-bans allows");
	if (!err)
		close_banned(broker->registry);
	return err;
}

/**
 * kmqtt_nl_ban_del_doit() - end a ban
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_ban_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_ban_key key;
	struct in6_addr addr;
	int err;

	err = kmqtt_config_refuse(info) ?: read_key(info, &key, &addr);
	if (err)
		return err;
	err = kmqtt_ban_del(&kmqtt_nl_broker(info)->access.bans, &key);
	if (err)
		NL_SET_ERR_MSG(info->extack, "there is no such ban");
	return err;
}

static int put_network(struct sk_buff *skb, const struct kmqtt_ban *ban)
{
	const struct in6_addr *addr = (const struct in6_addr *)ban->data;
	u8 prefix = ban->prefix;
	int err;

	if (prefix >= KMQTT_BAN_PREFIX_IPV4 && ipv6_addr_v4mapped(addr)) {
		prefix -= KMQTT_BAN_PREFIX_IPV4;
		err = nla_put_in_addr(skb, KMQTT_A_BAN_ADDR4,
				      addr->s6_addr32[3]);
	} else {
		err = nla_put_in6_addr(skb, KMQTT_A_BAN_ADDR6, addr);
	}
	return err ?: nla_put_u8(skb, KMQTT_A_BAN_PREFIX, prefix);
}

static int put_key(struct sk_buff *skb, const struct kmqtt_ban *ban)
{
	switch (ban->kind) {
	case KMQTT_BAN_CLIENT:
		return nla_put(skb, KMQTT_A_BAN_CLIENT_ID, ban->value_len,
			       ban->data);
	case KMQTT_BAN_USER:
		return nla_put(skb, KMQTT_A_BAN_USER, ban->value_len,
			       ban->data);
	default:
		return put_network(skb, ban);
	}
}

static int put_ban(struct sk_buff *skb, const struct kmqtt_ban *ban)
{
	u32 left = kmqtt_ban_expires_in(ban);

	if (put_key(skb, ban) ||
	    nla_put_u32(skb, KMQTT_A_BAN_ORIGIN, ban->origin) ||
	    (left && nla_put_u32(skb, KMQTT_A_BAN_EXPIRES_IN, left)))
		return -EMSGSIZE;
	if (!ban->reason_len)
		return 0;
	return nla_put(skb, KMQTT_A_BAN_REASON, ban->reason_len,
		       ban->data + ban->value_len);
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct kmqtt_ban *ban)
{
	void *hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_BAN_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (put_ban(skb, ban)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_ban_get_dumpit() - tell of some more bans
 * @skb: where to
 * @cb: the dump, which keeps the number of the last ban told
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_ban_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_bans *bans = &kmqtt_nl_dump_broker(cb)->access.bans;
	u64 *last = (u64 *)cb->ctx;
	const struct kmqtt_ban *ban;
	int err = 0;

	rcu_read_lock();
	while (!err && (ban = kmqtt_bans_next(bans, *last))) {
		err = put_entry(skb, cb, ban);
		if (!err)
			*last = ban->number;
	}
	rcu_read_unlock();
	return kmqtt_nl_dumped(skb, err);
}
