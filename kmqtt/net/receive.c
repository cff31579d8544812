// SPDX-License-Identifier: GPL-2.0
/*
 * From the socket to the handlers. The socket is emptied in gulps into a
 * buffer of the pass, and the packets there are handled with no lock held.
 * What is left of a gulp is kept with the connection; a connection that waits
 * for its next packet keeps nothing.
 */
#include "receive.h"

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <net/tcp.h>
#include "../protocol/dispatch.h"
#include "../protocol/login.h"
#include "../protocol/run.h"
#include "../protocol/tap.h"
#include "../trace.h"
#include "../wire/decode.h"
#include "conn.h"
#include "pacing.h"
#include "pass.h"
#include "stream.h"

/* Gulps of one pass. */
#define GULPS_BH	2
#define GULPS_THREAD	16
/* Deliveries of one pass in softirq: a gulp may have thousands of messages. */
#define WORK_BH		4096
/* Bytes of a gulp where rates are limited: the rest may have to wait. */
#define PACED_GULP	SZ_8K
/* Bytes of one pass over a large payload, and where rates are limited. */
#define LARGE_BUDGET	SZ_1M
#define PACED_LARGE	SZ_64K

/*
 * A PUBLISH from this size on gets its payload received straight into the
 * message's pages if it is not there as a whole.
 */
#define LARGE_PACKET	(KMQTT_RX_SIZE / 4)

/*
 * Of packets that are not there as a whole, bytes that are counted but not
 * refused: where there is no memory for more, short packets still come.
 */
#define TAIL_FORCED	512

/*
 * What the functions below return to each other besides 0 (go on) and
 * -ECONNABORTED (the connection was closed).
 */
#define RX_DRAINED	1	/* the socket has nothing more */
#define RX_OWNED	(-EBUSY)	/* a process holds the socket */
#define RX_THREAD	(-EAGAIN)	/* softirq can't, a thread can */
#define RX_HELD		(-ENOSPC)	/* the client has to read first */
#define RX_BUDGET	(-EINPROGRESS)	/* there is too much to do in softirq */
#define RX_RESTS	(-EALREADY)	/* the client's password is being checked */
#define RX_PACED	(-EDQUOT)	/* the client has sent more than it may */

struct gulp {
	u8 *to;
	size_t room;
};

static int gulp_actor(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	struct gulp *gulp = desc->arg.data;

	len = min(len, gulp->room);
	if (skb_copy_bits(skb, offset, gulp->to, len)) {
		desc->error = -EFAULT;
		return desc->error;
	}
	gulp->to += len;
	gulp->room -= len;
	desc->count = gulp->room;
	return len;
}

static int large_actor(read_descriptor_t *desc, struct sk_buff *skb,
		       unsigned int offset, size_t len)
{
	struct kmqtt_msg *msg = desc->arg.data;
	u32 n = min(len, desc->count);
	void *to;

	/* Called once more where a segment has more than the payload. */
	if (!n)
		return 0;

	to = kmqtt_msg_room(msg, &n, GFP_KERNEL);
	/* tcp_read_sock() forgets an error that comes after some bytes. */
	if (!to)
		desc->error = -ENOMEM;
	else if (skb_copy_bits(skb, offset, to, n))
		desc->error = -EFAULT;
	if (desc->error)
		return desc->error;
	desc->count = min_t(size_t, desc->count - n,
			    msg->payload_len - msg->filled);
	return n;
}

static int read_locked(struct kmqtt_conn *conn, read_descriptor_t *desc,
		       sk_read_actor_t actor)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	int n;

	n = tcp_read_sock(sk, desc, actor);
	WRITE_ONCE(conn->rx.cpu, READ_ONCE(sk->sk_incoming_cpu));
	if (desc->count && n >= 0 &&
	    (sk->sk_err || sk->sk_state == TCP_CLOSE ||
	     sk->sk_shutdown & RCV_SHUTDOWN))
		set_bit(KMQTT_CONN_RX_EOF, &conn->flags);
	return n;
}

/*
 * Returns bytes read, RX_OWNED if softirq found the socket owned, or the
 * negative errno of the actor.
 */
static int read_socket(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		       read_descriptor_t *desc, sk_read_actor_t actor)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	int n;

	if (pass->batch.bh) {
		bh_lock_sock(sk);
		n = sock_owned_by_user(sk) ? RX_OWNED :
					     read_locked(conn, desc, actor);
		bh_unlock_sock(sk);
	} else {
		lock_sock(sk);
		n = read_locked(conn, desc, actor);
		release_sock(sk);
	}
	if (n > 0) {
		conn->client.bytes_in += n;
		kmqtt_stats_add(conn->client.broker, bytes_in, n);
	}
	return desc->error ?: n;
}

/**
 * kmqtt_receive_drop_tail() - forget what is left of a gulp
 * @conn: the connection
 *
 * Context: the connection's receive side, or its end.
 */
void kmqtt_receive_drop_tail(struct kmqtt_conn *conn)
{
	struct kmqtt_rx *rx = &conn->rx;

	if (!rx->tail)
		return;
	kmqtt_memory_uncharge(&conn->client.broker->memory, rx->tail_size);
	/* It may be the beginning of a CONNECT, with a password. */
	kvfree_sensitive(rx->tail, rx->tail_size);
	rx->tail = NULL;
	rx->tail_len = 0;
}

/*
 * Keep @len bytes at @data, inside the pass's buffer, for the next pass. If
 * there is no memory the connection keeps the buffer itself.
 */
static int keep_tail(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		     const u8 *data, u32 len)
{
	struct kmqtt_memory *memory = &conn->client.broker->memory;
	struct kmqtt_rx *rx = &conn->rx;
	u32 size = roundup_pow_of_two(max_t(u32, len, 64));
	u8 *tail;

	if (!len) {
		kmqtt_receive_drop_tail(conn);
		return 0;
	}
	if (rx->tail && len <= rx->tail_size) {
		memcpy(rx->tail, data, len);
		rx->tail_off = 0;
		rx->tail_len = len;
		return 0;
	}
	kmqtt_receive_drop_tail(conn);
	if (size <= TAIL_FORCED)
		kmqtt_memory_force(memory, size);
	else if (!kmqtt_memory_charge(memory, size))
		return kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	tail = kvmalloc(size, pass->batch.gfp | __GFP_NOWARN);
	if (tail) {
		rx->tail_off = 0;
		memcpy(tail, data, len);
	} else if (pass->batch.bh) {
		kmqtt_memory_uncharge(memory, size);
		size = KMQTT_RX_SIZE;
		if (!kmqtt_memory_charge(memory, size))
			return kmqtt_client_fail(&conn->client,
						 KMQTT_REASON_QUOTA_EXCEEDED);
		tail = pass->rx;
		pass->rx = NULL;
		rx->tail_off = data - tail;
	} else {
		kmqtt_memory_uncharge(memory, size);
		return kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	}
	rx->tail = tail;
	rx->tail_len = len;
	rx->tail_size = size;
	return 0;
}

/* Begin to receive a large PUBLISH; returns bytes used or a negative errno. */
static int begin_large(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		       const struct kmqtt_fixed *fixed, const u8 *data, u32 len)
{
	struct kmqtt_incoming *in = &conn->rx.large;
	u32 head_len;
	int err;

	err = kmqtt_publish_begin(&conn->client, fixed, data, len, in,
				  &pass->batch, &head_len);
	if (err)
		return err;
	if (kmqtt_msg_write(in->msg, data + head_len, len - head_len,
			    pass->batch.gfp)) {
		kmqtt_publish_abort(in);
		return kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	}
	trace_kmqtt_packet_in(&conn->client, fixed->type, fixed->remaining);
	kmqtt_history_note(&conn->client.history->in, fixed->type,
			   fixed->remaining);
	if (unlikely(kmqtt_tap_any(conn->client.broker)))
		kmqtt_tap_received(&conn->client, fixed, data, len);
	return len;
}

/*
 * Handle one packet of the @len bytes at @data. Returns how many bytes it
 * took, 0 if it isn't there as a whole, or a negative errno.
 */
static int handle_packet(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			 const u8 *data, u32 len)
{
	struct kmqtt_client *client = &conn->client;
	struct kmqtt_packet packet;
	size_t size;
	int err;

	err = kmqtt_fixed_decode(data, len, &packet.fixed);
	if (err == -EAGAIN)
		return 0;
	if (err)
		return kmqtt_dispatch_fail(client,
					   KMQTT_REASON_MALFORMED_PACKET,
					   data, len, &pass->batch);
	err = kmqtt_dispatch_check(client, &packet.fixed, data, len,
				   &pass->batch);
	if (err)
		return err;
	packet.body = data + packet.fixed.len;
	size = (size_t)packet.fixed.len + packet.fixed.remaining;
	if (size <= len) {
		err = kmqtt_dispatch(client, &packet, &pass->batch);
		return err ?: size;
	}
	if (packet.fixed.type != KMQTT_PUBLISH || size < LARGE_PACKET)
		return 0;
	if (pass->batch.bh)
		return RX_THREAD;
	err = begin_large(conn, pass, &packet.fixed, packet.body,
			  len - packet.fixed.len);
	if (err == -ENODATA)
		return 0;
	return err < 0 ? err : packet.fixed.len + err;
}

/* Has the packet just handled begun something that all others wait for? */
static bool rests(const struct kmqtt_conn *conn)
{
	return kmqtt_client_state(&conn->client) == KMQTT_CLIENT_CHECK;
}

/* Count what was received, if rates are limited. Returns 0 or RX_PACED. */
static int keep_pace(struct kmqtt_conn *conn, u32 messages, u32 bytes)
{
	if (!conn->rx.pace || !kmqtt_pacing_count(conn, messages, bytes))
		return 0;
	return RX_PACED;
}

/* Handle what is in the pass's buffer and keep the rest. */
static int handle_gulp(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		       u32 len)
{
	bool was_new = kmqtt_client_state(&conn->client) < KMQTT_CLIENT_ONLINE;
	int ret = 0, err;
	u32 pos = 0;
	u8 type;

	while (pos < len) {
		if (pass->batch.bh && pass->batch.work > WORK_BH) {
			ret = RX_BUDGET;
			break;
		}
		ret = handle_packet(conn, pass, pass->rx + pos, len - pos);
		if (ret <= 0)
			break;
		type = pass->rx[pos] >> 4;
		pos += ret;
		if (was_new && rests(conn)) {
			ret = RX_RESTS;
			break;
		}
		ret = keep_pace(conn, type == KMQTT_PUBLISH, ret);
		if (ret)
			break;
	}
	err = kmqtt_run_end(&conn->client, &pass->batch);
	if (err)
		ret = err;
	/* Packets keep a connection alive, parts of them don't. */
	if (pos)
		WRITE_ONCE(conn->rx.last, jiffies);
	if (was_new && pos)
		kmqtt_conn_arm_timer(conn);
	if (ret == -ECONNABORTED)
		return ret;
	return keep_tail(conn, pass, pass->rx + pos, len - pos) ?:
	       min(ret, 0);
}

/*
 * Read @room bytes behind what is left of a gulp. Returns how many came, or as
 * read_socket(); @drained is set if nothing more is there.
 */
static int read_gulp(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		     size_t room, bool *drained)
{
	struct gulp gulp = {
		.to = pass->rx + conn->rx.tail_len,
		.room = room,
	};
	read_descriptor_t desc = {
		.arg.data = &gulp,
		.count = room,
	};
	int n;

	if (conn->stream)
		return kmqtt_stream_read(conn, gulp.to, room, drained);
	n = read_socket(conn, pass, &desc, gulp_actor);
	*drained = gulp.room;
	return n;
}

static int receive_gulp(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	struct kmqtt_rx *rx = &conn->rx;
	size_t room = KMQTT_RX_SIZE - rx->tail_len;
	bool drained = false;
	int n = 0, err;

	if (kmqtt_pacing_begin(conn, pass->batch.gfp))
		return pass->batch.bh ? RX_THREAD :
		       kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	if (rx->pace) {
		err = keep_pace(conn, 0, 0);
		if (err)
			return err;
		room = min_t(size_t, room, PACED_GULP);
	}
	/* With a full buffer there is a whole packet to handle first. */
	if (room) {
		n = read_gulp(conn, pass, room, &drained);
		if (n < 0)
			return n;
	}
	if (!n && !rx->tail_len)
		return drained ? RX_DRAINED : 0;
	if (rx->tail_len)
		memcpy(pass->rx, rx->tail + rx->tail_off, rx->tail_len);
	err = handle_gulp(conn, pass, rx->tail_len + n);
	if (err)
		return err;
	return drained ? RX_DRAINED : 0;
}

/*
 * Read at most @bytes of a payload into its message. Returns as read_gulp(),
 * or -ENOMEM.
 */
static int read_large(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		      u32 bytes, bool *drained)
{
	struct kmqtt_msg *msg = conn->rx.large.msg;
	read_descriptor_t desc = { .arg.data = msg, .count = bytes };
	int n;

	if (!conn->stream) {
		n = read_socket(conn, pass, &desc, large_actor);
		*drained = desc.count;
		return n;
	}
	/* Frames and records have to go first, so it takes another copy. */
	n = kmqtt_stream_read(conn, pass->rx, min_t(u32, bytes, KMQTT_RX_SIZE),
			      drained);
	if (n > 0 && kmqtt_msg_write(msg, pass->rx, n, GFP_KERNEL))
		return -ENOMEM;
	return n;
}

static int receive_large(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	struct kmqtt_incoming *in = &conn->rx.large;
	struct kmqtt_msg *msg = in->msg;
	bool drained = false;
	int n = 0, err;
	u32 bytes;

	/* There may be a limit since it began. */
	if (kmqtt_pacing_begin(conn, GFP_KERNEL))
		return kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	err = keep_pace(conn, 0, 0);
	if (err)
		return err;
	bytes = min_t(u32, conn->rx.pace ? PACED_LARGE : LARGE_BUDGET,
		      msg->payload_len - msg->filled);
	if (bytes) {
		n = read_large(conn, pass, bytes, &drained);
		if (n == -ENOMEM)
			return kmqtt_client_fail(&conn->client,
						 KMQTT_REASON_QUOTA_EXCEEDED);
		if (n < 0)
			return n;
		/* A large payload may take its time as long as it comes. */
		if (n)
			WRITE_ONCE(conn->rx.last, jiffies);
		err = keep_pace(conn, 0, n);
		if (err)
			return err;
	}
	if (msg->filled < msg->payload_len)
		return drained ? RX_DRAINED : 0;
	err = kmqtt_link_reserve(&conn->client.link, KMQTT_ACK_MAX, GFP_KERNEL);
	if (err == -ENOMEM)
		return kmqtt_client_fail(&conn->client,
					 KMQTT_REASON_QUOTA_EXCEEDED);
	if (err)
		return err;
	err = kmqtt_publish_finish(&conn->client, in, &pass->batch);
	if (err != -EAGAIN)
		kmqtt_stats_inc(conn->client.broker, packets_in);
	return err;
}

/* Go on with a CONNECT whose password was checked, if it was. */
static int end_rest(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	int err = kmqtt_login_conclude(&conn->client, &pass->batch);

	if (err)
		return err;
	/* It has been waiting for us, so its time begins now. */
	WRITE_ONCE(conn->rx.last, jiffies);
	kmqtt_conn_arm_timer(conn);
	return 0;
}

static int receive_pass(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	int budget = pass->batch.bh ? GULPS_BH : GULPS_THREAD;
	int ret = 0;

	pass->batch.work = 0;
	if (rests(conn))
		ret = end_rest(conn, pass);
	/* A connection may have kept the buffer. */
	while (!ret && pass->rx && budget--) {
		if (kmqtt_client_state(&conn->client) == KMQTT_CLIENT_CLOSING)
			return -ECONNABORTED;
		if (!conn->rx.large.msg)
			ret = receive_gulp(conn, pass);
		else if (pass->batch.bh)
			ret = RX_THREAD;
		else
			ret = receive_large(conn, pass);
		/* What one gulp has queued leaves before the next. */
		if (!ret)
			kmqtt_conn_flush_batch(pass);
	}
	return ret;
}

/* Why softirq has to leave receiving to the thread, or KMQTT_HANDOVERS. */
static enum kmqtt_handover refuse_bh(struct kmqtt_conn *conn,
				     struct kmqtt_pass *pass)
{
	if (kmqtt_conn_force_thread(conn))
		return KMQTT_HANDOVER_SETTING;
	if (!pass->rx)
		return KMQTT_HANDOVER_NO_MEMORY;
	if (conn->rx.large.msg)
		return KMQTT_HANDOVER_LARGE;
	return KMQTT_HANDOVERS;
}

/* The thread has done all there was: softirq may receive again. */
static void leave_thread(struct kmqtt_conn *conn)
{
	if (!conn->stream)
		clear_bit(KMQTT_CONN_RX_THREAD, &conn->flags);
}

/* What follows from a pass that has ended with @ret. */
static void after_pass(struct kmqtt_conn *conn, struct kmqtt_pass *pass, int ret)
{
	bool bh = pass->batch.bh;

	switch (ret) {
	case RX_DRAINED:
		if (test_bit(KMQTT_CONN_RX_EOF, &conn->flags))
			kmqtt_conn_close(conn, KMQTT_REASON_CONNECTION_LOST);
		else if (!bh && !conn->rx.large.msg)
			leave_thread(conn);
		break;
	case 0:
		if (bh) {
			kmqtt_conn_hand_over(conn, false,
					     KMQTT_HANDOVER_BUDGET);
			break;
		}
		set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
		kmqtt_conn_kick(conn, true);
		break;
	case RX_THREAD:
		kmqtt_conn_hand_over(conn, false, KMQTT_HANDOVER_LARGE);
		break;
	case RX_BUDGET:
		kmqtt_conn_hand_over(conn, false, KMQTT_HANDOVER_BUDGET);
		break;
	case RX_OWNED:
		kmqtt_conn_hand_over(conn, false, KMQTT_HANDOVER_OWNED);
		break;
	case RX_PACED:
		/* Nobody needs to wait for a client that is gone. */
		if (READ_ONCE(kmqtt_conn_sk(conn)->sk_state) == TCP_CLOSE)
			kmqtt_conn_close(conn, KMQTT_REASON_CONNECTION_LOST);
		else
			kmqtt_pacing_pause(conn);
		break;
	case RX_HELD:
		set_bit(KMQTT_CONN_RX_HELD, &conn->flags);
		/* The sender looks for the bit after it has made room. */
		smp_mb__after_atomic();
		if (!READ_ONCE(conn->client.link.acks_len)) {
			set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
			kmqtt_conn_kick(conn, true);
		} else if (READ_ONCE(kmqtt_conn_sk(conn)->sk_state) ==
			   TCP_CLOSE) {
			/* It will not read any more. */
			kmqtt_conn_close(conn, KMQTT_REASON_CONNECTION_LOST);
		}
		break;
	case RX_RESTS:
		/* Who reads no more needs no answer. */
		if (READ_ONCE(kmqtt_conn_sk(conn)->sk_state) == TCP_CLOSE)
			kmqtt_conn_close(conn, KMQTT_REASON_CONNECTION_LOST);
		else if (!bh)
			leave_thread(conn);
		break;
	case -ECONNABORTED:
		break;
	default:
		kmqtt_conn_close(conn, KMQTT_REASON_UNSPECIFIED);
		break;
	}
}

static void disown(struct kmqtt_conn *conn, bool bh)
{
	clear_bit_unlock(KMQTT_CONN_RX_OWNED, &conn->flags);
	/* Whoever found us in possession after setting PENDING left it to us. */
	smp_mb__after_atomic();
	if (test_bit(KMQTT_CONN_RX_PENDING, &conn->flags))
		kmqtt_conn_kick(conn, !bh || test_bit(KMQTT_CONN_RX_THREAD,
						      &conn->flags));
}

/**
 * kmqtt_receive() - receive and handle what has come
 * @conn: the connection
 * @pass: what to work with; the caller flushes its batch afterwards
 *
 * Context: softirq or process, as the pass; from the connection's own works.
 */
void kmqtt_receive(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	enum kmqtt_handover why = KMQTT_HANDOVERS;

	if (pass->batch.bh && test_bit(KMQTT_CONN_RX_THREAD, &conn->flags)) {
		kmqtt_stats_inc(conn->client.broker,
				handover[KMQTT_HANDOVER_STATE]);
		kmqtt_conn_kick(conn, true);
		return;
	}
	if (test_and_set_bit_lock(KMQTT_CONN_RX_OWNED, &conn->flags))
		return;
	clear_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
	clear_bit(KMQTT_CONN_RX_HELD, &conn->flags);
	/* What comes after the bits were cleared sets them again. */
	smp_mb__after_atomic();
	/* Pairs with the end of the pause, which sets PENDING after. */
	if (test_bit(KMQTT_CONN_RX_PACED, &conn->flags)) {
		disown(conn, pass->batch.bh);
		return;
	}
	if (pass->batch.bh)
		why = refuse_bh(conn, pass);
	if (why != KMQTT_HANDOVERS)
		kmqtt_conn_hand_over(conn, false, why);
	else
		after_pass(conn, pass, receive_pass(conn, pass));
	disown(conn, pass->batch.bh);
}

/**
 * kmqtt_receive_rest() - nothing more has come: keep no memory
 * @conn: the connection
 * @pass: what to work with
 *
 * Context: as kmqtt_receive(), when what it had to acknowledge was sent.
 */
void kmqtt_receive_rest(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	const struct kmqtt_link *link = &conn->client.link;

	if (!READ_ONCE(link->acks) || READ_ONCE(link->acks_len) ||
	    test_and_set_bit_lock(KMQTT_CONN_RX_OWNED, &conn->flags))
		return;
	kmqtt_link_shrink(&conn->client.link);
	disown(conn, pass->batch.bh);
}

static int drain_actor(read_descriptor_t *desc, struct sk_buff *skb,
		       unsigned int offset, size_t len)
{
	len = min(len, desc->count);
	desc->count -= len;
	return len;
}

/**
 * kmqtt_receive_drain() - throw away what has come
 * @conn: a connection that is being released
 * @pass: a thread's, whose receive buffer is free
 * @bytes: at most so much
 *
 * Context: process, may sleep.
 */
void kmqtt_receive_drain(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			 size_t bytes)
{
	read_descriptor_t desc = { .count = bytes };
	struct sock *sk = kmqtt_conn_sk(conn);
	bool drained;

	if (conn->stream) {
		kmqtt_stream_read(conn, pass->rx,
				  min_t(size_t, bytes, KMQTT_RX_SIZE),
				  &drained);
		return;
	}
	lock_sock(sk);
	tcp_read_sock(sk, &desc, drain_actor);
	release_sock(sk);
}
