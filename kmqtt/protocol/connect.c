// SPDX-License-Identifier: GPL-2.0
/*
 * CONNECT and DISCONNECT (MQTT 3.1.1, 3.1, 3.2 and 3.14).
 *
 * Nothing but the connection itself is touched before the client is let in,
 * and nothing that a thread could not repeat before memory for all is there.
 */
#include "connect.h"

#include <linux/random.h>
#include <linux/slab.h>
#include "../trace.h"
#include "../wire/decode.h"
#include "../wire/encode.h"
#include "event.h"
#include "publish.h"

/* Times that clients with one identifier may get in each other's way. */
#define CONNECT_RETRIES	8

/* "kmqtt-" and 16 hexadecimal digits. */
#define ASSIGNED_ID_LEN	22

/* Of user names, what netlink shows is kept, and whether that is all. */
#define USER_MAX	(KMQTT_SHOWN_STRING_MAX + 1)

/* Answer with CONNACK and close [MQTT-3.2.2-5]. */
static int refuse(struct kmqtt_client *client, u8 version,
		  enum kmqtt_reason reason)
{
	u8 buf[KMQTT_ACK_MAX];

	kmqtt_link_ack(&client->link, buf,
		       kmqtt_connack_encode(buf, version, false, reason));
	client->link.ops->close(&client->link, reason);
	return -ECONNABORTED;
}

/* What the specification says of the identifier (MQTT 3.1.1, 3.1.3.1). */
static bool client_id_valid(const struct kmqtt_connect *c)
{
	if (c->client_id.len)
		return c->client_id.len <= KMQTT_CLIENT_ID_MAX;
	return c->version != KMQTT_V31 && c->clean;
}

static struct kmqtt_msg *make_will(struct kmqtt_broker *broker,
				   const struct kmqtt_connect *c, gfp_t gfp)
{
	const struct kmqtt_str *payload = &c->will_payload;
	struct kmqtt_msg *msg;

	msg = kmqtt_msg_create(&broker->memory, &c->will_topic, payload->len,
			       gfp);
	if (!msg)
		return NULL;
	msg->qos = c->will_qos;
	msg->retain = c->will_retain;
	if (!kmqtt_msg_write(msg, payload->data, payload->len, gfp))
		return msg;
	kmqtt_msg_put(msg);
	return NULL;
}

/*
 * End a session that a clean start replaces. Softirq leaves publishing its
 * will to a thread.
 */
static int end_session(struct kmqtt_client *client,
		       struct kmqtt_session *session, struct kmqtt_batch *batch)
{
	struct kmqtt_msg *will = NULL;
	int err;

	err = kmqtt_store_end(session, KMQTT_REASON_SESSION_TAKEN_OVER,
			      batch->bh ? NULL : &will);
	if (will)
		kmqtt_publish_will(client->broker, will, batch);
	return err;
}

/*
 * The session to go on with, with a reference: the one there is, or a new one
 * in the table. Returns an ERR_PTR() if there can be none.
 */
static struct kmqtt_session *open_session(struct kmqtt_client *client,
					  const struct kmqtt_connect *c,
					  struct kmqtt_batch *batch,
					  bool *present)
{
	struct kmqtt_store *store = &client->broker->store;
	struct kmqtt_session *old, *session;
	int err = 0;

	old = kmqtt_store_lookup(store, c->client_id.data, c->client_id.len);
	/* A clean session ends with its connection, even by take-over. */
	*present = old && !c->clean && READ_ONCE(old->persistent);
	if (*present)
		return old;

	/* Have the new one in hand before the old one ends. */
	session = kmqtt_session_create(store, &c->client_id, batch->gfp);
	if (IS_ERR(session)) {
		kmqtt_session_put(old);
		return session;
	}
	if (old)
		err = end_session(client, old, batch);
	kmqtt_session_put(old);
	if (!err)
		err = kmqtt_store_add(store, session);
	if (!err)
		return session;
	kmqtt_session_put(session);
	return ERR_PTR(err);
}

/* Let the client in. Returns 0 or a negative errno with nothing changed. */
static int admit(struct kmqtt_client *client, const struct kmqtt_connect *c,
		 struct kmqtt_batch *batch, bool *present)
{
	struct kmqtt_msg *will = NULL, *old_will = NULL;
	struct kmqtt_session *session;
	int tries = CONNECT_RETRIES;
	int err;

	if (c->has_will) {
		will = make_will(client->broker, c, batch->gfp);
		if (!will)
			return -ENOMEM;
	}
	do {
		session = open_session(client, c, batch, present);
		if (IS_ERR(session)) {
			err = PTR_ERR(session);
			continue;
		}
		client->session = session;
		err = kmqtt_session_attach(session, &client->link, will,
					   !c->clean, c->version,
					   batch->bh ? NULL : &old_will);
		if (!err) {
			if (old_will)
				kmqtt_publish_will(client->broker, old_will,
						   batch);
			return 0;
		}
		client->session = NULL;
		kmqtt_session_put(session);
	} while ((err == -EEXIST || err == -ESHUTDOWN) && tries--);
	kmqtt_msg_put(will);
	return err;
}

static int keep_user(struct kmqtt_client *client, const struct kmqtt_connect *c,
		     gfp_t gfp)
{
	u16 len = min_t(u16, c->user.len, USER_MAX);

	if (!c->has_user || !len || client->user)
		return 0;
	client->user = kmemdup(c->user.data, len, gfp | __GFP_NOWARN);
	if (!client->user)
		return -ENOMEM;
	client->user_len = len;
	return 0;
}

static void assign_client_id(struct kmqtt_connect *c, u8 *buf)
{
	snprintf(buf, ASSIGNED_ID_LEN + 1, "kmqtt-%016llx", get_random_u64());
	c->client_id.data = buf;
	c->client_id.len = ASSIGNED_ID_LEN;
}

static int accept_client(struct kmqtt_client *client,
			 const struct kmqtt_connect *c,
			 struct kmqtt_batch *batch)
{
	u8 buf[KMQTT_ACK_MAX];
	bool present;
	int err;

	client->version = c->version;
	client->clean = c->clean;
	client->keepalive = c->keepalive;
	err = keep_user(client, c, batch->gfp) ?:
	      admit(client, c, batch, &present);
	if (batch->bh && (err == -ENOMEM || err == -EAGAIN))
		return -EAGAIN;
	if (err)
		return refuse(client, c->version,
			      KMQTT_REASON_SERVER_UNAVAILABLE);

	/* First CONNACK, then messages: they leave once the client is online. */
	kmqtt_link_ack(&client->link, buf,
		       kmqtt_connack_encode(buf, c->version, present,
					    KMQTT_REASON_SUCCESS));
	/* Fails if somebody has closed the connection meanwhile. */
	if (!kmqtt_client_set_state(client, KMQTT_CLIENT_NEW,
				    KMQTT_CLIENT_ONLINE))
		return -ECONNABORTED;
	kmqtt_link_touch(&client->link, batch);
	kmqtt_event_client(client, KMQTT_CMD_CONNECT_NTF, present);
	return 0;
}

/**
 * kmqtt_connect_packet() - handle a CONNECT
 * @client: who sent it; its link has room for KMQTT_ACK_MAX bytes
 * @packet: the packet
 * @batch: sends the CONNACK and what a session has waiting
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_connect_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch)
{
	u8 assigned[ASSIGNED_ID_LEN + 1];
	enum kmqtt_reason reason;
	struct kmqtt_connect c;
	int err;

	err = kmqtt_connect_decode(packet->body, packet->fixed.remaining, &c,
				   &reason);
	if (err == -EPROTONOSUPPORT)
		return refuse(client, c.version, reason);
	if (err)
		return kmqtt_client_fail(client, reason);
	if (c.has_will && !kmqtt_topic_name_valid(c.will_topic.data,
						  c.will_topic.len))
		return kmqtt_client_fail(client, KMQTT_REASON_TOPIC_NAME_INVALID);
	reason = kmqtt_access_connect(&client->broker->access, &c);
	if (!reason && !client_id_valid(&c))
		reason = KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID;
	if (reason)
		return refuse(client, c.version, reason);
	if (!c.client_id.len)
		assign_client_id(&c, assigned);
	return accept_client(client, &c, batch);
}

/**
 * kmqtt_disconnect_packet() - handle a DISCONNECT
 * @client: who sent it
 * @packet: the packet
 * @batch: not used
 *
 * Context: the client's receive side.
 * Return: -ECONNABORTED: the connection was closed.
 */
int kmqtt_disconnect_packet(struct kmqtt_client *client,
			    const struct kmqtt_packet *packet,
			    struct kmqtt_batch *batch)
{
	if (packet->fixed.remaining)
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	kmqtt_session_drop_will(client->session, &client->link);
	return kmqtt_client_fail(client, KMQTT_REASON_NORMAL_DISCONNECTION);
}
