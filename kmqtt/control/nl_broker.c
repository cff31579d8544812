// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of a broker. Policies have checked the ranges of numbers before a
 * handler runs.
 */
#include "genl.h"
#include "../net/registry.h"
#include "reply.h"

static int put_settings(struct sk_buff *skb, const struct kmqtt_broker *broker)
{
	const struct kmqtt_outbox_limits *outbox = &broker->store.outbox_limits;
	const struct kmqtt_registry *registry = broker->registry;
	const struct kmqtt_limits *limits = &broker->limits;

	if (nla_put_u32(skb, KMQTT_A_BROKER_MAX_CONNECTIONS,
			READ_ONCE(registry->max_conns)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_CONNECTIONS_PER_SOURCE,
			READ_ONCE(registry->max_per_source)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_CONNECT_TIMEOUT,
			READ_ONCE(limits->connect_timeout)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_PACKET_SIZE,
			READ_ONCE(limits->max_packet_size)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_INFLIGHT,
			READ_ONCE(outbox->max_inflight)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_QUEUED_MESSAGES,
			READ_ONCE(outbox->max_queued)) ||
	    nla_put_uint(skb, KMQTT_A_BROKER_MAX_QUEUED_BYTES,
			 READ_ONCE(outbox->max_bytes)))
		return -EMSGSIZE;
	if (nla_put_uint(skb, KMQTT_A_BROKER_MAX_MEMORY,
			 READ_ONCE(broker->memory.limit)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_SESSIONS,
			READ_ONCE(broker->store.max)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_RETAINED,
			READ_ONCE(limits->max_retained)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_SUBSCRIPTIONS,
			READ_ONCE(limits->max_subscriptions)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_BH_PATH,
		       READ_ONCE(limits->bh_path)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_BACKPRESSURE,
		       KMQTT_BACKPRESSURE_DROP))
		return -EMSGSIZE;
	return 0;
}

/**
 * kmqtt_nl_broker_get_doit() - tell the settings
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_broker_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;

	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	if (put_settings(reply, kmqtt_nl_broker(info))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}

static void set_u32(struct genl_info *info, int attr, u32 *setting)
{
	if (info->attrs[attr])
		WRITE_ONCE(*setting, nla_get_u32(info->attrs[attr]));
}

static void set_u64(struct genl_info *info, int attr, u64 *setting)
{
	if (info->attrs[attr])
		WRITE_ONCE(*setting, nla_get_uint(info->attrs[attr]));
}

static void set_settings(struct genl_info *info, struct kmqtt_broker *broker)
{
	struct kmqtt_outbox_limits *outbox = &broker->store.outbox_limits;
	struct kmqtt_registry *registry = broker->registry;
	struct kmqtt_limits *limits = &broker->limits;
	const struct nlattr *bh_path;

	set_u32(info, KMQTT_A_BROKER_MAX_CONNECTIONS, &registry->max_conns);
	set_u32(info, KMQTT_A_BROKER_MAX_CONNECTIONS_PER_SOURCE,
		&registry->max_per_source);
	set_u32(info, KMQTT_A_BROKER_CONNECT_TIMEOUT, &limits->connect_timeout);
	set_u32(info, KMQTT_A_BROKER_MAX_PACKET_SIZE, &limits->max_packet_size);
	set_u32(info, KMQTT_A_BROKER_MAX_INFLIGHT, &outbox->max_inflight);
	set_u32(info, KMQTT_A_BROKER_MAX_QUEUED_MESSAGES, &outbox->max_queued);
	set_u64(info, KMQTT_A_BROKER_MAX_QUEUED_BYTES, &outbox->max_bytes);
	set_u64(info, KMQTT_A_BROKER_MAX_MEMORY, &broker->memory.limit);
	set_u32(info, KMQTT_A_BROKER_MAX_SESSIONS, &broker->store.max);
	set_u32(info, KMQTT_A_BROKER_MAX_RETAINED, &limits->max_retained);
	set_u32(info, KMQTT_A_BROKER_MAX_SUBSCRIPTIONS,
		&limits->max_subscriptions);
	bh_path = info->attrs[KMQTT_A_BROKER_BH_PATH];
	if (bh_path)
		WRITE_ONCE(limits->bh_path, nla_get_u8(bh_path));
}

/**
 * kmqtt_nl_broker_set_doit() - change the settings that are given
 * @skb: the request
 * @info: the request
 *
 * Context: process.
 * Return: 0, or a negative errno with nothing changed.
 */
int kmqtt_nl_broker_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *backpressure =
		info->attrs[KMQTT_A_BROKER_BACKPRESSURE];

	if (backpressure && nla_get_u8(backpressure) != KMQTT_BACKPRESSURE_DROP) {
		NL_SET_ERR_MSG_ATTR(info->extack, backpressure,
				    "holding publishers is not implemented, only drop is");
		return -EOPNOTSUPP;
	}
	set_settings(info, kmqtt_nl_broker(info));
	return 0;
}
