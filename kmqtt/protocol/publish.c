// SPDX-License-Identifier: GPL-2.0
/*
 * PUBLISH from a client (MQTT 5, 3.3 and 4.3).
 *
 * Everything that can fail comes before the first effect, so that softirq may
 * give up at any of these points and a thread begins again.
 */
#include "publish.h"

#include "../session/author.h"
#include "../session/right.h"
#include "../wire/decode.h"
#include "event.h"
#include "reply.h"
#include "route.h"
#include "run.h"

/*
 * Bytes of topic and properties together. With this much, what is added for a
 * subscriber, and a payload that is copied, all fits the send buffer.
 */
#define HEAD_MAX	(72 << 10)

/* In a thread there is nobody left to try again. */
static int no_memory(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	if (batch->bh)
		return -EAGAIN;
	return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
}

/*
 * The topic that an alias stands for, or from now on stands for. Returns 0,
 * -ENOMEM, or -EINVAL with a reason.
 */
static int resolve_alias(struct kmqtt_client *client, struct kmqtt_publish *pub,
			 gfp_t gfp, enum kmqtt_reason *reason)
{
	u16 alias = pub->props.topic_alias;
	int err;

	*reason = KMQTT_REASON_PROTOCOL_ERROR;
	if (!kmqtt_prop_has(&pub->props, KMQTT_PROP_TOPIC_ALIAS))
		return pub->topic.len || client->version != KMQTT_V5 ?
		       0 : -EINVAL;
	err = pub->topic.len ?
	      kmqtt_alias_set(&client->aliases, &client->broker->memory, alias,
			      &pub->topic, gfp) :
	      kmqtt_alias_get(&client->aliases, alias, &pub->topic);
	if (!err || err == -ENOMEM)
		return err;
	if (err == -ERANGE)
		*reason = KMQTT_REASON_TOPIC_ALIAS_INVALID;
	return -EINVAL;
}

/* What the broker doesn't take from this client, or KMQTT_REASON_SUCCESS. */
static enum kmqtt_reason check_publish(const struct kmqtt_client *client,
				       const struct kmqtt_publish *pub)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	const struct kmqtt_props *props = &pub->props;

	if (!kmqtt_topic_name_valid(pub->topic.data, pub->topic.len))
		return KMQTT_REASON_TOPIC_NAME_INVALID;
	if (pub->qos > kmqtt_client_max_qos(client))
		return KMQTT_REASON_QOS_NOT_SUPPORTED;
	if (pub->retain && !READ_ONCE(limits->retain_available))
		return KMQTT_REASON_RETAIN_NOT_SUPPORTED;
	if (!props->present)
		return KMQTT_REASON_SUCCESS;
	if (kmqtt_prop_has(props, KMQTT_PROP_SUBSCRIPTION_ID))
		return KMQTT_REASON_PROTOCOL_ERROR;	/* [MQTT-3.3.4-6] */
	if (kmqtt_prop_has(props, KMQTT_PROP_RESPONSE_TOPIC) &&
	    !kmqtt_topic_name_valid(props->response_topic.data,
				    props->response_topic.len))
		return KMQTT_REASON_PROTOCOL_ERROR;	/* [MQTT-3.3.2-14] */
	return KMQTT_REASON_SUCCESS;
}

/**
 * kmqtt_publish_begin() - begin to receive a PUBLISH
 * @client: the publisher
 * @fixed: its fixed header
 * @data: what follows it
 * @len: bytes there; fewer than announced if the payload is still coming
 * @in: the message, without payload, on success
 * @batch: how to allocate
 * @head_len: bytes of @data before the payload, on success
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENODATA if the head is
 * incomplete, -ECONNABORTED if the connection was closed.
 */
int kmqtt_publish_begin(struct kmqtt_client *client,
			const struct kmqtt_fixed *fixed, const u8 *data,
			size_t len, struct kmqtt_incoming *in,
			struct kmqtt_batch *batch, u32 *head_len)
{
	/* Large, and the decoder says what of it counts: not zeroed each time. */
	struct kmqtt_publish pub __uninitialized;
	enum kmqtt_reason reason;
	int err;

	err = kmqtt_publish_decode(fixed, client->version, data, len, &pub);
	if (err == -EAGAIN && len < HEAD_MAX)
		return -ENODATA;
	if (err == -EAGAIN || (!err && pub.head_len > HEAD_MAX))
		return kmqtt_client_fail(client, KMQTT_REASON_PACKET_TOO_LARGE);
	if (err)
		return kmqtt_client_fail(client, kmqtt_decode_reason(err));
	err = resolve_alias(client, &pub, batch->gfp, &reason);
	if (err == -ENOMEM)
		return no_memory(client, batch);
	/* The topic that an alias stands for was in no head until now. */
	if (!err && pub.topic.len + pub.props.block_len > HEAD_MAX)
		reason = KMQTT_REASON_PACKET_TOO_LARGE;
	else if (!err)
		reason = check_publish(client, &pub);
	if (reason)
		return kmqtt_client_fail(client, reason);
	in->id = pub.id;
	in->is_text = kmqtt_prop_has(&pub.props, KMQTT_PROP_PAYLOAD_FORMAT) &&
		      pub.props.payload_format;
	in->msg = kmqtt_msg_create(&client->broker->memory, &pub.topic,
				   &pub.props, pub.payload_len, batch->gfp);
	if (!in->msg)
		return no_memory(client, batch);
	in->msg->qos = pub.qos;
	in->msg->retain = pub.retain;
	in->msg->origin = client->session->origin;
	*head_len = pub.head_len;
	return 0;
}

/**
 * kmqtt_publish_abort() - a message will not come after all
 * @in: the message
 *
 * Context: any but hard interrupts.
 */
void kmqtt_publish_abort(struct kmqtt_incoming *in)
{
	kmqtt_msg_put(in->msg);
	in->msg = NULL;
}

/* Note a QoS 2 message. Returns 1 if it was noted before, or as accept_msg(). */
static int receive_once(struct kmqtt_client *client, u16 id,
			struct kmqtt_batch *batch)
{
	struct kmqtt_session *session = client->session;

	if (kmqtt_session_received(session, id))
		return 1;
	/* What was received with QoS 1 is acknowledged already. */
	if (client->version == KMQTT_V5 && READ_ONCE(session->nr_received) >=
	    READ_ONCE(client->broker->limits.receive_max))
		return kmqtt_client_fail(client,
					 KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED);
	return kmqtt_session_receive(session, id) ?
	       no_memory(client, batch) : 0;
}

/**
 * kmqtt_publish_unaccepted() - a subscriber lost a message
 * @client: the publisher
 * @qos: of the message
 * @reason: what to acknowledge it with
 *
 * Nobody may have got it, and it was to arrive for sure. Say so where there is
 * a way to; else the publisher sends it again when it comes back.
 *
 * Context: the client's receive side.
 * Return: 0, or -ECONNABORTED if the connection was closed.
 */
int kmqtt_publish_unaccepted(struct kmqtt_client *client, u8 qos,
			     enum kmqtt_reason *reason)
{
	if (client->version != KMQTT_V5 || !qos)
		return kmqtt_client_fail(client, KMQTT_REASON_QUOTA_EXCEEDED);
	*reason = KMQTT_REASON_QUOTA_EXCEEDED;
	return 0;
}

/*
 * Route a filled message. All or nothing up to deliver(). Returns as
 * kmqtt_publish_finish(), with what the publisher is told.
 */
static int accept_msg(struct kmqtt_client *client, struct kmqtt_incoming *in,
		      struct kmqtt_batch *batch, enum kmqtt_reason *reason)
{
	struct kmqtt_msg *msg = in->msg;
	bool assured = msg->qos == KMQTT_QOS2;
	bool good = true;
	int err;

	/* A QoS 2 message is routed once, however often it comes. */
	err = assured ? receive_once(client, in->id, batch) : 0;
	if (err)
		return min(err, 0);
	err = kmqtt_author_note(&client->author, client->session,
				client->identity, msg, batch->gfp) ?:
	      kmqtt_route(client->broker, client->session, msg, batch, &good);
	if (!err && !batch->route->nr)
		*reason = KMQTT_REASON_NO_MATCHING_SUBSCRIBERS;
	if (!err && (good || !msg->qos))
		return 0;
	if (assured)
		kmqtt_session_release(client->session, in->id);
	return err && batch->bh ? -EAGAIN :
	       kmqtt_publish_unaccepted(client, msg->qos, reason);
}

/* Is the payload what it is said to be, if anybody wants to know? */
static bool payload_valid(const struct kmqtt_client *client,
			  const struct kmqtt_incoming *in)
{
	return !in->is_text ||
	       !READ_ONCE(client->broker->limits.validate_payload) ||
	       kmqtt_msg_is_text(in->msg);
}

/* A reason not to take the message, though it is well formed. */
static enum kmqtt_reason check_msg(const struct kmqtt_client *client,
				   const struct kmqtt_incoming *in)
{
	if (!payload_valid(client, in))
		return KMQTT_REASON_PAYLOAD_FORMAT_INVALID;
	/* A QoS 2 message that is not over has this identifier. */
	if (in->msg->qos == KMQTT_QOS1 && client->version == KMQTT_V5 &&
	    kmqtt_session_received(client->session, in->id))
		return KMQTT_REASON_PACKET_IDENTIFIER_IN_USE;
	return KMQTT_REASON_SUCCESS;
}

static bool is_too_large(const struct kmqtt_client *client,
			 const struct kmqtt_msg *msg)
{
	return msg->payload_len >
	       READ_ONCE(client->broker->limits.max_payload_size);
}

/*
 * The client may not publish this: it is told so if it speaks 5.0, and nothing
 * comes of the message. That holds for one that it has sent before, too.
 */
static enum kmqtt_reason deny(struct kmqtt_client *client,
			      const struct kmqtt_incoming *in, bool too_large)
{
	if (in->msg->qos == KMQTT_QOS2)
		kmqtt_session_release(client->session, in->id);
	if (!too_large) {
		kmqtt_stats_inc(client->broker, denied_in);
		return KMQTT_REASON_NOT_AUTHORIZED;
	}
	kmqtt_event_dropped(client->broker, NULL, KMQTT_DROP_TOO_LARGE);
	/* 0x95 is for packets, and nothing that acknowledgments can say. */
	return KMQTT_REASON_IMPLEMENTATION_SPECIFIC;
}

/**
 * kmqtt_publish_finish() - the payload is complete: route and acknowledge
 * @client: the publisher; if the message is acknowledged, its link has room for
 *	KMQTT_ACK_MAX bytes
 * @in: the message; given back unless the return is -EAGAIN
 * @batch: flushes the subscribers
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_publish_finish(struct kmqtt_client *client,
			 struct kmqtt_incoming *in, struct kmqtt_batch *batch)
{
	bool too_large = is_too_large(client, in->msg);
	enum kmqtt_reason reason = check_msg(client, in);
	u32 payload_len = in->msg->payload_len;
	u8 qos = in->msg->qos;
	int err = 0, allowed = 0;

	if (!too_large)
		allowed = kmqtt_session_may_write(client->session,
						  client->identity, in->msg,
						  batch);
	if (allowed < 0)
		return allowed;
	if (allowed && !reason && kmqtt_run_allowed(client, in->msg, batch))
		return kmqtt_run_begin(client, in, batch);
	if (!allowed)
		reason = deny(client, in, too_large);
	else if (!reason)
		err = accept_msg(client, in, batch, &reason);
	else if (!qos)
		err = kmqtt_client_fail(client, reason);
	if (err == -EAGAIN)
		return err;
	kmqtt_publish_abort(in);
	if (err)
		return err;
	client->messages_in++;
	kmqtt_stats_inc(client->broker, messages_in[qos]);
	kmqtt_stats_add(client->broker, payload_in, payload_len);
	if (qos == KMQTT_QOS1)
		kmqtt_reply_ack(client, KMQTT_PUBACK, in->id, reason, batch);
	else if (qos == KMQTT_QOS2)
		kmqtt_reply_ack(client, KMQTT_PUBREC, in->id, reason, batch);
	return 0;
}

/**
 * kmqtt_publish_packet() - handle a PUBLISH that is there as a whole
 * @client: the publisher; if the message is acknowledged, its link has room for
 *	KMQTT_ACK_MAX bytes
 * @packet: the packet
 * @batch: flushes the subscribers
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_publish_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch)
{
	struct kmqtt_incoming in = {};
	u32 head_len;
	int err;

	err = kmqtt_run_packet(client, packet, batch);
	if (err != -ENOENT)
		return err;
	err = kmqtt_run_end(client, batch);
	if (err)
		return err;
	err = kmqtt_publish_begin(client, &packet->fixed, packet->body,
				  packet->fixed.remaining, &in, batch,
				  &head_len);
	if (err)
		return err;
	if (kmqtt_msg_write(in.msg, packet->body + head_len,
			    in.msg->payload_len, batch->gfp)) {
		kmqtt_publish_abort(&in);
		return no_memory(client, batch);
	}
	err = kmqtt_publish_finish(client, &in, batch);
	if (err == -EAGAIN)
		kmqtt_publish_abort(&in);
	return err;
}
