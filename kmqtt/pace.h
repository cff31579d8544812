/* SPDX-License-Identifier: GPL-2.0 */
/*
 * So many of something a second, and a second's worth at once. What is too much
 * is told by how long it takes until it would not have been.
 */
#ifndef _KMQTT_PACE_H
#define _KMQTT_PACE_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

/**
 * struct kmqtt_pace - a pace to be kept to; begins as zeroes
 * @due: ktime_get_ns() when all that was taken would have been due
 * @rate: how many a second that was reckoned with
 *
 * This is the generic cell rate algorithm: what is taken moves @due on by the
 * time that it is worth, and a quiet time makes good for a second at most.
 */
struct kmqtt_pace {
	atomic64_t due;
	u32 rate;
};

/**
 * kmqtt_pace_take() - take some of it
 * @pace: the pace
 * @rate: how many a second, 0 for as many as there are
 * @n: how many are taken, whether there are as many or not
 * @now: ktime_get_ns()
 *
 * What was taken at another rate is forgotten: it may have been a wrong one.
 *
 * Context: any.
 * Return: nanoseconds to wait before more is taken, 0 for none.
 */
static inline u64 kmqtt_pace_take(struct kmqtt_pace *pace, u32 rate, u32 n,
				  u64 now)
{
	u64 worth, due, last;

	if (unlikely(READ_ONCE(pace->rate) != rate)) {
		WRITE_ONCE(pace->rate, rate);
		atomic64_set(&pace->due, 0);
	}
	if (!rate)
		return 0;
	worth = div_u64((u64)n * NSEC_PER_SEC, rate);
	last = atomic64_read(&pace->due);
	do {
		due = max_t(u64, last, now - NSEC_PER_SEC) + worth;
	} while (!atomic64_try_cmpxchg(&pace->due, (s64 *)&last, due));
	return due > now ? due - now : 0;
}

#endif /* _KMQTT_PACE_H */
