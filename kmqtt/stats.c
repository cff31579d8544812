// SPDX-License-Identifier: GPL-2.0
/*
 * Counters. They are all of one type, so that adding up needs no list.
 */
#include "stats.h"

#include <linux/build_bug.h>
#include <linux/cpumask.h>
#include <linux/string.h>

/**
 * kmqtt_stats_sum() - add up the counters of all CPUs
 * @stats: the counters
 * @sum: their sums
 *
 * Counters go on counting meanwhile; no two of them are of the same moment.
 *
 * Context: any.
 */
void kmqtt_stats_sum(const struct kmqtt_stats __percpu *stats,
		     struct kmqtt_stats *sum)
{
	const size_t nr = sizeof(*sum) / sizeof(u64);
	u64 *to = (u64 *)sum;
	size_t i;
	int cpu;

	BUILD_BUG_ON(sizeof(*sum) % sizeof(u64));
	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const u64 *from = (const u64 *)per_cpu_ptr(stats, cpu);

		for (i = 0; i < nr; i++)
			to[i] += READ_ONCE(from[i]);
	}
}
