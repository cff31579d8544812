// SPDX-License-Identifier: GPL-2.0
/*
 * Client identifiers that connect again and again, as two clients do that have
 * the same one. They are counted in a table that doesn't grow: whoever is not
 * in it takes the place of the one whose time began first.
 */
#include "flapping.h"

#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

/**
 * kmqtt_flapping_init() - count nothing yet
 * @flapping: what is counted
 *
 * Context: process, may sleep.
 */
void kmqtt_flapping_init(struct kmqtt_flapping *flapping)
{
	memset(flapping, 0, sizeof(*flapping));
	get_random_bytes(&flapping->secret, sizeof(flapping->secret));
	spin_lock_init(&flapping->lock);
}

/**
 * kmqtt_flapping_uninit() - forget what was counted
 * @flapping: what is counted; nobody connects any more
 *
 * Context: process, may sleep.
 */
void kmqtt_flapping_uninit(struct kmqtt_flapping *flapping)
{
	kvfree(flapping->slots);
}

/**
 * kmqtt_flapping_prepare() - have room for counting
 * @flapping: what is counted; its @max may become other than 0 after this
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_flapping_prepare(struct kmqtt_flapping *flapping)
{
	struct kmqtt_flap *slots;

	if (READ_ONCE(flapping->slots))
		return 0;
	slots = kvcalloc(KMQTT_FLAPPING_SETS * KMQTT_FLAPPING_WAYS,
			 sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	/* Somebody else may have been first. */
	if (cmpxchg(&flapping->slots, NULL, slots))
		kvfree(slots);
	return 0;
}

/* The slot of @hash, or the one whose time began first. */
static struct kmqtt_flap *find_slot(struct kmqtt_flap *set, u64 hash, u32 now)
{
	struct kmqtt_flap *slot, *oldest = set;

	for (slot = set; slot < set + KMQTT_FLAPPING_WAYS; slot++) {
		if (slot->hash == hash)
			return slot;
		if (now - slot->begin > now - oldest->begin)
			oldest = slot;
	}
	*oldest = (struct kmqtt_flap) { .hash = hash, .begin = now };
	return oldest;
}

/**
 * kmqtt_flapping_count() - a client has connected
 * @flapping: what is counted
 * @id: its client identifier
 *
 * Who has done so too often is counted anew from then on.
 *
 * Context: any but hard interrupts; takes the lock of @flapping.
 * Return: true if it was once too often.
 */
bool kmqtt_flapping_count(struct kmqtt_flapping *flapping,
			  const struct kmqtt_str *id)
{
	u32 max = READ_ONCE(flapping->max), now;
	struct kmqtt_flap *slots, *slot;
	bool too_often;
	u64 hash;

	if (!max)
		return false;
	/* Pairs with cmpxchg() in kmqtt_flapping_prepare(). */
	slots = smp_load_acquire(&flapping->slots);
	if (!slots)
		return false;
	hash = siphash(id->data, id->len, &flapping->secret);
	spin_lock_bh(&flapping->lock);
	/* Not before: slots don't begin later than now. */
	now = ktime_get_boottime_seconds();
	slot = find_slot(slots + hash % KMQTT_FLAPPING_SETS *
				 KMQTT_FLAPPING_WAYS, hash, now);
	if (now - slot->begin >= READ_ONCE(flapping->window)) {
		slot->begin = now;
		slot->count = 0;
	}
	too_often = ++slot->count > max;
	if (too_often)
		slot->count = 0;
	spin_unlock_bh(&flapping->lock);
	return too_often;
}
