/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims of targets that have nothing of the module in them.
 */
#ifndef _FUZZ_CLAIM_H
#define _FUZZ_CLAIM_H

#include <stdio.h>
#include <stdlib.h>

#define CLAIM(what) do {					\
	if (!(what)) {						\
		fprintf(stderr, "not so: %s\n", #what);		\
		abort();					\
	}							\
} while (0)

#endif /* _FUZZ_CLAIM_H */
