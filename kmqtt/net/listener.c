// SPDX-License-Identifier: GPL-2.0
/*
 * Open ports and what comes in through them.
 */
#include "listener.h"

#include <linux/inet.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "../broker.h"
#include "conn.h"
#include "registry.h"
#include "stream.h"

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

/*
 * Those of Multipath TCP inherit the callback of their listener. So do those of
 * TCP, which get others at once.
 */
static void disinherit(struct kmqtt_listener *listener, struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_data_ready == kmqtt_sk_listen_ready)
		sk->sk_data_ready = listener->data_ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

static int make_conn(struct kmqtt_listener *listener, struct socket *sock)
{
	u8 transport = listener->endpoint.transport;
	struct kmqtt_stream *stream = NULL;
	int err;

	if (transport != KMQTT_TRANSPORT_TCP) {
		disinherit(listener, sock->sk);
		stream = kmqtt_stream_create(transport, NULL);
		if (!stream)
			return -ENOMEM;
	}
	err = kmqtt_conn_create(listener->registry, sock, listener->port,
				stream, NULL, NULL);
	if (err)
		kmqtt_stream_free(stream);
	return err;
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
	err = make_conn(listener, sock);
	if (err) {
		pr_debug("connection refused: %d\n", err);
		/* The client's own data must not turn the end into a reset. */
		kernel_sock_shutdown(sock, SHUT_RDWR);
		sock_release(sock);
	}
	return 0;
}

/* Where an agent listens, no bind() says that somebody else does. */
static bool is_taken(const struct kmqtt_registry *registry,
		     const struct kmqtt_endpoint *endpoint)
{
	const struct kmqtt_listener *listener;

	list_for_each_entry(listener, &registry->listeners, list)
		if ((endpoint->agent || listener->endpoint.agent) &&
		    kmqtt_endpoint_overlap(&listener->endpoint, endpoint))
			return true;
	return false;
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

/* Children of TCP have the callbacks that their listener had. */
static void note_callbacks(struct kmqtt_listener *listener, struct sock *sk)
{
	struct kmqtt_registry *registry = listener->registry;

	listener->data_ready = sk->sk_data_ready;
	if (listener->endpoint.transport != KMQTT_TRANSPORT_TCP ||
	    registry->callbacks.data_ready)
		return;
	registry->callbacks.data_ready = sk->sk_data_ready;
	registry->callbacks.state_change = sk->sk_state_change;
	registry->callbacks.write_space = sk->sk_write_space;
}

static int open_socket(struct kmqtt_listener *listener, bool force,
		       struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	sock = kmqtt_endpoint_bind(&listener->endpoint,
				   listener->registry->broker->net, force,
				   extack);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	/* Before listen, so that no connection comes in unnoticed. */
	write_lock_bh(&sock->sk->sk_callback_lock);
	note_callbacks(listener, sock->sk);
	sock->sk->sk_data_ready = kmqtt_sk_listen_ready;
	__rcu_assign_sk_user_data_with_flags(sock->sk, listener,
					     SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sock->sk->sk_callback_lock);
	listener->sock = sock;
	err = kernel_listen(sock, BACKLOG);
	if (err) {
		NL_SET_ERR_MSG(extack, "can't listen on this address");
		sock_release(sock);
	}
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

/**
 * kmqtt_listener_default_terms() - the terms of a listener that has none named
 * @endpoint: where it will be
 * @terms: the terms
 *
 * Anonymous clients are let in from this machine only.
 *
 * Context: any.
 */
void kmqtt_listener_default_terms(const struct kmqtt_endpoint *endpoint,
				  struct kmqtt_terms *terms)
{
	*terms = (struct kmqtt_terms) {
		.max_connections = KMQTT_PORT_UNLIMITED,
		.topic_alias_max = U16_MAX,
		.topic_alias_max_out = U16_MAX,
		.versions = KMQTT_PROTOCOL_VERSION_V3 |
			    KMQTT_PROTOCOL_VERSION_V4 |
			    KMQTT_PROTOCOL_VERSION_V5,
		.max_qos = KMQTT_QOS2,
		.anonymous = kmqtt_endpoint_is_local(endpoint),
		.assign_client_id = true,
		.id_prefix = { .len = 6, .data = "kmqtt-" },
	};
}

static void listener_free(struct kmqtt_listener *listener)
{
	kmqtt_port_put(listener->port);
	kfree(listener->agent);
	kfree(listener);
}

/**
 * kmqtt_listener_open() - have a socket listen, but accept nothing yet
 * @registry: the broker's connections
 * @endpoint: where; port 0 for any
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
		    const struct kmqtt_endpoint *endpoint,
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
	listener->endpoint = *endpoint;
	listener->id = registry->next_listener;
	INIT_DELAYED_WORK(&listener->accept_work, accept_work);
	disable_delayed_work(&listener->accept_work);
	err = -ENOMEM;
	listener->port = kmqtt_port_create(&registry->broker->access,
					   listener->id, terms);
	if (listener->port)
		err = endpoint->agent ? 0 :
		      open_socket(listener, force, extack);
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
	lockdep_assert_held(&listener->registry->mutex);
	list_add_tail(&listener->list, &listener->registry->listeners);
	if (listener->sock) {
		lock_sock(listener->sock->sk);
		/* From now on it is a socket as any other, if it wasn't. */
		listener->sock->sk->sk_reuse = SK_CAN_REUSE;
		release_sock(listener->sock->sk);
		enable_delayed_work(&listener->accept_work);
		/* Somebody may have come already. */
		queue_delayed_work(kmqtt_wq.ctl, &listener->accept_work, 0);
	}
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
	if (listener->sock)
		close_socket(listener);
	list_del(&listener->list);
	listener->registry->nr_listeners--;
	listener_free(listener);
}

/**
 * kmqtt_listener_find() - the listener at an endpoint
 * @registry: the broker's connections
 * @endpoint: where it is
 *
 * Context: process; the registry's mutex held.
 * Return: the listener or NULL.
 */
struct kmqtt_listener *kmqtt_listener_find(struct kmqtt_registry *registry,
					   const struct kmqtt_endpoint *endpoint)
{
	struct kmqtt_listener *listener;

	lockdep_assert_held(&registry->mutex);
	list_for_each_entry(listener, &registry->listeners, list)
		if (kmqtt_endpoint_equal(&listener->endpoint, endpoint))
			return listener;
	return NULL;
}

/**
 * kmqtt_listener_add() - open a port
 * @registry: the broker's connections
 * @endpoint: where; port 0 becomes the port that it got
 * @terms: on what terms it lets clients in
 * @agent: what the agent has to know, or of NULL; taken on success
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
		       struct kmqtt_endpoint *endpoint,
		       const struct kmqtt_terms *terms,
		       struct kmqtt_text **agent, u32 *id,
		       struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;
	int err = 0;

	mutex_lock(&registry->mutex);
	listener = ERR_PTR(-EADDRINUSE);
	if (is_taken(registry, endpoint))
		NL_SET_ERR_MSG(extack, "address and port are in use");
	else
		listener = kmqtt_listener_open(registry, endpoint, terms,
					       false, extack);
	if (IS_ERR(listener)) {
		err = PTR_ERR(listener);
	} else {
		*id = listener->id;
		*endpoint = listener->endpoint;
		swap(listener->agent, *agent);
		kmqtt_listener_start(listener);
	}
	mutex_unlock(&registry->mutex);
	return err;
}

/**
 * kmqtt_listener_by_id() - find a listener by its number
 * @registry: the broker's connections
 * @id: the number
 *
 * Context: process; the registry's mutex held, and the listener is there for as
 * long.
 * Return: the listener, or NULL if there is none.
 */
struct kmqtt_listener *kmqtt_listener_by_id(struct kmqtt_registry *registry,
					    u32 id)
{
	struct kmqtt_listener *listener;

	lockdep_assert_held(&registry->mutex);
	list_for_each_entry(listener, &registry->listeners, list)
		if (listener->id == id)
			return listener;
	return NULL;
}

/**
 * kmqtt_listener_let_in() - an agent has accepted a connection
 * @registry: the broker's connections
 * @id: number of the listener
 * @extack: what is wrong
 *
 * Context: process, may sleep; the registry's mutex held, which is to be held
 * until the connection can be found.
 * Return: its port, with a reference for the caller; or an ERR_PTR() of
 * -ENOENT, -EOPNOTSUPP if the listener accepts by itself, -EAGAIN if it is too
 * early for another connection.
 */
struct kmqtt_port *kmqtt_listener_let_in(struct kmqtt_registry *registry,
					 u32 id, struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener = kmqtt_listener_by_id(registry, id);

	if (!listener) {
		NL_SET_ERR_MSG(extack, "no such listener");
		return ERR_PTR(-ENOENT);
	}
	if (!listener->endpoint.agent) {
		NL_SET_ERR_MSG(extack, "this listener has no agent");
		return ERR_PTR(-EOPNOTSUPP);
	}
	if (count_accepted(listener->port, 0)) {
		NL_SET_ERR_MSG(extack, "too many connections in a short time");
		return ERR_PTR(-EAGAIN);
	}
	count_accepted(listener->port, 1);
	WRITE_ONCE(listener->accepted, listener->accepted + 1);
	return kmqtt_port_get(listener->port);
}

/**
 * kmqtt_listener_set_agent() - the agent has something else to know
 * @listener: the listener
 * @agent: what; swapped with what it was
 *
 * The listener gets another number, so that no connection comes through it that
 * was accepted on other conditions. Connections that there are stay with it.
 *
 * Context: process; the registry's mutex held.
 */
void kmqtt_listener_set_agent(struct kmqtt_listener *listener,
			      struct kmqtt_text **agent)
{
	struct kmqtt_registry *registry = listener->registry;
	const struct kmqtt_text *was = listener->agent;

	lockdep_assert_held(&registry->mutex);
	if (was && *agent && (was->len != (*agent)->len ||
			      memcmp(was->data, (*agent)->data, was->len))) {
		listener->id = registry->next_listener++;
		WRITE_ONCE(listener->port->listener, listener->id);
		/* They are in the order of their numbers. */
		list_move_tail(&listener->list, &registry->listeners);
	}
	swap(listener->agent, *agent);
}

/**
 * kmqtt_listener_set_terms() - let clients in on other terms
 * @listener: the listener
 * @terms: the new terms
 *
 * The caller looks for clients that these don't let in any more afterwards:
 * kmqtt_registry_close_denied().
 *
 * Context: process, may sleep; the registry's mutex held; takes the access
 * mutex.
 */
void kmqtt_listener_set_terms(struct kmqtt_listener *listener,
			      const struct kmqtt_terms *terms)
{
	struct kmqtt_access *access = listener->port->access;

	lockdep_assert_held(&listener->registry->mutex);
	mutex_lock(&access->mutex);
	kmqtt_access_begin_change(access);
	kmqtt_port_set_terms(listener->port, terms);
	kmqtt_access_end_change(access);
	mutex_unlock(&access->mutex);
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

	mutex_lock(&registry->mutex);
	listener = kmqtt_listener_by_id(registry, id);
	if (listener)
		kmqtt_listener_close(listener);
	mutex_unlock(&registry->mutex);
	return listener ? 0 : -ENOENT;
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
	struct kmqtt_endpoint endpoint = {};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 3];
	const char *start = text;
	size_t len;
	struct kmqtt_text *agent = NULL;
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
	err = inet_pton_with_scope(net, AF_UNSPEC, host, colon + 1,
				   &endpoint.addr);
	if (err)
		return err;
	kmqtt_listener_default_terms(&endpoint, &terms);
	return kmqtt_listener_add(registry, &endpoint, &terms, &agent, &id,
				  NULL);
}
