// SPDX-License-Identifier: GPL-2.0
/*
 * MQTT in WebSocket's frames (RFC 6455; MQTT 5, 6): an agent has done the
 * handshake. What is received loses its frames in place, and packets and frames have
 * nothing to do with each other there ([MQTT-6.0.0-2]). What is sent gets a frame for
 * each packet: clients must not expect that, but there are some that look at the
 * first packet of a frame and wait for another frame then (Paho C 1.3).
 */
#include "websocket.h"

#include <linux/net.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "../wire/cursor.h"
#include "../wire/websocket.h"
#include "conn.h"

/* Frames that one send has. */
#define FRAMES_MAX	16

/**
 * struct kmqtt_websocket - the frames of a connection
 * @ws: what has come; the receive side's
 * @lock: guards @answer and @answer_len; a leaf, taken in threads only
 * @answer: control frames that are to be sent
 * @answer_len: bytes there
 * @rest: of a frame that the socket took in part, or NULL; this and all below is
 *	the transmit side's
 * @rest_len: bytes in @rest, charged to the broker
 * @rest_sent: those that have left
 * @broken: the client has half a frame and never gets the rest
 * @left: bytes that the frame begun last still needs, and gets for sure: a message
 *	that is spliced, or an acknowledgment larger than the send buffer
 * @head_len: bytes in @head
 * @head_sent: those that have left
 * @head: control frames
 */
struct kmqtt_websocket {
	struct kmqtt_ws ws;

	spinlock_t lock;		/* answer and answer_len */
	u8 answer[KMQTT_WS_ANSWER_MAX];
	u8 answer_len;

	u8 *rest;
	u32 rest_len;
	u32 rest_sent;
	bool broken;
	size_t left;
	u8 head_len;
	u8 head_sent;
	u8 head[KMQTT_WS_ANSWER_MAX];
};

/*
 * Frames that are to be sent at once: @vec has a header and the bytes of a packet in
 * turn. The header of the first is empty if its frame has begun; of the last packet
 * @left bytes are to follow.
 */
struct frames {
	unsigned int nr;
	size_t bytes;
	size_t bytes_of_heads;
	size_t left;
	struct kvec vec[2 * FRAMES_MAX];
	u8 heads[FRAMES_MAX][KMQTT_WS_HEAD_MAX];
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

static void count(struct kmqtt_conn *conn, int bytes)
{
	conn->client.bytes_out += bytes;
	kmqtt_stats_add(conn->client.broker, bytes_out, bytes);
}

/* Send some bytes. Returns how many, or as sock_sendmsg() if there were none. */
static int send_some(struct kmqtt_conn *conn, u8 *data, size_t len)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	};

	return kernel_sendmsg(conn->sock, &msg, &vec, 1, len) ?: -EAGAIN;
}

static void drop_rest(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;

	if (w->rest)
		kmqtt_memory_uncharge(&conn->client.broker->memory,
				      w->rest_len);
	kvfree(w->rest);
	w->rest = NULL;
}

/* Send what is in @rest. Returns 0, or as sock_sendmsg(). */
static int send_rest(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	int n;

	while (w->rest && w->rest_sent < w->rest_len) {
		n = send_some(conn, w->rest + w->rest_sent,
			      w->rest_len - w->rest_sent);
		if (n < 0)
			return n;
		w->rest_sent += n;
	}
	drop_rest(conn);
	return 0;
}

/* Send what is in @head. Returns 0, or as sock_sendmsg(). */
static int send_head(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	int n;

	while (w->head_sent < w->head_len) {
		n = send_some(conn, w->head + w->head_sent,
			      w->head_len - w->head_sent);
		if (n < 0)
			return n;
		count(conn, n);
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
 * kmqtt_websocket_flush() - send what is due before another frame
 * @conn: the connection
 *
 * Context: process, may sleep; the connection's transmit side.
 * Return: 0, or as sock_sendmsg().
 */
int kmqtt_websocket_flush(struct kmqtt_conn *conn)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	int err;

	if (w->broken)
		return -EPIPE;
	err = send_rest(conn);
	if (err)
		return err;
	if (!w->left && !w->head_len)
		take_answer(w);
	return send_head(conn);
}

/**
 * kmqtt_websocket_is_behind() - is there a frame that the socket has in part?
 * @conn: the connection
 *
 * Context: the connection's transmit side.
 * Return: true if there is, though all of it counts as sent.
 */
bool kmqtt_websocket_is_behind(const struct kmqtt_conn *conn)
{
	const struct kmqtt_websocket *w = conn->stream->websocket;

	return w->rest || w->broken;
}

/* Keep what the socket did not take of @frames. Returns false without memory. */
static bool keep_rest(struct kmqtt_conn *conn, const struct frames *frames,
		      size_t sent)
{
	struct kmqtt_memory *memory = &conn->client.broker->memory;
	struct kmqtt_websocket *w = conn->stream->websocket;
	struct iov_iter iter;

	w->rest_len = frames->bytes - sent;
	w->rest_sent = 0;
	if (!kmqtt_memory_charge(memory, w->rest_len))
		return false;
	w->rest = kvmalloc(w->rest_len, GFP_KERNEL);
	if (!w->rest) {
		kmqtt_memory_uncharge(memory, w->rest_len);
		return false;
	}
	iov_iter_kvec(&iter, ITER_SOURCE, frames->vec, 2 * frames->nr,
		      frames->bytes);
	iov_iter_advance(&iter, sent);
	if (copy_from_iter(w->rest, w->rest_len, &iter) == w->rest_len)
		return true;
	drop_rest(conn);
	return false;
}

/*
 * Bytes of the packet that begins at @data. If it is cut off after @len, all of its
 * head is there: only what doesn't fit in the send buffer by itself is cut.
 */
static size_t packet_len(const u8 *data, size_t len)
{
	struct kmqtt_cursor c = { .pos = data + 1, .end = data + len };
	u32 remaining;

	/* We have written it ourselves. */
	if (WARN_ON_ONCE(kmqtt_read_varint(&c, &remaining)))
		return len;
	return c.pos - data + remaining;
}

/*
 * Give the packets at @data frames, as many as there may be. Of the first one, @left
 * bytes are due if its frame has begun. Returns bytes of the packets.
 */
static size_t lay_frames(struct frames *frames, size_t left, u8 *data,
			 size_t len)
{
	size_t done = 0, head, here;
	struct kvec *vec;

	frames->nr = 0;
	frames->bytes_of_heads = 0;
	while (done < len && frames->nr < FRAMES_MAX) {
		vec = &frames->vec[2 * frames->nr];
		vec[0].iov_base = frames->heads[frames->nr++];
		head = 0;
		if (!left) {
			left = packet_len(data + done, len - done);
			head = kmqtt_ws_head(vec[0].iov_base, left);
		}
		here = min(left, len - done);
		vec[0].iov_len = head;
		vec[1].iov_base = data + done;
		vec[1].iov_len = here;
		frames->bytes_of_heads += head;
		left -= here;
		done += here;
	}
	frames->bytes = frames->bytes_of_heads + done;
	frames->left = left;
	return done;
}

/*
 * Send the packets of the send buffer. What is sent at once counts as sent if any of
 * it was: what isn't sent goes back to the outbox, where it may expire, but a frame
 * has promised it.
 */
static int send_packets(struct kmqtt_conn *conn, struct msghdr *msg)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	u8 *data = msg->msg_iter.kvec->iov_base;
	size_t len = msg_data_left(msg), done = 0, part;
	struct frames frames;
	int n;

	do {
		struct msghdr framed = { .msg_flags = msg->msg_flags };

		part = lay_frames(&frames, w->left, data + done, len - done);
		/* What comes next may turn out not to be sent: TLS would wait. */
		if (done + part < len)
			framed.msg_flags &= ~MSG_MORE;
		iov_iter_kvec(&framed.msg_iter, ITER_SOURCE, frames.vec,
			      2 * frames.nr, frames.bytes);
		n = sock_sendmsg(conn->sock, &framed);
		if (n <= 0)
			return done ?: n;
		count(conn, frames.bytes_of_heads);
		w->left = frames.left;
		done += part;
		if (n < frames.bytes) {
			/* Then it can't be told anything any more. */
			w->broken = !keep_rest(conn, &frames, n);
			break;
		}
	} while (done < len);
	return done;
}

/**
 * kmqtt_websocket_send() - send MQTT's bytes in frames
 * @conn: the connection
 * @msg: packets from the send buffer, or the rest of the last of them, spliced from a
 *	message
 *
 * Context: process, may sleep; the connection's transmit side.
 * Return: bytes of MQTT that were sent, or as sock_sendmsg().
 */
int kmqtt_websocket_send(struct kmqtt_conn *conn, struct msghdr *msg)
{
	struct kmqtt_websocket *w = conn->stream->websocket;
	int n;

	n = kmqtt_websocket_flush(conn);
	if (n)
		return n;
	if (iov_iter_is_kvec(&msg->msg_iter))
		return send_packets(conn, msg);
	if (WARN_ON_ONCE(msg_data_left(msg) > w->left))
		return -EPIPE;
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
	if (!kmqtt_websocket_flush(conn) && !w->left) {
		kmqtt_ws_close(&w->ws, KMQTT_WS_NORMAL);
		w->head_len = kmqtt_ws_answer(&w->ws, w->head);
		send_head(conn);
	}
	drop_rest(conn);
}
