// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family. Policies and the table of operations are made
 * from the specification; what the operations do is in a file for each noun.
 */
#include "netlink.h"

#include <linux/module.h>
#include "../protocol/event.h"
#include "config.h"
#include "events.h"
#include "genl.h"
#include "tap.h"

static const struct genl_multicast_group groups[] = {
	[KMQTT_NL_EVENTS] = {
		.name = KMQTT_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[KMQTT_NL_TAPS] = {
		.name = KMQTT_MCGRP_TAPS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/* Without a lock of its own: each object has one. */
struct genl_family kmqtt_nl_family __ro_after_init = {
	.name = KMQTT_FAMILY_NAME,
	.version = KMQTT_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.split_ops = kmqtt_nl_ops,
	.n_split_ops = ARRAY_SIZE(kmqtt_nl_ops),
	.resv_start_op = KMQTT_CMD_BROKER_GET,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

/**
 * kmqtt_netlink_module_init() - let brokers be controlled
 *
 * Context: module initialization.
 * Return: 0 or a negative errno.
 */
int __init kmqtt_netlink_module_init(void)
{
	int err;

	err = netlink_register_notifier(&kmqtt_config_notifier);
	if (err)
		return err;
	err = netlink_register_notifier(&kmqtt_tap_notifier);
	if (err)
		goto err_config;
	err = genl_register_family(&kmqtt_nl_family);
	if (err)
		goto err_tap;
	return atomic_notifier_chain_register(&kmqtt_events,
					      &kmqtt_events_notifier);

err_tap:
	netlink_unregister_notifier(&kmqtt_tap_notifier);
err_config:
	netlink_unregister_notifier(&kmqtt_config_notifier);
	return err;
}

/**
 * kmqtt_netlink_module_uninit() - end all control
 *
 * Waits for requests, events and messages under way. Dumps under way have a reference
 * to the module, so there are none.
 *
 * Context: module exit.
 */
void kmqtt_netlink_module_uninit(void)
{
	atomic_notifier_chain_unregister(&kmqtt_events, &kmqtt_events_notifier);
	kmqtt_tap_module_uninit();
	genl_unregister_family(&kmqtt_nl_family);
	netlink_unregister_notifier(&kmqtt_tap_notifier);
	netlink_unregister_notifier(&kmqtt_config_notifier);
}

MODULE_ALIAS_GENL_FAMILY(KMQTT_FAMILY_NAME);
