// SPDX-License-Identifier: GPL-2.0
/*
 * From an accepted CONNECT to a session (MQTT 5, 3.1.4 and 4.1). Everything is
 * in hand before anything of the connection or session before is touched.
 */
#include "admit.h"

#include "route.h"

/* Times that clients with one identifier may get in each other's way. */
#define CONNECT_RETRIES	8

static struct kmqtt_msg *make_will(struct kmqtt_broker *broker,
				   const struct kmqtt_connect *c, gfp_t gfp)
{
	const struct kmqtt_str *payload = &c->will_payload;
	struct kmqtt_msg *msg;

	msg = kmqtt_msg_create(&broker->memory, &c->will_topic, &c->will_props,
			       payload->len, gfp);
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
static int end_session(struct kmqtt_session *session, struct kmqtt_batch *batch)
{
	struct kmqtt_msg *will = NULL;
	int err;

	err = kmqtt_store_end(session, KMQTT_REASON_SESSION_TAKEN_OVER,
			      batch->bh ? NULL : &will);
	if (will)
		kmqtt_publish_last_will(session, will, batch);
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
	/* One that doesn't survive its connection doesn't by take-over either. */
	*present = old && !c->clean && READ_ONCE(old->expiry);
	if (*present)
		return old;

	/* Have the new one in hand before the old one ends. */
	session = kmqtt_session_create(store, &c->client_id, batch->gfp);
	if (IS_ERR(session)) {
		kmqtt_session_put(old);
		return session;
	}
	if (old)
		err = end_session(old, batch);
	kmqtt_session_put(old);
	if (!err)
		err = kmqtt_store_add(store, session);
	if (!err)
		return session;
	kmqtt_session_put(session);
	return ERR_PTR(err);
}

/* For how long the session may survive the connection. */
static u32 session_expiry(const struct kmqtt_client *client,
			  const struct kmqtt_connect *c)
{
	u32 max = READ_ONCE(client->broker->limits.max_session_expiry);

	if (c->version == KMQTT_V5)
		return min(client->expiry, max);
	return c->clean ? 0 : max;
}

static struct kmqtt_attach terms(struct kmqtt_client *client,
				 const struct kmqtt_connect *c)
{
	struct kmqtt_attach attach = {
		.link = &client->link,
		.identity = kmqtt_identity_get(client->identity),
		.expiry = session_expiry(client, c),
		.max_packet = client->max_packet,
		.receive_max = U16_MAX,
		.version = c->version,
	};

	if (kmqtt_prop_has(&c->props, KMQTT_PROP_RECEIVE_MAX))
		attach.receive_max = c->props.receive_max;
	if (kmqtt_prop_has(&c->will_props, KMQTT_PROP_WILL_DELAY))
		attach.will_delay = c->will_props.will_delay;
	return attach;
}

/**
 * kmqtt_admit() - give a client its session
 * @client: the client
 * @c: its CONNECT, with a client identifier
 * @batch: publishes wills of the connection or session before
 * @present: whether the session existed, on success
 *
 * Context: the client's receive side.
 * Return: 0; -EAGAIN if a thread is to try again; or another negative errno.
 * Nothing is changed by a failure.
 */
int kmqtt_admit(struct kmqtt_client *client, const struct kmqtt_connect *c,
		struct kmqtt_batch *batch, bool *present)
{
	struct kmqtt_attach attach = terms(client, c);
	struct kmqtt_msg *old_will = NULL;
	struct kmqtt_session *session;
	int tries = CONNECT_RETRIES;
	int err;

	if (c->has_will) {
		attach.will = make_will(client->broker, c, batch->gfp);
		if (!attach.will) {
			err = -ENOMEM;
			goto out_identity;
		}
	}
	do {
		session = open_session(client, c, batch, present);
		if (IS_ERR(session)) {
			err = PTR_ERR(session);
			continue;
		}
		if (attach.will)
			attach.will->origin = session->origin;
		/* Pairs with kmqtt_trace_id(). */
		smp_store_release(&client->session, session);
		err = kmqtt_session_attach(session, &attach,
					   batch->bh ? NULL : &old_will);
		if (!err) {
			if (old_will)
				kmqtt_publish_will(session, attach.identity,
						   old_will, batch);
			goto out_identity;
		}
		WRITE_ONCE(client->session, NULL);
		kmqtt_session_put(session);
		if (!batch->bh)
			cond_resched();
	} while ((err == -EEXIST || err == -ESHUTDOWN) && tries--);
	kmqtt_msg_put(attach.will);
out_identity:
	/* Ours, or on success the one before. */
	kmqtt_identity_put(attach.identity);
	return err;
}
