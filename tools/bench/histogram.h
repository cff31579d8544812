/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_HISTOGRAM_H
#define _KMQTT_BENCH_HISTOGRAM_H

#include <stdint.h>

/*
 * Buckets are linear within a power of two, of which each has 64: what is read
 * from a histogram is at most 1/64 too high.
 */
#define HISTOGRAM_SUB_BITS	6
#define HISTOGRAM_SUB		64u
#define HISTOGRAM_BUCKETS	((64 - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Values below 64 have a bucket each; the rest go by their top seven bits. */
static inline unsigned int histogram_bucket(uint64_t value)
{
	unsigned int shift;

	if (value < HISTOGRAM_SUB)
		return value;
	shift = 63 - HISTOGRAM_SUB_BITS - __builtin_clzll(value);
	return (shift << HISTOGRAM_SUB_BITS) + (value >> shift);
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	h->buckets[histogram_bucket(value)]++;
}

void histogram_clear(struct histogram *h);
void histogram_merge(struct histogram *into, const struct histogram *h);
uint64_t histogram_percentile(const struct histogram *h, double percent);
double histogram_mean(const struct histogram *h);

#endif /* _KMQTT_BENCH_HISTOGRAM_H */
