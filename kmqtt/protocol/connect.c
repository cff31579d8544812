// SPDX-License-Identifier: GPL-2.0
/*
 * CONNECT and its CONNACK (MQTT 5, 3.1 and 3.2).
 *
 * Nothing but the connection itself is touched before the client is let in,
 * and nothing that a thread could not repeat before memory for all is there.
 */
#include "connect.h"

#include <linux/random.h>
#include <linux/slab.h>
#include "../trace.h"
#include "../wire/encode.h"
#include "admit.h"
#include "auth.h"
#include "banned.h"
#include "event.h"
#include "login.h"
#include "reply.h"

/* Hexadecimal digits behind the prefix of an identifier that is assigned. */
#define ASSIGNED_DIGITS	16
#define ASSIGNED_ID_MAX	(KMQTT_CLIENT_ID_PREFIX_MAX + ASSIGNED_DIGITS)

/* Let a property say what a text does. */
static void put_text(struct kmqtt_props *props, enum kmqtt_property id,
		     struct kmqtt_str *field, const struct kmqtt_text *text)
{
	if (!text)
		return;
	field->data = text->data;
	field->len = text->len;
	kmqtt_prop_add(props, id);
}

/* A CONNACK in memory that the caller frees, or NULL. */
static u8 *make_connack(struct kmqtt_client *client, bool present,
			enum kmqtt_reason reason, struct kmqtt_props *props,
			gfp_t gfp, u32 *len)
{
	u8 *buf;

	/* [MQTT-3.2.2-19] */
	if (kmqtt_answer_max(props) > client->max_packet)
		props->present &= ~BIT_ULL(KMQTT_PROP_REASON_STRING);
	buf = kmalloc(kmqtt_answer_max(props), gfp | __GFP_NOWARN);
	if (!buf)
		return NULL;
	*len = kmqtt_connack_encode(buf, client->version, present, reason,
				    props);
	if (!kmqtt_link_reserve(&client->link, *len, gfp))
		return buf;
	kfree(buf);
	return NULL;
}

/**
 * kmqtt_connect_refuse() - answer with CONNACK and close
 * @client: a client that is not let in
 * @reason: why
 * @batch: how to allocate
 *
 * Context: the client's receive side.
 * Return: -EAGAIN if a thread is to try again, -ECONNABORTED if the connection
 * was closed ([MQTT-3.2.2-7], 3.1.1: [MQTT-3.2.2-5]).
 */
int kmqtt_connect_refuse(struct kmqtt_client *client, enum kmqtt_reason reason,
			 struct kmqtt_batch *batch)
{
	bool away = reason == KMQTT_REASON_USE_ANOTHER_SERVER ||
		    reason == KMQTT_REASON_SERVER_MOVED;
	struct kmqtt_text *reference = NULL;
	struct kmqtt_props props = {};
	u8 *connack;
	u32 len;

	kmqtt_reason_string(&props, reason);
	if (away)
		reference = kmqtt_text_copy(&client->broker->texts[KMQTT_TEXT_SERVER_REFERENCE]);
	put_text(&props, KMQTT_PROP_SERVER_REFERENCE, &props.server_reference,
		 reference);
	connack = make_connack(client, false, reason, &props, batch->gfp, &len);
	kfree(reference);
	if (!connack && batch->bh)
		return -EAGAIN;
	/* Without memory it is closed without a word. */
	if (connack)
		kmqtt_reply_send(client, connack, len, batch);
	kfree(connack);
	kmqtt_auth_decided(client, reason);
	client->link.ops->close(&client->link, reason);
	return -ECONNABORTED;
}

/*
 * What the specification says of the identifier (MQTT 3.1.1, 3.1.3.1), unless
 * the user's name is to be it. Who has a method has yet to prove its name.
 */
static bool client_id_valid(const struct kmqtt_client *client,
			    const struct kmqtt_connect *c)
{
	if (READ_ONCE(client->port->terms.username_as_client_id))
		return kmqtt_prop_has(&c->props, KMQTT_PROP_AUTH_METHOD) ||
		       (c->user.len && c->user.len <= KMQTT_CLIENT_ID_MAX);
	if (c->client_id.len)
		return c->client_id.len <= KMQTT_CLIENT_ID_MAX;
	return READ_ONCE(client->port->terms.assign_client_id) &&
	       (c->version == KMQTT_V5 ||
		(c->version != KMQTT_V31 && c->clean));
}

/* Is the will what it is said to be? */
static bool will_is_text(const struct kmqtt_connect *c)
{
	struct kmqtt_utf8 u = {};

	if (!kmqtt_prop_has(&c->will_props, KMQTT_PROP_PAYLOAD_FORMAT) ||
	    !c->will_props.payload_format)
		return true;
	return kmqtt_utf8_feed(&u, c->will_payload.data, c->will_payload.len) &&
	       !u.left;
}

static enum kmqtt_reason check_will(const struct kmqtt_client *client,
				    const struct kmqtt_connect *c)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	const struct kmqtt_props *props = &c->will_props;

	if (!c->has_will)
		return KMQTT_REASON_SUCCESS;
	if (!kmqtt_topic_name_valid(c->will_topic.data, c->will_topic.len))
		return KMQTT_REASON_TOPIC_NAME_INVALID;
	if (c->will_qos > kmqtt_client_max_qos(client))
		return KMQTT_REASON_QOS_NOT_SUPPORTED;	/* [MQTT-3.2.2-12] */
	if (c->will_retain && !READ_ONCE(limits->retain_available))
		return KMQTT_REASON_RETAIN_NOT_SUPPORTED; /* [MQTT-3.2.2-13] */
	if (kmqtt_prop_has(props, KMQTT_PROP_RESPONSE_TOPIC) &&
	    !kmqtt_topic_name_valid(props->response_topic.data,
				    props->response_topic.len))
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (c->will_payload.len > READ_ONCE(limits->max_payload_size))
		return KMQTT_REASON_PACKET_TOO_LARGE;
	if (READ_ONCE(limits->validate_payload) && !will_is_text(c))
		return KMQTT_REASON_PAYLOAD_FORMAT_INVALID;
	return KMQTT_REASON_SUCCESS;
}

/* A handshake has decided who it is, or that it is nobody. */
static enum kmqtt_reason check_proven(const struct kmqtt_client *client,
				      const struct kmqtt_connect *c)
{
	if (!client->proven->len)
		return KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD;
	if (kmqtt_prop_has(&c->props, KMQTT_PROP_AUTH_METHOD))
		return KMQTT_REASON_BAD_AUTHENTICATION_METHOD;
	return KMQTT_REASON_SUCCESS;
}

/*
 * Why this client isn't let in; KMQTT_REASON_SUCCESS, or
 * KMQTT_REASON_CONTINUE_AUTHENTICATION if that depends on its password.
 */
static enum kmqtt_reason check_connect(struct kmqtt_client *client,
				       const struct kmqtt_connect *c)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	enum kmqtt_reason reason, terms = KMQTT_REASON_SUCCESS;

	if (!(READ_ONCE(client->port->terms.versions) &
	      BIT(c->version - KMQTT_V31)))
		return KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION;
	switch (READ_ONCE(limits->redirect)) {
	case KMQTT_REDIRECT_TEMPORARY:
		return KMQTT_REASON_USE_ANOTHER_SERVER;
	case KMQTT_REDIRECT_PERMANENT:
		return KMQTT_REASON_SERVER_MOVED;
	}
	/* Nobody is called that, and rules are about whole names. */
	if (c->user.len > KMQTT_IDENTITY_USER_MAX)
		return KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD;
	reason = check_will(client, c);
	if (!reason && client->proven)
		reason = check_proven(client, c);
	/* Who has a method has yet to prove who it is. */
	else if (!reason && !kmqtt_prop_has(&c->props, KMQTT_PROP_AUTH_METHOD))
		terms = kmqtt_port_check(client->port, c);
	if (terms != KMQTT_REASON_CONTINUE_AUTHENTICATION)
		reason = reason ?: terms;
	if (!reason && !client_id_valid(client, c))
		reason = KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID;
	return reason ?: terms;
}

/* Who has proved its name has an identity already. */
static int keep_user(struct kmqtt_client *client, const struct kmqtt_connect *c,
		     gfp_t gfp)
{
	if (!client->identity)
		client->identity = kmqtt_identity_create(client->port, &c->user,
							 gfp);
	return client->identity ? 0 : -ENOMEM;
}

/*
 * An identifier that nobody else has. Its prefix may be of two kinds if the terms
 * are just changing, but is never longer than it may be. Returns its bytes.
 */
static u16 make_client_id(const struct kmqtt_port *port, u8 *buf)
{
	const struct kmqtt_id_prefix *prefix = &port->terms.id_prefix;
	u8 len = READ_ONCE(prefix->len);

	/* What was read in pieces is read again: see settle(). */
	data_race(memcpy(buf, prefix->data, len));
	snprintf(buf + len, ASSIGNED_DIGITS + 1, "%016llx", get_random_u64());
	return len + ASSIGNED_DIGITS;
}

/*
 * What the client is called, if it isn't as it says. Returns true if it is a
 * name that it has to be told.
 */
static bool assign_client_id(const struct kmqtt_client *client,
			     struct kmqtt_connect *c, u8 *buf)
{
	const struct kmqtt_identity *identity = client->identity;

	/* As it was checked, unless the terms have changed since. */
	if (READ_ONCE(client->port->terms.username_as_client_id) &&
	    identity->user_len && identity->user_len <= KMQTT_CLIENT_ID_MAX) {
		c->client_id.data = identity->user;
		c->client_id.len = identity->user_len;
		return false;
	}
	if (c->client_id.len)
		return false;
	c->client_id.len = make_client_id(client->port, buf);
	c->client_id.data = buf;
	return true;
}

/* The client may ask for more than it is allowed. */
static void keep_terms(struct kmqtt_client *client,
		       const struct kmqtt_connect *c)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	u16 max_keepalive = READ_ONCE(limits->max_keepalive);
	const struct kmqtt_props *props = &c->props;
	u16 aliases = 0;

	client->version = c->version;
	client->clean = c->clean;
	/* Until it is proven. */
	client->trust = client->proven ? KMQTT_TRUST_PROVEN :
			c->has_user ? KMQTT_TRUST_UNPROVEN :
				      KMQTT_TRUST_ANONYMOUS;
	client->keepalive = c->keepalive;
	if (c->version != KMQTT_V5)
		return;
	if (max_keepalive && (!c->keepalive || c->keepalive > max_keepalive))
		client->keepalive = max_keepalive;
	client->expiry = kmqtt_prop_has(props, KMQTT_PROP_SESSION_EXPIRY) ?
			 props->session_expiry : 0;
	if (kmqtt_prop_has(props, KMQTT_PROP_MAX_PACKET_SIZE))
		client->max_packet = min_t(u32, props->max_packet_size,
					   KMQTT_PACKET_MAX);
	if (kmqtt_prop_has(props, KMQTT_PROP_REQUEST_PROBLEM))
		client->problem_info = props->request_problem;
	if (kmqtt_prop_has(props, KMQTT_PROP_TOPIC_ALIAS_MAX))
		aliases = min(props->topic_alias_max,
			      READ_ONCE(client->port->terms.topic_alias_max_out));
	kmqtt_aliases_init(&client->aliases,
			   min(READ_ONCE(limits->topic_alias_max),
			       READ_ONCE(client->port->terms.topic_alias_max)),
			   aliases);
}

/* What the broker does not do, or not as much as MQTT allows. */
static void put_capabilities(struct kmqtt_props *props,
			     const struct kmqtt_client *client)
{
	const struct kmqtt_limits *limits = &client->broker->limits;
	u8 max_qos = kmqtt_client_max_qos(client);
	u32 max_packet = READ_ONCE(limits->max_packet_size);

	if (READ_ONCE(limits->receive_max) != U16_MAX) {
		props->receive_max = READ_ONCE(limits->receive_max);
		kmqtt_prop_add(props, KMQTT_PROP_RECEIVE_MAX);
	}
	if (max_qos < KMQTT_QOS2) {
		props->max_qos = max_qos;
		kmqtt_prop_add(props, KMQTT_PROP_MAX_QOS);
	}
	if (!READ_ONCE(limits->retain_available)) {
		props->retain_available = 0;
		kmqtt_prop_add(props, KMQTT_PROP_RETAIN_AVAILABLE);
	}
	if (max_packet < KMQTT_PACKET_MAX) {
		props->max_packet_size = max_packet;
		kmqtt_prop_add(props, KMQTT_PROP_MAX_PACKET_SIZE);
	}
	if (!READ_ONCE(limits->wildcard_available)) {
		props->wildcard_available = 0;
		kmqtt_prop_add(props, KMQTT_PROP_WILDCARD_AVAILABLE);
	}
	if (!READ_ONCE(limits->sub_ids_available)) {
		props->sub_id_available = 0;
		kmqtt_prop_add(props, KMQTT_PROP_SUB_ID_AVAILABLE);
	}
	if (!READ_ONCE(limits->shared_available)) {
		props->shared_available = 0;
		kmqtt_prop_add(props, KMQTT_PROP_SHARED_AVAILABLE);
	}
}

/* What this client has got instead of what it asked for. */
static void put_terms(struct kmqtt_props *props,
		      const struct kmqtt_client *client,
		      const struct kmqtt_connect *c, bool assigned)
{
	u32 max_expiry = READ_ONCE(client->broker->limits.max_session_expiry);

	if (client->expiry > max_expiry) {
		props->session_expiry = max_expiry;
		kmqtt_prop_add(props, KMQTT_PROP_SESSION_EXPIRY);
	}
	if (client->aliases.in_max) {
		props->topic_alias_max = client->aliases.in_max;
		kmqtt_prop_add(props, KMQTT_PROP_TOPIC_ALIAS_MAX);
	}
	if (client->keepalive != c->keepalive) {
		props->server_keep_alive = client->keepalive;
		kmqtt_prop_add(props, KMQTT_PROP_SERVER_KEEP_ALIVE);
	}
	if (assigned) {		/* [MQTT-3.1.3-6] */
		props->assigned_id = c->client_id;
		kmqtt_prop_add(props, KMQTT_PROP_ASSIGNED_ID);
	}
}

/* Is the client called as the operator wants all to be? */
static bool begins_right(const struct kmqtt_client *client,
			 const struct kmqtt_str *id)
{
	const struct kmqtt_text *prefix;
	bool ret;

	rcu_read_lock();
	prefix = rcu_dereference(client->broker->texts[KMQTT_TEXT_CLIENT_ID_PREFIX]);
	ret = !prefix || (id->len >= prefix->len &&
			  !memcmp(id->data, prefix->data, prefix->len));
	rcu_read_unlock();
	return ret;
}

/*
 * Realms and terms may have changed since CONNECT came: under those of one
 * moment, is the client one to be let in, and what is it called? Returns 0,
 * -EAGAIN if a thread is to wait for the end of a change, -EACCES, or -EPERM if
 * it is banned.
 */
static int settle(const struct kmqtt_client *client, struct kmqtt_connect *c,
		  u8 *id, bool *assigned, bool bh)
{
	struct kmqtt_access *access = client->port->access;
	struct kmqtt_str named = c->client_id;
	u32 changes;
	bool ok;

	do {
		changes = bh ? kmqtt_access_changes(access) :
			       kmqtt_access_wait(access);
		if (changes & 1)
			return -EAGAIN;
		c->client_id = named;
		ok = kmqtt_client_admitted(client) && client_id_valid(client, c);
		*assigned = ok && assign_client_id(client, c, id);
		ok = ok && begins_right(client, &c->client_id);
		/* Pairs with kmqtt_access_begin_change(). */
		smp_rmb();
	} while (READ_ONCE(access->changes) != changes);
	if (!ok)
		return -EACCES;
	return kmqtt_banned_as(client, &c->client_id) ? -EPERM : 0;
}

/* The client has its session. Returns 0 or -ECONNABORTED. */
static int go_online(struct kmqtt_client *client)
{
	enum kmqtt_reason reason = KMQTT_REASON_SUCCESS;

	/* Fails if somebody has closed the connection meanwhile. */
	if (!kmqtt_client_go_online(client))
		return -ECONNABORTED;
	/* What has changed from here on is for others to see to. */
	if (!kmqtt_client_still_allowed(client))
		reason = KMQTT_REASON_NOT_AUTHORIZED;
	else if (kmqtt_banned(client))
		reason = KMQTT_REASON_BANNED;
	kmqtt_auth_decided(client, reason);
	return reason ? kmqtt_client_fail(client, reason) : 0;
}

/**
 * kmqtt_connect_accept() - let a client in
 * @client: the client
 * @c: its CONNECT
 * @proof: properties that conclude an authentication, or NULL
 * @batch: sends the CONNACK and what a session has waiting
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_connect_accept(struct kmqtt_client *client, struct kmqtt_connect *c,
			 const struct kmqtt_props *proof,
			 struct kmqtt_batch *batch)
{
	struct kmqtt_props props = proof ? *proof : (struct kmqtt_props) {};
	struct kmqtt_text *response_info = NULL;
	u8 id[ASSIGNED_ID_MAX + 1], *connack;
	bool present = false, assigned;
	u32 len;
	int err;

	if (keep_user(client, c, batch->gfp))
		goto no_memory;
	err = settle(client, c, id, &assigned, batch->bh);
	if (err == -EAGAIN)
		return err;
	if (err)
		return kmqtt_connect_refuse(client, err == -EPERM ?
					    KMQTT_REASON_BANNED :
					    KMQTT_REASON_NOT_AUTHORIZED, batch);
	if (c->version == KMQTT_V5) {
		put_capabilities(&props, client);
		put_terms(&props, client, c, assigned);
	}
	if (kmqtt_prop_has(&c->props, KMQTT_PROP_REQUEST_RESPONSE) &&
	    c->props.request_response)
		response_info = kmqtt_text_copy(&client->broker->texts[KMQTT_TEXT_RESPONSE_INFO]);
	put_text(&props, KMQTT_PROP_RESPONSE_INFO, &props.response_info,
		 response_info);

	connack = make_connack(client, false, KMQTT_REASON_SUCCESS, &props,
			       batch->gfp, &len);
	err = connack ? kmqtt_admit(client, c, batch, &present) : -ENOMEM;
	if (!err) {
		kmqtt_stats_inc(client->broker, admitted);
		/* First CONNACK, then messages: they leave when it is online. */
		len = kmqtt_connack_encode(connack, client->version, present,
					   KMQTT_REASON_SUCCESS, &props);
		kmqtt_reply_send(client, connack, len, batch);
	}
	kfree(response_info);
	kfree(connack);
	/* A session that is just ending is in the way only for a moment. */
	if (batch->bh && err && err != -EDQUOT)
		return -EAGAIN;
	if (err)
		return kmqtt_connect_refuse(client,
					    KMQTT_REASON_SERVER_UNAVAILABLE,
					    batch);
	err = go_online(client);
	if (err)
		return err;
	kmqtt_link_touch(&client->link, batch);
	kmqtt_event_client(client, KMQTT_CMD_CONNECT_NTF, present);
	return kmqtt_banned_count(client);

no_memory:
	return batch->bh ? -EAGAIN :
	       kmqtt_connect_refuse(client, KMQTT_REASON_SERVER_UNAVAILABLE,
				    batch);
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
	enum kmqtt_reason reason;
	struct kmqtt_connect c;
	int err;

	err = kmqtt_connect_decode(packet->body, packet->fixed.remaining, &c);
	client->version = c.version;
	/* Who speaks an unknown version is told in the oldest. */
	if (err == -EPROTONOSUPPORT || (err && c.version == KMQTT_V5))
		return kmqtt_connect_refuse(client, kmqtt_decode_reason(err),
					    batch);
	if (err)
		return kmqtt_client_fail(client, kmqtt_decode_reason(err));
	if (client->proven) {
		c.has_user = true;
		c.user = *client->proven;
	}
	keep_terms(client, &c);
	reason = check_connect(client, &c);
	/* There is no CONNACK for this before 5.0. */
	if (reason == KMQTT_REASON_TOPIC_NAME_INVALID && c.version != KMQTT_V5)
		return kmqtt_client_fail(client, reason);
	if (reason == KMQTT_REASON_CONTINUE_AUTHENTICATION)
		return kmqtt_login_connect(client, packet, batch);
	if (reason)
		return kmqtt_connect_refuse(client, reason, batch);
	if (kmqtt_prop_has(&c.props, KMQTT_PROP_AUTH_METHOD))
		return kmqtt_auth_connect(client, packet, &c, batch);
	return kmqtt_connect_accept(client, &c, NULL, batch);
}
