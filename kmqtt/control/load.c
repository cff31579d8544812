// SPDX-License-Identifier: GPL-2.0
/*
 * Moving averages of what happens in a minute, as Mosquitto has them: what lies
 * back for a time t counts exp(-t / window). In fixed point, since the kernel
 * has no other.
 */
#include "load.h"

#include <linux/bug.h>
#include <linux/math64.h>

/* Bits of a weight behind the point; 1 is the greatest. */
#define WEIGHT_SHIFT	32
#define WEIGHT_ONE	BIT_ULL(WEIGHT_SHIFT)

/* What is left of a weight after a second: exp(-1 / seconds of the window). */
static const u64 weights[KMQTT_LOAD_WINDOWS] = {
	[KMQTT_LOAD_1MIN] = 4223977731ULL,
	[KMQTT_LOAD_5MIN] = 4280674573ULL,
	[KMQTT_LOAD_15MIN] = 4290197760ULL,
};

static u64 weight_mul(u64 a, u64 b)
{
	/* Two that are less than 1 have a product of at most 64 bits. */
	if (a == WEIGHT_ONE)
		return b;
	return (a * b + WEIGHT_ONE / 2) >> WEIGHT_SHIFT;
}

static u64 weight_power(u64 weight, u32 n)
{
	u64 result = WEIGHT_ONE;

	for (; n; n >>= 1) {
		if (n & 1)
			result = weight_mul(result, weight);
		weight = weight_mul(weight, weight);
	}
	return result;
}

/**
 * kmqtt_load_next() - go on with a moving average
 * @load: what it was
 * @events: what has happened since
 * @seconds: how long that took, at least 1
 * @window: of the average
 *
 * Right up to 2^38 events in a second: bytes are the most that there are.
 *
 * Context: any.
 * Return: events in a minute, with KMQTT_LOAD_SHIFT bits behind the point.
 */
u64 kmqtt_load_next(u64 load, u64 events, u32 seconds,
		    enum kmqtt_load_window window)
{
	u64 old, rate;

	if (WARN_ON_ONCE(!seconds))
		return load;
	old = weight_power(weights[window], seconds);
	rate = mul_u64_u32_div(events, 60U << KMQTT_LOAD_SHIFT, seconds);
	return mul_u64_u64_shr(load, old, WEIGHT_SHIFT) +
	       mul_u64_u64_shr(rate, WEIGHT_ONE - old, WEIGHT_SHIFT);
}

/**
 * kmqtt_load_hundredths() - a load as it is shown
 * @load: the load
 *
 * Context: any.
 * Return: hundredths of an event in a minute, rounded.
 */
u64 kmqtt_load_hundredths(u64 load)
{
	u64 one = BIT_ULL(KMQTT_LOAD_SHIFT);

	return (load >> KMQTT_LOAD_SHIFT) * 100 +
	       (((load & (one - 1)) * 100 + one / 2) >> KMQTT_LOAD_SHIFT);
}
