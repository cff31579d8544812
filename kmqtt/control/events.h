/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_EVENTS_H
#define _KMQTT_CONTROL_EVENTS_H

#include <linux/notifier.h>

struct kmqtt_broker;

/* Multicast groups of the family. */
enum {
	KMQTT_NL_EVENTS,
	KMQTT_NL_TAPS,
};

extern struct notifier_block kmqtt_events_notifier;

void kmqtt_events_config(struct kmqtt_broker *broker);

#endif /* _KMQTT_CONTROL_EVENTS_H */
