// SPDX-License-Identifier: GPL-2.0
/*
 * Connections whose bytes are not plain TCP's: the kernel's TLS, frames of
 * WebSocket, Multipath TCP, AF_UNIX and AF_VSOCK. Their sockets are used as a
 * process would use them, and by threads only.
 */
#include "stream.h"

#include <linux/net.h>
#include <linux/slab.h>
#include <linux/tls.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tls_prot.h>
#include "conn.h"
#include "pass.h"
#include "websocket.h"

/*
 * Bytes that are read for one gulp: frames of WebSocket may have much around
 * their payload, or none.
 */
#define READ_BUDGET	(2 * KMQTT_RX_SIZE)

/* Room for the one control message that TLS knows. */
union tls_control {
	struct cmsghdr head;
	u8 space[CMSG_SPACE(sizeof(u8))];
};

/**
 * kmqtt_callbacks_save() - note what a socket calls
 * @callbacks: where to
 * @sk: the socket
 *
 * Context: any; the socket's callback lock held.
 */
void kmqtt_callbacks_save(struct kmqtt_callbacks *callbacks,
			  const struct sock *sk)
{
	callbacks->data_ready = sk->sk_data_ready;
	callbacks->state_change = sk->sk_state_change;
	callbacks->write_space = sk->sk_write_space;
}

/* Copy a string to @pos and move on. */
static void keep(struct kmqtt_str *str, u8 **pos)
{
	if (str->len)
		memcpy(*pos, str->data, str->len);
	str->data = *pos;
	*pos += str->len;
}

/**
 * kmqtt_stream_create() - make what a stream needs
 * @transport: enum kmqtt_transport
 * @handshake: what has come before, copied; or NULL
 *
 * Context: process, may sleep.
 * Return: the stream or NULL.
 */
struct kmqtt_stream *
kmqtt_stream_create(u8 transport, const struct kmqtt_handshake *handshake)
{
	struct kmqtt_stream *stream;
	size_t len = 0;
	u8 *pos;

	if (handshake)
		len = handshake->user.len + handshake->subject.len +
		      handshake->cipher.len;
	stream = kzalloc(sizeof(*stream) + len, GFP_KERNEL);
	if (!stream)
		return NULL;
	stream->transport = transport;
	if (!handshake)
		return stream;
	stream->handshake = *handshake;
	pos = (u8 *)(stream + 1);
	keep(&stream->handshake.user, &pos);
	keep(&stream->handshake.subject, &pos);
	keep(&stream->handshake.cipher, &pos);
	if (!handshake->websocket)
		return stream;
	stream->websocket = kmqtt_websocket_create();
	if (stream->websocket)
		return stream;
	kfree(stream);
	return NULL;
}

/**
 * kmqtt_stream_free() - free it when no callback stands on it any more
 * @stream: the stream or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_stream_free(struct kmqtt_stream *stream)
{
	if (!stream)
		return;
	kfree(stream->websocket);
	kfree_rcu(stream, rcu);
}

/* Does TLS go on after this record, which is none of data? */
static bool goes_on(struct kmqtt_conn *conn, u8 type, const u8 *data, int len)
{
	switch (type) {
	case TLS_RECORD_TYPE_ALERT:
		pr_debug("connection %llu: TLS alert %u\n", conn->client.id,
			 len >= 2 ? data[1] : 0);
		return false;
	case TLS_RECORD_TYPE_HANDSHAKE:
		/*
		 * New keys, or the wish for another handshake. Keys are the
		 * agent's matter, which isn't there any more.
		 */
		pr_notice_ratelimited("connection %llu: the client wants other TLS keys, which isn't possible\n",
				      conn->client.id);
		return false;
	default:
		return false;
	}
}

/* Returns bytes, 0 if nothing more will come, or -EAGAIN. */
static int read_some(struct kmqtt_conn *conn, u8 *to, size_t room)
{
	struct kvec vec = { .iov_base = to, .iov_len = room };
	union tls_control control = {};
	struct msghdr msg = {};
	u8 type;
	int n;

	if (conn->stream->tls) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, room);
	n = sock_recvmsg(conn->sock, &msg, MSG_DONTWAIT);
	if (n < 0)
		return n == -EAGAIN ? n : 0;
	if (!n || control.head.cmsg_level != SOL_TLS)
		return n;
	type = *(u8 *)CMSG_DATA(&control.head);
	if (type == TLS_RECORD_TYPE_DATA)
		return n;
	return goes_on(conn, type, to, n) ? -EAGAIN : 0;
}

/**
 * kmqtt_stream_read() - receive MQTT's bytes
 * @conn: a connection with a stream
 * @to: where to
 * @room: bytes there, not 0
 * @drained: nothing more is there at present
 *
 * Context: process, may sleep; the connection's receive side.
 * Return: bytes; KMQTT_CONN_RX_EOF is set if nothing more will come.
 */
int kmqtt_stream_read(struct kmqtt_conn *conn, u8 *to, size_t room,
		      bool *drained)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	size_t done = 0, budget = READ_BUDGET;
	bool more = true;
	int n;

	*drained = false;
	while (done < room && budget) {
		n = read_some(conn, to + done, min(room - done, budget));
		if (n <= 0) {
			*drained = true;
			more = n == -EAGAIN;
			break;
		}
		conn->client.bytes_in += n;
		kmqtt_stats_add(conn->client.broker, bytes_in, n);
		budget -= n;
		if (conn->stream->websocket)
			n = kmqtt_websocket_received(conn, to + done, n, &more);
		done += n;
		if (!more) {
			*drained = true;
			break;
		}
	}
	if (!more)
		set_bit(KMQTT_CONN_RX_EOF, &conn->flags);
	WRITE_ONCE(conn->rx.cpu, READ_ONCE(sk->sk_incoming_cpu));
	return done;
}

/**
 * kmqtt_stream_send() - send MQTT's bytes
 * @conn: a connection with a stream
 * @msg: what, and how
 *
 * Context: process, may sleep; the connection's transmit side.
 * Return: bytes; -EAGAIN if the socket will tell when there is room; -ENOMEM if
 * nobody will; or what ends the connection.
 */
int kmqtt_stream_send(struct kmqtt_conn *conn, struct msghdr *msg)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	int n;

	if (conn->stream->websocket)
		n = kmqtt_websocket_send(conn, msg);
	else
		n = sock_sendmsg(conn->sock, msg);
	if (n > 0)
		clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
	if (n == -ENOBUFS)
		return -ENOMEM;
	/* With nothing on its way no acknowledgment makes room. */
	if (n == -EAGAIN && sk_is_inet(sk) && !READ_ONCE(sk->sk_wmem_queued))
		return -ENOMEM;
	return n;
}

/* Nothing follows: without that, the end could be an attacker's (RFC 8446, 6.1). */
static void send_close_notify(struct socket *sock)
{
	u8 alert[] = { TLS_ALERT_LEVEL_WARNING, TLS_ALERT_DESC_CLOSE_NOTIFY };
	struct kvec vec = { .iov_base = alert, .iov_len = sizeof(alert) };
	union tls_control control = {
		.head.cmsg_level = SOL_TLS,
		.head.cmsg_type = TLS_SET_RECORD_TYPE,
		.head.cmsg_len = CMSG_LEN(sizeof(u8)),
	};
	struct msghdr msg = {
		.msg_control = &control,
		.msg_controllen = sizeof(control),
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	};

	*(u8 *)CMSG_DATA(&control.head) = TLS_RECORD_TYPE_ALERT;
	kernel_sendmsg(sock, &msg, &vec, 1, sizeof(alert));
}

/**
 * kmqtt_stream_close() - a last word of what is around MQTT
 * @conn: a connection that is being released; the caller owns both sides
 *
 * Context: process, may sleep.
 */
void kmqtt_stream_close(struct kmqtt_conn *conn)
{
	if (conn->stream->websocket)
		kmqtt_websocket_close(conn);
	if (conn->stream->tls)
		send_close_notify(conn->sock);
}
