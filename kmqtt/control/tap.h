/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_TAP_H
#define _KMQTT_CONTROL_TAP_H

#include <linux/notifier.h>
#include <net/genetlink.h>
#include "../wire/packet.h"

struct kmqtt_broker;

extern struct notifier_block kmqtt_tap_notifier;

int kmqtt_tap_add(struct genl_info *info, const struct sock *sk,
		  const struct kmqtt_str *filter,
		  const struct kmqtt_str *client_id, u32 payload_max);
int kmqtt_tap_del(struct genl_info *info, const struct sock *sk, u64 *lost);
void kmqtt_tap_del_all(struct kmqtt_broker *broker);
void kmqtt_tap_module_uninit(void);

#endif /* _KMQTT_CONTROL_TAP_H */
