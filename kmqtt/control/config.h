/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_CONFIG_H
#define _KMQTT_CONTROL_CONFIG_H

#include <linux/notifier.h>
#include <net/genetlink.h>
#include "../net/lineup.h"
#include "../settings.h"

/* Realms that a configuration may have. */
#define KMQTT_NR_REALMS_MAX	1024

/**
 * struct kmqtt_config - a configuration that is still being told
 * @broker: whose it will be
 * @settings: what will be set
 * @realms: struct kmqtt_realm in the order of their numbers, each with a
 *	reference; the default realm is always there
 * @nr_realms: entries there
 * @plan: struct kmqtt_planned
 * @nr_planned: entries there
 *
 * Under the broker's config_mutex.
 */
struct kmqtt_config {
	struct kmqtt_broker *broker;
	struct kmqtt_settings settings;
	struct list_head realms;
	u32 nr_realms;
	struct list_head plan;
	u32 nr_planned;
};

/**
 * struct kmqtt_config_result - what a new configuration has changed
 * @lineup: listeners
 * @clients_closed: clients that aren't let in any more as they were
 */
struct kmqtt_config_result {
	struct kmqtt_lineup lineup;
	u32 clients_closed;
};

extern struct notifier_block kmqtt_config_notifier;

int kmqtt_config_begin(struct genl_info *info, const struct sock *sk);
struct kmqtt_config *kmqtt_config_change(struct genl_info *info);
void kmqtt_config_changed(struct kmqtt_config *config);
int kmqtt_config_refuse(struct genl_info *info);
struct kmqtt_realm *kmqtt_config_realm(struct kmqtt_config *config, u32 number);
int kmqtt_config_add_realm(struct kmqtt_config *config,
			   struct kmqtt_realm *realm);
int kmqtt_config_plan(struct kmqtt_config *config,
		      struct kmqtt_planned *planned,
		      struct netlink_ext_ack *extack);
int kmqtt_config_commit(struct kmqtt_config *config,
			struct kmqtt_config_result *result,
			struct netlink_ext_ack *extack);
void kmqtt_config_abort(struct kmqtt_broker *broker);

#endif /* _KMQTT_CONTROL_CONFIG_H */
