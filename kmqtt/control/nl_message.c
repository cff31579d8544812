// SPDX-License-Identifier: GPL-2.0
/*
 * Messages from controlling programs, and for them.
 */
#include <linux/slab.h>
#include "../net/conn.h"
#include "../net/pass.h"
#include "../protocol/route.h"
#include "../session/right.h"
#include "../topic/name.h"
#include "../wire/encode.h"
#include "../wire/utf8.h"
#include "genl.h"
#include "reply.h"
#include "tap.h"

static int refuse(struct genl_info *info, int attr, const char *why)
{
	NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[attr], "%s", why);
	return -EINVAL;
}

/* What is wrong with a message is told by its attribute. Returns 0 if nothing. */
static int check_message(struct genl_info *info, const struct kmqtt_str *topic,
			 u8 qos, bool retain)
{
	const struct kmqtt_limits *limits = &kmqtt_nl_broker(info)->limits;
	const struct nlattr *payload = info->attrs[KMQTT_A_MESSAGE_PAYLOAD];

	if (payload && nla_len(payload) > READ_ONCE(limits->max_payload_size))
		return refuse(info, KMQTT_A_MESSAGE_PAYLOAD,
			      "the broker takes no payload of this size");
	if (!kmqtt_utf8_valid(topic->data, topic->len) ||
	    !kmqtt_topic_name_valid(topic->data, topic->len))
		return refuse(info, KMQTT_A_MESSAGE_TOPIC,
			      "this is no valid topic name");
	if (kmqtt_right_reserved(topic))
		return refuse(info, KMQTT_A_MESSAGE_TOPIC,
			      "this topic is the broker's alone");
	if (qos > READ_ONCE(limits->max_qos))
		return refuse(info, KMQTT_A_MESSAGE_QOS,
			      "the broker doesn't do this QoS");
	if (retain && !READ_ONCE(limits->retain_available))
		return refuse(info, KMQTT_A_MESSAGE_RETAIN,
			      "the broker retains no messages");
	return 0;
}

/* Properties as they come in a packet, for kfree(). Returns NULL without memory. */
static u8 *encode_props(struct kmqtt_props *props)
{
	u32 len = kmqtt_props_len(props);
	u8 *block = kmalloc(len + sizeof(u32), GFP_KERNEL);

	if (!block)
		return NULL;
	props->block = block + kmqtt_props_encode(block, props) - len;
	props->block_len = len;
	return block;
}

/* Returns 0, -EINVAL if a property isn't valid. */
static int read_props(struct genl_info *info, struct kmqtt_props *props)
{
	const struct nlattr *expiry = info->attrs[KMQTT_A_MESSAGE_EXPIRY];
	const struct nlattr *type = info->attrs[KMQTT_A_MESSAGE_CONTENT_TYPE];

	if (expiry) {
		props->message_expiry = nla_get_u32(expiry);
		kmqtt_prop_add(props, KMQTT_PROP_MESSAGE_EXPIRY);
	}
	if (type) {
		props->content_type = kmqtt_nl_str(type);
		if (!kmqtt_utf8_valid(props->content_type.data,
				      props->content_type.len))
			return refuse(info, KMQTT_A_MESSAGE_CONTENT_TYPE,
				      "this is no UTF-8");
		kmqtt_prop_add(props, KMQTT_PROP_CONTENT_TYPE);
	}
	return 0;
}

static struct kmqtt_msg *create_msg(struct genl_info *info,
				    const struct kmqtt_str *topic,
				    const struct kmqtt_props *props)
{
	const struct nlattr *payload = info->attrs[KMQTT_A_MESSAGE_PAYLOAD];
	u32 len = payload ? nla_len(payload) : 0;
	struct kmqtt_msg *msg;

	msg = kmqtt_msg_create(&kmqtt_nl_broker(info)->memory, topic, props,
			       len, GFP_KERNEL);
	if (msg && len &&
	    kmqtt_msg_write(msg, nla_data(payload), len, GFP_KERNEL)) {
		kmqtt_msg_put(msg);
		msg = NULL;
	}
	return msg;
}

/* The message that a request tells, or an ERR_PTR(). */
static struct kmqtt_msg *read_msg(struct genl_info *info)
{
	const struct nlattr *retain = info->attrs[KMQTT_A_MESSAGE_RETAIN];
	const struct nlattr *qos = info->attrs[KMQTT_A_MESSAGE_QOS];
	struct kmqtt_props props = {};
	struct kmqtt_msg *msg = NULL;
	struct kmqtt_str topic;
	u8 *block;
	int err;

	topic = kmqtt_nl_str(info->attrs[KMQTT_A_MESSAGE_TOPIC]);
	err = check_message(info, &topic, qos ? nla_get_u8(qos) : 0,
			    retain && nla_get_u8(retain)) ?:
	      read_props(info, &props);
	if (err)
		return ERR_PTR(err);
	block = encode_props(&props);
	if (block)
		msg = create_msg(info, &topic, &props);
	kfree(block);
	if (!msg)
		return ERR_PTR(-ENOMEM);
	msg->qos = qos ? nla_get_u8(qos) : 0;
	msg->retain = retain && nla_get_u8(retain);
	return msg;
}

/* Returns 0, or -ENOMEM if a subscriber, or all of them, didn't get it. */
static int publish(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		   u32 *subscriptions)
{
	struct kmqtt_pass *pass = kmqtt_pass_take();
	bool good = true;
	int err;

	err = kmqtt_route(broker, NULL, msg, &pass->batch, &good);
	*subscriptions = pass->route.nr;
	kmqtt_conn_flush_batch(pass);
	kmqtt_pass_give(pass);
	return err || good ? err : -ENOMEM;
}

/**
 * kmqtt_nl_message_publish_doit() - publish a message
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_message_publish_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	struct kmqtt_msg *msg;
	u32 subscriptions;
	void *hdr;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_MESSAGE_TOPIC))
		return -EINVAL;
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	msg = read_msg(info);
	err = PTR_ERR_OR_ZERO(msg);
	if (!err) {
		err = publish(kmqtt_nl_broker(info), msg, &subscriptions);
		kmqtt_msg_put(msg);
	}
	if (!err)
		err = nla_put_u32(reply, KMQTT_A_MESSAGE_SUBSCRIPTIONS,
				  subscriptions);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}

static int tap_messages(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *max = info->attrs[KMQTT_A_MESSAGE_PAYLOAD_MAX];
	struct kmqtt_filter filter;
	struct kmqtt_str str;

	str = kmqtt_nl_str(info->attrs[KMQTT_A_MESSAGE_FILTER]);
	if (!kmqtt_utf8_valid(str.data, str.len) ||
	    !kmqtt_filter_parse(&filter, str.data, str.len))
		return refuse(info, KMQTT_A_MESSAGE_FILTER,
			      "this is no valid topic filter");
	if (filter.share)
		return refuse(info, KMQTT_A_MESSAGE_FILTER,
			      "a tap can't be shared");
	return kmqtt_tap_add(info, NETLINK_CB(skb).sk, &str, NULL,
			     max ? nla_get_u32(max) : 0);
}

static int tap_packets(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_str id;

	id = kmqtt_nl_str(info->attrs[KMQTT_A_MESSAGE_CLIENT_ID]);
	if (!id.len || !kmqtt_utf8_valid(id.data, id.len))
		return refuse(info, KMQTT_A_MESSAGE_CLIENT_ID,
			      "nobody is called that: empty, or not UTF-8");
	if (info->attrs[KMQTT_A_MESSAGE_FILTER])
		return refuse(info, KMQTT_A_MESSAGE_FILTER,
			      "packets of a client have no filter");
	if (info->attrs[KMQTT_A_MESSAGE_PAYLOAD_MAX])
		return refuse(info, KMQTT_A_MESSAGE_PAYLOAD_MAX,
			      "packets are shown without their payload");
	return kmqtt_tap_add(info, NETLINK_CB(skb).sk, NULL, &id, 0);
}

/**
 * kmqtt_nl_tap_add_doit() - begin to show messages or packets to a socket
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_tap_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (info->attrs[KMQTT_A_MESSAGE_CLIENT_ID])
		return tap_packets(skb, info);
	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_MESSAGE_FILTER))
		return -EINVAL;
	return tap_messages(skb, info);
}

/**
 * kmqtt_nl_tap_del_doit() - show nothing more to a socket
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_tap_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;
	u64 lost;
	int err;

	/* Before anything changes, so that nothing fails after that. */
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	err = kmqtt_tap_del(info, NETLINK_CB(skb).sk, &lost) ?:
	      nla_put_uint(reply, KMQTT_A_MESSAGE_LOST, lost);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}
