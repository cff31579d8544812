// SPDX-License-Identifier: GPL-2.0
/*
 * What is remembered of matches. Where no node may be visited, a match that
 * succeeds was remembered.
 */
#include "support.h"
#include "../topic/memo.h"

#define SUBSCRIBERS	8

struct memo_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_tree tree;
	struct kmqtt_subscriber subscribers[SUBSCRIBERS];
	struct kmqtt_match matches[SUBSCRIBERS];
	struct kmqtt_route route;
	struct kmqtt_memo memo;
};

static struct memo_test *memo_create(struct kunit *test)
{
	struct memo_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	KUNIT_ASSERT_EQ(test, kmqtt_tree_init(&t->tree, t->memory), 0);
	for (i = 0; i < SUBSCRIBERS; i++)
		kmqtt_subscriber_init(&t->subscribers[i]);
	t->route.matches = t->matches;
	t->route.max = SUBSCRIBERS;
	return t;
}

static void memo_destroy(struct memo_test *t)
{
	int i;

	for (i = 0; i < SUBSCRIBERS; i++)
		while (kmqtt_tree_leave(&t->tree, &t->subscribers[i], true))
			;
	KUNIT_EXPECT_EQ(t->test, kmqtt_memory_used(t->memory), 0);
	kmqtt_tree_uninit(&t->tree);
}

static void subscribe(struct memo_test *t, int who, const char *filter, u8 qos)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, qos);

	KUNIT_EXPECT_GE(t->test,
			kmqtt_tree_subscribe(&t->tree, &t->subscribers[who],
					     &request, U32_MAX), 0);
}

static int match_within(struct memo_test *t, const char *name, u32 steps)
{
	int ret;

	t->route.steps_max = steps;
	rcu_read_lock();
	ret = kmqtt_memo_match(&t->memo, &t->tree, name, strlen(name),
			       &t->route);
	rcu_read_unlock();
	return ret;
}

static bool is_remembered(struct memo_test *t, const char *name)
{
	return !match_within(t, name, 0);
}

static void match(struct memo_test *t, const char *name, u32 nr)
{
	KUNIT_EXPECT_EQ(t->test, match_within(t, name, 100), 0);
	KUNIT_EXPECT_EQ(t->test, t->route.nr, nr);
}

static void memo_remembers(struct kunit *test)
{
	struct memo_test *t = memo_create(test);

	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a/b"));
	match(t, "a/b", 0);
	KUNIT_EXPECT_TRUE(test, is_remembered(t, "a/b"));
	KUNIT_EXPECT_EQ(test, t->route.nr, 0);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a/c"));

	subscribe(t, 0, "a/+", 1);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a/b"));
	match(t, "a/b", 1);
	KUNIT_EXPECT_TRUE(test, is_remembered(t, "a/b"));
	KUNIT_EXPECT_EQ(test, t->route.nr, 1);
	KUNIT_EXPECT_PTR_EQ(test, t->matches[0].subscriber, &t->subscribers[0]);
	KUNIT_EXPECT_EQ(test, t->matches[0].options, 1);
	memo_destroy(t);
}

/* Whatever changes, nothing of before comes again. */
static void memo_forgets(struct kunit *test)
{
	struct kmqtt_sub_request request = kmqtt_test_request("a", 0);
	struct memo_test *t = memo_create(test);

	subscribe(t, 0, "a", 0);
	match(t, "a", 1);
	subscribe(t, 0, "a", 2);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a"));
	match(t, "a", 1);
	KUNIT_EXPECT_EQ(test, t->matches[0].options, 2);

	KUNIT_EXPECT_EQ(test, kmqtt_tree_unsubscribe(&t->tree,
						     &t->subscribers[0],
						     &request.filter), 0);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a"));
	match(t, "a", 0);

	subscribe(t, 0, "a", 0);
	match(t, "a", 1);
	kmqtt_tree_leave(&t->tree, &t->subscribers[0], false);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a"));
	match(t, "a", 0);
	memo_destroy(t);
}

/* A tree at the address of another has nothing of it. */
static void memo_of_another(struct kunit *test)
{
	struct memo_test *t = memo_create(test);

	subscribe(t, 0, "a", 0);
	match(t, "a", 1);
	kmqtt_tree_leave(&t->tree, &t->subscribers[0], false);
	kmqtt_tree_uninit(&t->tree);
	KUNIT_ASSERT_EQ(test, kmqtt_tree_init(&t->tree, t->memory), 0);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a"));
	match(t, "a", 0);
	memo_destroy(t);
}

/* A memo has room for so much; what doesn't fit is found each time. */
static void memo_limits(struct kunit *test)
{
	char name[KMQTT_MEMO_TOPIC_MAX + 2] = {};
	struct memo_test *t = memo_create(test);
	int i;

	memset(name, 'x', KMQTT_MEMO_TOPIC_MAX);
	match(t, name, 0);
	KUNIT_EXPECT_TRUE(test, is_remembered(t, name));
	name[KMQTT_MEMO_TOPIC_MAX] = 'x';
	match(t, name, 0);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, name));

	for (i = 0; i <= KMQTT_MEMO_MATCHES; i++) {
		match(t, "a", i);
		KUNIT_EXPECT_TRUE(test, is_remembered(t, "a"));
		subscribe(t, i, "a", 0);
	}
	match(t, "a", KMQTT_MEMO_MATCHES + 1);
	KUNIT_EXPECT_FALSE(test, is_remembered(t, "a"));
	memo_destroy(t);
}

/* Members of groups count as steps, remembered or not. */
static void memo_groups(struct kunit *test)
{
	struct memo_test *t = memo_create(test);
	int i;

	for (i = 0; i < 3; i++)
		subscribe(t, i, "$share/g/a", 0);
	match(t, "a", 1);
	KUNIT_EXPECT_EQ(test, match_within(t, "a", 2), -E2BIG);
	KUNIT_EXPECT_EQ(test, match_within(t, "a", 3), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 1);
	KUNIT_EXPECT_NOT_NULL(test, t->matches[0].group);
	memo_destroy(t);
}

/* More names than slots: each is found, whoever was there before. */
static void memo_collisions(struct kunit *test)
{
	struct memo_test *t = memo_create(test);
	char name[KMQTT_TEST_NAME_MAX];
	int round, i;

	subscribe(t, 0, "n/3/#", 0);
	subscribe(t, 1, "n/+/5", 0);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 4 * KMQTT_MEMO_SLOTS; i++) {
			snprintf(name, sizeof(name), "n/%d/%d", i % 7, i / 7);
			match(t, name, (i % 7 == 3) + (i / 7 == 5));
		}
	}
	memo_destroy(t);
}

static struct kunit_case memo_cases[] = {
	KUNIT_CASE(memo_remembers),
	KUNIT_CASE(memo_forgets),
	KUNIT_CASE(memo_of_another),
	KUNIT_CASE(memo_limits),
	KUNIT_CASE(memo_groups),
	KUNIT_CASE(memo_collisions),
	{}
};

static struct kunit_suite memo_suite = {
	.name = "kmqtt_topic_memo",
	.test_cases = memo_cases,
};

kunit_test_suites(&memo_suite);
