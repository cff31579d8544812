/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_MESSAGE_H
#define _KMQTT_TOPIC_MESSAGE_H

#include <linux/bvec.h>
#include <linux/refcount.h>
#include "memory.h"
#include "../wire/packet.h"

/*
 * Payloads from here on live in pages of their own, which sockets share
 * instead of copying.
 */
#define KMQTT_MSG_INLINE_MAX	PAGE_SIZE

/**
 * struct kmqtt_msg - an application message
 * @refs: one for each queue entry, retained slot and will
 * @memory: account that @charged came from
 * @charged: bytes
 * @topic_len: bytes of the topic
 * @payload_len: bytes of payload the message will have
 * @filled: bytes of payload written so far; then equal to @payload_len
 * @qos: as published
 * @retain: as published
 * @nr_pages: used entries of @pages
 * @max_pages: room in @pages
 * @pages: payload of large messages, else NULL
 * @data: topic with its length in front, as on the wire, and small payloads
 *
 * Immutable from the moment it is filled and shared.
 */
struct kmqtt_msg {
	refcount_t refs;
	u16 topic_len;
	u8 qos;
	bool retain;
	u32 payload_len;
	u32 filled;
	u32 nr_pages;
	u32 max_pages;
	struct bio_vec *pages;
	struct kmqtt_memory *memory;
	size_t charged;
	u8 data[];
};

struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_memory *memory,
				   const struct kmqtt_str *topic,
				   u32 payload_len, gfp_t gfp);
void *kmqtt_msg_room(struct kmqtt_msg *msg, u32 *len, gfp_t gfp);
int kmqtt_msg_write(struct kmqtt_msg *msg, const u8 *data, u32 len, gfp_t gfp);
void kmqtt_msg_read(const struct kmqtt_msg *msg, u32 offset, u8 *to, u32 len);
void kmqtt_msg_put(struct kmqtt_msg *msg);

/**
 * kmqtt_msg_get() - take a reference
 * @msg: a message that the caller already holds one of
 *
 * Context: any.
 * Return: @msg.
 */
static inline struct kmqtt_msg *kmqtt_msg_get(struct kmqtt_msg *msg)
{
	refcount_inc(&msg->refs);
	return msg;
}

/**
 * kmqtt_msg_topic() - the topic's bytes, not terminated
 * @msg: a message
 *
 * Context: any.
 * Return: the first of @msg->topic_len bytes.
 */
static inline const u8 *kmqtt_msg_topic(const struct kmqtt_msg *msg)
{
	return msg->data + 2;
}

/**
 * kmqtt_msg_size() - what a queue entry for this message counts as
 * @msg: a message
 *
 * Context: any.
 * Return: bytes of topic and payload.
 */
static inline size_t kmqtt_msg_size(const struct kmqtt_msg *msg)
{
	return (size_t)msg->topic_len + msg->payload_len;
}

#endif /* _KMQTT_TOPIC_MESSAGE_H */
