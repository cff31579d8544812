// SPDX-License-Identifier: GPL-2.0
/*
 * kmqtt: an MQTT broker in the kernel.
 */
#include <linux/init.h>
#include <linux/module.h>
#include "access/password.h"
#include "access/scram.h"
#include "broker.h"
#include "control/netlink.h"
#include "control/sys.h"
#include "net/listener.h"
#include "net/pass.h"
#include "net/registry.h"
#include "version.h"

static char *listen[16];
static int nr_listen;
module_param_array(listen, charp, &nr_listen, 0400);
MODULE_PARM_DESC(listen,
		 "Ports to open, such as 127.0.0.1:1883,[::1]:1883 (default: none)");

static int __init open_ports(void)
{
	struct kmqtt_broker *broker = kmqtt_broker_of(&init_net);
	int i, err;

	for (i = 0; i < nr_listen; i++) {
		err = kmqtt_listener_add_text(broker->registry, listen[i]);
		if (err) {
			pr_err("listen=%s: %pe\n", listen[i], ERR_PTR(err));
			return err;
		}
		kmqtt_sys_start(broker->sys);
	}
	return 0;
}

static int __init kmqtt_init(void)
{
	int err;

	err = kmqtt_pass_module_init();
	if (err)
		return err;
	err = kmqtt_scram_module_init();
	if (err)
		goto err_pass;
	err = kmqtt_password_module_init();
	if (err)
		goto err_scram;
	err = kmqtt_broker_module_init();
	if (err)
		goto err_password;
	err = open_ports();
	if (err)
		goto err_broker;
	/* Last: a dump may hold on to the module from here on. */
	err = kmqtt_netlink_module_init();
	if (err)
		goto err_broker;
	return 0;

err_broker:
	kmqtt_broker_module_uninit();
err_password:
	kmqtt_password_module_uninit();
err_scram:
	kmqtt_scram_module_uninit();
err_pass:
	kmqtt_pass_module_uninit();
	return err;
}

static void __exit kmqtt_exit(void)
{
	kmqtt_netlink_module_uninit();
	kmqtt_broker_module_uninit();
	kmqtt_password_module_uninit();
	kmqtt_scram_module_uninit();
	kmqtt_pass_module_uninit();
}

module_init(kmqtt_init);
module_exit(kmqtt_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("MQTT broker");
MODULE_AUTHOR("The kmqtt authors");
MODULE_VERSION(KMQTT_VERSION);
/* The last: a request for a listener must not have to load a family. */
MODULE_SOFTDEP("pre: sha256 sha512 hmac ipv6");
