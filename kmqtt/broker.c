// SPDX-License-Identifier: GPL-2.0
/*
 * A broker for each network namespace: it owns the stores and the limits, and
 * knows the order in which they come and go.
 */
#include "broker.h"

#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <net/netns/generic.h>
#include "control/config.h"
#include "control/sys.h"
#include "control/tap.h"
#include "net/pass.h"
#include "net/registry.h"
#include "protocol/event.h"
#include "settings.h"

static unsigned int kmqtt_net_id __read_mostly;

struct kmqtt_workqueues kmqtt_wq __read_mostly;

/**
 * kmqtt_broker_of() - the broker of a network namespace
 * @net: the namespace
 *
 * Context: any.
 * Return: the broker, never NULL while the module is loaded.
 */
struct kmqtt_broker *kmqtt_broker_of(struct net *net)
{
	return net_generic(net, kmqtt_net_id);
}

/**
 * kmqtt_text_copy() - what the operator has set, to be used at leisure
 * @text: the setting
 *
 * Context: any.
 * Return: a copy for the caller to kfree(); NULL if there is none, or no memory.
 */
struct kmqtt_text *kmqtt_text_copy(struct kmqtt_text __rcu **text)
{
	struct kmqtt_text *copy = NULL;
	const struct kmqtt_text *t;

	rcu_read_lock();
	t = rcu_dereference(*text);
	if (t)
		copy = kmemdup(t, struct_size(t, data, t->len),
			       GFP_ATOMIC | __GFP_NOWARN);
	rcu_read_unlock();
	return copy;
}

static struct kmqtt_broker *broker_of_store(struct kmqtt_store *store)
{
	return container_of(store, struct kmqtt_broker, store);
}

static void store_dropped(struct kmqtt_store *store,
			  struct kmqtt_session *session)
{
	kmqtt_event_dropped(broker_of_store(store), session,
			    KMQTT_DROP_QUEUE_FULL);
}

static const struct kmqtt_store_ops store_ops = {
	.publish = kmqtt_pass_publish_will,
	.dropped = store_dropped,
};

static int __net_init broker_init(struct net *net)
{
	struct kmqtt_broker *broker = kmqtt_broker_of(net);
	struct kmqtt_settings settings;
	int err;

	broker->net = net;
	broker->started = ktime_get_seconds();
	mutex_init(&broker->settings_mutex);
	mutex_init(&broker->config_mutex);
	mutex_init(&broker->taps_mutex);
	kmqtt_settings_default(&settings);

	broker->stats = alloc_percpu(struct kmqtt_stats);
	if (!broker->stats)
		return -ENOMEM;
	err = kmqtt_memory_init(&broker->memory, settings.max_memory);
	if (err)
		goto err_stats;
	err = kmqtt_tree_init(&broker->tree, &broker->memory);
	if (err)
		goto err_memory;
	err = kmqtt_retained_init(&broker->retained, &broker->memory,
				  kmqtt_wq.ctl);
	if (err)
		goto err_tree;
	err = kmqtt_access_init(&broker->access, &broker->memory, kmqtt_wq.ctl);
	if (err)
		goto err_retained;
	broker->store.access = &broker->access;
	err = kmqtt_store_init(&broker->store, &broker->memory, &broker->tree,
			       &broker->retained, &store_ops, kmqtt_wq.ctl);
	if (err)
		goto err_access;
	kmqtt_checks_init(&broker->checks, kmqtt_wq.crypt);
	broker->registry = kmqtt_registry_create(broker);
	if (IS_ERR(broker->registry)) {
		err = PTR_ERR(broker->registry);
		goto err_store;
	}
	broker->sys = kmqtt_sys_create(broker);
	if (!broker->sys) {
		err = -ENOMEM;
		goto err_registry;
	}
	mutex_lock(&broker->settings_mutex);
	kmqtt_settings_apply(broker, &settings);
	mutex_unlock(&broker->settings_mutex);
	return 0;

err_registry:
	kmqtt_registry_destroy(broker->registry);
err_store:
	kmqtt_store_uninit(&broker->store);
err_access:
	kmqtt_access_uninit(&broker->access);
err_retained:
	kmqtt_retained_uninit(&broker->retained);
err_tree:
	kmqtt_tree_uninit(&broker->tree);
err_memory:
	kmqtt_memory_uninit(&broker->memory);
err_stats:
	free_percpu(broker->stats);
	return err;
}

/* No packet comes in any more, but connections may still be on their way out. */
static void __net_exit broker_pre_exit(struct net *net)
{
	kmqtt_registry_stop(kmqtt_broker_of(net)->registry);
}

static void __net_exit broker_exit(struct net *net)
{
	struct kmqtt_broker *broker = kmqtt_broker_of(net);
	int i;

	kmqtt_sys_destroy(broker->sys);
	kmqtt_registry_destroy(broker->registry);
	/* Where the module goes, their sockets may still be there. */
	mutex_lock(&broker->config_mutex);
	kmqtt_config_abort(broker);
	mutex_unlock(&broker->config_mutex);
	kmqtt_tap_del_all(broker);
	kmqtt_checks_uninit(&broker->checks);
	kmqtt_store_uninit(&broker->store);
	/* Who retained messages are from has realms. */
	kmqtt_retained_uninit(&broker->retained);
	kmqtt_access_uninit(&broker->access);
	kmqtt_tree_uninit(&broker->tree);
	kmqtt_memory_uninit(&broker->memory);
	free_percpu(broker->stats);
	for (i = 0; i < KMQTT_TEXTS; i++)
		kfree(rcu_access_pointer(broker->texts[i]));
}

static struct pernet_operations broker_ops = {
	.init = broker_init,
	.pre_exit = broker_pre_exit,
	.exit = broker_exit,
	.id = &kmqtt_net_id,
	.size = sizeof(struct kmqtt_broker),
};

static void destroy_workqueues(void)
{
	struct workqueue_struct **wqs[] = {
		&kmqtt_wq.bh, &kmqtt_wq.io, &kmqtt_wq.ctl, &kmqtt_wq.crypt,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(wqs); i++)
		if (*wqs[i])
			destroy_workqueue(*wqs[i]);
}

static int create_workqueues(void)
{
	/* Passwords may be checked by half of the machine, no more. */
	int crypt_max = max(num_possible_cpus() / 2, 1U);

	kmqtt_wq.bh = alloc_workqueue("kmqtt_bh", WQ_BH | WQ_HIGHPRI, 0);
	kmqtt_wq.io = alloc_workqueue("kmqtt_io", WQ_HIGHPRI, 0);
	kmqtt_wq.ctl = alloc_workqueue("kmqtt_ctl", WQ_UNBOUND, 0);
	kmqtt_wq.crypt = alloc_workqueue("kmqtt_crypt", WQ_UNBOUND, crypt_max);
	if (kmqtt_wq.bh && kmqtt_wq.io && kmqtt_wq.ctl && kmqtt_wq.crypt)
		return 0;
	destroy_workqueues();
	return -ENOMEM;
}

/**
 * kmqtt_broker_module_init() - begin to have brokers
 *
 * Context: module initialization.
 * Return: 0 or a negative errno.
 */
int kmqtt_broker_module_init(void)
{
	int err;

	err = create_workqueues();
	if (err)
		return err;
	err = register_pernet_subsys(&broker_ops);
	if (err)
		destroy_workqueues();
	return err;
}

/**
 * kmqtt_broker_module_uninit() - end all brokers
 *
 * Context: module exit; waits until every connection is gone.
 */
void kmqtt_broker_module_uninit(void)
{
	unregister_pernet_subsys(&broker_ops);
	/* What RCU queues when its readers are done. */
	rcu_barrier();
	destroy_workqueues();
	/* Objects that readers may still stand on are freed by RCU. */
	rcu_barrier();
}
