/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_UTIL_H
#define _KMQTT_BENCH_UTIL_H

#include <stddef.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define container_of(ptr, type, member)	\
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Of a function that has a format as argument @n and what it prints from @args. */
#define FORMAT(n, args)		__attribute__((FORMAT_OF(n, args)))
#define FORMAT_OF(n, args)	__format__(printf, n, args)

#endif /* _KMQTT_BENCH_UTIL_H */
