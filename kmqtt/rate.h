/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Not more than a number of events a second. Those that are held back share
 * the next one, which tells how many it stands for.
 */
#ifndef _KMQTT_RATE_H
#define _KMQTT_RATE_H

#include <linux/atomic.h>
#include <linux/jiffies.h>

/**
 * struct kmqtt_rate - events of a kind; begins as zeroes
 * @begin: jiffies when the present second began
 * @used: events in it
 * @waiting: events that nobody was told of yet
 */
struct kmqtt_rate {
	unsigned long begin;
	atomic_t used;
	atomic_t waiting;
};

/**
 * kmqtt_rate_event() - something happened: is it time to tell?
 * @rate: events of its kind
 * @burst: how many may be told in a second
 *
 * Context: any.
 * Return: how many events to tell of in one, 0 for later.
 */
static inline u32 kmqtt_rate_event(struct kmqtt_rate *rate, int burst)
{
	unsigned long begin = READ_ONCE(rate->begin);
	unsigned long now = jiffies;

	atomic_inc(&rate->waiting);
	if (!time_in_range_open(now, begin, begin + HZ) &&
	    cmpxchg(&rate->begin, begin, now) == begin)
		atomic_set(&rate->used, 0);
	if (atomic_inc_return(&rate->used) > burst)
		return 0;
	return atomic_xchg(&rate->waiting, 0);
}

#endif /* _KMQTT_RATE_H */
