/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_REGISTRY_H
#define _KMQTT_NET_REGISTRY_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct kmqtt_broker;
struct kmqtt_conn;
struct sock;

/**
 * struct kmqtt_callbacks - what a socket calls of its own
 * @data_ready: something has come
 * @state_change: its state is another one
 * @write_space: there is room to send
 */
struct kmqtt_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*write_space)(struct sock *sk);
};

/**
 * struct kmqtt_source - how many connections an address has
 * @hash: in the registry's table, keyed by @addr
 * @addr: IPv4 mapped into IPv6
 * @nr: connections; under the registry's lock
 * @rcu: lookups may stand on it while it is freed
 */
struct kmqtt_source {
	struct rhash_head hash;
	struct in6_addr addr;
	u32 nr;
	struct rcu_head rcu;
};

/**
 * struct kmqtt_registry - a broker's listeners and connections
 * @broker: constant
 * @mutex: guards @listeners to @callbacks; may sleep
 * @listeners: open ports
 * @next_listener: number of the next listener
 * @nr_listeners: those there are
 * @callbacks: what sockets of TCP call; constant from the first one on
 * @lock: guards the fields below; a leaf, taken with softirqs off
 * @conns: connections by number
 * @nr_conns: connections whose memory is not yet given back
 * @next_conn: number of the next connection
 * @sources: struct kmqtt_source by address
 * @stopped: takes no more listeners and connections
 * @max_conns: READ_ONCE() and WRITE_ONCE()
 * @max_per_source: READ_ONCE() and WRITE_ONCE()
 * @empty: woken when @nr_conns gets 0
 */
struct kmqtt_registry {
	struct kmqtt_broker *broker;
	struct mutex mutex;		/* listeners to callbacks */
	struct list_head listeners;
	u32 next_listener;
	u32 nr_listeners;
	struct kmqtt_callbacks callbacks;

	spinlock_t lock;		/* all below but the limits */
	struct xarray conns;
	u32 nr_conns;
	u64 next_conn;
	struct rhashtable sources;
	bool stopped;
	u32 max_conns;
	u32 max_per_source;
	wait_queue_head_t empty;
};

struct kmqtt_registry *kmqtt_registry_create(struct kmqtt_broker *broker);
void kmqtt_registry_stop(struct kmqtt_registry *registry);
void kmqtt_registry_destroy(struct kmqtt_registry *registry);
int kmqtt_registry_add(struct kmqtt_registry *registry,
		       struct kmqtt_conn *conn);
void kmqtt_registry_unlist(struct kmqtt_registry *registry,
			   struct kmqtt_conn *conn);
void kmqtt_registry_remove(struct kmqtt_registry *registry,
			   struct kmqtt_conn *conn);
struct kmqtt_conn *kmqtt_registry_next(struct kmqtt_registry *registry,
				       u64 after);
int kmqtt_registry_unsent(struct kmqtt_registry *registry,
			  const struct kmqtt_conn *conn);
void kmqtt_registry_close(struct kmqtt_registry *registry, u32 listener,
			  unsigned int reason);
u32 kmqtt_registry_close_denied(struct kmqtt_registry *registry);

#endif /* _KMQTT_NET_REGISTRY_H */
