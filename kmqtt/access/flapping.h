/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_FLAPPING_H
#define _KMQTT_ACCESS_FLAPPING_H

#include <linux/siphash.h>
#include <linux/spinlock.h>
#include "../wire/packet.h"

/*
 * Client identifiers that are counted at a time. Those that matter come again
 * and again, so a few are enough; in 16 KiB there is room for 1024.
 */
#define KMQTT_FLAPPING_SETS	256
#define KMQTT_FLAPPING_WAYS	4

/**
 * struct kmqtt_flap - how often a client identifier has connected
 * @hash: of the identifier, keyed; nobody can find another one with the same
 * @begin: second of the first time that counts
 * @count: how often since
 */
struct kmqtt_flap {
	u64 hash;
	u32 begin;
	u32 count;
};

/**
 * struct kmqtt_flapping - client identifiers that connect again and again
 * @secret: for @hash of the slots; constant
 * @max: times that one may in @window, 0 for as often as it likes; READ_ONCE()
 *	and WRITE_ONCE(), as for the next two
 * @window: seconds
 * @ban: seconds that it is banned for it
 * @slots: KMQTT_FLAPPING_WAYS for each of KMQTT_FLAPPING_SETS, or NULL before
 *	they are needed for the first time; set once, atomic
 * @lock: guards what is in @slots; a leaf, taken with softirqs off
 */
struct kmqtt_flapping {
	siphash_key_t secret;
	u32 max;
	u32 window;
	u32 ban;
	struct kmqtt_flap *slots;
	spinlock_t lock;		/* *slots */
};

void kmqtt_flapping_init(struct kmqtt_flapping *flapping);
void kmqtt_flapping_uninit(struct kmqtt_flapping *flapping);
int kmqtt_flapping_prepare(struct kmqtt_flapping *flapping);
bool kmqtt_flapping_count(struct kmqtt_flapping *flapping,
			  const struct kmqtt_str *id);

#endif /* _KMQTT_ACCESS_FLAPPING_H */
