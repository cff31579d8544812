/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_MESSAGE_H
#define _KMQTT_TOPIC_MESSAGE_H

#include <linux/bvec.h>
#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include "memory.h"
#include "../wire/property.h"

/*
 * Payloads from here on live in pages of their own, which sockets share
 * instead of copying.
 */
#define KMQTT_MSG_INLINE_MAX	SZ_4K

/**
 * struct kmqtt_author - who has published messages, for asking later
 * @refs: one for each message; the client's, or that of who publishes a will
 * @release: frees it, in any context but hard interrupts
 *
 * The beginning of what is known of them where there are clients.
 */
struct kmqtt_author {
	refcount_t refs;
	void (*release)(struct kmqtt_author *author);
};

/**
 * struct kmqtt_msg - an application message
 * @refs: one for each queue entry, retained slot and will
 * @memory: account that @charged came from
 * @charged: bytes
 * @topic_len: bytes of the topic
 * @props_len: bytes of properties that go to subscribers
 * @payload_len: bytes of payload the message will have
 * @filled: bytes of payload written so far; then equal to @payload_len
 * @qos: as published
 * @retain: as published
 * @has_expiry: @expiry and @expires are valid
 * @fixed_len: bytes of fixed header before the topic, as in a PUBLISH of 3.x
 *	with QoS 0
 * @plain_len: bytes of kmqtt_msg_packet(); 0 if such a packet were too long
 * @nr_pages: used entries of @pages
 * @max_pages: room in @pages
 * @expiry: seconds from publication on that it is worth delivering
 * @expires: kmqtt_msg_now() from which on it is not; from publication on
 * @origin: who published it, see struct kmqtt_session
 * @author: the client that published it, if that may be asked about; or NULL;
 *	holds a reference
 * @pages: payload of large messages, else NULL
 * @data: room for a fixed header, which ends where the topic begins; topic with
 *	its length in front, as on the wire; small payloads; properties without
 *	their length
 *
 * Immutable from the moment it is filled and shared.
 */
struct kmqtt_msg {
	refcount_t refs;
	u16 topic_len;
	u8 qos : 2;
	u8 retain : 1;
	u8 has_expiry : 1;
	u8 fixed_len;
	u32 plain_len;
	u32 props_len;
	u32 payload_len;
	u32 filled;
	u32 nr_pages;
	u32 max_pages;
	u32 expiry;
	u64 expires;
	u64 origin;
	struct kmqtt_author *author;
	struct bio_vec *pages;
	struct kmqtt_memory *memory;
	size_t charged;
	u8 data[];
};

struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_memory *memory,
				   const struct kmqtt_str *topic,
				   const struct kmqtt_props *props,
				   u32 payload_len, gfp_t gfp);
void kmqtt_msg_published(struct kmqtt_msg *msg);
void *kmqtt_msg_room(struct kmqtt_msg *msg, u32 *len, gfp_t gfp);
int kmqtt_msg_write(struct kmqtt_msg *msg, const u8 *data, u32 len, gfp_t gfp);
void kmqtt_msg_read(const struct kmqtt_msg *msg, u32 offset, u8 *to, u32 len);
bool kmqtt_msg_is_text(const struct kmqtt_msg *msg);
void kmqtt_msg_free(struct kmqtt_msg *msg);

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
 * kmqtt_msg_put() - give a reference back
 * @msg: a message or NULL
 *
 * Context: any but hard interrupts.
 */
static inline void kmqtt_msg_put(struct kmqtt_msg *msg)
{
	if (msg && refcount_dec_and_test(&msg->refs))
		kmqtt_msg_free(msg);
}

/**
 * kmqtt_author_put() - give a reference back
 * @author: an author or NULL
 *
 * Context: any but hard interrupts.
 */
static inline void kmqtt_author_put(struct kmqtt_author *author)
{
	if (author && refcount_dec_and_test(&author->refs))
		author->release(author);
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
	return msg->data + KMQTT_FIXED_HEADER_MAX + 2;
}

/**
 * kmqtt_msg_packet() - the message as it is sent to most subscribers
 * @msg: a message with @msg->plain_len
 *
 * Context: any.
 * Return: the first of @msg->plain_len bytes: a PUBLISH of 3.x with QoS 0, but
 * for a payload in pages.
 */
static inline const u8 *kmqtt_msg_packet(const struct kmqtt_msg *msg)
{
	return msg->data + KMQTT_FIXED_HEADER_MAX - msg->fixed_len;
}

/**
 * kmqtt_msg_is_inline() - has a message no pages?
 * @msg: a message
 *
 * Context: any.
 * Return: true if its payload follows the topic.
 */
static inline bool kmqtt_msg_is_inline(const struct kmqtt_msg *msg)
{
	return msg->payload_len <= KMQTT_MSG_INLINE_MAX;
}

/**
 * kmqtt_msg_props() - the properties that go to subscribers
 * @msg: a message
 *
 * Context: any.
 * Return: the first of @msg->props_len bytes.
 */
static inline const u8 *kmqtt_msg_props(const struct kmqtt_msg *msg)
{
	return kmqtt_msg_topic(msg) + msg->topic_len +
	       (kmqtt_msg_is_inline(msg) ? msg->payload_len : 0);
}

/**
 * kmqtt_msg_size() - what a queue entry for this message counts as
 * @msg: a message
 *
 * Context: any.
 * Return: bytes of topic, properties and payload.
 */
static inline size_t kmqtt_msg_size(const struct kmqtt_msg *msg)
{
	return (size_t)msg->topic_len + msg->props_len + msg->payload_len;
}

/**
 * kmqtt_msg_now() - the clock that messages expire by
 *
 * Runs on while the machine sleeps, in steps of a timer tick.
 *
 * Context: any.
 * Return: milliseconds since boot.
 */
static inline u64 kmqtt_msg_now(void)
{
	return div_u64(ktime_get_coarse_boottime_ns(), NSEC_PER_MSEC);
}

/**
 * kmqtt_msg_left() - for how long is it worth delivering?
 * @msg: a message that was published
 * @now: kmqtt_msg_now()
 *
 * Context: any.
 * Return: seconds, rounded up; 0 if it has expired. Undefined for a message
 * that doesn't expire.
 */
static inline u32 kmqtt_msg_left(const struct kmqtt_msg *msg, u64 now)
{
	if (now >= msg->expires)
		return 0;
	return div_u64(msg->expires - now + MSEC_PER_SEC - 1, MSEC_PER_SEC);
}

/**
 * kmqtt_msg_expired() - is it too late for this message?
 * @msg: a message that was published
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_msg_expired(const struct kmqtt_msg *msg)
{
	return msg->has_expiry && kmqtt_msg_now() >= msg->expires;
}

#endif /* _KMQTT_TOPIC_MESSAGE_H */
