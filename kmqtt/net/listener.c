// SPDX-License-Identifier: GPL-2.0
/*
 * Open ports and what comes in through them.
 */
#include "listener.h"

#include <linux/inet.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include "../broker.h"
#include "../compat.h"
#include "conn.h"
#include "registry.h"

#define BACKLOG		1024
/* Connections accepted before others get to run. */
#define ACCEPT_BUDGET	64
/* Pause after an error that may pass, such as lack of memory. */
#define ACCEPT_PAUSE	msecs_to_jiffies(100)

static void kmqtt_sk_listen_ready(struct sock *sk)
{
	struct kmqtt_listener *listener;

	/* Connections inherit the callback before they get their own. */
	if (sk->sk_state != TCP_LISTEN)
		return;
	read_lock_bh(&sk->sk_callback_lock);
	listener = __locked_read_sk_user_data_with_flags(sk,
							 SK_USER_DATA_NOCOPY);
	if (listener)
		mod_delayed_work(kmqtt_wq.ctl, &listener->accept_work, 0);
	read_unlock_bh(&sk->sk_callback_lock);
}

/* Returns 0, or what kernel_accept() says when there is no connection. */
static int accept_one(struct kmqtt_listener *listener)
{
	struct socket *sock;
	int err;

	err = kernel_accept(listener->sock, &sock, O_NONBLOCK);
	if (err)
		return err;
	WRITE_ONCE(listener->accepted, listener->accepted + 1);
	err = kmqtt_conn_create(listener->registry, sock, listener->port,
				listener->data_ready);
	if (err) {
		pr_debug("connection refused: %d\n", err);
		/* The client's own data must not turn the end into a reset. */
		kernel_sock_shutdown(sock, SHUT_RDWR);
		sock_release(sock);
	}
	return 0;
}

/* Returns nanoseconds until the next one may come. */
static u64 count_accepted(struct kmqtt_port *port, u32 n)
{
	return kmqtt_pace_take(&port->connects,
			       READ_ONCE(port->terms.connect_rate), n,
			       ktime_get_ns());
}

static void accept_work(struct work_struct *work)
{
	struct kmqtt_listener *listener =
		container_of(to_delayed_work(work), struct kmqtt_listener,
			     accept_work);
	int budget = ACCEPT_BUDGET;
	u64 wait = 0;
	int err = 0;

	while (!err && budget--) {
		/* Whoever comes rings the bell, also while others have to wait. */
		wait = count_accepted(listener->port, 0);
		if (wait)
			break;
		err = accept_one(listener);
		if (!err)
			count_accepted(listener->port, 1);
	}
	if (wait)
		queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work,
				   nsecs_to_jiffies(wait) + 1);
	else if (!err)
		queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work, 0);
	else if (err == -EMFILE || err == -ENFILE || err == -ENOMEM ||
		 err == -ENOBUFS)
		queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work,
				   ACCEPT_PAUSE);
	else if (err != -EAGAIN && err != -EINVAL)
		/* That connection is gone; there may be others. */
		queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work, 1);
}

static int addr_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

/* Make a socket for @listener and find out what to bind it to. */
static int make_socket(struct kmqtt_listener *listener, struct socket **sock,
		       struct sockaddr_storage *addr, bool force)
{
	struct net *net = listener->registry->broker->net;
	bool all = listener->addr.ss_family == AF_UNSPEC;
	struct sock *sk;
	int err;

	*addr = listener->addr;
	if (all)
		addr->ss_family = AF_INET6;
	err = sock_create_kern(net, addr->ss_family, SOCK_STREAM, IPPROTO_TCP,
			       sock);
	if (err == -EAFNOSUPPORT && all) {
		/* No IPv6 here; the port is at the same place in both. */
		addr->ss_family = AF_INET;
		err = sock_create_kern(net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
				       sock);
	}
	if (err)
		return err;
	sk = (*sock)->sk;
	tcp_sock_set_nodelay(sk);
	lock_sock(sk);
	sk->sk_reuse = force ? SK_FORCE_REUSE : SK_CAN_REUSE;
	if (addr->ss_family == AF_INET6)
		sk->sk_ipv6only = !all;
	release_sock(sk);
	return 0;
}

/* Port 0 has become another one. */
static int note_port(struct kmqtt_listener *listener)
{
	struct sockaddr_storage bound;
	int len;

	len = kernel_getsockname(listener->sock, (struct sockaddr *)&bound);
	if (len < 0)
		return len;
	((struct sockaddr_in *)&listener->addr)->sin_port =
		((struct sockaddr_in *)&bound)->sin_port;
	return 0;
}

static int open_socket(struct kmqtt_listener *listener, bool force,
		       struct netlink_ext_ack *extack)
{
	struct sockaddr_storage addr;
	struct socket *sock;
	int err;

	err = make_socket(listener, &sock, &addr, force);
	if (err) {
		NL_SET_ERR_MSG(extack, "no socket of this address family");
		return err;
	}
	err = kernel_bind(sock, kmqtt_sockaddr(&addr), addr_len(&addr));
	if (err) {
		if (err == -EADDRINUSE)
			NL_SET_ERR_MSG(extack, "address and port are in use");
		else
			NL_SET_ERR_MSG(extack, "can't bind to this address");
		goto err_release;
	}
	/* Before listen, so that no connection comes in unnoticed. */
	write_lock_bh(&sock->sk->sk_callback_lock);
	listener->data_ready = sock->sk->sk_data_ready;
	sock->sk->sk_data_ready = kmqtt_sk_listen_ready;
	__rcu_assign_sk_user_data_with_flags(sock->sk, listener,
					     SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sock->sk->sk_callback_lock);
	listener->sock = sock;
	err = note_port(listener) ?: kernel_listen(sock, BACKLOG);
	if (err) {
		NL_SET_ERR_MSG(extack, "can't listen on this address");
		goto err_release;
	}
	return 0;

err_release:
	sock_release(sock);
	return err;
}

static void close_socket(struct kmqtt_listener *listener)
{
	struct sock *sk = listener->sock->sk;
	int budget = BACKLOG;

	/* When the lock is free, no callback is on its way to queue the work. */
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = listener->data_ready;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	disable_delayed_work_sync(&listener->accept_work);
	/* Who has come in is not sent away again, if it ever accepted. */
	if (!list_empty(&listener->list))
		while (budget-- && !accept_one(listener))
			;
	sock_release(listener->sock);
}

static bool is_loopback(const struct sockaddr_storage *addr)
{
	switch (addr->ss_family) {
	case AF_INET:
		return ipv4_is_loopback(((const struct sockaddr_in *)
					 addr)->sin_addr.s_addr);
	case AF_INET6:
		return ipv6_addr_loopback(&((const struct sockaddr_in6 *)
					    addr)->sin6_addr);
	default:
		return false;
	}
}

/**
 * kmqtt_listener_default_terms() - the terms of a listener that has none named
 * @addr: what it will be bound to
 * @terms: the terms
 *
 * Anonymous clients are let in from this machine only.
 *
 * Context: any.
 */
void kmqtt_listener_default_terms(const struct sockaddr_storage *addr,
				  struct kmqtt_terms *terms)
{
	*terms = (struct kmqtt_terms) {
		.max_connections = KMQTT_PORT_UNLIMITED,
		.topic_alias_max = U16_MAX,
		.max_qos = KMQTT_QOS2,
		.anonymous = is_loopback(addr),
		.assign_client_id = true,
		.id_prefix = { .len = 6, .data = "kmqtt-" },
	};
}

static void listener_free(struct kmqtt_listener *listener)
{
	kmqtt_port_put(listener->port);
	kfree(listener);
}

/**
 * kmqtt_listener_open() - have a socket listen, but accept nothing yet
 * @registry: the broker's connections
 * @addr: as in kmqtt_listener_add()
 * @terms: on what terms it lets clients in
 * @force: even if another socket listens there; the caller will close that
 * @extack: what is wrong, or NULL
 *
 * Context: process, may sleep; the registry's mutex held.
 * Return: a listener for kmqtt_listener_start() or kmqtt_listener_close(), or
 * an ERR_PTR().
 */
struct kmqtt_listener *
kmqtt_listener_open(struct kmqtt_registry *registry,
		    const struct sockaddr_storage *addr,
		    const struct kmqtt_terms *terms, bool force,
		    struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;
	int err;

	lockdep_assert_held(&registry->mutex);
	if (READ_ONCE(registry->stopped))
		return ERR_PTR(-ESHUTDOWN);
	if (registry->nr_listeners >= KMQTT_NR_LISTENERS_MAX) {
		NL_SET_ERR_MSG(extack, "there are too many listeners");
		return ERR_PTR(-ENOSPC);
	}
	listener = kzalloc(sizeof(*listener), GFP_KERNEL);
	if (!listener)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&listener->list);
	listener->registry = registry;
	listener->addr = *addr;
	listener->id = registry->next_listener;
	INIT_DELAYED_WORK(&listener->accept_work, accept_work);
	disable_delayed_work(&listener->accept_work);
	err = -ENOMEM;
	listener->port = kmqtt_port_create(&registry->broker->access,
					   listener->id, terms);
	if (listener->port)
		err = open_socket(listener, force, extack);
	if (err) {
		listener_free(listener);
		return ERR_PTR(err);
	}
	registry->next_listener++;
	registry->nr_listeners++;
	return listener;
}

/**
 * kmqtt_listener_start() - accept connections
 * @listener: a listener that was opened
 *
 * Context: process, may sleep; the registry's mutex held.
 */
void kmqtt_listener_start(struct kmqtt_listener *listener)
{
	struct sock *sk = listener->sock->sk;

	lockdep_assert_held(&listener->registry->mutex);
	lock_sock(sk);
	/* From now on it is a socket as any other, if it wasn't. */
	sk->sk_reuse = SK_CAN_REUSE;
	release_sock(sk);
	list_add_tail(&listener->list, &listener->registry->listeners);
	enable_delayed_work(&listener->accept_work);
	/* Somebody may have come already. */
	queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work, 0);
	pr_debug("listener %u is open\n", listener->id);
}

/**
 * kmqtt_listener_close() - close a port; its connections live on
 * @listener: a listener, which is gone afterwards
 *
 * Context: process, may sleep; the registry's mutex held.
 */
void kmqtt_listener_close(struct kmqtt_listener *listener)
{
	lockdep_assert_held(&listener->registry->mutex);
	WRITE_ONCE(listener->port->closed, true);
	close_socket(listener);
	list_del(&listener->list);
	listener->registry->nr_listeners--;
	listener_free(listener);
}

/**
 * kmqtt_listener_find() - the listener at an address
 * @registry: the broker's connections
 * @addr: as in kmqtt_listener_add(), and otherwise zero
 *
 * Context: process; the registry's mutex held.
 * Return: the listener or NULL.
 */
struct kmqtt_listener *kmqtt_listener_find(struct kmqtt_registry *registry,
					   const struct sockaddr_storage *addr)
{
	struct kmqtt_listener *listener;

	lockdep_assert_held(&registry->mutex);
	list_for_each_entry(listener, &registry->listeners, list)
		if (!memcmp(&listener->addr, addr, sizeof(*addr)))
			return listener;
	return NULL;
}

/**
 * kmqtt_listener_add() - open a port
 * @registry: the broker's connections
 * @addr: IPv4 or IPv6 address and port; AF_UNSPEC with an empty IPv6 address
 *	for all addresses of both; port 0 becomes the port that it got
 * @terms: on what terms it lets clients in
 * @id: number of the listener, on success
 * @extack: what is wrong, or NULL
 *
 * An IPv6 listener takes IPv6 only, so that it and an IPv4 listener may have
 * the same port.
 *
 * Context: process, may sleep; takes the registry's mutex.
 * Return: 0 or a negative errno.
 */
int kmqtt_listener_add(struct kmqtt_registry *registry,
		       struct sockaddr_storage *addr,
		       const struct kmqtt_terms *terms, u32 *id,
		       struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;
	int err = 0;

	mutex_lock(&registry->mutex);
	listener = kmqtt_listener_open(registry, addr, terms, false, extack);
	if (IS_ERR(listener)) {
		err = PTR_ERR(listener);
	} else {
		*id = listener->id;
		*addr = listener->addr;
		kmqtt_listener_start(listener);
	}
	mutex_unlock(&registry->mutex);
	return err;
}

/**
 * kmqtt_listener_del() - close a port
 * @registry: the broker's connections
 * @id: number of the listener; its connections live on
 *
 * Context: process, may sleep; takes the registry's mutex.
 * Return: 0, or -ENOENT if there is none.
 */
int kmqtt_listener_del(struct kmqtt_registry *registry, u32 id)
{
	struct kmqtt_listener *listener;
	int err = -ENOENT;

	mutex_lock(&registry->mutex);
	list_for_each_entry(listener, &registry->listeners, list) {
		if (listener->id == id) {
			kmqtt_listener_close(listener);
			err = 0;
			break;
		}
	}
	mutex_unlock(&registry->mutex);
	return err;
}

/**
 * kmqtt_listener_del_all() - close all ports
 * @registry: the broker's connections
 *
 * Context: process, may sleep; takes the registry's mutex.
 */
void kmqtt_listener_del_all(struct kmqtt_registry *registry)
{
	struct kmqtt_listener *listener, *next;

	mutex_lock(&registry->mutex);
	list_for_each_entry_safe(listener, next, &registry->listeners, list)
		kmqtt_listener_close(listener);
	mutex_unlock(&registry->mutex);
}

/**
 * kmqtt_listener_add_text() - open a port named in text
 * @registry: the broker's connections
 * @text: "127.0.0.1:1883" or "[::1]:1883"
 *
 * Context: process, may sleep; takes the registry's mutex.
 * Return: 0, -EINVAL if @text is no address with a port, or another negative
 * errno.
 */
int kmqtt_listener_add_text(struct kmqtt_registry *registry, const char *text)
{
	struct net *net = registry->broker->net;
	struct sockaddr_storage addr = {};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 3];
	const char *start = text;
	size_t len;
	struct kmqtt_terms terms;
	u32 id;
	int err;

	if (!colon)
		return -EINVAL;
	len = colon - text;
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		start++;
		len -= 2;
	}
	if (!len || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, start, len);
	host[len] = '\0';
	err = inet_pton_with_scope(net, AF_UNSPEC, host, colon + 1, &addr);
	if (err)
		return err;
	kmqtt_listener_default_terms(&addr, &terms);
	return kmqtt_listener_add(registry, &addr, &terms, &id, NULL);
}
