// SPDX-License-Identifier: GPL-2.0
/*
 * Who looks on is shown what the filter stands for, in order, and no more.
 */
#include "support.h"
#include "../protocol/tap.h"

#define TAPS	4
#define RUN	3

/* A tap, and what it was shown. */
struct test_tap {
	struct kmqtt_tap tap;
	const struct kmqtt_session *from;
	const struct kmqtt_msg *shown[RUN];
	u32 nr;
};

struct tap_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_broker broker;
	struct test_tap taps[TAPS];
};

static void note(struct kmqtt_tap *base, const struct kmqtt_msg *msg,
		 const struct kmqtt_session *from)
{
	struct test_tap *tap = container_of(base, struct test_tap, tap);

	if (tap->nr < RUN)
		tap->shown[tap->nr] = msg;
	tap->nr++;
	tap->from = from;
}

static struct tap_test *tap_create(struct kunit *test)
{
	static const char *const filters[TAPS] = { "#", "a/+", "a/#", "b" };
	struct tap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	for (i = 0; i < TAPS; i++) {
		struct kmqtt_tap *tap = &t->taps[i].tap;

		tap->message = note;
		tap->filter = kmqtt_test_exact(test, filters[i],
					       strlen(filters[i]));
		tap->filter_len = strlen(filters[i]);
	}
	return t;
}

/* Show @nr messages of @topic. Returns how often one was shown. */
static u32 show(struct tap_test *t, const char *topic, u32 nr)
{
	const struct kmqtt_session *from = (const void *)topic;
	struct kmqtt_msg *msgs[RUN];
	u32 ret, i, j;

	for (i = 0; i < TAPS; i++)
		t->taps[i].nr = 0;
	for (i = 0; i < nr; i++)
		msgs[i] = kmqtt_test_msg(t->test, t->memory, topic, i);
	rcu_read_lock();
	ret = kmqtt_tap_show(&t->broker, from, msgs, nr);
	rcu_read_unlock();
	for (i = 0; i < TAPS; i++) {
		const struct test_tap *tap = &t->taps[i];

		if (!tap->nr)
			continue;
		KUNIT_EXPECT_EQ(t->test, tap->nr, nr);
		KUNIT_EXPECT_PTR_EQ(t->test, tap->from, from);
		for (j = 0; j < nr; j++)
			KUNIT_EXPECT_PTR_EQ(t->test, tap->shown[j], msgs[j]);
	}
	for (i = 0; i < nr; i++)
		kmqtt_msg_put(msgs[i]);
	return ret;
}

static void tap_matches(struct kunit *test)
{
	struct tap_test *t = tap_create(test);
	int i;

	KUNIT_EXPECT_FALSE(test, kmqtt_tap_any(&t->broker));
	KUNIT_EXPECT_EQ(test, show(t, "a/x", RUN), 0);
	for (i = 0; i < TAPS; i++)
		hlist_add_head_rcu(&t->taps[i].tap.list, &t->broker.taps);
	KUNIT_EXPECT_TRUE(test, kmqtt_tap_any(&t->broker));

	KUNIT_EXPECT_EQ(test, show(t, "a/x", RUN), 3 * RUN);
	KUNIT_EXPECT_EQ(test, t->taps[3].nr, 0);
	KUNIT_EXPECT_EQ(test, show(t, "a", 1), 2);
	KUNIT_EXPECT_EQ(test, t->taps[1].nr, 0);
	KUNIT_EXPECT_EQ(test, show(t, "b", 1), 2);
	KUNIT_EXPECT_EQ(test, t->taps[3].nr, 1);
	KUNIT_EXPECT_EQ(test, show(t, "$SYS/a", 1), 0);

	hlist_del_rcu(&t->taps[0].tap.list);
	KUNIT_EXPECT_EQ(test, show(t, "c", 1), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
}

static struct kunit_case tap_cases[] = {
	KUNIT_CASE(tap_matches),
	{}
};

static struct kunit_suite tap_suite = {
	.name = "kmqtt_protocol_tap",
	.test_cases = tap_cases,
};

kunit_test_suites(&tap_suite);
