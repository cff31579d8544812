// SPDX-License-Identifier: GPL-2.0
/*
 * From the queues to the socket: all that is due goes into one buffer and out
 * with one send. Large payloads are not copied but spliced from the message's
 * pages. What the socket doesn't take stays in, or goes back to, its queue;
 * only of a packet that was sent in part the rest is kept here.
 */
#include "transmit.h"

#include <linux/delay.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>
#include <net/tcp.h>
#include "../protocol/event.h"
#include "../protocol/reply.h"
#include "../protocol/tap.h"
#include "../session/right.h"
#include "../trace.h"
#include "conn.h"
#include "pass.h"
#include "stream.h"

/* Sends of one pass. */
#define SENDS_BH	4
#define SENDS_THREAD	32
/* Messages of one send that turn out not to be worth sending. */
#define DISCARDS_MAX	256
/* Work of looking at rules, for one send. */
#define RULES_WORK	256
/* Bytes of payload of one send that splices. */
#define SPLICE_BUDGET	(512 << 10)

/* Bytes of a send, and on their way before, TCP's own included: see send_locked(). */
#define LENT_LARGE	SZ_4K
#define LENT_QUEUED	SZ_16K

/* What a send returns besides bytes and an error that ends the connection. */
#define TX_BLOCKED	(-EAGAIN)	/* the socket will tell when it has room */
#define TX_OWNED	(-EBUSY)	/* a process holds the socket */
#define TX_NO_MEMORY	(-ENOMEM)	/* nobody will tell: try again */

/*
 * The send buffer is laid out as: rest of the active packet, acknowledgments,
 * whole packets.
 */
struct layout {
	u32 active;
	u32 acks;
	u32 nr_packets;
	u32 messages[KMQTT_QOS_INVALID];
	u64 payload;	/* bytes, of those messages */
	u32 len;
	u32 discards;
	u32 dropped[KMQTT_DROPS];
	u32 denied;	/* messages that the client may not get */
	u32 work;	/* of the batch, before rules were looked at */
	bool rules;	/* some clients may not get everything */
	bool splice;	/* the last packet's payload is to follow */
	bool more;	/* there may be more to lay out, even if this is nothing */
	bool all;	/* there is no more, and nothing follows from sending it */
};

/* The next piece of memory if this one has no room for @len bytes. */
static struct page_frag *choose_frag(struct kmqtt_pass *pass, size_t len)
{
	struct page_frag *frag = &pass->frags[pass->frag];

	if (!frag->page || frag->offset + len <= frag->size ||
	    page_ref_count(frag->page) == 1)
		return frag;
	pass->frag = (pass->frag + 1) % KMQTT_TX_FRAGS;
	return &pass->frags[pass->frag];
}

/* Copy to memory of the pass, of which the socket keeps only what is sent. */
static int send_lent(struct sock *sk, struct kmqtt_pass *pass,
		     struct msghdr *msg, size_t len)
{
	struct page_frag *frag = choose_frag(pass, len);
	int n;

	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
	}
	swap(sk->sk_frag, *frag);
	n = tcp_sendmsg_locked(sk, msg, len);
	swap(sk->sk_frag, *frag);
	return n;
}

/*
 * Each socket would get a piece of memory to copy to, and keep what is left of
 * it until it is closed: 32 KiB that an idle connection has no use for. A process
 * lends its own to all of its sockets, and so does a pass. But what is queued
 * for somebody who doesn't read could hold a whole piece for each few bytes, of
 * which TCP counts the bytes only: where there is a queue of small sends, a
 * socket uses its own.
 */
static int send_locked(struct sock *sk, struct kmqtt_pass *pass,
		       struct msghdr *msg)
{
	size_t len = msg_data_left(msg);
	int n;

	if (len >= LENT_LARGE || (tcp_write_queue_empty(sk) &&
				  sk->sk_wmem_queued < LENT_QUEUED))
		n = send_lent(sk, pass, msg, len);
	else
		n = tcp_sendmsg_locked(sk, msg, len);
	/*
	 * TCP says so for want of memory, too. Unless something is on its way
	 * whose acknowledgment makes room, no callback follows.
	 */
	if (n == -EAGAIN && tcp_rtx_and_write_queues_empty(sk))
		return TX_NO_MEMORY;
	return n;
}

/* Returns bytes sent, one of the above, or what ends the connection. */
static int send_socket(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		       struct msghdr *msg)
{
	struct sock *sk = kmqtt_conn_sk(conn);
	int n;

	msg->msg_flags |= MSG_DONTWAIT | MSG_NOSIGNAL;
	if (conn->stream) {
		n = kmqtt_stream_send(conn, msg);
	} else if (pass->batch.bh) {
		bh_lock_sock(sk);
		n = sock_owned_by_user(sk) ? TX_OWNED :
					     send_locked(sk, pass, msg);
		bh_unlock_sock(sk);
	} else {
		lock_sock(sk);
		sk->sk_allocation = GFP_KERNEL;
		n = send_locked(sk, pass, msg);
		sk->sk_allocation = GFP_ATOMIC;
		release_sock(sk);
	}
	if (n > 0) {
		conn->client.bytes_out += n;
		kmqtt_stats_add(conn->client.broker, bytes_out, n);
	}
	return n;
}

static void end_active(struct kmqtt_conn *conn)
{
	kmqtt_delivery_put(&conn->tx.delivery);
	conn->tx.active = false;
}

/* The rest of the active packet's copied part, to the start of the buffer. */
static u32 lay_out_active(struct kmqtt_conn *conn, u8 *to)
{
	const struct kmqtt_tx *tx = &conn->tx;
	u32 len;

	if (!tx->active || tx->offset >= kmqtt_delivery_copied(&tx->delivery))
		return 0;
	len = kmqtt_delivery_copy(&tx->delivery, to) - tx->offset;
	memmove(to, to + tx->offset, len);
	return len;
}

/* Does the client take it, and the send buffer? */
static bool fits(const struct kmqtt_delivery *d, u32 max_packet)
{
	return kmqtt_delivery_len(d) <= max_packet &&
	       kmqtt_delivery_copied(d) <= KMQTT_TX_SIZE;
}

/* A packet that was to leave doesn't. */
static void alias_unsent(struct kmqtt_conn *conn,
			 const struct kmqtt_delivery *d)
{
	kmqtt_alias_unsent(&conn->client.aliases, &conn->client.broker->memory,
			   d);
}

/*
 * Give the packet its final form. Returns why it is not to be sent at all, or
 * KMQTT_DROPS.
 */
static enum kmqtt_drop prepare(struct kmqtt_conn *conn, u32 max_packet,
			       struct kmqtt_delivery *d)
{
	/* What was begun to be sent goes on (MQTT 5, 3.3.2.3.3). */
	if (d->msg && !(d->first & KMQTT_PUBLISH_DUP) &&
	    kmqtt_msg_expired(d->msg))
		return KMQTT_DROP_EXPIRED;	/* [MQTT-3.3.2-5] */
	kmqtt_alias_choose(&conn->client.aliases, &conn->client.broker->memory,
			   d);
	kmqtt_delivery_prepare(d, conn->client.version);
	if (!d->msg || fits(d, max_packet))
		return KMQTT_DROPS;
	/* To tell of an alias makes the packet longer. */
	if (d->alias && !d->alias_known) {
		alias_unsent(conn, d);
		d->alias = 0;
		kmqtt_delivery_prepare(d, conn->client.version);
		if (fits(d, max_packet))
			return KMQTT_DROPS;
	}
	return KMQTT_DROP_TOO_LARGE;	/* [MQTT5-3.1.2-24], [MQTT-3.1.2-25] */
}

/*
 * May the client get this? What was queued for it, or for another client that
 * came with the session, on a connection before is looked at once more. Returns
 * as kmqtt_session_may().
 */
static int may_get(struct kmqtt_session *session, struct kmqtt_pass *pass,
		   const struct layout *l, const struct kmqtt_delivery *d)
{
	int ret;

	if (!d->msg || !kmqtt_outbox_is_old(&session->outbox, d))
		return true;
	if (pass->batch.work - l->work > RULES_WORK)
		return -EAGAIN;
	rcu_read_lock();
	ret = kmqtt_session_may_read(session, d->msg, &pass->batch);
	rcu_read_unlock();
	return ret;
}

/* The packet taken last is not to be sent. */
static void discard(struct kmqtt_session *session, struct layout *l,
		    struct kmqtt_delivery *d)
{
	kmqtt_outbox_discard(&session->outbox, d);
	kmqtt_delivery_put(d);
	l->discards++;
}

/* The next packet that is to be sent. Returns false if there is none. */
static bool next_packet(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			struct layout *l, struct kmqtt_tx_packet *p)
{
	struct kmqtt_session *session = conn->client.session;
	struct kmqtt_outbox *outbox = &session->outbox;
	u32 max = kmqtt_outbox_max_inflight(outbox,
					    &session->store->outbox_limits,
					    session->receive_max);
	enum kmqtt_drop drop;
	int allowed;

	while (l->discards < DISCARDS_MAX) {
		kmqtt_outbox_mark(outbox, &p->mark);
		if (!kmqtt_outbox_next(outbox, max, &p->delivery))
			return false;
		allowed = l->rules ?
			  may_get(session, pass, l, &p->delivery) : true;
		if (allowed < 0) {
			kmqtt_outbox_rewind(outbox, &p->mark);
			kmqtt_delivery_put(&p->delivery);
			break;
		}
		if (!allowed) {
			l->denied++;
			discard(session, l, &p->delivery);
			continue;
		}
		drop = prepare(conn, session->max_packet, &p->delivery);
		if (drop == KMQTT_DROPS)
			return true;
		session->dropped++;
		l->dropped[drop]++;
		discard(session, l, &p->delivery);
	}
	l->more = true;
	return false;
}

static void count(struct layout *l, const struct kmqtt_delivery *d, int by)
{
	if (!d->msg)
		return;
	l->messages[d->first >> 1 & 3] += by;
	l->payload += (s64)by * d->msg->payload_len;
}

/* Whole packets from the outbox, as many as fit. Returns true if all do. */
static bool lay_out_packets(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			    struct layout *l)
{
	struct kmqtt_outbox *outbox = &conn->client.session->outbox;

	while (l->nr_packets < KMQTT_TX_PACKETS && !l->splice) {
		struct kmqtt_tx_packet *p = &pass->packets[l->nr_packets];

		if (!next_packet(conn, pass, l, p))
			return true;
		if (kmqtt_delivery_copied(&p->delivery) >
		    KMQTT_TX_SIZE - l->len) {
			kmqtt_outbox_rewind(outbox, &p->mark);
			alias_unsent(conn, &p->delivery);
			kmqtt_delivery_put(&p->delivery);
			break;
		}
		l->len += kmqtt_delivery_copy(&p->delivery, pass->tx + l->len);
		l->splice = kmqtt_delivery_spliced(&p->delivery);
		count(l, &p->delivery, 1);
		p->end = l->len;
		l->nr_packets++;
	}
	return false;
}

/* Tell of what was not sent. No lock is held. */
static void tell_dropped(struct kmqtt_conn *conn, const struct layout *l)
{
	enum kmqtt_drop drop;
	u32 n;

	if (l->denied)
		kmqtt_stats_add(conn->client.broker, denied_out, l->denied);
	if (!l->discards)
		return;
	for (drop = 0; drop < KMQTT_DROPS; drop++) {
		for (n = l->dropped[drop]; n; n--)
			kmqtt_event_dropped(conn->client.broker,
					    conn->client.session, drop);
	}
}

static void lay_out(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		    struct layout *l)
{
	struct kmqtt_session *session = conn->client.session;
	struct kmqtt_link *link = &conn->client.link;

	l->active = lay_out_active(conn, pass->tx);
	l->len = l->active;
	if (conn->tx.active && kmqtt_delivery_spliced(&conn->tx.delivery)) {
		/* Nothing may come between its head and its payload. */
		l->splice = true;
		return;
	}
	l->acks = kmqtt_link_copy_acks(link, pass->tx + l->len,
				       KMQTT_TX_SIZE - l->len);
	l->len += l->acks;
	if (kmqtt_client_state(&conn->client) != KMQTT_CLIENT_ONLINE)
		return;

	spin_lock_bh(&session->lock);
	if (session->link == link) {
		l->rules = kmqtt_access_scan_max(session->store->access);
		l->more = kmqtt_session_refill(session, &pass->batch,
					       &l->denied);
		l->work = pass->batch.work;
		/* Acknowledgments may have filled the buffer by themselves. */
		l->all = lay_out_packets(conn, pass, l) && !l->more &&
			 l->len < KMQTT_TX_SIZE &&
			 list_empty(&session->replays);
	}
	spin_unlock_bh(&session->lock);
	tell_dropped(conn, l);
}

static void count_sent(struct kmqtt_conn *conn, const struct layout *l, u32 nr)
{
	enum kmqtt_qos qos;

	for (qos = KMQTT_QOS0; qos <= KMQTT_QOS2; qos++) {
		if (!l->messages[qos])
			continue;
		conn->client.messages_out += l->messages[qos];
		kmqtt_stats_add(conn->client.broker, messages_out[qos],
				l->messages[qos]);
	}
	kmqtt_stats_add(conn->client.broker, payload_out, l->payload);
	kmqtt_stats_add(conn->client.broker, packets_out, nr);
}

/* Make the first @nr packets sent and give the others back to the outbox. */
static void settle_packets(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			   struct layout *l, u32 nr)
{
	struct kmqtt_session *session = conn->client.session;
	u32 i;

	if (!l->nr_packets)
		return;
	spin_lock_bh(&session->lock);
	if (session->link == &conn->client.link) {
		if (nr < l->nr_packets)
			kmqtt_outbox_rewind(&session->outbox,
					    &pass->packets[nr].mark);
		kmqtt_outbox_sent(&session->outbox);
	}
	spin_unlock_bh(&session->lock);
	for (i = nr; i < l->nr_packets; i++) {
		const struct kmqtt_delivery *d = &pass->packets[i].delivery;

		alias_unsent(conn, d);
		count(l, d, -1);
	}
	count_sent(conn, l, nr);
}

/* @sent of @len bytes of acknowledgments have left. */
static void settle_acks(struct kmqtt_conn *conn, const u8 *acks, u32 len,
			u32 sent)
{
	conn->tx.acks_rest = kmqtt_history_answers(&conn->client,
						   conn->tx.acks_rest, acks,
						   len, sent);
	kmqtt_link_drop_acks(&conn->client.link, sent);
}

/* Tell of the first @nr packets. Of many, no more than the last are kept. */
static void note_packets(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			 const struct layout *l, u32 nr)
{
	u32 i = 0, at;

	if (nr > KMQTT_HISTORY_PACKETS && !trace_kmqtt_packet_out_enabled() &&
	    !kmqtt_tap_any(conn->client.broker))
		i = nr - KMQTT_HISTORY_PACKETS;
	for (; i < nr; i++) {
		const struct kmqtt_delivery *d = &pass->packets[i].delivery;

		at = i ? pass->packets[i - 1].end : l->active + l->acks;
		at += d->fixed_len;
		pass->batch.work +=
			kmqtt_history_sent(&conn->client, d->first,
					   d->remaining, pass->tx + at,
					   pass->packets[i].end - at);
	}
}

/* Account for @sent bytes of the buffer. */
static void settle(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
		   struct layout *l, u32 sent)
{
	struct kmqtt_tx *tx = &conn->tx;
	bool partly = false;
	u32 nr = 0, start, i;

	if (l->active) {
		tx->offset += min(sent, l->active);
		if (sent >= l->active && !kmqtt_delivery_spliced(&tx->delivery))
			end_active(conn);
	}
	start = l->active + l->acks;
	if (l->acks && sent > l->active)
		settle_acks(conn, pass->tx + l->active, l->acks,
			    min(sent - l->active, l->acks));

	/* The first packet that is not whole, if any of it left, is active. */
	while (nr < l->nr_packets && pass->packets[nr].end <= sent)
		start = pass->packets[nr++].end;
	if (nr < l->nr_packets && sent > start) {
		partly = true;
		tx->active = true;
		tx->delivery = pass->packets[nr++].delivery;
		tx->offset = sent - start;
	} else if (nr && nr == l->nr_packets && l->splice) {
		tx->active = true;
		tx->delivery = pass->packets[nr - 1].delivery;
		tx->offset = kmqtt_delivery_copied(&tx->delivery);
		kmqtt_delivery_get(&tx->delivery);
	}
	settle_packets(conn, pass, l, nr);
	note_packets(conn, pass, l, nr);
	for (i = 0; i < l->nr_packets; i++) {
		if (!partly || i != nr - 1)
			kmqtt_delivery_put(&pass->packets[i].delivery);
	}
}

/* Send more of the active packet's payload, whose head has left. */
static int splice_payload(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	struct kmqtt_tx *tx = &conn->tx;
	const struct kmqtt_msg *msg = tx->delivery.msg;
	struct msghdr hdr = { .msg_flags = MSG_SPLICE_PAGES };
	u32 done = tx->offset - kmqtt_delivery_copied(&tx->delivery);
	int n;

	iov_iter_bvec(&hdr.msg_iter, ITER_SOURCE, msg->pages, msg->nr_pages,
		      msg->payload_len);
	iov_iter_advance(&hdr.msg_iter, done);
	iov_iter_truncate(&hdr.msg_iter, SPLICE_BUDGET);
	n = send_socket(conn, pass, &hdr);
	if (n < 0)
		return n;
	tx->offset += n;
	if (done + n == msg->payload_len)
		end_active(conn);
	return n ? 0 : TX_BLOCKED;
}

/* One send, or two if a payload follows. Returns 1 if nothing is due then. */
static int transmit_once(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	struct msghdr hdr = {};
	struct layout l = {};
	struct kvec vec;
	int n = 0;

	if (conn->stream) {
		n = kmqtt_stream_flush(conn);
		if (n)
			return n;
	}
	lay_out(conn, pass, &l);
	if (!l.len && !l.splice)
		return !l.more;
	if (l.len) {
		vec.iov_base = pass->tx;
		vec.iov_len = l.len;
		iov_iter_kvec(&hdr.msg_iter, ITER_SOURCE, &vec, 1, l.len);
		if (l.splice)
			hdr.msg_flags = MSG_MORE;
		n = send_socket(conn, pass, &hdr);
		settle(conn, pass, &l, max(n, 0));
		/* Pairs with the barrier in after_pass() of the receive side. */
		smp_mb();
		if (l.acks && test_bit(KMQTT_CONN_RX_HELD, &conn->flags)) {
			set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
			kmqtt_conn_kick(conn, true);
		}
		if (n < 0)
			return n;
		if (n < l.len ||
		    (conn->stream && kmqtt_stream_is_behind(conn)))
			return TX_BLOCKED;
	}
	return l.splice ? splice_payload(conn, pass) : l.all;
}

/* A send took less than all, and the socket may not have noticed that we wait. */
static bool blocked(struct kmqtt_conn *conn)
{
	struct sock *sk = kmqtt_conn_sk(conn);

	/* There may have been room before it was asked to tell: try once more. */
	if (conn->stream)
		return test_and_set_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
	set_bit(SOCK_NOSPACE, &conn->sock->flags);
	/* Pairs with the barrier in tcp_check_space(). */
	smp_mb__after_atomic();
	return !sk_stream_is_writeable(sk);
}

/* What follows from a pass that has ended with @ret. */
static void after_pass(struct kmqtt_conn *conn, struct kmqtt_pass *pass, int ret)
{
	bool bh = pass->batch.bh;

	switch (ret) {
	case TX_BLOCKED:
		if (blocked(conn))
			break;
		fallthrough;
	case 0:
		if (bh) {
			kmqtt_conn_hand_over(conn, true,
					     KMQTT_HANDOVER_BUDGET);
			return;
		}
		set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
		return;
	case 1:
		break;
	case TX_OWNED:
		kmqtt_conn_hand_over(conn, true, KMQTT_HANDOVER_OWNED);
		return;
	case TX_NO_MEMORY:
		if (bh) {
			kmqtt_conn_hand_over(conn, true,
					     KMQTT_HANDOVER_NO_MEMORY);
			return;
		}
		set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
		return;
	default:
		kmqtt_conn_close(conn, KMQTT_REASON_CONNECTION_LOST);
		break;
	}
	if (!bh && !conn->stream)
		clear_bit(KMQTT_CONN_TX_THREAD, &conn->flags);
}

static void transmit_pass(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	int budget = pass->batch.bh ? SENDS_BH : SENDS_THREAD;
	int ret;

	if (pass->batch.bh && kmqtt_conn_force_thread(conn)) {
		kmqtt_conn_hand_over(conn, true, KMQTT_HANDOVER_SETTING);
		return;
	}
	do {
		ret = transmit_once(conn, pass);
	} while (!ret && --budget);
	/* Nothing else waits for memory, so the thread does. */
	if (ret == TX_NO_MEMORY && !pass->batch.bh)
		usleep_range(1000, 2000);
	after_pass(conn, pass, ret);
}

/**
 * kmqtt_transmit() - send what is due
 * @conn: the connection; the caller has a reference
 * @pass: what to work with; of its batch only the work is touched
 *
 * Does nothing if somebody else is sending: that one will see what is due.
 *
 * Context: softirq or process, as the pass; no lock held.
 */
void kmqtt_transmit(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	unsigned long *flags = &conn->flags;

	set_bit(KMQTT_CONN_TX_PENDING, flags);
	if (pass->batch.bh && test_bit(KMQTT_CONN_TX_THREAD, flags)) {
		kmqtt_conn_kick(conn, true);
		return;
	}
	if (test_and_set_bit_lock(KMQTT_CONN_TX_OWNED, flags))
		return;
	if (!test_bit(KMQTT_CONN_CLOSING, flags)) {
		clear_bit(KMQTT_CONN_TX_PENDING, flags);
		/* What is queued after the bit was cleared sets it again. */
		smp_mb__after_atomic();
		transmit_pass(conn, pass);
	}
	clear_bit_unlock(KMQTT_CONN_TX_OWNED, flags);
	/* Whoever found us in possession after setting a bit left it to us. */
	smp_mb__after_atomic();
	if (test_bit(KMQTT_CONN_CLOSING, flags))
		wake_up_bit(flags, KMQTT_CONN_TX_OWNED);
	else if (test_bit(KMQTT_CONN_TX_PENDING, flags))
		kmqtt_conn_kick(conn, !pass->batch.bh ||
				test_bit(KMQTT_CONN_TX_THREAD, flags));
}

/**
 * kmqtt_transmit_last() - a last word before the connection is released
 * @conn: the connection; the caller owns its transmit side for good
 * @pass: a thread's
 *
 * Sends acknowledgments, and to 5.0 why it ends: what the session has stays in
 * the session. Nothing is said in the middle of another packet.
 *
 * Context: process, may sleep.
 */
void kmqtt_transmit_last(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	if (conn->tx.active)
		return;
	kmqtt_reply_disconnect(&conn->client);
	transmit_once(conn, pass);
}
