// SPDX-License-Identifier: GPL-2.0
/*
 * A message as a packet for one client. The message's own bytes are shared;
 * what differs from client to client is written in between.
 */
#include "delivery.h"

#include <linux/slab.h>
#include <linux/unaligned.h>
#include "../wire/encode.h"

static size_t extra_size(u32 nr_ids)
{
	return struct_size_t(struct kmqtt_extra, ids, nr_ids);
}

/**
 * kmqtt_extra_create() - keep what a delivery has besides its message
 * @memory: account to charge
 * @group: group that shares the message, kept by RCU or a reference; or NULL
 * @ids: subscription identifiers
 * @nr_ids: how many
 *
 * Context: any but hard interrupts.
 * Return: one with one reference, or NULL.
 */
struct kmqtt_extra *kmqtt_extra_create(struct kmqtt_memory *memory,
				       struct kmqtt_group *group,
				       const u32 *ids, u32 nr_ids)
{
	struct kmqtt_extra *extra;

	if (!kmqtt_memory_charge(memory, extra_size(nr_ids)))
		return NULL;
	extra = kmalloc(extra_size(nr_ids), GFP_ATOMIC | __GFP_NOWARN);
	if (!extra) {
		kmqtt_memory_uncharge(memory, extra_size(nr_ids));
		return NULL;
	}
	refcount_set(&extra->refs, 1);
	extra->memory = memory;
	/* Its last member may leave at this moment: then nobody shares it. */
	if (group && !kref_get_unless_zero(&group->ref))
		group = NULL;
	extra->group = group;
	extra->nr_ids = nr_ids;
	memcpy(extra->ids, ids, nr_ids * sizeof(*ids));
	return extra;
}

/**
 * kmqtt_extra_free() - free what nobody has a reference to
 * @extra: one
 *
 * Context: any but hard interrupts.
 */
void kmqtt_extra_free(struct kmqtt_extra *extra)
{
	kmqtt_group_put(extra->group);
	kmqtt_memory_uncharge(extra->memory, extra_size(extra->nr_ids));
	kfree(extra);
}

/* A subscription identifier as a property. */
static u32 sub_id_len(u32 sub_id)
{
	return sub_id ? 1 + kmqtt_varint_len(sub_id) : 0;
}

static u8 *put_sub_id(u8 *p, u32 sub_id)
{
	if (!sub_id)
		return p;
	*p++ = KMQTT_PROP_SUBSCRIPTION_ID;
	return p + kmqtt_varint_encode(p, sub_id);
}

static bool has_props(const struct kmqtt_delivery *delivery)
{
	return delivery->msg && delivery->version == KMQTT_V5;
}

/* What MQTT 5 has in a PUBLISH besides topic and payload. */
static void prepare_props(struct kmqtt_delivery *delivery)
{
	const struct kmqtt_extra *extra = delivery->extra;
	const struct kmqtt_msg *msg = delivery->msg;
	u32 i;

	if (msg->has_expiry)		/* [MQTT-3.3.2-6] */
		delivery->left = kmqtt_msg_left(msg, kmqtt_msg_now());
	delivery->props_len = msg->props_len + (msg->has_expiry ? 5 : 0) +
			      (delivery->alias ? 3 : 0) +
			      sub_id_len(delivery->sub_id);
	for (i = 0; extra && i < extra->nr_ids; i++)
		delivery->props_len += sub_id_len(extra->ids[i]);
}

/**
 * kmqtt_delivery_measure() - settle lengths of a packet that is not plain
 * @delivery: the packet, but for its lengths
 *
 * Context: any.
 */
void kmqtt_delivery_measure(struct kmqtt_delivery *delivery)
{
	const struct kmqtt_msg *msg = delivery->msg;

	delivery->remaining = delivery->id ? 2 : 0;
	if (msg)
		delivery->remaining += 2 + msg->payload_len +
			(delivery->alias_known ? 0 : msg->topic_len);
	if (has_props(delivery)) {
		prepare_props(delivery);
		delivery->remaining += kmqtt_varint_len(delivery->props_len) +
				       delivery->props_len;
	}
	delivery->fixed_len = 1 + kmqtt_varint_len(delivery->remaining);
}

static u8 *copy_props(const struct kmqtt_delivery *delivery, u8 *p)
{
	const struct kmqtt_extra *extra = delivery->extra;
	const struct kmqtt_msg *msg = delivery->msg;
	u32 i;

	p += kmqtt_varint_encode(p, delivery->props_len);
	if (msg->has_expiry) {
		*p++ = KMQTT_PROP_MESSAGE_EXPIRY;
		put_unaligned_be32(delivery->left, p);
		p += 4;
	}
	if (delivery->alias) {
		*p++ = KMQTT_PROP_TOPIC_ALIAS;
		put_unaligned_be16(delivery->alias, p);
		p += 2;
	}
	p = put_sub_id(p, delivery->sub_id);
	for (i = 0; extra && i < extra->nr_ids; i++)
		p = put_sub_id(p, extra->ids[i]);
	memcpy(p, kmqtt_msg_props(msg), msg->props_len);
	return p + msg->props_len;
}

/**
 * kmqtt_delivery_encode() - write what is copied of a packet that is not plain
 * @delivery: the packet, prepared
 * @to: room for kmqtt_delivery_copied() bytes
 *
 * Context: any.
 * Return: bytes written.
 */
u32 kmqtt_delivery_encode(const struct kmqtt_delivery *delivery, u8 *to)
{
	const struct kmqtt_msg *msg = delivery->msg;
	u8 *p = to;

	p += kmqtt_fixed_encode(p, delivery->first, delivery->remaining);
	if (msg && delivery->alias_known) {
		put_unaligned_be16(0, p);
		p += 2;
	} else if (msg) {
		memcpy(p, kmqtt_msg_topic(msg) - 2, 2 + msg->topic_len);
		p += 2 + msg->topic_len;
	}
	if (delivery->id) {
		put_unaligned_be16(delivery->id, p);
		p += 2;
	}
	if (has_props(delivery))
		p = copy_props(delivery, p);
	if (msg && !msg->pages) {
		kmqtt_msg_read(msg, 0, p, msg->payload_len);
		p += msg->payload_len;
	}
	return p - to;
}
