// SPDX-License-Identifier: GPL-2.0
/*
 * Histograms of times, log-linear as HDR's.
 */
#include "histogram.h"

#include <string.h>

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
}

/**
 * histogram_merge() - add what another histogram has counted
 * @into: gets it
 * @h: the other one
 */
void histogram_merge(struct histogram *into, const struct histogram *h)
{
	unsigned int i;

	into->count += h->count;
	into->sum += h->sum;
	if (h->max > into->max)
		into->max = h->max;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += h->buckets[i];
}

/* The highest value that a bucket counts. */
static uint64_t bucket_top(unsigned int bucket)
{
	unsigned int shift;
	uint64_t first;

	if (bucket < HISTOGRAM_SUB)
		return bucket;
	shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	first = (uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB) << shift;
	return first + (((uint64_t)1 << shift) - 1);
}

/**
 * histogram_percentile() - what so many percent of the values don't exceed
 * @h: the values
 * @percent: up to 100
 *
 * Return: the highest value of the bucket it is in, never above the maximum.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	double wanted = percent / 100 * h->count;
	uint64_t seen = 0, top;
	unsigned int i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen && seen >= wanted) {
			top = bucket_top(i);
			return top < h->max ? top : h->max;
		}
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / h->count : 0;
}
