// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of a broker. Policies have checked the ranges of numbers before a
 * handler runs.
 */
#include "genl.h"
#include <linux/slab.h>
#include "../net/registry.h"
#include "../settings.h"
#include "../wire/utf8.h"
#include "config.h"
#include "read.h"
#include "reply.h"
#include "sys.h"

static const u16 text_attrs[KMQTT_TEXTS] = {
	[KMQTT_TEXT_RESPONSE_INFO] = KMQTT_A_BROKER_RESPONSE_INFORMATION,
	[KMQTT_TEXT_SERVER_REFERENCE] = KMQTT_A_BROKER_SERVER_REFERENCE,
	[KMQTT_TEXT_CLIENT_ID_PREFIX] =
		KMQTT_A_BROKER_REQUIRED_CLIENT_ID_PREFIX,
};

static int put_text(struct sk_buff *skb, int attr,
		    struct kmqtt_text __rcu **setting)
{
	const struct kmqtt_text *text;
	int err = 0;

	rcu_read_lock();
	text = rcu_dereference(*setting);
	if (text)
		err = nla_put(skb, attr, text->len, text->data);
	rcu_read_unlock();
	return err;
}

static int put_texts(struct sk_buff *skb, struct kmqtt_broker *broker)
{
	int i, err = 0;

	for (i = 0; !err && i < KMQTT_TEXTS; i++)
		err = put_text(skb, text_attrs[i], &broker->texts[i]);
	return err;
}

/* What clients of MQTT 5 are told. */
static int put_capabilities(struct sk_buff *skb, struct kmqtt_broker *broker)
{
	const struct kmqtt_limits *limits = &broker->limits;

	if (nla_put_u32(skb, KMQTT_A_BROKER_MAX_SESSION_EXPIRY,
			READ_ONCE(limits->max_session_expiry)) ||
	    nla_put_u16(skb, KMQTT_A_BROKER_RECEIVE_MAX,
			READ_ONCE(limits->receive_max)) ||
	    nla_put_u16(skb, KMQTT_A_BROKER_TOPIC_ALIAS_MAX,
			READ_ONCE(limits->topic_alias_max)) ||
	    nla_put_u16(skb, KMQTT_A_BROKER_MAX_KEEPALIVE,
			READ_ONCE(limits->max_keepalive)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_MAX_QOS,
		       READ_ONCE(limits->max_qos)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_RETAIN_AVAILABLE,
		       READ_ONCE(limits->retain_available)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_WILDCARD_AVAILABLE,
		       READ_ONCE(limits->wildcard_available)))
		return -EMSGSIZE;
	if (nla_put_u8(skb, KMQTT_A_BROKER_SHARED_AVAILABLE,
		       READ_ONCE(limits->shared_available)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_SUBSCRIPTION_IDS_AVAILABLE,
		       READ_ONCE(limits->sub_ids_available)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_VALIDATE_PAYLOAD,
		       READ_ONCE(limits->validate_payload)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_REDIRECT,
		       READ_ONCE(limits->redirect)))
		return -EMSGSIZE;
	return 0;
}

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
		       KMQTT_BACKPRESSURE_DROP) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_SYS_INTERVAL,
			kmqtt_sys_interval(broker->sys)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_MAX_PAYLOAD_SIZE,
			READ_ONCE(limits->max_payload_size)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_QUEUE_QOS0,
		       READ_ONCE(outbox->queue_qos0)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_UPGRADE_QOS,
		       READ_ONCE(outbox->upgrade_qos)) ||
	    nla_put_uint(skb, KMQTT_A_BROKER_MAX_INFLIGHT_BYTES,
			 READ_ONCE(outbox->max_inflight_bytes)) ||
	    nla_put_u8(skb, KMQTT_A_BROKER_CHECK_RETAIN_SOURCE,
		       READ_ONCE(broker->store.check_retain_source)))
		return -EMSGSIZE;
	return 0;
}

static int put_bans(struct sk_buff *skb, const struct kmqtt_access *access)
{
	const struct kmqtt_flapping *flapping = &access->flapping;

	if (nla_put_u32(skb, KMQTT_A_BROKER_MAX_BANS,
			READ_ONCE(access->bans.max)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_FLAPPING_MAX,
			READ_ONCE(flapping->max)) ||
	    nla_put_u32(skb, KMQTT_A_BROKER_FLAPPING_WINDOW,
			READ_ONCE(flapping->window)))
		return -EMSGSIZE;
	return nla_put_u32(skb, KMQTT_A_BROKER_FLAPPING_BAN,
			   READ_ONCE(flapping->ban));
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
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct sk_buff *reply;
	void *hdr;

	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	if (put_settings(reply, broker) || put_capabilities(reply, broker) ||
	    put_texts(reply, broker) || put_bans(reply, &broker->access)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}

/* Make a text of an attribute, or NULL if there is none or it is empty. */
static int make_text(struct genl_info *info, int attr, struct kmqtt_text **text)
{
	struct kmqtt_str str;

	*text = NULL;
	if (!info->attrs[attr])
		return 0;
	str = kmqtt_nl_str(info->attrs[attr]);
	if (!str.len)
		return 0;
	if (!kmqtt_utf8_valid(str.data, str.len)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "the text is not UTF-8");
		return -EINVAL;
	}
	*text = kmqtt_text_create(&str);
	return *text ? 0 : -ENOMEM;
}

/* All of them, in the place of what was, or none. */
static int read_texts(struct genl_info *info, struct kmqtt_text **settings)
{
	struct kmqtt_text *texts[KMQTT_TEXTS] = {};
	int i, err = 0;

	for (i = 0; !err && i < KMQTT_TEXTS; i++)
		err = make_text(info, text_attrs[i], &texts[i]);
	for (i = 0; i < KMQTT_TEXTS; i++) {
		if (!err && info->attrs[text_attrs[i]])
			swap(settings[i], texts[i]);
		kfree(texts[i]);
	}
	return err;
}

static void read_capabilities(struct genl_info *info,
			      struct kmqtt_limits *limits)
{
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_SESSION_EXPIRY,
			  &limits->max_session_expiry);
	kmqtt_nl_read_u16(info, KMQTT_A_BROKER_RECEIVE_MAX,
			  &limits->receive_max);
	kmqtt_nl_read_u16(info, KMQTT_A_BROKER_TOPIC_ALIAS_MAX,
			  &limits->topic_alias_max);
	kmqtt_nl_read_u16(info, KMQTT_A_BROKER_MAX_KEEPALIVE,
			  &limits->max_keepalive);
	kmqtt_nl_read_u8(info, KMQTT_A_BROKER_MAX_QOS, &limits->max_qos);
	kmqtt_nl_read_u8(info, KMQTT_A_BROKER_REDIRECT, &limits->redirect);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_RETAIN_AVAILABLE,
			   &limits->retain_available);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_WILDCARD_AVAILABLE,
			   &limits->wildcard_available);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_SHARED_AVAILABLE,
			   &limits->shared_available);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_SUBSCRIPTION_IDS_AVAILABLE,
			   &limits->sub_ids_available);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_VALIDATE_PAYLOAD,
			   &limits->validate_payload);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_BH_PATH, &limits->bh_path);
}

/* The memory that counting needs has to be there before. */
static int prepare_flapping(struct genl_info *info)
{
	const struct nlattr *max = info->attrs[KMQTT_A_BROKER_FLAPPING_MAX];

	if (!max || !nla_get_u32(max))
		return 0;
	return kmqtt_flapping_prepare(&kmqtt_nl_broker(info)->access.flapping);
}

static void read_bans(struct genl_info *info, struct kmqtt_settings *s)
{
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_BANS, &s->max_bans);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_FLAPPING_MAX, &s->flapping_max);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_FLAPPING_WINDOW,
			  &s->flapping_window);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_FLAPPING_BAN, &s->flapping_ban);
}

/* Settings that are given, over those that are there; all of them or none. */
static int read_settings(struct genl_info *info, struct kmqtt_settings *s)
{
	const struct nlattr *backpressure =
		info->attrs[KMQTT_A_BROKER_BACKPRESSURE];
	int err;

	if (backpressure && nla_get_u8(backpressure) != KMQTT_BACKPRESSURE_DROP) {
		NL_SET_ERR_MSG_ATTR(info->extack, backpressure,
				    "holding publishers is not implemented, only drop is");
		return -EOPNOTSUPP;
	}
	err = prepare_flapping(info) ?: read_texts(info, s->texts);
	if (err)
		return err;
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_CONNECTIONS,
			  &s->max_connections);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_CONNECTIONS_PER_SOURCE,
			  &s->max_per_source);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_CONNECT_TIMEOUT,
			  &s->limits.connect_timeout);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_PACKET_SIZE,
			  &s->limits.max_packet_size);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_PAYLOAD_SIZE,
			  &s->limits.max_payload_size);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_INFLIGHT,
			  &s->outbox.max_inflight);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_QUEUED_MESSAGES,
			  &s->outbox.max_queued);
	kmqtt_nl_read_u64(info, KMQTT_A_BROKER_MAX_QUEUED_BYTES,
			  &s->outbox.max_bytes);
	kmqtt_nl_read_u64(info, KMQTT_A_BROKER_MAX_INFLIGHT_BYTES,
			  &s->outbox.max_inflight_bytes);
	kmqtt_nl_read_u64(info, KMQTT_A_BROKER_MAX_MEMORY, &s->max_memory);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_SESSIONS, &s->max_sessions);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_RETAINED,
			  &s->limits.max_retained);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_MAX_SUBSCRIPTIONS,
			  &s->limits.max_subscriptions);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_QUEUE_QOS0,
			   &s->outbox.queue_qos0);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_UPGRADE_QOS,
			   &s->outbox.upgrade_qos);
	kmqtt_nl_read_bool(info, KMQTT_A_BROKER_CHECK_RETAIN_SOURCE,
			   &s->check_retain_source);
	kmqtt_nl_read_u32(info, KMQTT_A_BROKER_SYS_INTERVAL, &s->sys_interval);
	read_capabilities(info, &s->limits);
	read_bans(info, s);
	return 0;
}

static int set_now(struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct kmqtt_settings settings;
	int i, err;

	mutex_lock(&broker->settings_mutex);
	kmqtt_settings_get(broker, &settings);
	err = read_settings(info, &settings);
	if (err)
		goto out_unlock;
	kmqtt_settings_apply(broker, &settings);
	for (i = 0; i < KMQTT_TEXTS; i++)
		if (info->attrs[text_attrs[i]])
			kmqtt_text_set(&broker->texts[i], settings.texts[i]);
out_unlock:
	mutex_unlock(&broker->settings_mutex);
	if (!err && info->attrs[KMQTT_A_BROKER_SYS_INTERVAL])
		kmqtt_sys_set_interval(broker->sys, settings.sys_interval);
	return err;
}

/**
 * kmqtt_nl_broker_set_doit() - change the settings that are given
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno with nothing changed.
 */
int kmqtt_nl_broker_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_config *config = kmqtt_config_change(info);
	int err;

	if (!config)
		return set_now(info);
	err = read_settings(info, &config->settings);
	kmqtt_config_changed(config);
	return err;
}
