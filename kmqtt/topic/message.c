// SPDX-License-Identifier: GPL-2.0
/*
 * The message object. It is filled once by whoever receives it and shared by
 * every queue it goes into from then on.
 */
#include "message.h"

#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "../wire/encode.h"

/* Pages are asked for in chunks of up to this order, 32 KiB with 4 KiB pages. */
#define CHUNK_ORDER	3
#define CHUNKS_FIRST	4

/* See kmqtt_msg_packet(). */
static void write_packet(struct kmqtt_msg *msg, const u8 *topic)
{
	u32 remaining = 2 + msg->topic_len + msg->payload_len;
	u8 *p = msg->data + KMQTT_FIXED_HEADER_MAX;

	put_unaligned_be16(msg->topic_len, p);
	memcpy(p + 2, topic, msg->topic_len);
	if (remaining > KMQTT_REMAINING_MAX)
		return;
	msg->fixed_len = 1 + kmqtt_varint_len(remaining);
	msg->plain_len = msg->fixed_len + 2 + msg->topic_len +
			 (kmqtt_msg_is_inline(msg) ? msg->payload_len : 0);
	kmqtt_fixed_encode(p - msg->fixed_len, KMQTT_PUBLISH << 4, remaining);
}

/**
 * kmqtt_msg_create() - make a message that has its topic and no payload yet
 * @memory: account to charge
 * @topic: its topic
 * @props: its properties, or NULL
 * @payload_len: bytes of payload that will be written
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Costs no more than a page for the payload, whatever @payload_len says:
 * larger payloads grow as they are written.
 *
 * Context: any but hard interrupts.
 * Return: a message with one reference, or NULL.
 */
struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_memory *memory,
				   const struct kmqtt_str *topic,
				   const struct kmqtt_props *props,
				   u32 payload_len, gfp_t gfp)
{
	u32 props_len = 0;
	struct kmqtt_msg *msg;
	size_t size;

	if (props && props->block_len)
		props_len = kmqtt_props_forward(props, NULL);
	size = struct_size(msg, data, KMQTT_FIXED_HEADER_MAX + 2 +
			   (size_t)topic->len + props_len);
	if (payload_len <= KMQTT_MSG_INLINE_MAX)
		size += payload_len;
	if (!kmqtt_memory_charge(memory, size))
		return NULL;
	msg = kmalloc(size, gfp | __GFP_NOWARN);
	if (!msg) {
		kmqtt_memory_uncharge(memory, size);
		return NULL;
	}
	*msg = (struct kmqtt_msg) {
		.refs = REFCOUNT_INIT(1),
		.memory = memory,
		.charged = size,
		.topic_len = topic->len,
		.props_len = props_len,
		.payload_len = payload_len,
	};
	this_cpu_inc(memory->held->messages);
	write_packet(msg, topic->data);
	if (props_len)
		kmqtt_props_forward(props, (u8 *)kmqtt_msg_props(msg));
	if (props && kmqtt_prop_has(props, KMQTT_PROP_MESSAGE_EXPIRY)) {
		msg->has_expiry = true;
		msg->expiry = props->message_expiry;
	}
	return msg;
}

/**
 * kmqtt_msg_published() - let the time run in which a message expires
 * @msg: a message that is not yet shared
 *
 * Context: any.
 */
void kmqtt_msg_published(struct kmqtt_msg *msg)
{
	if (msg->has_expiry)
		msg->expires = kmqtt_msg_now() + (u64)msg->expiry * MSEC_PER_SEC;
}

static void fill(struct kmqtt_msg *msg, u32 len)
{
	msg->filled += len;
	this_cpu_add(msg->memory->held->bytes, len);
}

/* Where a small payload begins. */
static const u8 *inline_payload(const struct kmqtt_msg *msg)
{
	return kmqtt_msg_topic(msg) + msg->topic_len;
}

static bool grow_vector(struct kmqtt_msg *msg, gfp_t gfp)
{
	u32 max = msg->max_pages ? 2 * msg->max_pages : CHUNKS_FIRST;
	size_t more = (max - msg->max_pages) * sizeof(*msg->pages);
	struct bio_vec *pages;

	if (!kmqtt_memory_charge(msg->memory, more))
		return false;
	pages = kvmalloc_array(max, sizeof(*pages), gfp | __GFP_NOWARN);
	if (!pages) {
		kmqtt_memory_uncharge(msg->memory, more);
		return false;
	}
	memcpy(pages, msg->pages, msg->nr_pages * sizeof(*pages));
	kvfree(msg->pages);
	msg->pages = pages;
	msg->max_pages = max;
	msg->charged += more;
	return true;
}

/* Add pages for what is still to come, but not more than one chunk. */
static bool add_chunk(struct kmqtt_msg *msg, gfp_t gfp)
{
	u32 left = msg->payload_len - msg->filled;
	unsigned int order = min_t(unsigned int, get_order(left), CHUNK_ORDER);
	struct page *page;

	if (msg->nr_pages == msg->max_pages && !grow_vector(msg, gfp))
		return false;
	if (!kmqtt_memory_charge(msg->memory, PAGE_SIZE << order))
		return false;
	page = alloc_pages(gfp | __GFP_NOWARN | __GFP_NORETRY |
			   (order ? __GFP_COMP : 0), order);
	if (!page && order) {
		kmqtt_memory_uncharge(msg->memory,
				      (PAGE_SIZE << order) - PAGE_SIZE);
		order = 0;
		page = alloc_page(gfp | __GFP_NOWARN);
	}
	if (!page) {
		kmqtt_memory_uncharge(msg->memory, PAGE_SIZE << order);
		return false;
	}
	bvec_set_page(&msg->pages[msg->nr_pages++], page, 0, 0);
	msg->charged += PAGE_SIZE << order;
	return true;
}

/**
 * kmqtt_msg_room() - where the next bytes of payload go
 * @msg: a message that is being filled and not yet shared
 * @len: in: bytes at hand; out: how many of them fit at the address returned
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * The caller writes all of @len bytes there: they count as filled.
 *
 * Context: any but hard interrupts.
 * Return: an address, or NULL if there is no memory (nothing is changed).
 */
void *kmqtt_msg_room(struct kmqtt_msg *msg, u32 *len, gfp_t gfp)
{
	struct bio_vec *last;
	size_t room;
	void *to;

	*len = min(*len, msg->payload_len - msg->filled);
	if (kmqtt_msg_is_inline(msg)) {
		to = (u8 *)inline_payload(msg) + msg->filled;
		fill(msg, *len);
		return to;
	}

	last = msg->nr_pages ? &msg->pages[msg->nr_pages - 1] : NULL;
	if (!last || last->bv_len == page_size(last->bv_page)) {
		if (!add_chunk(msg, gfp))
			return NULL;
		last = &msg->pages[msg->nr_pages - 1];
	}
	room = page_size(last->bv_page) - last->bv_len;
	*len = min_t(size_t, *len, room);
	to = page_address(last->bv_page) + last->bv_len;
	last->bv_len += *len;
	fill(msg, *len);
	return to;
}

/**
 * kmqtt_msg_write() - append bytes to the payload
 * @msg: a message that is being filled and not yet shared
 * @data: the bytes
 * @len: how many, at most what the message still lacks
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: any but hard interrupts.
 * Return: 0, or -ENOMEM with only part of @data written.
 */
int kmqtt_msg_write(struct kmqtt_msg *msg, const u8 *data, u32 len, gfp_t gfp)
{
	if (kmqtt_msg_is_inline(msg)) {
		if (WARN_ON_ONCE(len > msg->payload_len - msg->filled))
			return -EMSGSIZE;
		memcpy((u8 *)inline_payload(msg) + msg->filled, data, len);
		fill(msg, len);
		return 0;
	}
	while (len) {
		u32 n = len;
		void *to = kmqtt_msg_room(msg, &n, gfp);

		if (!to)
			return -ENOMEM;
		if (WARN_ON_ONCE(!n))
			return -EMSGSIZE;
		memcpy(to, data, n);
		data += n;
		len -= n;
	}
	return 0;
}

/**
 * kmqtt_msg_read() - copy a part of the payload out
 * @msg: a filled message
 * @offset: first byte
 * @to: where to
 * @len: bytes; @offset + @len is at most the payload's length
 *
 * Context: any.
 */
void kmqtt_msg_read(const struct kmqtt_msg *msg, u32 offset, u8 *to, u32 len)
{
	u32 i;

	if (!msg->pages) {
		memcpy(to, inline_payload(msg) + offset, len);
		return;
	}
	for (i = 0; i < msg->nr_pages && len; i++) {
		const struct bio_vec *bv = &msg->pages[i];
		u32 n;

		if (offset >= bv->bv_len) {
			offset -= bv->bv_len;
			continue;
		}
		n = min(len, bv->bv_len - offset);
		memcpy(to, page_address(bv->bv_page) + offset, n);
		to += n;
		len -= n;
		offset = 0;
	}
}

/**
 * kmqtt_msg_is_text() - is the payload UTF-8?
 * @msg: a filled message
 *
 * Context: any; takes as long as the payload is large.
 * Return: true if so.
 */
bool kmqtt_msg_is_text(const struct kmqtt_msg *msg)
{
	struct kmqtt_utf8 u = {};
	u32 i;

	if (!msg->pages)
		return kmqtt_utf8_feed(&u, inline_payload(msg),
				       msg->payload_len) && !u.left;
	for (i = 0; i < msg->nr_pages; i++) {
		const struct bio_vec *bv = &msg->pages[i];

		if (!kmqtt_utf8_feed(&u, page_address(bv->bv_page), bv->bv_len))
			return false;
	}
	return !u.left;
}

/**
 * kmqtt_msg_free() - free a message without references
 * @msg: the message
 *
 * Pages that a socket still sends from live on by the socket's references.
 *
 * Context: any but hard interrupts.
 */
void kmqtt_msg_free(struct kmqtt_msg *msg)
{
	u32 i;

	for (i = 0; i < msg->nr_pages; i++)
		put_page(msg->pages[i].bv_page);
	if (msg->pages)
		kvfree(msg->pages);
	kmqtt_author_put(msg->author);
	this_cpu_dec(msg->memory->held->messages);
	this_cpu_sub(msg->memory->held->bytes, msg->filled);
	kmqtt_memory_uncharge(msg->memory, msg->charged);
	kfree(msg);
}
