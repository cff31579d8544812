/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_TAP_H
#define _KMQTT_PROTOCOL_TAP_H

#include <linux/rculist.h>
#include "../broker.h"
#include "../wire/packet.h"

struct kmqtt_client;

/**
 * struct kmqtt_tapped - a packet that somebody sees
 * @client: who sent it or gets it
 * @client_id: its identifier
 * @remaining: remaining length of the packet
 * @id: packet identifier, 0 for none
 * @first: first byte of the packet
 * @reason: reason code, if @has_reason
 * @has_reason: it is a packet of MQTT 5 with one reason code, said or omitted
 * @sent: it went to the client
 */
struct kmqtt_tapped {
	const struct kmqtt_client *client;
	struct kmqtt_str client_id;
	u32 remaining;
	u16 id;
	u8 first;
	u8 reason;
	bool has_reason;
	bool sent;
};

/**
 * struct kmqtt_tap - somebody who sees what is published, or what a client does
 * @list: entry of the broker's; written under its taps_mutex, read under RCU
 * @message: shows a message, and who published it or NULL; called under RCU, in
 *	softirq or process context, so it doesn't sleep; constant, NULL if packets
 *	are shown
 * @packet: shows a packet, as @message does; constant, NULL if messages are shown
 * @filter: a valid topic filter: what messages; constant
 * @filter_len: its length in bytes, constant
 * @client_id: whose packets, constant
 */
struct kmqtt_tap {
	struct hlist_node list;
	void (*message)(struct kmqtt_tap *tap, const struct kmqtt_msg *msg,
			const struct kmqtt_session *from);
	void (*packet)(struct kmqtt_tap *tap,
		       const struct kmqtt_tapped *packet);
	const u8 *filter;
	u16 filter_len;
	struct kmqtt_str client_id;
};

u32 kmqtt_tap_show(const struct kmqtt_broker *broker,
		   const struct kmqtt_session *from, struct kmqtt_msg **msgs,
		   u32 nr);
u32 kmqtt_tap_received(const struct kmqtt_client *client,
		       const struct kmqtt_fixed *fixed, const u8 *body,
		       u32 len);
u32 kmqtt_tap_sent(const struct kmqtt_client *client, u8 first, u32 remaining,
		   const u8 *body, u32 len);

/**
 * kmqtt_tap_any() - is there anybody who looks on?
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
