// SPDX-License-Identifier: GPL-2.0
/*
 * Enhanced authentication: AUTH, before and after CONNACK (MQTT 5, 3.15 and
 * 4.12). What a method makes of the data is for the method to know.
 *
 * Threads do all of it: hashing takes time.
 */
#include "auth.h"

#include <linux/slab.h>
#include "../access/auth.h"
#include "../trace.h"
#include "../wire/encode.h"
#include "connect.h"
#include "proof.h"
#include "reply.h"

/* An exchange has ended, or its connection has. */
static void forget(struct kmqtt_client *client)
{
	kmqtt_auth_uninit(client);
	kmqtt_proof_forget(client);
}

/**
 * kmqtt_auth_uninit() - end an exchange, if there is one
 * @client: a client with a proof
 *
 * Context: the client's receive side, or its end.
 */
void kmqtt_auth_uninit(struct kmqtt_client *client)
{
	kmqtt_auth_destroy(client->proof->auth);
	client->proof->auth = NULL;
}

/**
 * kmqtt_auth_decided() - tell whether a client was believed who it is
 * @client: the client
 * @reason: why not, or KMQTT_REASON_SUCCESS
 *
 * Context: the client's receive side.
 */
void kmqtt_auth_decided(const struct kmqtt_client *client,
			enum kmqtt_reason reason)
{
	const struct kmqtt_proof *proof = client->proof;
	const char *how = client->trust == KMQTT_TRUST_ANONYMOUS ?
			  "none" : "password";

	if (!trace_kmqtt_auth_enabled())
		return;
	if (proof && proof->method_len)
		trace_kmqtt_auth(client, reason, proof->method,
				 proof->method_len);
	else
		trace_kmqtt_auth(client, reason, how, strlen(how));
}

static bool before_connack(const struct kmqtt_client *client)
{
	return kmqtt_client_state(client) != KMQTT_CLIENT_ONLINE;
}

/* End the connection, with the packet that there is for it at this point. */
static int fail(struct kmqtt_client *client, enum kmqtt_reason reason,
		struct kmqtt_batch *batch)
{
	if (before_connack(client))
		return kmqtt_connect_refuse(client, reason, batch);
	kmqtt_auth_decided(client, reason);
	return kmqtt_client_fail(client, reason);
}

/* What every packet of an exchange says [MQTT-4.12.0-5]. */
static void put_auth(const struct kmqtt_client *client,
		     struct kmqtt_props *props)
{
	const struct kmqtt_proof *proof = client->proof;
	const struct kmqtt_auth *auth = proof->auth;

	props->auth_method.data = proof->method;
	props->auth_method.len = proof->method_len;
	kmqtt_prop_add(props, KMQTT_PROP_AUTH_METHOD);
	if (!auth->out_len)
		return;
	props->auth_data.data = auth->out;
	props->auth_data.len = auth->out_len;
	kmqtt_prop_add(props, KMQTT_PROP_AUTH_DATA);
}

static int send_auth(struct kmqtt_client *client, enum kmqtt_reason reason,
		     struct kmqtt_batch *batch)
{
	struct kmqtt_props props = {};
	size_t max;
	u8 *buf;
	int err;

	put_auth(client, &props);
	max = kmqtt_answer_max(&props);
	err = kmqtt_link_reserve(&client->link, max, GFP_KERNEL);
	if (err)
		return fail(client, KMQTT_REASON_QUOTA_EXCEEDED, batch);
	buf = kmalloc(max, GFP_KERNEL);
	if (!buf)
		return fail(client, KMQTT_REASON_QUOTA_EXCEEDED, batch);
	err = kmqtt_reply_send(client, buf,
			       kmqtt_reasoned_encode(buf, KMQTT_AUTH, reason,
						     &props), batch);
	kfree(buf);
	return err;
}

static int keep_proven_user(struct kmqtt_client *client)
{
	const struct kmqtt_auth *auth = client->proof->auth;
	struct kmqtt_str user = { .data = auth->user, .len = auth->user_len };

	client->identity = kmqtt_identity_create(client->port, &user,
						 GFP_KERNEL);
	client->trust = KMQTT_TRUST_SCRAM;
	client->proof->stamp = auth->stamp;
	return client->identity ? 0 : -ENOMEM;
}

/* Who was let in as somebody stays that, whoever it is proven to be, too. */
static void keep_stamp(struct kmqtt_client *client)
{
	const struct kmqtt_auth *auth = client->proof->auth;

	if (auth->user_len == client->identity->user_len &&
	    !memcmp(auth->user, client->identity->user, auth->user_len))
		WRITE_ONCE(client->proof->stamp, auth->stamp);
}

/* The client is who it says: go on with its CONNECT where it was left. */
static int conclude(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	struct kmqtt_proof *proof = client->proof;
	struct kmqtt_props props = {};
	struct kmqtt_connect c;
	int ret;

	if (!before_connack(client)) {
		keep_stamp(client);
		ret = send_auth(client, KMQTT_REASON_SUCCESS, batch);
		if (!ret)
			kmqtt_auth_decided(client, KMQTT_REASON_SUCCESS);
		forget(client);
		return ret;
	}
	/* It has been decoded before. */
	if (kmqtt_connect_decode(proof->connect, proof->connect_len, &c) ||
	    keep_proven_user(client))
		return fail(client, KMQTT_REASON_SERVER_UNAVAILABLE, batch);
	put_auth(client, &props);
	ret = kmqtt_connect_accept(client, &c, &props, batch);
	forget(client);
	return ret;
}

static int step(struct kmqtt_client *client, const struct kmqtt_props *props,
		struct kmqtt_batch *batch)
{
	struct kmqtt_str data = {};
	enum kmqtt_reason reason;

	if (kmqtt_prop_has(props, KMQTT_PROP_AUTH_DATA))
		data = props->auth_data;
	reason = kmqtt_auth_step(client->proof->auth, &data);
	if (reason == KMQTT_REASON_CONTINUE_AUTHENTICATION)
		return send_auth(client, reason, batch);
	if (reason == KMQTT_REASON_SUCCESS)
		return conclude(client, batch);
	return fail(client, reason, batch);
}

/* Begin an exchange. Returns 0 or the reason why there can be none. */
static enum kmqtt_reason begin(struct kmqtt_client *client,
			       const struct kmqtt_str *method)
{
	struct kmqtt_auth *auth;

	auth = kmqtt_auth_create(client->port, method);
	if (IS_ERR(auth))
		return PTR_ERR(auth) == -ENOENT ?
		       KMQTT_REASON_BAD_AUTHENTICATION_METHOD :
		       KMQTT_REASON_SERVER_UNAVAILABLE;
	client->proof->auth = auth;
	return KMQTT_REASON_SUCCESS;
}

/**
 * kmqtt_auth_connect() - a CONNECT wants enhanced authentication
 * @client: who sent it
 * @packet: the CONNECT
 * @c: the same, decoded
 * @batch: sends what follows from it
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_auth_connect(struct kmqtt_client *client,
		       const struct kmqtt_packet *packet,
		       const struct kmqtt_connect *c,
		       struct kmqtt_batch *batch)
{
	enum kmqtt_reason reason;

	if (batch->bh)
		return -EAGAIN;
	if (kmqtt_proof_create(client, &c->props.auth_method, GFP_KERNEL))
		return kmqtt_connect_refuse(client,
					    KMQTT_REASON_SERVER_UNAVAILABLE,
					    batch);
	reason = begin(client, &c->props.auth_method);
	if (!reason && kmqtt_proof_keep(client, packet, GFP_KERNEL))
		reason = KMQTT_REASON_SERVER_UNAVAILABLE;
	if (reason)
		return kmqtt_connect_refuse(client, reason, batch);
	/* Fails if somebody has closed the connection meanwhile. */
	if (!kmqtt_client_set_state(client, KMQTT_CLIENT_NEW,
				    KMQTT_CLIENT_AUTH))
		return -ECONNABORTED;
	return step(client, &c->props, batch);
}

/* Is this AUTH what may come now? A reason if not. */
static enum kmqtt_reason check_auth(const struct kmqtt_client *client,
				    const struct kmqtt_reasoned *r)
{
	const struct kmqtt_proof *proof = client->proof;
	bool again = r->reason == KMQTT_REASON_RE_AUTHENTICATE;

	/* Only for those who began with it [MQTT-4.12.0-7]. */
	if (!proof || !proof->method_len ||
	    r->props.auth_method.len != proof->method_len ||
	    memcmp(r->props.auth_method.data, proof->method,
		   proof->method_len))
		return KMQTT_REASON_PROTOCOL_ERROR;
	/* Either one that is under way goes on, or a new one begins. */
	return again == !proof->auth ? KMQTT_REASON_SUCCESS :
					KMQTT_REASON_PROTOCOL_ERROR;
}

/**
 * kmqtt_auth_packet() - handle an AUTH
 * @client: who sent it
 * @packet: the packet
 * @batch: sends what follows from it
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed ([MQTT-4.12.0-4], [MQTT-4.12.1-2]).
 */
int kmqtt_auth_packet(struct kmqtt_client *client,
		      const struct kmqtt_packet *packet,
		      struct kmqtt_batch *batch)
{
	enum kmqtt_reason reason;
	struct kmqtt_reasoned r;
	int err;

	if (client->version != KMQTT_V5)
		return kmqtt_client_fail(client, KMQTT_REASON_PROTOCOL_ERROR);
	if (batch->bh)
		return -EAGAIN;
	err = kmqtt_reasoned_decode(KMQTT_AUTH, packet->body,
				    packet->fixed.remaining, &r);
	reason = err ? kmqtt_decode_reason(err) : check_auth(client, &r);
	if (!reason && !client->proof->auth)
		reason = begin(client, &r.props.auth_method);
	if (reason)
		return fail(client, reason, batch);
	return step(client, &r.props, batch);
}
