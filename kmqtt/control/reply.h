/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the handlers of all nouns share: beginning messages, and attributes
 * that are more than a number.
 */
#ifndef _KMQTT_CONTROL_REPLY_H
#define _KMQTT_CONTROL_REPLY_H

#include <linux/in6.h>
#include <net/genetlink.h>
#include "../broker.h"
#include "../wire/packet.h"

/* Room for all numbers of a message, each with its header. */
#define KMQTT_NL_NUMBERS	1024

struct sk_buff *kmqtt_nl_reply(struct genl_info *info, void **hdr);
int kmqtt_nl_reply_send(struct sk_buff *skb, void *hdr, struct genl_info *info);
void *kmqtt_nl_entry(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
int kmqtt_nl_dumped(const struct sk_buff *skb, int err);

int kmqtt_nl_put_string(struct sk_buff *skb, int attr, const u8 *s, size_t len,
			bool *cut);
int kmqtt_nl_put_payload(struct sk_buff *skb, int attr,
			 const struct kmqtt_msg *msg, u32 max);
int kmqtt_nl_put_address(struct sk_buff *skb, int addr4,
			 const struct in6_addr *addr, u32 ifindex, u16 port);
struct kmqtt_str kmqtt_nl_str(const struct nlattr *attr);
struct kmqtt_session *kmqtt_nl_session(struct genl_info *info, int attr);

/**
 * kmqtt_nl_broker() - the broker that a request is for
 * @info: the request
 *
 * Context: any.
 * Return: the broker of the namespace that the socket was opened in.
 */
static inline struct kmqtt_broker *kmqtt_nl_broker(const struct genl_info *info)
{
	return kmqtt_broker_of(genl_info_net(info));
}

/**
 * kmqtt_nl_dump_broker() - the broker that a dump is about
 * @cb: the dump, whose socket keeps the namespace
 *
 * Context: any.
 * Return: the broker of the namespace that the socket was opened in.
 */
static inline struct kmqtt_broker *
kmqtt_nl_dump_broker(struct netlink_callback *cb)
{
	return kmqtt_nl_broker(genl_info_dump(cb));
}

#endif /* _KMQTT_CONTROL_REPLY_H */
