/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_CONN_H
#define _KMQTT_NET_CONN_H

#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include "../protocol/client.h"
#include "../protocol/publish.h"
#include "../session/outbox.h"
#include "stream.h"

struct kmqtt_pass;
struct kmqtt_registry;
struct kmqtt_rx_pace;

/**
 * enum kmqtt_conn_flags - bits of @flags in struct kmqtt_conn
 * @KMQTT_CONN_RX_PENDING: there may be something to receive
 * @KMQTT_CONN_RX_OWNED: somebody is receiving
 * @KMQTT_CONN_RX_THREAD: softirq has left receiving to the thread; for good
 *	where there is a stream
 * @KMQTT_CONN_RX_HELD: not receiving until the client has read its acks
 * @KMQTT_CONN_RX_PACED: not receiving until the timer says so
 * @KMQTT_CONN_RX_EOF: nothing more will come; the owner's
 * @KMQTT_CONN_TX_PENDING: there may be something to send
 * @KMQTT_CONN_TX_OWNED: somebody is sending
 * @KMQTT_CONN_TX_THREAD: softirq has left sending to the thread; likewise
 * @KMQTT_CONN_TX_BLOCKED: a stream has to say when there is room to send
 * @KMQTT_CONN_CLOSING: being released; sends and receives no more
 *
 * PENDING is set before a work is queued and cleared by the owner before it
 * looks at socket or queues, so whatever comes later is seen by the owner or
 * by the next one. OWNED is taken and given like a lock, by trying.
 */
enum kmqtt_conn_flags {
	KMQTT_CONN_RX_PENDING,
	KMQTT_CONN_RX_OWNED,
	KMQTT_CONN_RX_THREAD,
	KMQTT_CONN_RX_HELD,
	KMQTT_CONN_RX_PACED,
	KMQTT_CONN_RX_EOF,
	KMQTT_CONN_TX_PENDING,
	KMQTT_CONN_TX_OWNED,
	KMQTT_CONN_TX_THREAD,
	KMQTT_CONN_TX_BLOCKED,
	KMQTT_CONN_CLOSING,
};

/**
 * struct kmqtt_rx - the receive side of a connection
 * @tail: bytes of a packet that isn't there as a whole, or NULL
 * @tail_off: where they begin in @tail
 * @tail_len: how many they are
 * @tail_size: size of @tail, charged to the broker
 * @cpu: where the socket's packets come in; where the thread works
 * @large: a PUBLISH whose payload goes into its own pages
 * @pace: how fast it is; made when there is a limit, NULL before
 * @last: jiffies of the last packet; read by the timer
 *
 * All but @last and @cpu belongs to who holds KMQTT_CONN_RX_OWNED.
 */
struct kmqtt_rx {
	u8 *tail;
	u32 tail_off;
	u32 tail_len;
	u32 tail_size;
	int cpu;
	struct kmqtt_incoming large;
	struct kmqtt_rx_pace *pace;
	unsigned long last;
};

/**
 * struct kmqtt_tx - the transmit side of a connection
 * @delivery: a packet that was sent in part; holds a reference to its message
 * @offset: bytes of it that were sent
 * @active: there is one
 * @acks_rest: bytes that are still to be sent of an acknowledgment, none of
 *	which is as long as 64 KiB
 *
 * Belongs to who holds KMQTT_CONN_TX_OWNED.
 */
struct kmqtt_tx {
	struct kmqtt_delivery delivery;
	u32 offset;
	bool active;
	u16 acks_rest;
};

/**
 * struct kmqtt_conn - a connection
 * @client: MQTT's side of it; its link has the reference count
 * @flags: enum kmqtt_conn_flags, atomic
 * @sock: constant; for who owns a side; released by @release_work
 * @bh_work: a pass in softirq
 * @io_work: a pass in a thread
 * @release_work: the way out, queued once; the last reference goes after it
 * @rcu: socket callbacks may stand on the connection while it is freed
 * @timer: time-out of CONNECT, then of the keep-alive
 * @rx: receive side
 * @tx: transmit side
 * @stream: where its bytes come from if that isn't plain TCP, or NULL; constant
 *
 * With its session, its history, and nothing to send or to receive, it takes
 * 1152 bytes: it fills a slab object of 512 and must not grow.
 */
struct kmqtt_conn {
	struct kmqtt_client client;
	unsigned long flags;
	struct socket *sock;
	struct work_struct bh_work;
	struct work_struct io_work;
	union {
		struct work_struct release_work;
		struct rcu_head rcu;
	};
	struct timer_list timer;
	struct kmqtt_rx rx;
	struct kmqtt_tx tx;
	struct kmqtt_stream *stream;
};

int kmqtt_conn_create(struct kmqtt_registry *registry, struct socket *sock,
		      struct kmqtt_port *port, struct kmqtt_stream *stream,
		      const struct sockaddr_in6 *peer, u64 *id);
bool kmqtt_conn_close(struct kmqtt_conn *conn, enum kmqtt_reason reason);
void kmqtt_conn_kick(struct kmqtt_conn *conn, bool thread);
void kmqtt_conn_hand_over(struct kmqtt_conn *conn, bool transmit,
			  enum kmqtt_handover why);
bool kmqtt_conn_force_thread(struct kmqtt_conn *conn);
void kmqtt_conn_flush_batch(struct kmqtt_pass *pass);
void kmqtt_conn_arm_timer(struct kmqtt_conn *conn);

/**
 * kmqtt_conn_of() - the connection around a link
 * @link: a link
 *
 * Context: any.
 * Return: the connection.
 */
static inline struct kmqtt_conn *kmqtt_conn_of(struct kmqtt_link *link)
{
	return container_of(kmqtt_client_of(link), struct kmqtt_conn, client);
}

/**
 * kmqtt_conn_sk() - the socket of a connection
 * @conn: the connection, not yet released
 *
 * Context: any.
 * Return: the socket.
 */
static inline struct sock *kmqtt_conn_sk(const struct kmqtt_conn *conn)
{
	return conn->sock->sk;
}

#endif /* _KMQTT_NET_CONN_H */
