/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_TEST_H
#define _KMQTTD_TEST_H

#include <stdbool.h>
#include <stdio.h>

/* A test goes on after a claim that isn't so: the others may tell why. */
extern bool test_failed;

#define CLAIM(what) do {						\
	if (!(what)) {							\
		test_failed = true;					\
		printf("# %s:%d: not so: %s\n", __FILE__, __LINE__,	\
		       #what);						\
	}								\
} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

/* Lists of them, each with an empty one at its end. */
extern const struct test proxy_tests[];
extern const struct test upgrade_tests[];
extern const struct test settings_tests[];
extern const struct test keys_tests[];
extern const struct test gate_tests[];
extern const struct test listener_tests[];

#endif /* _KMQTTD_TEST_H */
