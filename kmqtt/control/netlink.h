/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_NETLINK_H
#define _KMQTT_CONTROL_NETLINK_H

#include <net/genetlink.h>

extern struct genl_family kmqtt_nl_family;

int kmqtt_netlink_module_init(void);
void kmqtt_netlink_module_uninit(void);

#endif /* _KMQTT_CONTROL_NETLINK_H */
