// SPDX-License-Identifier: GPL-2.0
/*
 * Who is connected, from where, and how many may be.
 */
#include "registry.h"

#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/ipv6.h>
#include "conn.h"
#include "listener.h"

static const struct rhashtable_params source_params = {
	.head_offset = offsetof(struct kmqtt_source, hash),
	.key_offset = offsetof(struct kmqtt_source, addr),
	.key_len = sizeof(struct in6_addr),
	.automatic_shrinking = true,
};

/**
 * kmqtt_registry_create() - begin to have connections
 * @broker: whose
 *
 * Context: process, may sleep.
 * Return: the registry or an ERR_PTR().
 */
struct kmqtt_registry *kmqtt_registry_create(struct kmqtt_broker *broker)
{
	struct kmqtt_registry *registry;
	int err;

	registry = kzalloc(sizeof(*registry), GFP_KERNEL);
	if (!registry)
		return ERR_PTR(-ENOMEM);
	err = rhashtable_init(&registry->sources, &source_params);
	if (err) {
		kfree(registry);
		return ERR_PTR(err);
	}
	registry->broker = broker;
	mutex_init(&registry->mutex);
	INIT_LIST_HEAD(&registry->listeners);
	registry->next_listener = 1;
	spin_lock_init(&registry->lock);
	xa_init_flags(&registry->conns, XA_FLAGS_LOCK_BH);
	registry->next_conn = 1;
	init_waitqueue_head(&registry->empty);
	return registry;
}

/**
 * kmqtt_registry_stop() - close everything, without waiting for it
 * @registry: the registry
 *
 * Context: process, may sleep.
 */
void kmqtt_registry_stop(struct kmqtt_registry *registry)
{
	spin_lock_bh(&registry->lock);
	registry->stopped = true;
	spin_unlock_bh(&registry->lock);
	kmqtt_listener_del_all(registry);
	kmqtt_registry_close(registry, 0, KMQTT_REASON_SERVER_SHUTTING_DOWN);
}

/**
 * kmqtt_registry_destroy() - wait for the last connection to be gone
 * @registry: a registry that was stopped
 *
 * Context: process, may sleep; not on any of the module's workqueues.
 */
void kmqtt_registry_destroy(struct kmqtt_registry *registry)
{
	wait_event(registry->empty, !READ_ONCE(registry->nr_conns));
	/* The one who woke us up may not have left its critical section. */
	spin_lock_bh(&registry->lock);
	spin_unlock_bh(&registry->lock);
	rhashtable_destroy(&registry->sources);
	xa_destroy(&registry->conns);
	kfree(registry);
}

/* Count a connection for its address. */
static int source_get(struct kmqtt_registry *registry,
		      const struct in6_addr *addr)
{
	struct kmqtt_source *source;

	/* Who comes from nowhere comes from this machine. */
	if (ipv6_addr_any(addr))
		return 0;
	source = rhashtable_lookup_fast(&registry->sources, addr, source_params);
	if (source) {
		if (source->nr >= READ_ONCE(registry->max_per_source))
			return -EDQUOT;
		source->nr++;
		return 0;
	}
	source = kzalloc(sizeof(*source), GFP_ATOMIC | __GFP_NOWARN);
	if (!source)
		return -ENOMEM;
	source->addr = *addr;
	source->nr = 1;
	if (rhashtable_insert_fast(&registry->sources, &source->hash,
				   source_params)) {
		kfree(source);
		return -ENOMEM;
	}
	return 0;
}

static void source_put(struct kmqtt_registry *registry,
		       const struct in6_addr *addr)
{
	struct kmqtt_source *source;

	if (ipv6_addr_any(addr))
		return;
	source = rhashtable_lookup_fast(&registry->sources, addr, source_params);
	if (WARN_ON_ONCE(!source) || --source->nr)
		return;
	rhashtable_remove_fast(&registry->sources, &source->hash, source_params);
	kfree_rcu(source, rcu);
}

/**
 * kmqtt_registry_add() - count a new connection and give it its number
 * @registry: the registry
 * @conn: the connection, with its peer's address
 *
 * Context: any but hard interrupts; takes the registry's lock.
 * Return: 0, -EUSERS if there are too many, -EDQUOT if there are too many from
 * this address, -ESHUTDOWN, -ENOMEM.
 */
int kmqtt_registry_add(struct kmqtt_registry *registry, struct kmqtt_conn *conn)
{
	struct kmqtt_port *port = conn->client.port;
	int err;

	spin_lock_bh(&registry->lock);
	if (registry->stopped)
		err = -ESHUTDOWN;
	else if (registry->nr_conns >= READ_ONCE(registry->max_conns) ||
		 port->nr_connections >= READ_ONCE(port->terms.max_connections))
		err = -EUSERS;
	else
		err = source_get(registry, &conn->client.peer);
	if (err)
		goto out_unlock;
	conn->client.id = registry->next_conn++;
	err = xa_insert(&registry->conns, conn->client.id, conn,
			GFP_ATOMIC | __GFP_NOWARN);
	if (err) {
		source_put(registry, &conn->client.peer);
		goto out_unlock;
	}
	registry->nr_conns++;
	WRITE_ONCE(port->nr_connections, port->nr_connections + 1);
out_unlock:
	spin_unlock_bh(&registry->lock);
	return err;
}

/**
 * kmqtt_registry_unlist() - nobody finds a connection any more
 * @registry: the registry
 * @conn: the connection, which still counts
 *
 * Context: any but hard interrupts; takes the registry's lock.
 */
void kmqtt_registry_unlist(struct kmqtt_registry *registry,
			   struct kmqtt_conn *conn)
{
	spin_lock_bh(&registry->lock);
	xa_erase(&registry->conns, conn->client.id);
	spin_unlock_bh(&registry->lock);
}

/**
 * kmqtt_registry_remove() - a connection is gone and counts no more
 * @registry: the registry; not to be touched afterwards
 * @conn: the connection
 *
 * Context: any but hard interrupts; takes the registry's lock.
 */
void kmqtt_registry_remove(struct kmqtt_registry *registry,
			   struct kmqtt_conn *conn)
{
	struct kmqtt_port *port = conn->client.port;

	spin_lock_bh(&registry->lock);
	source_put(registry, &conn->client.peer);
	WRITE_ONCE(port->nr_connections, port->nr_connections - 1);
	WRITE_ONCE(registry->nr_conns, registry->nr_conns - 1);
	if (!registry->nr_conns)
		wake_up_all(&registry->empty);
	spin_unlock_bh(&registry->lock);
}

/**
 * kmqtt_registry_next() - walk over the connections
 * @registry: the registry
 * @after: number of the connection that the walk was at, or 0
 *
 * Connections are numbered in the order in which they came, so a walk may
 * rest for any time between two steps.
 *
 * Context: any but hard interrupts; takes the registry's lock.
 * Return: the next connection with a reference for the caller, or NULL.
 */
struct kmqtt_conn *kmqtt_registry_next(struct kmqtt_registry *registry,
				       u64 after)
{
	unsigned long id = after;
	struct kmqtt_conn *conn;

	spin_lock_bh(&registry->lock);
	conn = xa_find_after(&registry->conns, &id, ULONG_MAX, XA_PRESENT);
	if (conn)
		kmqtt_link_get(&conn->client.link);
	spin_unlock_bh(&registry->lock);
	return conn;
}

/**
 * kmqtt_registry_unsent() - bytes in a connection's socket
 * @registry: the registry
 * @conn: the connection, with a reference, which does not keep its socket
 *
 * Context: any but hard interrupts; takes the registry's lock.
 * Return: bytes that the peer has not acknowledged; -ENOTCONN if @conn is on
 * its way out.
 */
int kmqtt_registry_unsent(struct kmqtt_registry *registry,
			  const struct kmqtt_conn *conn)
{
	int bytes = -ENOTCONN;
	struct sock *sk;

	spin_lock_bh(&registry->lock);
	/* The socket is there for as long as the connection is listed. */
	if (xa_load(&registry->conns, conn->client.id) == conn) {
		sk = kmqtt_conn_sk(conn);
		bytes = sk_is_tcp(sk) ? READ_ONCE(tcp_sk(sk)->write_seq) -
					READ_ONCE(tcp_sk(sk)->snd_una) :
					sk_wmem_alloc_get(sk);
	}
	spin_unlock_bh(&registry->lock);
	return bytes;
}

/**
 * kmqtt_registry_close() - close connections, without waiting for it
 * @registry: the registry
 * @listener: number of the listener that accepted them, or 0 for all
 * @reason: what to tell the clients
 *
 * Context: process, may sleep; takes the registry's lock for each of them.
 */
void kmqtt_registry_close(struct kmqtt_registry *registry, u32 listener,
			  unsigned int reason)
{
	struct kmqtt_conn *conn;
	u64 id = 0;

	while ((conn = kmqtt_registry_next(registry, id))) {
		id = conn->client.id;
		if (!listener ||
		    READ_ONCE(conn->client.port->listener) == listener)
			kmqtt_conn_close(conn, reason);
		kmqtt_link_put(&conn->client.link);
		cond_resched();
	}
}

/**
 * kmqtt_registry_close_denied() - close clients that would not be let in now
 * @registry: the registry
 *
 * For after a change of users or of a listener's terms.
 *
 * Context: process, may sleep; takes the registry's lock for each of them.
 * Return: how many were closed.
 */
u32 kmqtt_registry_close_denied(struct kmqtt_registry *registry)
{
	struct kmqtt_conn *conn;
	u32 nr = 0;
	u64 id = 0;

	while ((conn = kmqtt_registry_next(registry, id))) {
		id = conn->client.id;
		if (!kmqtt_client_still_allowed(&conn->client))
			nr += kmqtt_conn_close(conn,
					       KMQTT_REASON_NOT_AUTHORIZED);
		kmqtt_link_put(&conn->client.link);
		cond_resched();
	}
	return nr;
}
