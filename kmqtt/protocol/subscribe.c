// SPDX-License-Identifier: GPL-2.0
/*
 * SUBSCRIBE and UNSUBSCRIBE (MQTT 5, 3.8 to 3.11).
 */
#include "subscribe.h"

#include <linux/slab.h>
#include "../wire/decode.h"
#include "../wire/encode.h"
#include "reply.h"

/* Filters that softirq deals with; longer packets go to a thread. */
#define FILTERS_BH	16

/* What there is to 3.x that is not subscribed to. */
#define SUBACK_FAILURE	0x80

/* Does the broker do what this subscription needs? A reason if not. */
static enum kmqtt_reason check_filter(const struct kmqtt_client *client,
				      const struct kmqtt_filter *filter,
				      u8 options)
{
	const struct kmqtt_limits *limits = &client->broker->limits;

	/* [MQTT5-3.8.3-4] */
	if (filter->share && options & KMQTT_SUB_NO_LOCAL)
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (filter->share && !READ_ONCE(limits->shared_available))
		return KMQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
	if (!READ_ONCE(limits->wildcard_available) &&
	    kmqtt_topic_has_wildcard(filter->topic, filter->len))
		return KMQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
	return KMQTT_REASON_SUCCESS;
}

/* Check the whole packet and count its filters. Negative if it is refused. */
static int count_filters(const struct kmqtt_client *client,
			 struct kmqtt_subscribe s, bool with_options,
			 enum kmqtt_reason *reason)
{
	struct kmqtt_filter filter;
	struct kmqtt_str str;
	int nr = 0, ret;
	u8 options = 0;

	for (;;) {
		ret = with_options ? kmqtt_subscribe_next(&s, &str, &options) :
				     kmqtt_unsubscribe_next(&s, &str);
		if (!ret)
			return nr;
		*reason = kmqtt_decode_reason(ret);
		if (ret < 0)
			return ret;
		*reason = KMQTT_REASON_TOPIC_FILTER_INVALID;
		if (!kmqtt_filter_parse(&filter, str.data, str.len))
			return -EINVAL;
		*reason = with_options ?
			  check_filter(client, &filter, options) : 0;
		/* Clients before 5.0 don't know what they may ask for. */
		if (*reason && client->version == KMQTT_V5)
			return -EINVAL;
		nr++;
	}
}

/* Decode and check. Returns the number of filters or what the handler returns. */
static int begin(struct kmqtt_client *client, const struct kmqtt_packet *packet,
		 bool with_options, struct kmqtt_batch *batch,
		 struct kmqtt_subscribe *s)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	enum kmqtt_reason reason;
	int nr, err;

	err = kmqtt_subscribe_decode(packet->fixed.type, client->version,
				     packet->body, packet->fixed.remaining, s);
	if (err)
		return kmqtt_client_fail(client, kmqtt_decode_reason(err));
	reason = KMQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED;
	if (s->sub_id && !READ_ONCE(limits->sub_ids_available))
		return kmqtt_client_fail(client, reason);
	nr = count_filters(client, *s, with_options, &reason);
	if (nr < 0)
		return kmqtt_client_fail(client, reason);
	return batch->bh && nr > FILTERS_BH ? -EAGAIN : nr;
}

/* Have retained messages sent, if this subscription wants them. */
static void start_replay(struct kmqtt_client *client,
			 struct kmqtt_replay *replay, bool is_new)
{
	struct kmqtt_retained *retained = &client->broker->retained;
	u8 handling = replay->options & KMQTT_SUB_RETAIN_HANDLING;

	kmqtt_replay_start(retained, replay);
	if (!READ_ONCE(client->broker->limits.retain_available))
		handling = KMQTT_RETAIN_DONT_SEND;
	/* [MQTT5-3.3.1-9] to [MQTT5-3.3.1-11] */
	switch (handling) {
	case KMQTT_RETAIN_SEND_IF_NEW:
		if (is_new)
			break;
		fallthrough;
	case KMQTT_RETAIN_DONT_SEND:
		kmqtt_replay_destroy(retained, replay);
		return;
	}
	kmqtt_session_replay(client->session, replay);
}

/* Returns the reason code for the filter, or -ENOMEM. */
static int subscribe_one(struct kmqtt_client *client,
			 struct kmqtt_sub_request *request,
			 struct kmqtt_batch *batch)
{
	const struct kmqtt_filter *filter = &request->filter;
	struct kmqtt_broker *broker = client->broker;
	u8 qos = min_t(u8, request->options & KMQTT_SUB_QOS,
		       kmqtt_client_max_qos(client));
	struct kmqtt_replay *replay = NULL;
	int ret;

	ret = check_filter(client, filter, request->options);
	if (ret)
		return ret;
	/* Members of a group get no retained messages (MQTT 5, 4.8.2). */
	if (!filter->share) {
		replay = kmqtt_replay_create(&broker->memory, filter->topic,
					     filter->len, false, batch->gfp);
		if (!replay)
			return -ENOMEM;
	}
	request->options = (request->options & ~KMQTT_SUB_QOS) | qos;
	ret = kmqtt_tree_subscribe(&broker->tree, &client->session->subscriber,
				   request,
				   READ_ONCE(broker->limits.max_subscriptions));
	if (ret < 0) {
		if (replay)
			kmqtt_replay_destroy(&broker->retained, replay);
		return ret == -ENOMEM ? ret : KMQTT_REASON_QUOTA_EXCEEDED;
	}
	if (replay) {
		replay->options = request->options;
		replay->sub_id = request->id;
		start_replay(client, replay, !ret);
	}
	return qos;
}

/* Returns the reason code for the filter, never an error. */
static u8 unsubscribe_one(struct kmqtt_client *client,
			  const struct kmqtt_filter *filter)
{
	struct kmqtt_session *session = client->session;
	int err;

	err = kmqtt_tree_unsubscribe(&client->broker->tree,
				     &session->subscriber, filter);
	/* Nothing new is sent from here on [MQTT-3.10.4-2]. */
	if (!filter->share)
		kmqtt_session_drop_replay(session, filter->topic, filter->len);

	return err ? KMQTT_REASON_NO_SUBSCRIPTION_EXISTED :
		     KMQTT_REASON_SUCCESS;
}

/*
 * Handle the filters one by one and write their codes. Returns 0, or -ENOMEM if
 * a thread is to begin again.
 */
static int handle_filters(struct kmqtt_client *client,
			  struct kmqtt_subscribe *s, bool subscribe, int nr,
			  u8 *codes, struct kmqtt_batch *batch)
{
	struct kmqtt_sub_request request = { .id = s->sub_id };
	struct kmqtt_str str;
	int ret;

	/* A QoS 2 message that is not over has this identifier. */
	if (s->version == KMQTT_V5 &&
	    kmqtt_session_received(client->session, s->id)) {
		memset(codes, KMQTT_REASON_PACKET_IDENTIFIER_IN_USE, nr);
		return 0;
	}
	while (subscribe ? kmqtt_subscribe_next(s, &str, &request.options) > 0 :
			   kmqtt_unsubscribe_next(s, &str) > 0) {
		kmqtt_filter_parse(&request.filter, str.data, str.len);
		ret = subscribe ? subscribe_one(client, &request, batch) :
				  unsubscribe_one(client, &request.filter);
		if (ret < 0 && batch->bh)
			return ret;
		if (ret < 0)
			ret = KMQTT_REASON_QUOTA_EXCEEDED;
		if (ret > KMQTT_QOS2 && subscribe && s->version != KMQTT_V5)
			ret = SUBACK_FAILURE;
		*codes++ = ret;
	}
	return 0;
}

/* Both packets, and both answers, are alike. */
static int handle_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch)
{
	bool subscribe = packet->fixed.type == KMQTT_SUBSCRIBE;
	struct kmqtt_subscribe s;
	int nr, ret;
	u8 *answer;
	size_t len;

	nr = begin(client, packet, subscribe, batch, &s);
	if (nr < 0)
		return nr;
	answer = kmalloc(KMQTT_SUBACK_HEAD_MAX + nr, batch->gfp | __GFP_NOWARN);
	if (!answer)
		goto no_memory;
	len = kmqtt_suback_head_encode(answer,
				       subscribe ? KMQTT_SUBACK : KMQTT_UNSUBACK,
				       client->version, s.id, nr);
	ret = kmqtt_link_reserve(&client->link, len + nr, batch->gfp);
	if (ret == -ENOMEM)
		goto no_memory;
	if (ret)
		goto out_free;
	if (handle_filters(client, &s, subscribe, nr, answer + len, batch))
		goto no_memory;
	ret = kmqtt_reply_send(client, answer, len + nr, batch);
	/* Retained messages may be due even if the answer was too large. */
	kmqtt_link_touch(&client->link, batch);
out_free:
	kfree(answer);
	return ret;

no_memory:
	kfree(answer);
	if (batch->bh)
		return -EAGAIN;
	return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
}

/**
 * kmqtt_subscribe_packet() - handle a SUBSCRIBE
 * @client: the subscriber
 * @packet: the packet
 * @batch: sends the SUBACK and retained messages
 *
 * To subscribe again is harmless, so a thread may begin anew where softirq ran
 * out of memory half way.
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENOSPC if the client has to
 * read first, -ECONNABORTED if the connection was closed.
 */
int kmqtt_subscribe_packet(struct kmqtt_client *client,
			   const struct kmqtt_packet *packet,
			   struct kmqtt_batch *batch)
{
	return handle_packet(client, packet, batch);
}

/**
 * kmqtt_unsubscribe_packet() - handle an UNSUBSCRIBE
 * @client: the subscriber
 * @packet: the packet
 * @batch: sends the UNSUBACK
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENOSPC if the client has to
 * read first, -ECONNABORTED if the connection was closed.
 */
int kmqtt_unsubscribe_packet(struct kmqtt_client *client,
			     const struct kmqtt_packet *packet,
			     struct kmqtt_batch *batch)
{
	struct kmqtt_subscribe s;
	struct kmqtt_filter filter;
	struct kmqtt_str str;
	int nr;

	if (client->version == KMQTT_V5)
		return handle_packet(client, packet, batch);
	/* Before 5.0 the answer is an identifier and nothing more. */
	nr = begin(client, packet, false, batch, &s);
	if (nr < 0)
		return nr;
	while (kmqtt_unsubscribe_next(&s, &str) > 0) {
		kmqtt_filter_parse(&filter, str.data, str.len);
		unsubscribe_one(client, &filter);
	}
	return kmqtt_reply_ack(client, KMQTT_UNSUBACK, s.id,
			       KMQTT_REASON_SUCCESS, batch);
}
