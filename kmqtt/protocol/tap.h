/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_TAP_H
#define _KMQTT_PROTOCOL_TAP_H

#include <linux/rculist.h>
#include "../broker.h"

/**
 * struct kmqtt_tap - somebody who sees what is published
 * @list: entry of the broker's; written under its taps_mutex, read under RCU
 * @message: shows a message, and who published it or NULL; called under RCU, in
 *	softirq or process context, so it doesn't sleep; constant
 * @filter: a valid topic filter: what messages; constant
 * @filter_len: its length in bytes, constant
 */
struct kmqtt_tap {
	struct hlist_node list;
	void (*message)(struct kmqtt_tap *tap, const struct kmqtt_msg *msg,
			const struct kmqtt_session *from);
	const u8 *filter;
	u16 filter_len;
};

u32 kmqtt_tap_show(const struct kmqtt_broker *broker,
		   const struct kmqtt_session *from, struct kmqtt_msg **msgs,
		   u32 nr);

/**
 * kmqtt_tap_any() - is there anybody who sees what is published?
 * @broker: where
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_tap_any(const struct kmqtt_broker *broker)
{
	return !hlist_empty(&broker->taps);
}

#endif /* _KMQTT_PROTOCOL_TAP_H */
