// SPDX-License-Identifier: GPL-2.0
/*
 * Retained messages, found by the same walks that subscribers get them by.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "../topic/name.h"
#include "../topic/retained.h"
#include "../wire/utf8.h"
#include "genl.h"
#include "reply.h"

/* Tree nodes that are visited before others get to run. */
#define WALK_STEPS	256

/**
 * struct retained_dump - where a dump of retained messages stands
 * @store: constant
 * @replay: the walk
 * @next: the message that did not fit, with a reference, or NULL
 * @payload_max: bytes of payloads to show
 */
struct retained_dump {
	struct kmqtt_retained *store;
	struct kmqtt_replay *replay;
	struct kmqtt_msg *next;
	u32 payload_max;
};

/* A walk over what @filter stands for, or over everything if there is none. */
static struct kmqtt_replay *begin_walk(struct kmqtt_retained *store,
				       const struct nlattr *filter,
				       struct netlink_ext_ack *extack)
{
	struct kmqtt_str str = { .data = "#", .len = 1 };
	struct kmqtt_replay *replay;

	if (filter) {
		str = kmqtt_nl_str(filter);
		if (!kmqtt_utf8_valid(str.data, str.len) ||
		    !kmqtt_topic_filter_valid(str.data, str.len)) {
			NL_SET_ERR_MSG_ATTR(extack, filter,
					    "this is no valid topic filter");
			return ERR_PTR(-EINVAL);
		}
	}
	replay = kmqtt_replay_create(NULL, str.data, str.len, !filter,
				     GFP_KERNEL);
	if (!replay)
		return ERR_PTR(-ENOMEM);
	kmqtt_replay_start(store, replay);
	return replay;
}

/* Like kmqtt_replay_next(), but gives way instead of coming back half way. */
static int walk_on(struct kmqtt_retained *store, struct kmqtt_replay *replay,
		   struct kmqtt_msg **msg)
{
	u32 steps;
	int ret;

	for (;;) {
		steps = WALK_STEPS;
		ret = kmqtt_replay_next(store, replay, &steps, msg);
		if (ret != -EAGAIN)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/**
 * kmqtt_nl_retained_get_start() - begin to tell of retained messages
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL if the filter isn't valid, -ENOMEM.
 */
int kmqtt_nl_retained_get_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct retained_dump *dump;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->store = &kmqtt_nl_dump_broker(cb)->retained;
	dump->replay = begin_walk(dump->store, attrs[KMQTT_A_RETAINED_FILTER],
				  cb->extack);
	if (IS_ERR(dump->replay)) {
		int err = PTR_ERR(dump->replay);

		kfree(dump);
		return err;
	}
	if (attrs[KMQTT_A_RETAINED_PAYLOAD_MAX])
		dump->payload_max =
			nla_get_u32(attrs[KMQTT_A_RETAINED_PAYLOAD_MAX]);
	/* Buffers with room for one message at least. */
	cb->min_dump_alloc = KMQTT_NL_NUMBERS + KMQTT_SHOWN_STRING_MAX +
			     dump->payload_max;
	*(struct retained_dump **)cb->ctx = dump;
	return 0;
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct retained_dump *dump)
{
	const struct kmqtt_msg *msg = dump->next;
	bool cut = false;
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_RETAINED_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (kmqtt_nl_put_string(skb, KMQTT_A_RETAINED_TOPIC,
				kmqtt_msg_topic(msg), msg->topic_len, &cut) ||
	    nla_put_u8(skb, KMQTT_A_RETAINED_QOS, msg->qos) ||
	    nla_put_u32(skb, KMQTT_A_RETAINED_SIZE, msg->payload_len) ||
	    kmqtt_nl_put_payload(skb, KMQTT_A_RETAINED_PAYLOAD, msg,
				 dump->payload_max) ||
	    (cut && nla_put_flag(skb, KMQTT_A_RETAINED_TRUNCATED))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_retained_get_dumpit() - tell of some more retained messages
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_retained_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct retained_dump *dump = *(struct retained_dump **)cb->ctx;
	int ret = 0;

	while (!ret) {
		if (!dump->next) {
			ret = walk_on(dump->store, dump->replay, &dump->next);
			if (ret <= 0)
				break;
		}
		ret = put_entry(skb, cb, dump);
		if (!ret) {
			kmqtt_msg_put(dump->next);
			dump->next = NULL;
		}
		cond_resched();
	}
	return kmqtt_nl_dumped(skb, ret);
}

/**
 * kmqtt_nl_retained_get_done() - end telling of retained messages
 * @cb: the dump
 *
 * Context: process.
 * Return: 0.
 */
int kmqtt_nl_retained_get_done(struct netlink_callback *cb)
{
	struct retained_dump *dump = *(struct retained_dump **)cb->ctx;

	kmqtt_msg_put(dump->next);
	kmqtt_replay_destroy(dump->store, dump->replay);
	kfree(dump);
	return 0;
}

static int delete_topic(struct kmqtt_retained *store,
			const struct nlattr *topic,
			struct netlink_ext_ack *extack)
{
	struct kmqtt_str str = kmqtt_nl_str(topic);

	if (!kmqtt_utf8_valid(str.data, str.len) ||
	    !kmqtt_topic_name_valid(str.data, str.len)) {
		NL_SET_ERR_MSG_ATTR(extack, topic,
				    "this is no valid topic name");
		return -EINVAL;
	}
	if (kmqtt_retained_clear(store, str.data, str.len)) {
		NL_SET_ERR_MSG_ATTR(extack, topic,
				    "this topic has no retained message");
		return -ENOENT;
	}
	return 0;
}

/* Delete what @filter stands for, or everything if there is none. */
static int delete_matches(struct kmqtt_retained *store,
			  const struct nlattr *filter, u32 *count,
			  struct netlink_ext_ack *extack)
{
	struct kmqtt_replay *replay;
	struct kmqtt_msg *msg;
	int ret;

	replay = begin_walk(store, filter, extack);
	if (IS_ERR(replay))
		return PTR_ERR(replay);
	while ((ret = walk_on(store, replay, &msg)) == 1) {
		if (!kmqtt_retained_clear(store, kmqtt_msg_topic(msg),
					  msg->topic_len))
			++*count;
		kmqtt_msg_put(msg);
		cond_resched();
	}
	kmqtt_replay_destroy(store, replay);
	return ret;
}

/* Returns 0 if the request tells in one way what to delete. */
static int check_choice(struct genl_info *info)
{
	static const u16 ways[] = {
		KMQTT_A_RETAINED_TOPIC, KMQTT_A_RETAINED_FILTER,
		KMQTT_A_RETAINED_ALL,
	};
	const struct nlattr *first = NULL;
	int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct nlattr *attr = info->attrs[ways[i]];

		if (attr && first) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "only one of topic, filter and all");
			return -EINVAL;
		}
		first = first ?: attr;
	}
	if (!first)
		return GENL_REQ_ATTR_CHECK(info, KMQTT_A_RETAINED_TOPIC);
	return 0;
}

/**
 * kmqtt_nl_retained_del_doit() - forget retained messages
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_retained_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_retained *store = &kmqtt_nl_broker(info)->retained;
	const struct nlattr *topic = info->attrs[KMQTT_A_RETAINED_TOPIC];
	struct sk_buff *reply;
	u32 count = 0;
	void *hdr;
	int err;

	err = check_choice(info);
	if (err)
		return err;
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	if (topic) {
		err = delete_topic(store, topic, info->extack);
		count = 1;
	} else {
		err = delete_matches(store,
				     info->attrs[KMQTT_A_RETAINED_FILTER],
				     &count, info->extack);
	}
	if (!err)
		err = nla_put_u32(reply, KMQTT_A_RETAINED_COUNT, count);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}
