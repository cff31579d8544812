/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_LISTENER_H
#define _KMQTT_NET_LISTENER_H

#include <linux/workqueue.h>
#include "../access/port.h"
#include "endpoint.h"

struct kmqtt_registry;
struct kmqtt_text;
struct netlink_ext_ack;

/* Listeners of a broker, or twice as many while they are replaced. */
#define KMQTT_NR_LISTENERS_MAX	2048

/**
 * struct kmqtt_listener - an open port
 * @list: entry of the registry's list, under its mutex; empty until it accepts
 * @registry: constant
 * @id: number; under the registry's mutex
 * @sock: listening socket, constant; NULL if an agent has it
 * @port: what its clients know of it; holds a reference
 * @endpoint: where it is, constant
 * @agent: what its agent has to know, or NULL; under the registry's mutex
 * @accept_work: accepts what has come in; also queued with a delay after an
 *	error that may pass
 * @data_ready: the socket's own callback
 * @accepted: connections accepted; written by @accept_work, or under the
 *	registry's mutex where an agent accepts
 */
struct kmqtt_listener {
	struct list_head list;
	struct kmqtt_registry *registry;
	u32 id;
	struct socket *sock;
	struct kmqtt_port *port;
	struct kmqtt_endpoint endpoint;
	struct kmqtt_text *agent;
	struct delayed_work accept_work;
	void (*data_ready)(struct sock *sk);
	u64 accepted;
};

int kmqtt_listener_add(struct kmqtt_registry *registry,
		       struct kmqtt_endpoint *endpoint,
		       const struct kmqtt_terms *terms,
		       struct kmqtt_text **agent, u32 *id,
		       struct netlink_ext_ack *extack);
void kmqtt_listener_default_terms(const struct kmqtt_endpoint *endpoint,
				  struct kmqtt_terms *terms);
struct kmqtt_listener *
kmqtt_listener_open(struct kmqtt_registry *registry,
		    const struct kmqtt_endpoint *endpoint,
		    const struct kmqtt_terms *terms, bool force,
		    struct netlink_ext_ack *extack);
void kmqtt_listener_start(struct kmqtt_listener *listener);
void kmqtt_listener_close(struct kmqtt_listener *listener);
struct kmqtt_listener *
kmqtt_listener_find(struct kmqtt_registry *registry,
		    const struct kmqtt_endpoint *endpoint);
struct kmqtt_port *kmqtt_listener_let_in(struct kmqtt_registry *registry,
					 u32 id,
					 struct netlink_ext_ack *extack);
void kmqtt_listener_set_agent(struct kmqtt_listener *listener,
			      struct kmqtt_text **agent);
struct kmqtt_listener *kmqtt_listener_by_id(struct kmqtt_registry *registry,
					    u32 id);
void kmqtt_listener_set_terms(struct kmqtt_listener *listener,
			      const struct kmqtt_terms *terms);
int kmqtt_listener_del(struct kmqtt_registry *registry, u32 id);
void kmqtt_listener_del_all(struct kmqtt_registry *registry);
int kmqtt_listener_add_text(struct kmqtt_registry *registry, const char *text);

#endif /* _KMQTT_NET_LISTENER_H */
