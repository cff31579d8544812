/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_UTIL_H
#define _KMQTT_BENCH_UTIL_H

#include <stddef.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define container_of(ptr, type, member)	\
	((type *)((char *)(ptr) - offsetof(type, member)))

#define __printf(a, b) __attribute__	\
	((__format__(printf, a, b)))

#endif /* _KMQTT_BENCH_UTIL_H */
