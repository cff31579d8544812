// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to controlling programs, and what is more than a number in them.
 */
#include "reply.h"

#include <net/ipv6.h>
#include "../session/store.h"
#include "netlink.h"

/**
 * kmqtt_nl_reply() - begin the answer to a request
 * @info: the request
 * @hdr: for kmqtt_nl_reply_send()
 *
 * There is room for numbers, an address, a client identifier and a string.
 *
 * Context: process, may sleep.
 * Return: the answer or NULL.
 */
struct sk_buff *kmqtt_nl_reply(struct genl_info *info, void **hdr)
{
	struct sk_buff *skb;

	skb = genlmsg_new(KMQTT_NL_NUMBERS + KMQTT_CLIENT_ID_MAX +
			  KMQTT_SHOWN_STRING_MAX, GFP_KERNEL);
	if (!skb)
		return NULL;
	*hdr = genlmsg_iput(skb, info);
	if (*hdr)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

/**
 * kmqtt_nl_reply_send() - send the answer to a request
 * @skb: the answer, gone afterwards
 * @hdr: from kmqtt_nl_reply()
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_reply_send(struct sk_buff *skb, void *hdr, struct genl_info *info)
{
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/**
 * kmqtt_nl_entry() - begin an entry of a dump
 * @skb: where to
 * @cb: the dump; if it sets @cb->seq, a change of that is marked
 * @cmd: what the entry is
 *
 * Context: any.
 * Return: for genlmsg_end() or genlmsg_cancel(), or NULL if @skb is full.
 */
void *kmqtt_nl_entry(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &kmqtt_nl_family, NLM_F_MULTI, cmd);
	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/**
 * kmqtt_nl_dumped() - what a dump handler returns
 * @skb: what it filled
 * @err: 0 at the end, or why it stopped; -EMSGSIZE if @skb is full
 *
 * Context: any.
 * Return: 0 at the end, a positive number to be called again, or a negative
 * errno.
 */
int kmqtt_nl_dumped(const struct sk_buff *skb, int err)
{
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

/**
 * kmqtt_nl_put_string() - put a string, or as much of it as is shown
 * @skb: where to
 * @attr: attribute
 * @s: the string, checked as UTF-8
 * @len: its length in bytes
 * @cut: set to true if the end is missing
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int kmqtt_nl_put_string(struct sk_buff *skb, int attr, const u8 *s, size_t len,
			bool *cut)
{
	if (len > KMQTT_SHOWN_STRING_MAX) {
		len = KMQTT_SHOWN_STRING_MAX;
		/* Leave no part of a character. */
		while (len && (s[len] & 0xc0) == 0x80)
			len--;
		*cut = true;
	}
	return nla_put(skb, attr, len, s);
}

/**
 * kmqtt_nl_put_payload() - put the beginning of a payload
 * @skb: where to
 * @attr: attribute; not there if there is nothing to show
 * @msg: a filled message
 * @max: bytes to show at most
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int kmqtt_nl_put_payload(struct sk_buff *skb, int attr,
			 const struct kmqtt_msg *msg, u32 max)
{
	u32 len = min(msg->payload_len, max);
	struct nlattr *nla;

	if (!len)
		return 0;
	nla = nla_reserve(skb, attr, len);
	if (!nla)
		return -EMSGSIZE;
	kmqtt_msg_read(msg, 0, nla_data(nla), len);
	return 0;
}

/* An address and what belongs to it have neighbouring attributes everywhere. */
static_assert(KMQTT_A_LISTENER_PORT - KMQTT_A_LISTENER_ADDR4 == 3);
static_assert(KMQTT_A_CLIENT_PORT - KMQTT_A_CLIENT_ADDR4 == 3);
static_assert(KMQTT_A_EVENT_PORT - KMQTT_A_EVENT_ADDR4 == 3);

/**
 * kmqtt_nl_put_address() - put an address and a port
 * @skb: where to
 * @addr4: attribute for an IPv4 address; the others follow it
 * @addr: address, IPv4 mapped into IPv6; or NULL for all addresses
 * @ifindex: interface of a link-local address, else 0
 * @port: port
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int kmqtt_nl_put_address(struct sk_buff *skb, int addr4,
			 const struct in6_addr *addr, u32 ifindex, u16 port)
{
	int addr6 = addr4 + 1, err = 0;

	if (addr && ipv6_addr_v4mapped(addr))
		err = nla_put_in_addr(skb, addr4, addr->s6_addr32[3]);
	else if (addr)
		err = nla_put_in6_addr(skb, addr6, addr);
	if (!err && ifindex)
		err = nla_put_u32(skb, addr4 + 2, ifindex);
	return err ?: nla_put_u16(skb, addr4 + 3, port);
}

/**
 * kmqtt_nl_str() - a string of a request
 * @attr: the attribute
 *
 * Context: any.
 * Return: its bytes without a terminating null byte.
 */
struct kmqtt_str kmqtt_nl_str(const struct nlattr *attr)
{
	struct kmqtt_str str = { .data = nla_data(attr), .len = nla_len(attr) };

	if (str.len && !str.data[str.len - 1])
		str.len--;
	return str;
}

/**
 * kmqtt_nl_session() - the session that a request names
 * @info: the request
 * @attr: the attribute with the client identifier
 *
 * Context: process, may sleep.
 * Return: the session with a reference for the caller, or an ERR_PTR() that
 * @info's sender is told about.
 */
struct kmqtt_session *kmqtt_nl_session(struct genl_info *info, int attr)
{
	struct kmqtt_session *session;
	struct kmqtt_str id;

	if (GENL_REQ_ATTR_CHECK(info, attr))
		return ERR_PTR(-EINVAL);
	id = kmqtt_nl_str(info->attrs[attr]);
	session = kmqtt_store_lookup(&kmqtt_nl_broker(info)->store, id.data,
				     id.len);
	if (session)
		return session;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
			    "no session has this client identifier");
	return ERR_PTR(-ENOENT);
}
