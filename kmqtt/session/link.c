// SPDX-License-Identifier: GPL-2.0
/*
 * What waits to be sent besides messages: acknowledgments and other packets
 * of a few bytes, kept as bytes in the order in which they are due.
 */
#include "link.h"

#include <linux/slab.h>
#include <linux/string.h>

#define ACKS_FIRST	64
/*
 * Room that is counted but not refused: where there is no memory for more, who
 * is connected still gets answers, and gives memory back by its own.
 */
#define ACKS_FORCED	512

/**
 * kmqtt_link_init() - make a link with one reference
 * @link: the link
 * @ops: what the connection does for it
 *
 * Context: any.
 */
void kmqtt_link_init(struct kmqtt_link *link, const struct kmqtt_link_ops *ops)
{
	memset(link, 0, sizeof(*link));
	link->ops = ops;
	kref_init(&link->ref);
	INIT_LIST_HEAD(&link->touched);
	spin_lock_init(&link->ack_lock);
}

/**
 * kmqtt_link_uninit() - free what a link holds
 * @link: a link without references
 *
 * Context: any.
 */
void kmqtt_link_uninit(struct kmqtt_link *link)
{
	if (link->memory)
		kmqtt_memory_uncharge(link->memory, link->acks_max);
	kfree(link->acks);
}

/**
 * kmqtt_link_touch() - have a link flushed at the end of a batch
 * @link: the link, which now has something to send
 * @batch: the batch
 *
 * If another batch has the link already, that one sends for both: it clears
 * the bit before it looks for what is waiting.
 *
 * Context: any but hard interrupts; the caller keeps @link from going away.
 */
void kmqtt_link_touch(struct kmqtt_link *link, struct kmqtt_batch *batch)
{
	if (test_and_set_bit(KMQTT_LINK_TOUCHED, &link->flags))
		return;
	kmqtt_link_get(link);
	list_add_tail(&link->touched, &batch->touched);
}

/**
 * kmqtt_link_grow() - make room for acknowledgments where there is none
 * @link: the link; only its receive side adds acknowledgments
 * @len: bytes
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: the link's receive side.
 * Return: as kmqtt_link_reserve().
 */
int kmqtt_link_grow(struct kmqtt_link *link, u32 len, gfp_t gfp)
{
	u32 need, max, old_max = link->acks_max;
	u8 *acks, *old;

	need = READ_ONCE(link->acks_len) + len;
	if (need > KMQTT_LINK_ACKS_MAX && READ_ONCE(link->acks_len))
		return -ENOSPC;
	max = max_t(u32, roundup_pow_of_two(need), ACKS_FIRST);
	if (link->memory && max <= ACKS_FORCED)
		kmqtt_memory_force(link->memory, max);
	else if (link->memory && !kmqtt_memory_charge(link->memory, max))
		return READ_ONCE(link->acks_len) ? -ENOSPC : -ENOMEM;
	acks = kmalloc(max, gfp | __GFP_NOWARN);
	if (!acks) {
		if (link->memory)
			kmqtt_memory_uncharge(link->memory, max);
		return -ENOMEM;
	}
	spin_lock_bh(&link->ack_lock);
	memcpy(acks, link->acks, link->acks_len);
	old = link->acks;
	link->acks = acks;
	link->acks_max = max;
	spin_unlock_bh(&link->ack_lock);
	if (link->memory)
		kmqtt_memory_uncharge(link->memory, old_max);
	kfree(old);
	return 0;
}

/**
 * kmqtt_link_shrink() - keep no room that nothing is in
 * @link: the link
 *
 * Context: the link's receive side.
 */
void kmqtt_link_shrink(struct kmqtt_link *link)
{
	u8 *acks = NULL;
	u32 max = 0;

	spin_lock_bh(&link->ack_lock);
	if (!link->acks_len) {
		swap(acks, link->acks);
		swap(max, link->acks_max);
	}
	spin_unlock_bh(&link->ack_lock);
	if (link->memory)
		kmqtt_memory_uncharge(link->memory, max);
	kfree(acks);
}

/**
 * kmqtt_link_ack() - add a small packet
 * @link: the link
 * @data: the whole packet, or several: WebSocket gives each of them a frame
 * @len: its length, within what was reserved
 *
 * Context: the link's receive side.
 */
void kmqtt_link_ack(struct kmqtt_link *link, const u8 *data, u32 len)
{
	spin_lock_bh(&link->ack_lock);
	if (!WARN_ON_ONCE(link->acks_len + len > link->acks_max)) {
		memcpy(link->acks + link->acks_len, data, len);
		WRITE_ONCE(link->acks_len, link->acks_len + len);
	}
	spin_unlock_bh(&link->ack_lock);
}

/**
 * kmqtt_link_copy_acks() - see what is waiting
 * @link: the link
 * @to: where to
 * @size: room there
 *
 * Context: the link's transmit side.
 * Return: bytes copied; they stay until kmqtt_link_drop_acks().
 */
u32 kmqtt_link_copy_acks(struct kmqtt_link *link, u8 *to, u32 size)
{
	u32 len;

	if (!READ_ONCE(link->acks_len))
		return 0;
	spin_lock_bh(&link->ack_lock);
	len = min(size, link->acks_len);
	memcpy(to, link->acks, len);
	spin_unlock_bh(&link->ack_lock);
	return len;
}

/**
 * kmqtt_link_peek_acks() - see some of what is waiting
 * @link: the link
 * @offset: bytes to leave out
 * @to: where to
 * @size: room there
 *
 * Context: the link's transmit side.
 * Return: bytes copied.
 */
u32 kmqtt_link_peek_acks(struct kmqtt_link *link, u32 offset, u8 *to, u32 size)
{
	u32 len = 0;

	spin_lock_bh(&link->ack_lock);
	if (offset < link->acks_len) {
		len = min(size, link->acks_len - offset);
		memcpy(to, link->acks + offset, len);
	}
	spin_unlock_bh(&link->ack_lock);
	return len;
}

/**
 * kmqtt_link_drop_acks() - forget what was sent
 * @link: the link
 * @len: bytes of what kmqtt_link_copy_acks() gave
 *
 * Context: the link's transmit side.
 */
void kmqtt_link_drop_acks(struct kmqtt_link *link, u32 len)
{
	spin_lock_bh(&link->ack_lock);
	WRITE_ONCE(link->acks_len, link->acks_len - len);
	memmove(link->acks, link->acks + len, link->acks_len);
	spin_unlock_bh(&link->ack_lock);
}
