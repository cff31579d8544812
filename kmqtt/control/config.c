// SPDX-License-Identifier: GPL-2.0
/*
 * A new configuration: told piece by piece by one netlink socket, and in force
 * at once, as a whole or not at all. Until then it stands beside the present
 * one and nobody looks at it. It goes if its socket does.
 */
#include "config.h"

#include <linux/slab.h>
#include "../net/conn.h"
#include "../net/registry.h"
#include "../net/room.h"
#include "events.h"
#include "sys.h"

static void config_destroy(struct kmqtt_config *config)
{
	struct kmqtt_planned *planned, *next_planned;
	struct kmqtt_realm *realm, *next_realm;
	int i;

	list_for_each_entry_safe(planned, next_planned, &config->plan, list) {
		kfree(planned->agent);
		kfree(planned);
	}
	list_for_each_entry_safe(realm, next_realm, &config->realms, list) {
		list_del_init(&realm->list);
		kmqtt_realm_put(realm);
	}
	for (i = 0; i < KMQTT_TEXTS; i++)
		kfree(config->settings.texts[i]);
	kfree(config);
}

static struct kmqtt_config *config_create(struct kmqtt_broker *broker)
{
	struct kmqtt_config *config;
	struct kmqtt_realm *realm;

	config = kzalloc(sizeof(*config), GFP_KERNEL);
	if (!config)
		return NULL;
	realm = kmqtt_realm_create(&broker->access, 0);
	if (IS_ERR(realm)) {
		kfree(config);
		return NULL;
	}
	config->broker = broker;
	kmqtt_settings_default(&config->settings);
	INIT_LIST_HEAD(&config->plan);
	INIT_LIST_HEAD(&config->realms);
	list_add(&realm->list, &config->realms);
	config->nr_realms = 1;
	return config;
}

/**
 * kmqtt_config_begin() - a socket begins to tell a configuration
 * @info: its request
 * @sk: the socket
 *
 * Context: process, may sleep; takes the broker's config mutex.
 * Return: 0, -EBUSY if there is one being told, -ENOMEM.
 */
int kmqtt_config_begin(struct genl_info *info, const struct sock *sk)
{
	struct kmqtt_broker *broker = kmqtt_broker_of(genl_info_net(info));
	int err = 0;

	mutex_lock(&broker->config_mutex);
	if (broker->config) {
		NL_SET_ERR_MSG(info->extack,
			       "a configuration is just being told, here or by another socket");
		err = -EBUSY;
		goto out_unlock;
	}
	broker->config = config_create(broker);
	if (broker->config) {
		broker->config_sk = sk;
		WRITE_ONCE(broker->config_portid, info->snd_portid);
	} else {
		err = -ENOMEM;
	}
out_unlock:
	mutex_unlock(&broker->config_mutex);
	return err;
}

/**
 * kmqtt_config_change() - does a request belong to a configuration?
 * @info: the request
 *
 * Context: process, may sleep; returns with the broker's config mutex held if
 * it does.
 * Return: the configuration, for kmqtt_config_changed(); NULL if the request is
 * about what is in force.
 */
struct kmqtt_config *kmqtt_config_change(struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_broker_of(genl_info_net(info));
	struct kmqtt_config *config;

	mutex_lock(&broker->config_mutex);
	config = broker->config;
	if (config && broker->config_portid == info->snd_portid)
		return config;
	mutex_unlock(&broker->config_mutex);
	return NULL;
}

/**
 * kmqtt_config_changed() - a request has been dealt with
 * @config: from kmqtt_config_change()
 *
 * Context: process; gives the broker's config mutex back.
 */
void kmqtt_config_changed(struct kmqtt_config *config)
{
	mutex_unlock(&config->broker->config_mutex);
}

/**
 * kmqtt_config_refuse() - a request can't be part of a configuration
 * @info: the request
 *
 * Context: process, may sleep; takes the broker's config mutex.
 * Return: 0, or -EOPNOTSUPP if its socket is telling one.
 */
int kmqtt_config_refuse(struct genl_info *info)
{
	struct kmqtt_config *config = kmqtt_config_change(info);

	if (!config)
		return 0;
	kmqtt_config_changed(config);
	NL_SET_ERR_MSG(info->extack,
		       "not while a configuration is being told here");
	return -EOPNOTSUPP;
}

/**
 * kmqtt_config_realm() - find a realm
 * @config: the configuration
 * @number: number of the realm
 *
 * Context: process; the broker's config mutex held.
 * Return: the realm, which @config keeps, or NULL.
 */
struct kmqtt_realm *kmqtt_config_realm(struct kmqtt_config *config, u32 number)
{
	struct kmqtt_realm *realm;

	lockdep_assert_held(&config->broker->config_mutex);
	list_for_each_entry(realm, &config->realms, list)
		if (realm->number == number)
			return realm;
	return NULL;
}

/**
 * kmqtt_config_add_realm() - have another realm
 * @config: the configuration
 * @realm: a realm whose number no other has; its reference moves to @config on
 *	success
 *
 * Context: process; the broker's config mutex held.
 * Return: 0, or -ENOSPC if there are too many.
 */
int kmqtt_config_add_realm(struct kmqtt_config *config,
			   struct kmqtt_realm *realm)
{
	struct kmqtt_realm *before;

	lockdep_assert_held(&config->broker->config_mutex);
	if (config->nr_realms >= KMQTT_NR_REALMS_MAX)
		return -ENOSPC;
	list_for_each_entry_reverse(before, &config->realms, list)
		if (before->number < realm->number)
			break;
	list_add(&realm->list, &before->list);
	config->nr_realms++;
	return 0;
}

/**
 * kmqtt_config_plan() - have another listener
 * @config: the configuration
 * @planned: what it will be; copied, but for what the agent has to know, which is
 *	taken on success
 * @extack: what is wrong
 *
 * Context: process, may sleep; the broker's config mutex held.
 * Return: 0, -EEXIST, -EINVAL, -ENOENT, -ENOSPC, -ENOMEM.
 */
int kmqtt_config_plan(struct kmqtt_config *config,
		      struct kmqtt_planned *planned,
		      struct netlink_ext_ack *extack)
{
	const struct kmqtt_endpoint *endpoint = &planned->endpoint;
	struct kmqtt_planned *p;

	lockdep_assert_held(&config->broker->config_mutex);
	if (kmqtt_endpoint_is_ip(endpoint) &&
	    !((const struct sockaddr_in *)&endpoint->addr)->sin_port) {
		NL_SET_ERR_MSG(extack, "a listener of a configuration needs a port");
		return -EINVAL;
	}
	if (!kmqtt_config_realm(config, planned->realm)) {
		NL_SET_ERR_MSG(extack, "there is no such realm");
		return -ENOENT;
	}
	if (config->nr_planned >= KMQTT_NR_PLANNED_MAX) {
		NL_SET_ERR_MSG(extack, "there are too many listeners");
		return -ENOSPC;
	}
	p = kmemdup(planned, sizeof(*planned), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	if (kmqtt_lineup_plan(&config->plan, p)) {
		kfree(p);
		NL_SET_ERR_MSG(extack, "another listener takes what comes to this address");
		return -EEXIST;
	}
	planned->agent = NULL;
	config->nr_planned++;
	return 0;
}

/* Give a planned listener's port its realm, NULL for the default, and terms. */
static void set_port(struct kmqtt_planned *p, struct kmqtt_realm *realm)
{
	struct kmqtt_port *port = p->listener->port;

	if (realm)
		refcount_inc(&realm->refs);
	/* RCU keeps it for who has just looked it up. */
	kmqtt_realm_put(kmqtt_port_set_realm(port, realm));
	kmqtt_port_set_terms(port, &p->terms);
}

/*
 * The new realms and terms. Those with a realm of their own get it before the
 * default realm changes, those without lose theirs after. Who is just
 * connecting may see some of both, and looks again: kmqtt_access_begin_change().
 */
static void replace_realms(struct kmqtt_config *config)
{
	struct kmqtt_access *access = &config->broker->access;
	struct kmqtt_planned *p;

	mutex_lock(&access->mutex);
	kmqtt_access_begin_change(access);
	list_for_each_entry(p, &config->plan, list)
		if (p->realm)
			set_port(p, kmqtt_config_realm(config, p->realm));
	kmqtt_access_replace(access, &config->realms);
	list_for_each_entry(p, &config->plan, list)
		if (!p->realm)
			set_port(p, NULL);
	kmqtt_access_end_change(access);
	mutex_unlock(&access->mutex);
}

static int seal_rules(struct kmqtt_config *config)
{
	struct kmqtt_realm *realm;
	int err = 0;

	list_for_each_entry(realm, &config->realms, list)
		if (!err && realm->acl)
			err = kmqtt_acl_seal(realm->acl);
	return err;
}

static void replace_settings(struct kmqtt_config *config)
{
	struct kmqtt_settings *settings = &config->settings;
	struct kmqtt_broker *broker = config->broker;
	int i;

	mutex_lock(&broker->settings_mutex);
	kmqtt_settings_apply(broker, settings);
	for (i = 0; i < KMQTT_TEXTS; i++) {
		kmqtt_text_set(&broker->texts[i], settings->texts[i]);
		settings->texts[i] = NULL;
	}
	mutex_unlock(&broker->settings_mutex);
}

/**
 * kmqtt_config_commit() - from now on this is the broker's configuration
 * @config: the configuration; gone afterwards, whatever the return
 * @result: what has changed, on success
 * @extack: what is wrong
 *
 * Context: process, may sleep; the broker's config mutex held; takes the
 * registry's mutex, then the access mutex and the settings mutex.
 * Return: 0, or a negative errno with nothing changed.
 */
int kmqtt_config_commit(struct kmqtt_config *config,
			struct kmqtt_config_result *result,
			struct netlink_ext_ack *extack)
{
	struct kmqtt_broker *broker = config->broker;
	struct kmqtt_registry *registry = broker->registry;
	u32 interval = config->settings.sys_interval;
	int err;

	lockdep_assert_held(&broker->config_mutex);
	mutex_lock(&registry->mutex);
	err = seal_rules(config) ?:
	      kmqtt_lineup_prepare(registry, &config->plan, extack);
	if (!err) {
		replace_realms(config);
		replace_settings(config);
		kmqtt_lineup_commit(registry, &config->plan, &result->lineup);
	}
	mutex_unlock(&registry->mutex);
	if (!err) {
		result->clients_closed = kmqtt_registry_close_denied(registry);
		kmqtt_sys_set_interval(broker->sys, interval);
		kmqtt_events_config(broker);
	}
	kmqtt_config_abort(broker);
	return err;
}

/**
 * kmqtt_config_abort() - forget a configuration that is not in force
 * @broker: whose it would have been
 *
 * Context: process, may sleep; the broker's config mutex held.
 */
void kmqtt_config_abort(struct kmqtt_broker *broker)
{
	lockdep_assert_held(&broker->config_mutex);
	if (broker->config)
		config_destroy(broker->config);
	broker->config = NULL;
	broker->config_sk = NULL;
	WRITE_ONCE(broker->config_portid, 0);
}

/* A socket is gone: so is what it was about to tell. */
static int socket_gone(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	struct netlink_notify *notify = data;
	struct kmqtt_broker *broker;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	broker = kmqtt_broker_of(notify->net);
	/* Its own config-begin is over. Others' sockets don't wait here. */
	if (READ_ONCE(broker->config_portid) != notify->portid)
		return NOTIFY_DONE;
	mutex_lock(&broker->config_mutex);
	/* Another socket may have the number of one that has closed. */
	if (broker->config && broker->config_portid == notify->portid &&
	    kmqtt_sock_is_closed(broker->config_sk))
		kmqtt_config_abort(broker);
	mutex_unlock(&broker->config_mutex);
	return NOTIFY_DONE;
}

struct notifier_block kmqtt_config_notifier = {
	.notifier_call = socket_gone,
};
