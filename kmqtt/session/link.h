/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session's view of the connection that carries it. The connection embeds
 * the link; below this line nobody knows about sockets.
 */
#ifndef _KMQTT_SESSION_LINK_H
#define _KMQTT_SESSION_LINK_H

#include <linux/gfp.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include "../topic/memory.h"
#include "../wire/packet.h"

struct kmqtt_link;
struct kmqtt_route;
struct kmqtt_run;
struct kmqtt_verdicts;

/* Bytes of acknowledgments that a client may leave unread. */
#define KMQTT_LINK_ACKS_MAX	(64 << 10)

/**
 * struct kmqtt_link_ops - what a connection does for a session
 * @flush: send what is waiting, soon and from another context
 * @receive: go on receiving where it rests, soon and from another context
 * @close: begin to close the connection; the first reason given counts
 * @release: the last reference is gone
 *
 * All run in any context but hard interrupts, under any lock of the session.
 */
struct kmqtt_link_ops {
	void (*flush)(struct kmqtt_link *link);
	void (*receive)(struct kmqtt_link *link);
	void (*close)(struct kmqtt_link *link, enum kmqtt_reason reason);
	void (*release)(struct kref *ref);
};

/**
 * enum kmqtt_link_flags - bits of @flags in struct kmqtt_link
 * @KMQTT_LINK_TOUCHED: on the list of a batch, which holds a reference
 */
enum kmqtt_link_flags {
	KMQTT_LINK_TOUCHED,
};

/**
 * struct kmqtt_link - a connection as its session sees it
 * @ops: constant
 * @ref: lifetime of the connection around it
 * @ack_lock: guards @acks to @acks_max; a leaf, taken with softirqs off
 * @flags: enum kmqtt_link_flags, atomic
 * @touched: entry in a batch; whoever set KMQTT_LINK_TOUCHED owns it
 * @memory: account for @acks, or NULL; constant
 * @acks: small packets to send, whole and in order
 * @acks_len: bytes there
 * @acks_max: room there
 */
struct kmqtt_link {
	const struct kmqtt_link_ops *ops;
	struct kref ref;
	spinlock_t ack_lock;		/* @acks and on */
	unsigned long flags;
	struct list_head touched;
	struct kmqtt_memory *memory;
	u8 *acks;
	u32 acks_len;
	u32 acks_max;
};

/**
 * struct kmqtt_batch - one pass over one connection's input
 * @touched: links that got something to send
 * @route: room to match in
 * @run: messages that go the same way, not yet delivered
 * @verdicts: what was decided lately of who may do what; may be NULL
 * @gfp: how to allocate: GFP_KERNEL only where sleeping is allowed
 * @work: how much was done, in deliveries; counted for the owner
 * @bh: in softirq, where work that is long or needs to sleep is handed over
 */
struct kmqtt_batch {
	struct list_head touched;
	struct kmqtt_route *route;
	struct kmqtt_run *run;
	struct kmqtt_verdicts *verdicts;
	gfp_t gfp;
	u32 work;
	bool bh;
};

void kmqtt_link_init(struct kmqtt_link *link, const struct kmqtt_link_ops *ops);
void kmqtt_link_uninit(struct kmqtt_link *link);
void kmqtt_link_touch(struct kmqtt_link *link, struct kmqtt_batch *batch);
void kmqtt_link_shrink(struct kmqtt_link *link);
int kmqtt_link_grow(struct kmqtt_link *link, u32 len, gfp_t gfp);
void kmqtt_link_ack(struct kmqtt_link *link, const u8 *data, u32 len);
u32 kmqtt_link_copy_acks(struct kmqtt_link *link, u8 *to, u32 size);
u32 kmqtt_link_peek_acks(struct kmqtt_link *link, u32 offset, u8 *to, u32 size);
void kmqtt_link_drop_acks(struct kmqtt_link *link, u32 len);

/**
 * kmqtt_link_reserve() - make room for acknowledgments
 * @link: the link; only its receive side adds acknowledgments
 * @len: bytes
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: the link's receive side.
 * Return: 0 if kmqtt_link_ack() has room for @len bytes, -ENOMEM, or -ENOSPC
 * if the client has to read what is waiting first.
 */
static inline int kmqtt_link_reserve(struct kmqtt_link *link, u32 len, gfp_t gfp)
{
	/* Nobody but us grows them, so what was room stays room. */
	if (READ_ONCE(link->acks_len) + len <= link->acks_max)
		return 0;
	return kmqtt_link_grow(link, len, gfp);
}

/**
 * kmqtt_link_get() - take a reference
 * @link: a link that the caller holds one of, or finds under session->lock
 *
 * Context: any.
 */
static inline void kmqtt_link_get(struct kmqtt_link *link)
{
	kref_get(&link->ref);
}

/**
 * kmqtt_link_put() - give a reference back
 * @link: a link
 *
 * Context: any but hard interrupts; the connection frees itself elsewhere.
 */
static inline void kmqtt_link_put(struct kmqtt_link *link)
{
	kref_put(&link->ref, link->ops->release);
}

#endif /* _KMQTT_SESSION_LINK_H */
