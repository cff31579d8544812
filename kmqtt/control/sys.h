/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_SYS_H
#define _KMQTT_CONTROL_SYS_H

#include <linux/types.h>

struct kmqtt_broker;
struct kmqtt_sys;

struct kmqtt_sys *kmqtt_sys_create(struct kmqtt_broker *broker);
void kmqtt_sys_destroy(struct kmqtt_sys *sys);
void kmqtt_sys_start(struct kmqtt_sys *sys);
u32 kmqtt_sys_default_interval(void);
u32 kmqtt_sys_interval(const struct kmqtt_sys *sys);
void kmqtt_sys_set_interval(struct kmqtt_sys *sys, u32 seconds);

#endif /* _KMQTT_CONTROL_SYS_H */
