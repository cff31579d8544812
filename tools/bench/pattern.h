/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_PATTERN_H
#define _KMQTT_BENCH_PATTERN_H

#include "bench.h"

extern const struct pattern pair_pattern;
extern const struct pattern fanout_pattern;
extern const struct pattern fanin_pattern;
extern const struct pattern topics_pattern;
extern const struct pattern shared_pattern;
extern const struct pattern retained_pattern;
extern const struct pattern connect_pattern;
extern const struct pattern idle_pattern;
extern const struct pattern subscribe_pattern;

int relay_run(const char *port);

#endif /* _KMQTT_BENCH_PATTERN_H */
