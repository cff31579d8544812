/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_DELIVERY_H
#define _KMQTT_SESSION_DELIVERY_H

#include "../topic/match.h"
#include "../topic/message.h"

/**
 * struct kmqtt_extra - what few deliveries have besides their message
 * @refs: one for the queue entry, one for each packet that is being sent
 * @memory: account that it came from
 * @group: group that shares the message, with a reference, or NULL
 * @nr_ids: subscription identifiers
 * @ids: the identifiers
 */
struct kmqtt_extra {
	refcount_t refs;
	struct kmqtt_memory *memory;
	struct kmqtt_group *group;
	u32 nr_ids;
	u32 ids[];
};

/**
 * struct kmqtt_delivery - a packet that is being sent
 * @msg: the message, or NULL for a PUBREL; holds a reference
 * @extra: holds a reference, or NULL
 * @sub_id: subscription identifier, 0 for none or those in @extra
 * @left: seconds until the message expires
 * @props_len: bytes of properties
 * @remaining: bytes of variable header and payload
 * @id: packet identifier, 0 for none
 * @alias: topic alias, 0 for none
 * @alias_known: the client knows @alias: it stands for the topic
 * @plain: it is sent as the message has it, but for @first
 * @version: protocol level of the client
 * @first: first byte of the packet
 * @fixed_len: bytes of the fixed header
 *
 * From @left on, all but @id, @alias, @alias_known and @first is settled by
 * kmqtt_delivery_prepare().
 */
struct kmqtt_delivery {
	struct kmqtt_msg *msg;
	struct kmqtt_extra *extra;
	u32 sub_id;
	u32 left;
	u32 props_len;
	u32 remaining;
	u16 id;
	u16 alias;
	bool alias_known : 1;
	bool plain : 1;
	u8 version;
	u8 first;
	u8 fixed_len;
};

/**
 * struct kmqtt_offer - a message for one subscriber
 * @msg: a filled message
 * @group: group that shares it, or NULL
 * @ids: subscription identifiers
 * @nr_ids: how many
 * @qos: of the delivery
 * @retain: deliver with the RETAIN flag
 */
struct kmqtt_offer {
	struct kmqtt_msg *msg;
	struct kmqtt_group *group;
	const u32 *ids;
	u32 nr_ids;
	u8 qos;
	bool retain;
};

struct kmqtt_extra *kmqtt_extra_create(struct kmqtt_memory *memory,
				       struct kmqtt_group *group,
				       const u32 *ids, u32 nr_ids);
void kmqtt_extra_free(struct kmqtt_extra *extra);
void kmqtt_delivery_measure(struct kmqtt_delivery *delivery);
u32 kmqtt_delivery_encode(const struct kmqtt_delivery *delivery, u8 *to);

/**
 * kmqtt_delivery_prepare() - settle what the packet will look like
 * @delivery: the packet, with its topic alias chosen
 * @version: protocol level of the client
 *
 * Context: any.
 */
static inline void kmqtt_delivery_prepare(struct kmqtt_delivery *delivery,
					  u8 version)
{
	const struct kmqtt_msg *msg = delivery->msg;

	delivery->version = version;
	delivery->plain = version != KMQTT_V5 && !delivery->id &&
			  msg->plain_len;
	if (!delivery->plain) {
		kmqtt_delivery_measure(delivery);
		return;
	}
	delivery->remaining = 2 + msg->topic_len + msg->payload_len;
	delivery->fixed_len = msg->fixed_len;
}

/**
 * kmqtt_delivery_copy() - write what is copied to send the packet
 * @delivery: the packet, prepared
 * @to: room for kmqtt_delivery_copied() bytes
 *
 * Context: any.
 * Return: bytes written.
 */
static inline u32 kmqtt_delivery_copy(const struct kmqtt_delivery *delivery,
				      u8 *to)
{
	const struct kmqtt_msg *msg = delivery->msg;

	if (!delivery->plain)
		return kmqtt_delivery_encode(delivery, to);
	memcpy(to, kmqtt_msg_packet(msg), msg->plain_len);
	*to = delivery->first;
	return msg->plain_len;
}

/**
 * kmqtt_delivery_len() - length of the whole packet
 * @delivery: the packet, prepared
 *
 * Context: any.
 * Return: bytes; more than KMQTT_PACKET_MAX if there can be no such packet.
 */
static inline u32 kmqtt_delivery_len(const struct kmqtt_delivery *delivery)
{
	return delivery->fixed_len + delivery->remaining;
}

/**
 * kmqtt_delivery_spliced() - length of what is sent without being copied
 * @delivery: the packet, prepared
 *
 * Context: any.
 * Return: bytes of a payload in pages, which is the packet's end; or 0.
 */
static inline u32 kmqtt_delivery_spliced(const struct kmqtt_delivery *delivery)
{
	const struct kmqtt_msg *msg = delivery->msg;

	return msg && msg->pages ? msg->payload_len : 0;
}

/**
 * kmqtt_delivery_copied() - length of what is copied to send the packet
 * @delivery: the packet, prepared
 *
 * Context: any.
 * Return: bytes: the whole packet, or what comes before a payload in pages.
 */
static inline u32 kmqtt_delivery_copied(const struct kmqtt_delivery *delivery)
{
	return kmqtt_delivery_len(delivery) - kmqtt_delivery_spliced(delivery);
}

/**
 * kmqtt_extra_get() - take a reference
 * @extra: one that the caller holds a reference of, or NULL
 *
 * Context: any.
 * Return: @extra.
 */
static inline struct kmqtt_extra *kmqtt_extra_get(struct kmqtt_extra *extra)
{
	if (extra)
		refcount_inc(&extra->refs);
	return extra;
}

/**
 * kmqtt_extra_put() - give a reference back
 * @extra: one, or NULL
 *
 * Context: any but hard interrupts.
 */
static inline void kmqtt_extra_put(struct kmqtt_extra *extra)
{
	if (extra && refcount_dec_and_test(&extra->refs))
		kmqtt_extra_free(extra);
}

/**
 * kmqtt_delivery_get() - a delivery was copied
 * @delivery: the copy
 *
 * Context: any.
 */
static inline void kmqtt_delivery_get(const struct kmqtt_delivery *delivery)
{
	if (delivery->msg)
		kmqtt_msg_get(delivery->msg);
	kmqtt_extra_get(delivery->extra);
}

/**
 * kmqtt_delivery_put() - give back what a delivery holds
 * @delivery: the delivery
 *
 * Context: any but hard interrupts.
 */
static inline void kmqtt_delivery_put(const struct kmqtt_delivery *delivery)
{
	kmqtt_msg_put(delivery->msg);
	kmqtt_extra_put(delivery->extra);
}

#endif /* _KMQTT_SESSION_DELIVERY_H */
