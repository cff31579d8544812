// SPDX-License-Identifier: GPL-2.0
/*
 * Other listeners in place of those there are. All that can fail is done before
 * the first of them is closed, and those at an address that stays keep their
 * sockets.
 */
#include "lineup.h"

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

/*
 * Does a listener stand in the way that is to be closed? They share the port
 * until then. Nothing else is asked whether it shares, except by others of the
 * plan, which kmqtt_lineup_plan() has compared.
 */
static bool replaces(const struct kmqtt_registry *registry,
		     const struct list_head *plan,
		     const struct kmqtt_endpoint *endpoint)
{
	const struct kmqtt_listener *listener;

	list_for_each_entry(listener, &registry->listeners, list)
		if (!is_planned(plan, listener) &&
		    kmqtt_endpoint_overlap(&listener->endpoint, endpoint))
			return true;
	return false;
}

/**
 * kmqtt_lineup_plan() - plan another listener
 * @plan: struct kmqtt_planned
 * @planned: the listener; the plan's on success
 *
 * Context: any; nobody else uses @plan.
 * Return: 0, or -EEXIST if one that is planned takes what would come in.
 */
int kmqtt_lineup_plan(struct list_head *plan, struct kmqtt_planned *planned)
{
	const struct kmqtt_planned *p;

	list_for_each_entry(p, plan, list)
		if (kmqtt_endpoint_overlap(&p->endpoint, &planned->endpoint))
			return -EEXIST;
	list_add_tail(&planned->list, plan);
	return 0;
}

/**
 * kmqtt_lineup_prepare() - open the sockets that a plan needs
 * @registry: the broker's connections
 * @plan: from kmqtt_lineup_plan()
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
		p->listener = kmqtt_listener_find(registry, &p->endpoint);
	list_for_each_entry(p, plan, list) {
		if (p->listener)
			continue;
		listener = kmqtt_listener_open(registry, &p->endpoint, &p->terms,
					       replaces(registry, plan,
							&p->endpoint),
					       extack);
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
 * Terms and realms of those that stay are the caller's to change, before this.
 * What agents knew of listeners before is left in the plan. Connections of
 * listeners that go live on.
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
		if (!p->is_new)
			continue;
		kmqtt_listener_start(p->listener);
		lineup->opened++;
	}
	list_for_each_entry(p, plan, list)
		kmqtt_listener_set_agent(p->listener, &p->agent);
}
