// SPDX-License-Identifier: GPL-2.0
/*
 * Connections.
 */
#include <linux/sizes.h>
#include "../net/conn.h"
#include "../net/registry.h"
#include "genl.h"
#include "../wire/utf8.h"
#include "reply.h"

/* What is known once a CONNECT was accepted. */
static int put_online(struct sk_buff *skb, const struct kmqtt_client *client)
{
	const struct kmqtt_session *session = client->session;
	bool cut = false;

	if (nla_put(skb, KMQTT_A_CLIENT_CLIENT_ID, session->id_len,
		    session->id) ||
	    nla_put_u8(skb, KMQTT_A_CLIENT_LEVEL, client->version) ||
	    nla_put_u8(skb, KMQTT_A_CLIENT_CLEAN, client->clean) ||
	    nla_put_u16(skb, KMQTT_A_CLIENT_KEEPALIVE, client->keepalive))
		return -EMSGSIZE;
	if (client->identity->user_len &&
	    kmqtt_nl_put_string(skb, KMQTT_A_CLIENT_USER,
				client->identity->user,
				client->identity->user_len, &cut))
		return -EMSGSIZE;
	return cut ? nla_put_flag(skb, KMQTT_A_CLIENT_TRUNCATED) : 0;
}

/* The queues belong to the session, maybe to another connection by now. */
static int put_queues(struct sk_buff *skb, const struct kmqtt_client *client)
{
	struct kmqtt_session *session = client->session;
	u32 messages, inflight;
	u64 bytes, dropped;
	bool ours;

	spin_lock_bh(&session->lock);
	ours = session->link == &client->link;
	messages = kmqtt_outbox_queued(&session->outbox);
	bytes = session->outbox.bytes;
	inflight = session->outbox.inflight;
	dropped = session->dropped;
	spin_unlock_bh(&session->lock);

	if (!ours)
		return 0;
	if (nla_put_u32(skb, KMQTT_A_CLIENT_QUEUED_MESSAGES, messages) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_QUEUED_BYTES, bytes) ||
	    nla_put_u32(skb, KMQTT_A_CLIENT_INFLIGHT, inflight) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_DROPPED, dropped))
		return -EMSGSIZE;
	return 0;
}

static int put_traffic(struct sk_buff *skb, struct kmqtt_conn *conn)
{
	const struct kmqtt_client *client = &conn->client;
	int unsent = kmqtt_registry_unsent(conn->client.broker->registry,
					   conn);

	if (nla_put_u32(skb, KMQTT_A_CLIENT_CONNECTED,
			(jiffies - client->connected) / HZ) ||
	    nla_put_u32(skb, KMQTT_A_CLIENT_IDLE,
			(jiffies - READ_ONCE(conn->rx.last)) / HZ) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_MESSAGES_RECEIVED,
			 READ_ONCE(client->messages_in)) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_MESSAGES_SENT,
			 READ_ONCE(client->messages_out)) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_BYTES_RECEIVED,
			 READ_ONCE(client->bytes_in)) ||
	    nla_put_uint(skb, KMQTT_A_CLIENT_BYTES_SENT,
			 READ_ONCE(client->bytes_out)) ||
	    (test_bit(KMQTT_CONN_RX_PACED, &conn->flags) &&
	     nla_put_flag(skb, KMQTT_A_CLIENT_PACED)))
		return -EMSGSIZE;
	if (unsent < 0)
		return 0;
	return nla_put_uint(skb, KMQTT_A_CLIENT_SEND_QUEUE, unsent);
}

static int put_text(struct sk_buff *skb, int attr, const struct kmqtt_str *str)
{
	return str->len ? nla_put(skb, attr, str->len, str->data) : 0;
}

/* What carries its bytes, and what is around them. */
static int put_stream(struct sk_buff *skb, const struct kmqtt_stream *stream)
{
	const struct kmqtt_handshake *h;

	if (!stream)
		return nla_put_u8(skb, KMQTT_A_CLIENT_TRANSPORT,
				  KMQTT_TRANSPORT_TCP);
	h = &stream->handshake;
	if (nla_put_u8(skb, KMQTT_A_CLIENT_TRANSPORT, stream->transport) ||
	    (h->websocket && nla_put_flag(skb, KMQTT_A_CLIENT_WEBSOCKET)) ||
	    (h->tls_version && nla_put_u16(skb, KMQTT_A_CLIENT_TLS_VERSION,
					   h->tls_version)) ||
	    put_text(skb, KMQTT_A_CLIENT_CIPHER, &h->cipher) ||
	    put_text(skb, KMQTT_A_CLIENT_SUBJECT, &h->subject))
		return -EMSGSIZE;
	return 0;
}

/* @online: the client was seen to be KMQTT_CLIENT_ONLINE */
static int put_client(struct sk_buff *skb, struct kmqtt_conn *conn, bool online)
{
	const struct kmqtt_client *client = &conn->client;

	if (nla_put_uint(skb, KMQTT_A_CLIENT_CONNECTION, client->id) ||
	    nla_put_u32(skb, KMQTT_A_CLIENT_LISTENER,
			READ_ONCE(client->port->listener)) ||
	    kmqtt_nl_put_address(skb, KMQTT_A_CLIENT_ADDR4, &client->peer,
				 client->peer_ifindex, client->peer_port) ||
	    put_stream(skb, conn->stream) || put_traffic(skb, conn))
		return -EMSGSIZE;
	if (!online)
		return 0;
	return put_online(skb, client) ?: put_queues(skb, client);
}

static int put_packet(struct sk_buff *skb, bool sent,
		      const struct kmqtt_past_packet *packet)
{
	struct nlattr *nest = nla_nest_start(skb, KMQTT_A_CLIENT_PACKET);

	/* The caller throws all of it away. */
	if (!nest || nla_put_u8(skb, KMQTT_A_PACKET_TYPE, packet->type) ||
	    (sent && nla_put_flag(skb, KMQTT_A_PACKET_SENT)) ||
	    nla_put_u32(skb, KMQTT_A_PACKET_SIZE, packet->len) ||
	    nla_put_u32(skb, KMQTT_A_PACKET_AGE, packet->age))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_packets(struct sk_buff *skb, const struct kmqtt_past *past,
		       bool sent)
{
	struct kmqtt_past_packet packet;
	unsigned int i;

	for (i = 0; kmqtt_history_read(past, i, &packet); i++)
		if (put_packet(skb, sent, &packet))
			return -EMSGSIZE;
	return 0;
}

static bool is_online(const struct kmqtt_conn *conn)
{
	bool online = kmqtt_client_state(&conn->client) == KMQTT_CLIENT_ONLINE;

	/* What the state stands for was written before it. */
	smp_rmb();
	return online;
}

/* The connection of a session, with a reference, or NULL. */
static struct kmqtt_conn *conn_of(struct kmqtt_session *session)
{
	struct kmqtt_link *link;

	spin_lock_bh(&session->lock);
	link = session->link;
	if (link)
		kmqtt_link_get(link);
	spin_unlock_bh(&session->lock);
	return link ? kmqtt_conn_of(link) : NULL;
}

static struct kmqtt_conn *find_by_client_id(struct genl_info *info)
{
	struct kmqtt_session *session;
	struct kmqtt_conn *conn;

	session = kmqtt_nl_session(info, KMQTT_A_CLIENT_CLIENT_ID);
	if (IS_ERR(session))
		return ERR_CAST(session);
	conn = conn_of(session);
	kmqtt_session_put(session);
	if (conn && is_online(conn))
		return conn;
	if (conn)
		kmqtt_link_put(&conn->client.link);
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[KMQTT_A_CLIENT_CLIENT_ID],
			    "the client is not connected");
	return ERR_PTR(-ENOENT);
}

/**
 * kmqtt_nl_client_get_doit() - tell of a client's connection
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_client_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_conn *conn;
	struct sk_buff *reply;
	int err = -ENOMEM;
	void *hdr;

	conn = find_by_client_id(info);
	if (IS_ERR(conn))
		return PTR_ERR(conn);
	reply = kmqtt_nl_reply(info, &hdr);
	if (reply)
		err = put_client(reply, conn, true) ?:
		      put_packets(reply, &conn->client.history->in, false) ?:
		      put_packets(reply, &conn->client.history->out, true);
	kmqtt_link_put(&conn->client.link);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     struct kmqtt_conn *conn)
{
	bool online = is_online(conn);
	void *hdr;

	/* Those on their way out are gone for the operator. */
	if (!online && kmqtt_client_state(&conn->client) == KMQTT_CLIENT_CLOSING)
		return 0;
	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_CLIENT_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (put_client(skb, conn, online)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_client_get_start() - begin to tell of all connections
 * @cb: the dump
 *
 * Context: process.
 * Return: 0.
 */
int kmqtt_nl_client_get_start(struct netlink_callback *cb)
{
	u64 *last = (u64 *)cb->ctx;

	/* Identifier, user, subject and cipher may be long. */
	cb->min_dump_alloc = SZ_8K;
	*last = 0;
	return 0;
}

/**
 * kmqtt_nl_client_get_dumpit() - tell of some more connections
 * @skb: where to
 * @cb: the dump, which keeps the number of the last connection told
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_client_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_registry *registry = kmqtt_nl_dump_broker(cb)->registry;
	u64 *last = (u64 *)cb->ctx;
	struct kmqtt_conn *conn;
	int err = 0;

	while (!err && (conn = kmqtt_registry_next(registry, *last))) {
		err = put_entry(skb, cb, conn);
		if (!err)
			*last = conn->client.id;
		kmqtt_link_put(&conn->client.link);
		cond_resched();
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_client_get_done() - end telling of connections
 * @cb: the dump, which holds nothing
 *
 * Context: process.
 * Return: 0.
 */
int kmqtt_nl_client_get_done(struct netlink_callback *cb)
{
	return 0;
}

/* A connection by number, with a reference. */
static struct kmqtt_conn *find_by_number(struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_CLIENT_CONNECTION];
	struct kmqtt_registry *registry = kmqtt_nl_broker(info)->registry;
	u64 id = nla_get_uint(attr);
	struct kmqtt_conn *conn;

	conn = id ? kmqtt_registry_next(registry, id - 1) : NULL;
	if (conn && conn->client.id == id)
		return conn;
	if (conn)
		kmqtt_link_put(&conn->client.link);
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "no connection has this number");
	return ERR_PTR(-ENOENT);
}

/* Is @conn the connection of the client that the request names, if any? */
static bool is_named(struct genl_info *info, const struct kmqtt_conn *conn)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_CLIENT_CLIENT_ID];
	const struct kmqtt_session *session;
	struct kmqtt_str id;

	if (!attr)
		return true;
	id = kmqtt_nl_str(attr);
	if (is_online(conn)) {
		session = conn->client.session;
		if (session->id_len == id.len &&
		    !memcmp(session->id, id.data, id.len))
			return true;
	}
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "this is not the client of the connection");
	return false;
}

/* The server that a client is sent to; the first one that it is told counts. */
static int set_reference(struct genl_info *info, struct kmqtt_conn *conn,
			 enum kmqtt_reason reason)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_CLIENT_SERVER_REFERENCE];
	struct kmqtt_text *text;
	struct kmqtt_str str;

	if (reason != KMQTT_REASON_USE_ANOTHER_SERVER &&
	    reason != KMQTT_REASON_SERVER_MOVED) {
		if (!attr)
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "only for the reasons use-another-server and server-moved");
		return -EINVAL;
	}
	if (attr) {
		str = kmqtt_nl_str(attr);
		if (!str.len || !kmqtt_utf8_valid(str.data, str.len)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "not a text of UTF-8");
			return -EINVAL;
		}
		text = kmalloc(struct_size(text, data, str.len), GFP_KERNEL);
		if (!text)
			return -ENOMEM;
		text->len = str.len;
		memcpy(text->data, str.data, str.len);
	} else {
		text = kmqtt_text_copy(&kmqtt_nl_broker(info)->texts[KMQTT_TEXT_SERVER_REFERENCE]);
	}
	if (text && cmpxchg(&conn->client.reference, NULL, text))
		kfree(text);
	return 0;
}

/**
 * kmqtt_nl_client_kick_doit() - disconnect a client
 * @skb: the request
 * @info: the request
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_client_kick_doit(struct sk_buff *skb, struct genl_info *info)
{
	enum kmqtt_reason reason = KMQTT_REASON_ADMINISTRATIVE_ACTION;
	struct kmqtt_conn *conn;
	int err = -ENOENT;

	if (info->attrs[KMQTT_A_CLIENT_REASON])
		reason = nla_get_u32(info->attrs[KMQTT_A_CLIENT_REASON]);
	if (info->attrs[KMQTT_A_CLIENT_CONNECTION])
		conn = find_by_number(info);
	else
		conn = find_by_client_id(info);
	if (IS_ERR(conn))
		return PTR_ERR(conn);
	if (is_named(info, conn))
		err = set_reference(info, conn, reason);
	if (!err)
		kmqtt_conn_close(conn, reason);
	kmqtt_link_put(&conn->client.link);
	return err;
}
