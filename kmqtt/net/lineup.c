// SPDX-License-Identifier: GPL-2.0
/*
 * Other listeners in place of those there are. All that can fail is done before
 * the first of them is closed, and those at an address that stays keep their
 * sockets.
 */
#include "lineup.h"

#include <linux/in.h>
#include <linux/netlink.h>
#include "registry.h"

static bool is_planned(const struct list_head *plan,
		       const struct kmqtt_listener *listener)
{
	const struct kmqtt_planned *p;

	list_for_each_entry(p, plan, list)
		if (p->listener == listener)
			return true;
	return false;
}

static __be16 port_of(const struct sockaddr_storage *addr)
{
	/* It stands at the same place for both families. */
	return ((const struct sockaddr_in *)addr)->sin_port;
}

/* Does a listener that will be closed have this port, maybe at this address? */
static bool replaces(const struct kmqtt_registry *registry,
		     const struct list_head *plan,
		     const struct sockaddr_storage *addr)
{
	const struct kmqtt_listener *listener;

	list_for_each_entry(listener, &registry->listeners, list)
		if (port_of(&listener->addr) == port_of(addr) &&
		    !is_planned(plan, listener))
			return true;
	return false;
}

/*
 * A socket for all addresses and one for a single one stand in each other's
 * way. If the one in the way is to be closed, they share the port until then.
 */
static struct kmqtt_listener *open_planned(struct kmqtt_registry *registry,
					   const struct list_head *plan,
					   const struct kmqtt_planned *p,
					   struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;

	if (!replaces(registry, plan, &p->addr))
		return kmqtt_listener_open(registry, &p->addr, &p->terms, false,
					   extack);
	listener = kmqtt_listener_open(registry, &p->addr, &p->terms, false,
				       NULL);
	if (!IS_ERR(listener) || PTR_ERR(listener) != -EADDRINUSE)
		return listener;
	return kmqtt_listener_open(registry, &p->addr, &p->terms, true, extack);
}

/**
 * kmqtt_lineup_prepare() - open the sockets that a plan needs
 * @registry: the broker's connections
 * @plan: struct kmqtt_planned, each with another address
 * @extack: what is wrong
 *
 * Context: process, may sleep; the registry's mutex held.
 * Return: 0, after which nothing can fail any more, or a negative errno with
 * nothing changed.
 */
int kmqtt_lineup_prepare(struct kmqtt_registry *registry,
			 struct list_head *plan, struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;
	struct kmqtt_planned *p;

	lockdep_assert_held(&registry->mutex);
	list_for_each_entry(p, plan, list)
		p->listener = kmqtt_listener_find(registry, &p->addr);
	list_for_each_entry(p, plan, list) {
		if (p->listener)
			continue;
		listener = open_planned(registry, plan, p, extack);
		if (IS_ERR(listener)) {
			kmqtt_lineup_abort(registry, plan);
			return PTR_ERR(listener);
		}
		p->listener = listener;
		p->is_new = true;
	}
	return 0;
}

/**
 * kmqtt_lineup_abort() - leave all as it is
 * @registry: the broker's connections
 * @plan: struct kmqtt_planned, prepared or half prepared
 *
 * Context: process, may sleep; the registry's mutex held.
 */
void kmqtt_lineup_abort(struct kmqtt_registry *registry, struct list_head *plan)
{
	struct kmqtt_planned *p;

	lockdep_assert_held(&registry->mutex);
	list_for_each_entry(p, plan, list) {
		if (p->is_new)
			kmqtt_listener_close(p->listener);
		p->listener = NULL;
		p->is_new = false;
	}
}

/**
 * kmqtt_lineup_commit() - have the listeners of a plan and no others
 * @registry: the broker's connections
 * @plan: struct kmqtt_planned, prepared
 * @lineup: what became of listeners
 *
 * Connections of listeners that go live on.
 *
 * Context: process, may sleep; the registry's mutex held.
 */
void kmqtt_lineup_commit(struct kmqtt_registry *registry,
			 struct list_head *plan, struct kmqtt_lineup *lineup)
{
	struct kmqtt_listener *listener, *next;
	struct kmqtt_planned *p;

	lockdep_assert_held(&registry->mutex);
	*lineup = (struct kmqtt_lineup) {};
	list_for_each_entry_safe(listener, next, &registry->listeners, list) {
		if (is_planned(plan, listener)) {
			lineup->kept++;
			continue;
		}
		kmqtt_listener_close(listener);
		lineup->closed++;
	}
	list_for_each_entry(p, plan, list) {
		kmqtt_port_set_terms(p->listener->port, &p->terms);
		if (!p->is_new)
			continue;
		kmqtt_listener_start(p->listener);
		lineup->opened++;
	}
}
