// SPDX-License-Identifier: GPL-2.0
/*
 * Connections whose bytes are not plain TCP's: the kernel's TLS, frames of
 * WebSocket, Multipath TCP, AF_UNIX and AF_VSOCK. Their sockets are used as a
 * process would use them, but for what tls_is_stuck() tells, and by threads only.
 */
#include "stream.h"

#include <linux/net.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/tls.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tls.h>
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
 * kmqtt_stream_free() - free it
 * @stream: a stream that no connection is attached to, or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_stream_free(struct kmqtt_stream *stream)
{
	if (stream)
		kfree(stream->websocket);
	kfree(stream);
}

/*
 * TLS takes a record that TCP has no memory for, and sends it when an acknowledgment
 * makes room. With nothing on its way, none comes. A work of TLS's that is due sends
 * it, or fails and wakes us. After an error nothing will ever be sent, which is for
 * the next send to find. (Where encryption takes its time, this may be said of what
 * isn't encrypted yet.)
 */
static bool tls_is_stuck(const struct sock *sk)
{
	const struct tls_context *ctx = tls_get_ctx(sk);
	const struct tls_sw_context_tx *tx;

	if (READ_ONCE(sk->sk_wmem_queued) || READ_ONCE(sk->sk_err) ||
	    READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return false;
	if (ctx->tx_conf != TLS_SW)
		return READ_ONCE(ctx->partially_sent_record);
	tx = tls_sw_ctx_tx(ctx);
	return !list_empty(&tx->tx_list) &&
	       !test_bit(BIT_TX_SCHEDULED, &tx->tx_bitmask);
}

/* The socket has something to tell, with softirqs or interrupts off. */
static int wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
		void *key)
{
	struct kmqtt_conn *conn = wait->private;
	__poll_t events = key_to_poll(key);
	bool kick = false;

	/* Of another state nobody says what it is about. */
	if (!events || events & ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)) {
		set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
		kick = true;
	}
	/* Room first, then the bit: pairs with blocked() of the sender. */
	smp_mb();
	if ((!events || events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) &&
	    (test_and_clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags) ||
	     (conn->stream->tls && tls_is_stuck(kmqtt_conn_sk(conn))))) {
		set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
		kick = true;
	}
	if (kick)
		kmqtt_conn_kick(conn, true);
	return 0;
}

/**
 * kmqtt_stream_attach() - from now on a connection is told of its socket
 * @conn: a connection with a stream and a socket
 *
 * It waits as a process would, and leaves nothing of its own in the socket:
 * somebody else may do with it what he likes.
 *
 * Context: process, may sleep.
 * Return: 0, or -EBUSY if somebody else in the kernel has the socket.
 */
int kmqtt_stream_attach(struct kmqtt_conn *conn)
{
	struct wait_queue_entry *wait = &conn->stream->wait;
	struct sock *sk = kmqtt_conn_sk(conn);
	int err = 0;

	/* A mark, so that nobody takes it twice; no child of it has that. */
	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_user_data)
		err = -EBUSY;
	else
		__rcu_assign_sk_user_data_with_flags(sk, conn,
						     SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sk->sk_callback_lock);
	if (err)
		return err;
	init_waitqueue_func_entry(wait, wake);
	wait->private = conn;
	add_wait_queue(sk_sleep(sk), wait);
	return 0;
}

/**
 * kmqtt_stream_detach() - the end of that
 * @conn: the connection, which isn't told of anything afterwards
 *
 * Context: process, may sleep.
 */
void kmqtt_stream_detach(struct kmqtt_conn *conn)
{
	struct sock *sk = kmqtt_conn_sk(conn);

	remove_wait_queue(sk_sleep(sk), &conn->stream->wait);
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void tell_keys(const struct kmqtt_client *client)
{
	const struct kmqtt_session *session = client->session;

	pr_notice_ratelimited("connection %llu: the client wants other TLS keys, which isn't possible (%*pE)\n",
			      client->id, session ? session->id_len : 0,
			      session ? session->id : NULL);
}

/*
 * A record of TLS that is none of data ends the connection: an alert says so, and
 * anything else is about new keys, which are a matter of the agent's.
 */
static void tell_record(const struct kmqtt_conn *conn, u8 type, const u8 *data,
			int len)
{
	if (type == TLS_RECORD_TYPE_ALERT)
		pr_debug("connection %llu: TLS alert %u\n", conn->client.id,
			 len >= 2 ? data[1] : 0);
	else if (type == TLS_RECORD_TYPE_HANDSHAKE)
		tell_keys(&conn->client);
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
	tell_record(conn, type, to, n);
	return 0;
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

/* What a send means that took nothing. */
static int nothing_sent(const struct sock *sk, int err)
{
	if (err == -ENOBUFS)
		return -ENOMEM;
	/* With nothing on its way no acknowledgment makes room. */
	if (err == -EAGAIN && sk_is_inet(sk) && !READ_ONCE(sk->sk_wmem_queued))
		return -ENOMEM;
	return err;
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
	int n;

	if (conn->stream->websocket)
		n = kmqtt_websocket_send(conn, msg);
	else
		n = sock_sendmsg(conn->sock, msg);
	if (n <= 0)
		return nothing_sent(kmqtt_conn_sk(conn), n);
	clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
	return n;
}

/* Do what an acknowledgment does. Returns -ENOMEM if TLS is to be looked at again. */
static int push_tls(struct sock *sk)
{
	bool stuck;

	lock_sock(sk);
	stuck = tls_is_stuck(sk);
	if (stuck)
		sk->sk_write_space(sk);
	release_sock(sk);
	return stuck ? -ENOMEM : 0;
}

/**
 * kmqtt_stream_flush() - send what is due besides MQTT's bytes
 * @conn: a connection with a stream
 *
 * What TLS has comes before the last words of a connection, whoever pushes it.
 *
 * Context: process, may sleep; the connection's transmit side; takes the socket
 * lock.
 * Return: 0 if nothing is in the way of MQTT's bytes; or as kmqtt_stream_send().
 */
int kmqtt_stream_flush(struct kmqtt_conn *conn)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	int err = 0;

	if (conn->stream->websocket)
		err = nothing_sent(sk, kmqtt_websocket_flush(conn));
	if (err || !conn->stream->tls || !tls_is_stuck(sk) ||
	    test_bit(KMQTT_CONN_CLOSING, &conn->flags))
		return err;
	return push_tls(sk);
}

/**
 * kmqtt_stream_is_behind() - was more taken than the socket has?
 * @conn: a connection with a stream
 *
 * Context: the connection's transmit side.
 * Return: true if kmqtt_stream_flush() has to be called again.
 */
bool kmqtt_stream_is_behind(const struct kmqtt_conn *conn)
{
	const struct kmqtt_stream *stream = conn->stream;

	return (stream->websocket && kmqtt_websocket_is_behind(conn)) ||
	       (stream->tls && tls_is_stuck(kmqtt_conn_sk(conn)));
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
