// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of kmqttd that need neither a socket nor the module. KTAP goes to
 * standard output.
 */
#include "test.h"

bool test_failed;

static const struct test *const lists[] = {
	proxy_tests,
	upgrade_tests,
	settings_tests,
	keys_tests,
	gate_tests,
	listener_tests,
};

#define NR_LISTS	(sizeof(lists) / sizeof(lists[0]))

int main(void)
{
	int number = 0, failed = 0;
	const struct test *test;
	size_t i;

	puts("KTAP version 1");
	for (i = 0; i < NR_LISTS; i++) {
		for (test = lists[i]; test->name; test++) {
			test_failed = false;
			test->run();
			failed += test_failed;
			printf("%sok %d - %s\n", test_failed ? "not " : "",
			       ++number, test->name);
		}
	}
	printf("1..%d\n", number);
	return failed != 0;
}
