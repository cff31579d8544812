// SPDX-License-Identifier: GPL-2.0
/*
 * A connection: how it begins, who works for it and where, and how it ends.
 *
 * Receiving and sending are done by whoever gets hold of that side: the
 * softirq work or the thread work of the connection, or, for sending, any pass
 * that has put something into its session. The two works are the same code in
 * two contexts.
 */
#include "conn.h"

#include <linux/delay.h>
#include <linux/ipv6.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/vm_sockets.h>
#include <linux/wait_bit.h>
#include <net/tcp.h>
#include "../compat.h"
#include "../protocol/event.h"
#include "../trace.h"
#include "pacing.h"
#include "pass.h"
#include "receive.h"
#include "registry.h"
#include "transmit.h"

/* Subscribers that a pass sends to by itself; others use their own threads. */
#define FLUSH_BUDGET	64

/* Bytes read and thrown away at the end, so that TCP ends with FIN. */
#define DRAIN_BYTES	(64 << 10)

/*
 * Milliseconds, and how often, that the end of a namespace waits for a FIN, and
 * that of a WebSocket for the client's.
 */
#define LINGER_PAUSE	10
#define LINGER_TRIES	50

static unsigned int handover_every;
module_param(handover_every, uint, 0600);
MODULE_PARM_DESC(handover_every,
		 "For tests: hand each Nth pass of softirq to a thread (0: none)");

/**
 * kmqtt_conn_force_thread() - must this pass be a thread's?
 * @conn: the connection
 *
 * Context: softirq.
 * Return: true if an operator or a test wants it so.
 */
bool kmqtt_conn_force_thread(struct kmqtt_conn *conn)
{
	static DEFINE_PER_CPU(unsigned int, count);
	unsigned int every = READ_ONCE(handover_every);

	if (every && !(this_cpu_inc_return(count) % every))
		return true;
	return !READ_ONCE(conn->client.broker->limits.bh_path);
}

/**
 * kmqtt_conn_kick() - have a connection's sides looked after
 * @conn: the connection, with a PENDING bit set
 * @thread: by the thread, or by softirq on this CPU
 *
 * Context: any.
 */
void kmqtt_conn_kick(struct kmqtt_conn *conn, bool thread)
{
	int cpu = READ_ONCE(conn->rx.cpu);

	if (!thread)
		queue_work(kmqtt_wq.bh, &conn->bh_work);
	else if (cpu >= 0 && cpu < nr_cpu_ids && cpu_online(cpu))
		queue_work_on(cpu, kmqtt_wq.io, &conn->io_work);
	else
		queue_work(kmqtt_wq.io, &conn->io_work);
}

/**
 * kmqtt_conn_hand_over() - leave a side to the thread
 * @conn: the connection
 * @transmit: which side
 * @why: for the statistics
 *
 * Context: softirq.
 */
void kmqtt_conn_hand_over(struct kmqtt_conn *conn, bool transmit,
			  enum kmqtt_handover why)
{
	kmqtt_stats_inc(conn->client.broker, handover[why]);
	trace_kmqtt_handover(&conn->client, transmit, why);
	if (transmit) {
		set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
		set_bit(KMQTT_CONN_TX_THREAD, &conn->flags);
	} else {
		set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
		set_bit(KMQTT_CONN_RX_THREAD, &conn->flags);
	}
	kmqtt_conn_kick(conn, true);
}

/* The bit is set anew: who owned the side may have cleared it meanwhile. */
static void link_flush(struct kmqtt_link *link)
{
	struct kmqtt_conn *conn = kmqtt_conn_of(link);

	set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
	kmqtt_conn_kick(conn, true);
}

static void link_receive(struct kmqtt_link *link)
{
	struct kmqtt_conn *conn = kmqtt_conn_of(link);

	set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
	kmqtt_conn_kick(conn, true);
}

/**
 * kmqtt_conn_flush_batch() - send what a pass has put into sessions
 * @pass: the pass
 *
 * Context: softirq or process, as the pass; no lock held.
 */
void kmqtt_conn_flush_batch(struct kmqtt_pass *pass)
{
	struct kmqtt_link *link, *next;
	int budget = FLUSH_BUDGET;

	list_for_each_entry_safe(link, next, &pass->batch.touched, touched) {
		struct kmqtt_conn *conn = kmqtt_conn_of(link);

		list_del_init(&link->touched);
		set_bit(KMQTT_CONN_TX_PENDING, &conn->flags);
		/* What is queued from here on touches the link anew. */
		clear_bit_unlock(KMQTT_LINK_TOUCHED, &link->flags);
		/* Pairs with test_and_set_bit() in kmqtt_link_touch(). */
		smp_mb__after_atomic();
		if (budget-- > 0)
			kmqtt_transmit(conn, pass);
		else
			link_flush(link);
		kmqtt_link_put(link);
	}
}

static void run(struct kmqtt_conn *conn, struct kmqtt_pass *pass)
{
	if (test_bit(KMQTT_CONN_RX_PENDING, &conn->flags))
		kmqtt_receive(conn, pass);
	kmqtt_conn_flush_batch(pass);
	if (test_bit(KMQTT_CONN_TX_PENDING, &conn->flags))
		kmqtt_transmit(conn, pass);
	kmqtt_receive_rest(conn, pass);
}

static void bh_work(struct work_struct *work)
{
	struct kmqtt_conn *conn = container_of(work, struct kmqtt_conn, bh_work);

	kmqtt_stats_inc(conn->client.broker, bh_runs);
	run(conn, kmqtt_pass_this_cpu());
}

static void io_work(struct work_struct *work)
{
	struct kmqtt_conn *conn = container_of(work, struct kmqtt_conn, io_work);
	struct kmqtt_pass *pass = kmqtt_pass_take();

	kmqtt_stats_inc(conn->client.broker, thread_runs);
	run(conn, pass);
	kmqtt_pass_give(pass);
}

/* Socket callbacks: under RCU, they set a bit and queue a work. */

static void sk_pending(struct sock *sk, int pending, int thread)
{
	struct kmqtt_conn *conn;

	rcu_read_lock();
	conn = rcu_dereference_sk_user_data(sk);
	if (conn) {
		set_bit(pending, &conn->flags);
		kmqtt_conn_kick(conn, test_bit(thread, &conn->flags));
	}
	rcu_read_unlock();
}

static void kmqtt_sk_data_ready(struct sock *sk)
{
	sk_pending(sk, KMQTT_CONN_RX_PENDING, KMQTT_CONN_RX_THREAD);
}

static void kmqtt_sk_write_space(struct sock *sk)
{
	if (!sk_stream_is_writeable(sk))
		return;
	clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	sk_pending(sk, KMQTT_CONN_TX_PENDING, KMQTT_CONN_TX_THREAD);
}

/* Of TCP, all sockets have the same callbacks: those that a listener had. */

static void install_callbacks(struct kmqtt_conn *conn)
{
	struct sock *sk = kmqtt_conn_sk(conn);

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, conn);
	sk->sk_data_ready = kmqtt_sk_data_ready;
	sk->sk_state_change = kmqtt_sk_data_ready;
	sk->sk_write_space = kmqtt_sk_write_space;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void remove_callbacks(struct kmqtt_conn *conn)
{
	const struct kmqtt_callbacks *callbacks =
		&conn->client.broker->registry->callbacks;
	struct sock *sk = kmqtt_conn_sk(conn);

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = callbacks->data_ready;
	sk->sk_state_change = callbacks->state_change;
	sk->sk_write_space = callbacks->write_space;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

/* Be told of the socket. Returns 0, or -EBUSY if somebody else is. */
static int attach(struct kmqtt_conn *conn)
{
	if (conn->stream)
		return kmqtt_stream_attach(conn);
	install_callbacks(conn);
	return 0;
}

static void detach(struct kmqtt_conn *conn)
{
	if (conn->stream)
		kmqtt_stream_detach(conn);
	else
		remove_callbacks(conn);
}

/* Jiffies from @since on within which the client has to be heard of, or 0. */
static unsigned long patience(const struct kmqtt_conn *conn,
			      unsigned long *since)
{
	const struct kmqtt_client *client = &conn->client;

	/* It is we who are slow. */
	if (kmqtt_client_state(client) == KMQTT_CLIENT_CHECK)
		return 0;
	if (kmqtt_client_state(client) < KMQTT_CLIENT_ONLINE) {
		*since = client->connected;
		return READ_ONCE(client->broker->limits.connect_timeout) * HZ;
	}
	/* Who is held back can't show that it is alive. */
	*since = test_bit(KMQTT_CONN_RX_PACED, &conn->flags) ?
		 jiffies : READ_ONCE(conn->rx.last);
	return client->keepalive * HZ * 3 / 2;		/* [MQTT-3.1.2-24] */
}

/**
 * kmqtt_conn_arm_timer() - the client's state has changed: time it anew
 * @conn: the connection
 *
 * From here on the timer is left alone and looks by itself, when it fires,
 * whether the client was heard of meanwhile.
 *
 * Context: the connection's receive side.
 */
void kmqtt_conn_arm_timer(struct kmqtt_conn *conn)
{
	unsigned long since, limit = patience(conn, &since);

	if (limit)
		mod_timer(&conn->timer, since + limit);
}

static void kmqtt_conn_timeout(struct timer_list *t)
{
	struct kmqtt_conn *conn = kmqtt_from_timer(conn, t, timer);
	bool new = kmqtt_client_state(&conn->client) < KMQTT_CLIENT_ONLINE;
	unsigned long since, limit = patience(conn, &since);

	if (test_bit(KMQTT_CONN_RX_PACED, &conn->flags)) {
		kmqtt_pacing_timeout(conn);
		return;
	}
	if (!limit)
		return;
	if (time_before(jiffies, since + limit))
		mod_timer(&conn->timer, since + limit);
	else
		kmqtt_conn_close(conn, new ? KMQTT_REASON_CONNECT_TIMEOUT :
					     KMQTT_REASON_KEEP_ALIVE_TIMEOUT);
}

/**
 * kmqtt_conn_close() - begin to close a connection
 * @conn: the connection
 * @reason: why; the first one given counts
 *
 * Context: any but hard interrupts.
 * Return: false if it was closing already.
 */
bool kmqtt_conn_close(struct kmqtt_conn *conn, enum kmqtt_reason reason)
{
	return kmqtt_client_closing(&conn->client, reason) &&
	       queue_work(kmqtt_wq.ctl, &conn->release_work);
}

static void link_close(struct kmqtt_link *link, enum kmqtt_reason reason)
{
	kmqtt_conn_close(kmqtt_conn_of(link), reason);
}

/* The last reference may go in softirq: nothing here sleeps. */
static void link_release(struct kref *ref)
{
	struct kmqtt_link *link = container_of(ref, struct kmqtt_link, ref);
	struct kmqtt_conn *conn = kmqtt_conn_of(link);
	struct kmqtt_registry *registry = conn->client.broker->registry;
	struct kmqtt_port *port = conn->client.port;

	kmqtt_publish_abort(&conn->rx.large);
	kmqtt_receive_drop_tail(conn);
	kfree(conn->rx.pace);
	if (conn->tx.active)
		kmqtt_delivery_put(&conn->tx.delivery);
	kmqtt_client_uninit(&conn->client);
	kmqtt_registry_remove(registry, conn);
	kmqtt_port_put(port);
	kmqtt_stream_free(conn->stream);
	kfree_rcu(conn, rcu);
}

static const struct kmqtt_link_ops link_ops = {
	.flush = link_flush,
	.receive = link_receive,
	.close = link_close,
	.release = link_release,
};

/* Take both sides for good: nobody touches the socket after this. */
static void stop_sides(struct kmqtt_conn *conn)
{
	set_bit(KMQTT_CONN_CLOSING, &conn->flags);
	disable_work_sync(&conn->bh_work);
	disable_work_sync(&conn->io_work);
	/* Other connections' passes may be sending. */
	wait_on_bit_lock(&conn->flags, KMQTT_CONN_TX_OWNED,
			 TASK_UNINTERRUPTIBLE);
}

/*
 * Kernel sockets lose their timers when they are released, and with them the
 * chance to send their last words again. Make it a socket as any other, which
 * keeps its namespace and ends when TCP thinks so. In a namespace that is going
 * there is no time for that: who doesn't answer soon is reset.
 */
static void leave_ip_socket(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct net *net = maybe_get_net(sock_net(sk));
	int tries = LINGER_TRIES;

	if (net) {
		kmqtt_sk_net_upgrade(sk);
		put_net(net);
	} else {
		while (READ_ONCE(sk->sk_state) == TCP_FIN_WAIT1 && tries--)
			msleep(LINGER_PAUSE);
		if (READ_ONCE(sk->sk_state) == TCP_FIN_WAIT1)
			sock_no_linger(sk);
	}
	sock_release(sock);
}

static void leave_socket(struct socket *sock)
{
	/*
	 * One that was adopted is a socket as any other already, and so is one
	 * of Multipath TCP; others have no last words.
	 */
	if (sock->file) {
		/* Nobody is to wait here for what the agent wanted. */
		lock_sock(sock->sk);
		sock_reset_flag(sock->sk, SOCK_LINGER);
		release_sock(sock->sk);
		sockfd_put(sock);
	} else if (!sk_is_inet(sock->sk) || sock->sk->sk_net_refcnt) {
		sock_release(sock);
	} else {
		leave_ip_socket(sock);
	}
}

static void leave(struct kmqtt_conn *conn)
{
	leave_socket(conn->sock);
	kmqtt_link_put(&conn->client.link);
}

/* Has the client of a WebSocket still to answer our close frame? */
static bool lingers(const struct kmqtt_conn *conn)
{
	return conn->stream && conn->stream->websocket &&
	       !test_bit(KMQTT_CONN_RX_EOF, &conn->flags) &&
	       conn->stream->lingered < LINGER_TRIES;
}

/*
 * WebSocket's end has two sides (RFC 6455, 7.1.1): to a client that writes to a
 * socket that is gone the end looks like a fault.
 */
static void linger_work(struct work_struct *work)
{
	struct kmqtt_stream *stream =
		container_of(to_delayed_work(work), struct kmqtt_stream,
			     linger_work);
	struct kmqtt_conn *conn = stream->wait.private;
	struct kmqtt_pass *pass = kmqtt_pass_take();

	kmqtt_receive_drain(conn, pass, DRAIN_BYTES);
	kmqtt_pass_give(pass);
	stream->lingered++;
	if (lingers(conn))
		queue_delayed_work(kmqtt_wq.ctl, &stream->linger_work,
				   msecs_to_jiffies(LINGER_PAUSE));
	else
		leave(conn);
}

/*
 * The way out. The order is that of nvmet_tcp_release_queue_work(): first
 * nobody finds the connection, then nobody works for it, then its session
 * learns of it, then the socket goes.
 */
static void release_work(struct work_struct *work)
{
	struct kmqtt_conn *conn =
		container_of(work, struct kmqtt_conn, release_work);
	struct kmqtt_pass *pass;

	kmqtt_registry_unlist(conn->client.broker->registry, conn);
	detach(conn);
	timer_shutdown_sync(&conn->timer);
	stop_sides(conn);

	pass = kmqtt_pass_take();
	kmqtt_transmit_last(conn, pass);
	kmqtt_client_closed(&conn->client, &pass->batch);
	kmqtt_conn_flush_batch(pass);
	if (conn->stream)
		kmqtt_stream_close(conn);

	kernel_sock_shutdown(conn->sock, SHUT_WR);
	kmqtt_receive_drain(conn, pass, DRAIN_BYTES);
	kmqtt_pass_give(pass);
	if (lingers(conn))
		queue_delayed_work(kmqtt_wq.ctl, &conn->stream->linger_work,
				   msecs_to_jiffies(LINGER_PAUSE));
	else
		leave(conn);
}

/* Where a socket's other end is. A process of this machine is nowhere. */
static int get_peer(struct socket *sock, struct sockaddr_in6 *peer)
{
	struct sockaddr_storage addr;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr;
	struct sockaddr_vm *vm = (struct sockaddr_vm *)&addr;
	int len;

	*peer = (struct sockaddr_in6) {};
	len = kernel_getpeername(sock, (struct sockaddr *)&addr);
	if (len < 0)
		return len;
	switch (addr.ss_family) {
	case AF_INET6:
		*peer = *(struct sockaddr_in6 *)&addr;
		break;
	case AF_INET:
		peer->sin6_port = in->sin_port;
		ipv6_addr_set_v4mapped(in->sin_addr.s_addr, &peer->sin6_addr);
		break;
	case AF_VSOCK:
		/* Limits of addresses are for virtual machines, too: 100::CID. */
		ipv6_addr_set(&peer->sin6_addr, htonl(0x01000000), 0, 0,
			      htonl(vm->svm_cid));
		break;
	}
	return 0;
}

static struct kmqtt_conn *alloc_conn(struct kmqtt_broker *broker,
				     struct kmqtt_port *port,
				     struct kmqtt_stream *stream,
				     const struct sockaddr_in6 *peer)
{
	struct kmqtt_conn *conn = kzalloc(sizeof(*conn), GFP_KERNEL);

	if (!conn)
		return NULL;
	if (kmqtt_client_init(&conn->client, broker, kmqtt_port_get(port),
			      &link_ops)) {
		kmqtt_client_uninit(&conn->client);
		kmqtt_port_put(port);
		kfree(conn);
		return NULL;
	}
	conn->client.connected = jiffies;
	conn->client.peer = peer->sin6_addr;
	conn->client.peer_ifindex = peer->sin6_scope_id;
	conn->client.peer_port = ntohs(peer->sin6_port);
	conn->rx.last = jiffies;
	INIT_WORK(&conn->bh_work, bh_work);
	INIT_WORK(&conn->io_work, io_work);
	INIT_WORK(&conn->release_work, release_work);
	timer_setup(&conn->timer, kmqtt_conn_timeout, 0);
	conn->stream = stream;
	if (!stream)
		return conn;
	INIT_DELAYED_WORK(&stream->linger_work, linger_work);
	if (stream->handshake.has_user)
		conn->client.proven = &stream->handshake.user;
	__set_bit(KMQTT_CONN_RX_THREAD, &conn->flags);
	__set_bit(KMQTT_CONN_TX_THREAD, &conn->flags);
	return conn;
}

static void prepare_socket(struct socket *sock, bool bh)
{
	struct sock *sk = sock->sk;
	int one = 1;

	/* Multipath TCP has no function of its own for that. */
	if (sk_is_inet(sk))
		sock->ops->setsockopt(sock, SOL_TCP, TCP_NODELAY,
				      KERNEL_SOCKPTR(&one), sizeof(one));
	lock_sock(sk);
	/* Softirq sends as well as threads do. */
	if (bh)
		sk->sk_allocation = GFP_ATOMIC;
	sk->sk_use_task_frag = false;
	release_sock(sk);
}

static enum kmqtt_reason refusal(int err)
{
	switch (err) {
	case -EDQUOT:
		return KMQTT_REASON_QUOTA_EXCEEDED;
	case -EUSERS:
		return KMQTT_REASON_SERVER_BUSY;
	case -ESHUTDOWN:
		return KMQTT_REASON_SERVER_SHUTTING_DOWN;
	default:
		return KMQTT_REASON_SERVER_UNAVAILABLE;
	}
}

/* Let a connection begin whose works rest. */
static void start(struct kmqtt_conn *conn)
{
	prepare_socket(conn->sock, !conn->stream);
	kmqtt_stats_inc(conn->client.broker, connects);
	kmqtt_conn_arm_timer(conn);
	enable_work(&conn->bh_work);
	enable_work(&conn->io_work);
	/* What came before now has rung no bell. */
	set_bit(KMQTT_CONN_RX_PENDING, &conn->flags);
	kmqtt_conn_kick(conn, true);
}

static int check_peer(struct kmqtt_broker *broker,
		      const struct sockaddr_in6 *peer)
{
	if (!kmqtt_ban_has_address(&broker->access.bans, &peer->sin6_addr))
		return 0;
	kmqtt_stats_inc(broker, banned);
	return -EACCES;
}

/**
 * kmqtt_conn_create() - make a connection of a socket
 * @registry: the broker's connections
 * @sock: a connected socket; the connection owns it on success, and otherwise
 *	it is as before
 * @port: what it came through
 * @stream: what its bytes are if not plain TCP's, or NULL; the connection owns
 *	it on success
 * @peer: where the client is, or NULL: where the socket says it is
 * @id: number of the connection on success, or NULL
 *
 * Context: process, may sleep.
 * Return: 0, -EACCES if its address is banned, -EBUSY if somebody else in the
 * kernel has the socket, or another negative errno.
 */
int kmqtt_conn_create(struct kmqtt_registry *registry, struct socket *sock,
		      struct kmqtt_port *port, struct kmqtt_stream *stream,
		      const struct sockaddr_in6 *peer, u64 *id)
{
	struct kmqtt_broker *broker = registry->broker;
	struct kmqtt_conn *conn = NULL;
	struct sockaddr_in6 own;
	int err = 0;

	if (!peer) {
		err = get_peer(sock, &own);
		peer = &own;
	}
	err = err ?: check_peer(broker, peer);
	if (!err) {
		conn = alloc_conn(broker, port, stream, peer);
		err = conn ? 0 : -ENOMEM;
	}
	if (err) {
		kmqtt_stats_inc(broker, refused);
		return err;
	}
	conn->sock = sock;
	conn->rx.cpu = READ_ONCE(sock->sk->sk_incoming_cpu);

	/*
	 * It has to be attached when it can be found and closed, but no packet
	 * may be handled before it counts.
	 */
	disable_work(&conn->bh_work);
	disable_work(&conn->io_work);
	err = attach(conn);
	if (err)
		goto err_conn;
	kmqtt_link_get(&conn->client.link);
	err = kmqtt_registry_add(registry, conn);
	if (err)
		goto err_attached;
	if (id)
		*id = conn->client.id;
	start(conn);
	kmqtt_link_put(&conn->client.link);
	return 0;

err_attached:
	detach(conn);
	kmqtt_event_refused(&conn->client, refusal(err));
err_conn:
	kmqtt_client_uninit(&conn->client);
	kmqtt_port_put(port);
	kfree_rcu(conn, rcu);
	return err;
}
