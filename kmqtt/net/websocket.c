// SPDX-License-Identifier: GPL-2.0
/*
 * MQTT in WebSocket's frames (RFC 6455; MQTT 5, 6): an agent has done the
 * handshake. What is received loses its frames in place, what is sent gets a
 * frame for each send, so that packets and frames have nothing to do with each
 * other ([MQTT-6.0.0-2]).
 */
#include "websocket.h"

#include <linux/net.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "../wire/websocket.h"
#include "conn.h"

/**
 * struct kmqtt_websocket - the frames of a connection
 * @ws: what has come; the receive side's
 * @lock: guards @answer and @answer_len; a leaf, taken in threads only
 * @answer: control frames that are to be sent
 * @answer_len: bytes there
 * @left: bytes of payload that the frame begun last still needs; this and all
 *	below is the transmit side's
 * @head_len: bytes in @head
 * @head_sent: those that have left
 * @head: control frames, or the header of the frame begun last
 */
struct kmqtt_websocket {
	struct kmqtt_ws ws;

	spinlock_t lock;		/* answer and answer_len */
	u8 answer[KMQTT_WS_ANSWER_MAX];
	u8 answer_len;

	u64 left;
	u8 head_len;
	u8 head_sent;
	u8 head[KMQTT_WS_ANSWER_MAX];
};

/**
 * kmqtt_websocket_create() - begin to have frames
 *
 * Context: process, may sleep.
 * Return: what a stream needs for that and frees with kfree(), or NULL.
 */
struct kmqtt_websocket *kmqtt_websocket_create(void)
{
	struct kmqtt_websocket *w = kzalloc(sizeof(*w), GFP_KERNEL);

	BUILD_BUG_ON(sizeof(w->head) > U8_MAX);
	if (w)
		spin_lock_init(&w->lock);
	return w;
}

/**
 * kmqtt_websocket_received() - take the frames off what has come
 * @conn: the connection
 * @data: what has come; MQTT's bytes afterwards
 * @len: bytes of it
 * @more: false if nothing follows that is to be looked at
 *
 * Context: process, may sleep; the connection's receive side.
 * Return: bytes of MQTT.
 */
int kmqtt_websocket_received(struct kmqtt_conn *conn, u8 *data, int len,
			     bool *more)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	size_t got;

	*more = !kmqtt_ws_decode(&w->ws, data, len, &got) && !w->ws.closed;
	if (w->ws.failed)
		pr_debug("connection %llu: WebSocket is closed with %u\n",
			 conn->client.id, w->ws.close_code);
	if (!kmqtt_ws_due(&w->ws))
		return got;
	/* Of several pings, the last one needs a pong (RFC 6455, 5.5.3). */
	spin_lock(&w->lock);
	w->answer_len = kmqtt_ws_answer(&w->ws, w->answer);
	spin_unlock(&w->lock);
	set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
	kmqtt_conn_kick(conn, true);
	return got;
}

/* Send what is in @head. Returns 0, or as sock_sendmsg(). */
static int send_head(struct kmqtt_conn *conn, int flags)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	struct msghdr msg = {};
	struct kvec vec;
	int n;

	while (w->head_sent < w->head_len) {
		vec.iov_base = w->head + w->head_sent;
		vec.iov_len = w->head_len - w->head_sent;
		msg.msg_flags = flags | MSG_DONTWAIT | MSG_NOSIGNAL;
		n = kernel_sendmsg(conn->sock, &msg, &vec, 1, vec.iov_len);
		if (n <= 0)
			return n ?: -EAGAIN;
		conn->client.bytes_out += n;
		kmqtt_stats_add(conn->client.broker, bytes_out, n);
		w->head_sent += n;
	}
	w->head_sent = 0;
	w->head_len = 0;
	return 0;
}

/* Control frames have their place between two frames. */
static void take_answer(struct kmqtt_websocket *w)
{
	spin_lock(&w->lock);
	memcpy(w->head, w->answer, w->answer_len);
	w->head_len = w->answer_len;
	w->answer_len = 0;
	spin_unlock(&w->lock);
}

/**
 * kmqtt_websocket_answer() - send control frames if any are due
 * @conn: the connection
 *
 * Those that are due in the middle of a frame leave behind it.
 *
 * Context: process, may sleep; the connection's transmit side.
 * Return: 0, or as sock_sendmsg().
 */
int kmqtt_websocket_answer(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;

	if (w->left)
		return 0;
	if (!w->head_len)
		take_answer(w);
	return send_head(conn, 0);
}

/**
 * kmqtt_websocket_send() - send MQTT's bytes in a frame
 * @conn: the connection
 * @msg: the bytes
 *
 * Context: process, may sleep; the connection's transmit side.
 * Return: bytes of MQTT that were sent, or as sock_sendmsg().
 */
int kmqtt_websocket_send(struct kmqtt_conn *conn, struct msghdr *msg)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	int n;

	if (!w->left) {
		n = kmqtt_websocket_answer(conn);
		if (n)
			return n;
		w->left = msg_data_left(msg);
		w->head_len = kmqtt_ws_head(w->head, w->left);
	}
	n = send_head(conn, MSG_MORE);
	if (n)
		return n;
	iov_iter_truncate(&msg->msg_iter, w->left);
	n = sock_sendmsg(conn->sock, msg);
	if (n > 0)
		w->left -= n;
	return n;
}

/**
 * kmqtt_websocket_close() - send a close frame, unless one was sent
 * @conn: a connection that is being released; the caller owns both sides
 *
 * Context: process, may sleep.
 */
void kmqtt_websocket_close(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;

	/* Not in the middle of a frame. */
	if (kmqtt_websocket_answer(conn) || w->left)
		return;
	kmqtt_ws_close(&w->ws, KMQTT_WS_NORMAL);
	w->head_len = kmqtt_ws_answer(&w->ws, w->head);
	send_head(conn, 0);
}
