// SPDX-License-Identifier: GPL-2.0
/*
 * Moving averages, compared with what floating point makes of them:
 * exp(-t / window) and so on, worked out by hand to more digits than are shown.
 */
#include <kunit/test.h>
#include "../control/load.h"

static u64 load_of(u32 number)
{
	return (u64)number << KMQTT_LOAD_SHIFT;
}

static void load_decays(struct kunit *test)
{
	/* 100000 * exp(-seconds / window), in hundredths */
	static const struct {
		u32 seconds;
		u64 left[KMQTT_LOAD_WINDOWS];
	} cases[] = {
		{ 1, { 9834715, 9966722, 9988895 } },
		{ 10, { 8464817, 9672161, 9889504 } },
		{ 60, { 3678794, 8187308, 9355070 } },
		{ 900, { 3, 497871, 3678794 } },
		{ 65535, { 0, 0, 0 } },
		{ U32_MAX, { 0, 0, 0 } },
	};
	int i, w;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (w = 0; w < KMQTT_LOAD_WINDOWS; w++) {
			u64 load = kmqtt_load_next(load_of(100000), 0,
						   cases[i].seconds, w);

			KUNIT_EXPECT_EQ_MSG(test, kmqtt_load_hundredths(load),
					    cases[i].left[w],
					    "after %u s, window %d",
					    cases[i].seconds, w);
		}
	}
}

static void load_rises(struct kunit *test)
{
	u64 load;

	/* 60 in 10 seconds are 360 in a minute: 360 * (1 - exp(-10 / 60)) */
	load = kmqtt_load_next(0, 60, 10, KMQTT_LOAD_1MIN);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(load), 5527);
	/* and on: 360 + exp(-10 / 60) * (that - 360) */
	load = kmqtt_load_next(load, 60, 10, KMQTT_LOAD_1MIN);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(load), 10205);
	load = kmqtt_load_next(load_of(10), 1, 1, KMQTT_LOAD_15MIN);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(load), 1006);
}

/* What is always the same is its own average, and rounding doesn't add up. */
static void load_settles(struct kunit *test)
{
	u64 load[KMQTT_LOAD_WINDOWS] = {};
	int i, w;

	for (i = 0; i < 20 * 900; i++)
		for (w = 0; w < KMQTT_LOAD_WINDOWS; w++)
			load[w] = kmqtt_load_next(load[w], 7, 1, w);
	for (w = 0; w < KMQTT_LOAD_WINDOWS; w++)
		KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(load[w]), 42000);
}

static void load_is_large(struct kunit *test)
{
	u64 events = 1ULL << 37, load = 0;
	int i;

	for (i = 0; i < 3; i++)
		load = kmqtt_load_next(load, events * 3600, 3600,
				       KMQTT_LOAD_1MIN);
	KUNIT_EXPECT_EQ(test, load >> KMQTT_LOAD_SHIFT, events * 60);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(load), events * 6000);
}

static void load_is_rounded(struct kunit *test)
{
	u64 one = load_of(1);

	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(0), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(one), 100);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(one / 200 + 1), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(one / 200 - 1), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_load_hundredths(3 * one - 1), 300);
}

static struct kunit_case load_cases[] = {
	KUNIT_CASE(load_decays),
	KUNIT_CASE(load_rises),
	KUNIT_CASE(load_settles),
	KUNIT_CASE(load_is_large),
	KUNIT_CASE(load_is_rounded),
	{}
};

static struct kunit_suite load_suite = {
	.name = "kmqtt_control_load",
	.test_cases = load_cases,
};

kunit_test_suites(&load_suite);
