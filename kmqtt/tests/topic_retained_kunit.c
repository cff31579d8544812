// SPDX-License-Identifier: GPL-2.0
/*
 * The retained store, and replays against a list of topics and the reference
 * matcher.
 */
#include "support.h"
#include "../topic/retained.h"

#define TOPICS		60
#define FILTERS		60
#define NO_LIMIT	U32_MAX

/*
 * @seq and @msg are what the store should have for a topic; @msg is a pointer
 * to compare, the store has the reference.
 */
struct topic {
	char name[KMQTT_TEST_NAME_MAX];
	u64 seq;
	const struct kmqtt_msg *msg;
	bool seen;
};

struct retained_test {
	struct kmqtt_memory *memory;
	struct kmqtt_retained store;
	u64 seq;
	struct topic topics[TOPICS];
};

static struct retained_test *retained_create(struct kunit *test)
{
	struct retained_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	KUNIT_ASSERT_EQ(test, kmqtt_retained_init(&t->store, t->memory,
						  system_wq), 0);
	return t;
}

static int set(struct kunit *test, struct retained_test *t, const char *name,
	       u32 max)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(test, t->memory, name, 3);
	int ret = kmqtt_retained_set(&t->store, msg, max);

	kmqtt_msg_put(msg);
	return ret;
}

static int clear(struct retained_test *t, const char *name)
{
	return kmqtt_retained_clear(&t->store, name, strlen(name));
}

static struct kmqtt_replay *replay(struct kunit *test, struct retained_test *t,
				   const char *filter, bool all)
{
	size_t len = strlen(filter);
	struct kmqtt_replay *r;

	r = kmqtt_replay_create(t->memory, kmqtt_test_exact(test, filter, len), len, all,
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	kmqtt_replay_start(&t->store, r);
	return r;
}

static void retained_set(struct kunit *test)
{
	struct retained_test *t = retained_create(test);
	struct kmqtt_msg *first, *second;

	first = kmqtt_test_msg(test, t->memory, "a/b", 10);
	second = kmqtt_test_msg(test, t->memory, "a/b", 20);
	KUNIT_EXPECT_EQ(test, clear(t, "a/b"), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_retained_set(&t->store, first, NO_LIMIT),
			0);
	KUNIT_EXPECT_EQ(test, refcount_read(&first->refs), 2);
	KUNIT_EXPECT_EQ(test, t->store.nr, 1);
	KUNIT_EXPECT_EQ(test, t->store.bytes, 13);
	KUNIT_EXPECT_EQ(test, kmqtt_retained_set(&t->store, second, NO_LIMIT),
			0);
	KUNIT_EXPECT_EQ(test, refcount_read(&first->refs), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&second->refs), 2);
	KUNIT_EXPECT_EQ(test, t->store.nr, 1);
	KUNIT_EXPECT_EQ(test, t->store.bytes, 23);
	/* A level in between has no message of its own. */
	KUNIT_EXPECT_EQ(test, clear(t, "a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, clear(t, "a/b/c"), -ENOENT);
	KUNIT_EXPECT_EQ(test, clear(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&second->refs), 1);
	KUNIT_EXPECT_EQ(test, clear(t, "a/b"), -ENOENT);
	KUNIT_EXPECT_EQ(test, t->store.nr, 0);
	KUNIT_EXPECT_EQ(test, t->store.bytes, 0);
	kmqtt_msg_put(first);
	kmqtt_msg_put(second);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	kmqtt_retained_uninit(&t->store);
}

static void retained_limits(struct kunit *test)
{
	struct retained_test *t = retained_create(test);
	struct kmqtt_replay *replay;
	struct kmqtt_msg *msg;
	u64 used;

	KUNIT_EXPECT_EQ(test, set(test, t, "a", 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	KUNIT_EXPECT_EQ(test, set(test, t, "a", 2), 0);
	KUNIT_EXPECT_EQ(test, set(test, t, "a/b", 2), 0);
	used = kmqtt_memory_used(t->memory);
	KUNIT_EXPECT_EQ(test, set(test, t, "c/d", 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	/* What replaces needs no room. */
	KUNIT_EXPECT_EQ(test, set(test, t, "a", 2), 0);
	KUNIT_EXPECT_EQ(test, clear(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, set(test, t, "c/d", 2), 0);

	msg = kmqtt_test_msg(test, t->memory, "e/f", 1);
	t->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, kmqtt_retained_set(&t->store, msg, NO_LIMIT),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 1);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, t->store.nr, 2);
	/* A client's walk needs room, one that makes room needs none. */
	used = kmqtt_memory_used(t->memory);
	KUNIT_EXPECT_NULL(test, kmqtt_replay_create(t->memory, "#", 1, false,
						    GFP_KERNEL));
	replay = kmqtt_replay_create(NULL, "#", 1, false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	kmqtt_replay_destroy(&t->store, replay);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	kmqtt_retained_uninit(&t->store);
}

static void topic_set(struct kunit *test, struct retained_test *t,
		      struct topic *topic)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(test, t->memory, topic->name, 3);

	KUNIT_EXPECT_EQ(test, kmqtt_retained_set(&t->store, msg, NO_LIMIT), 0);
	topic->msg = msg;
	topic->seq = ++t->seq;
	kmqtt_msg_put(msg);
}

static void topic_clear(struct kunit *test, struct retained_test *t,
			struct topic *topic)
{
	KUNIT_EXPECT_EQ(test, clear(t, topic->name),
			topic->msg ? 0 : -ENOENT);
	topic->msg = NULL;
}

static void topics_fill(struct kunit *test, struct retained_test *t,
			struct rnd_state *rnd)
{
	int i, j;

	for (i = 0; i < TOPICS; ) {
		kmqtt_test_random_name(rnd, t->topics[i].name);
		for (j = 0; strcmp(t->topics[j].name, t->topics[i].name); j++)
			;
		if (j != i)
			continue;
		/* Two in three are retained at first. */
		if (i % 3)
			topic_set(test, t, &t->topics[i]);
		i++;
	}
}

static bool topic_matches(const struct topic *topic, const char *filter,
			  bool all)
{
	char name[KMQTT_TEST_NAME_MAX + 1];

	strscpy(name, topic->name);
	/* "&" is like any other letter: that takes the first "$"'s sense. */
	if (all && name[0] == '$' && filter[0] != '$')
		name[0] = '&';
	return kmqtt_test_matches(filter, name);
}

/* One more message: it must be the right one of a topic not seen yet. */
static void expect_msg(struct kunit *test, struct retained_test *t,
		       const struct kmqtt_msg *msg, const char *filter,
		       bool all, u64 seq)
{
	struct topic *topic = NULL;
	int i;

	for (i = 0; i < TOPICS; i++)
		if (t->topics[i].msg == msg)
			topic = &t->topics[i];
	KUNIT_ASSERT_NOT_NULL_MSG(test, topic, "a message that is not there");
	KUNIT_EXPECT_TRUE_MSG(test, topic_matches(topic, filter, all),
			      "%s isn't for %s", topic->name, filter);
	KUNIT_EXPECT_LE_MSG(test, topic->seq, seq, "%s is too new",
			    topic->name);
	KUNIT_EXPECT_FALSE_MSG(test, topic->seen, "%s again", topic->name);
	topic->seen = true;
}

struct replay_case {
	const char *desc;
	bool all;		/* wildcards are for $, too */
	u32 steps;		/* of each call */
	bool changes;		/* sets and clears between the calls */
};

static const struct replay_case replay_cases[] = {
	{ "at once", false, U32_MAX, false },
	{ "at once with $", true, U32_MAX, false },
	{ "a step at a time", false, 0, false },
	{ "a step at a time with $", true, 0, false },
	{ "a step at a time, with changes", false, 0, true },
	{ "three steps at a time, with changes and $", true, 3, true },
};

KUNIT_ARRAY_PARAM_DESC(replay, replay_cases, desc);

static void random_change(struct kunit *test, struct retained_test *t,
			  struct rnd_state *rnd)
{
	struct topic *topic = &t->topics[kmqtt_test_below(rnd, TOPICS)];

	if (kmqtt_test_below(rnd, 2))
		topic_set(test, t, topic);
	else
		topic_clear(test, t, topic);
}

static void replay_filter(struct kunit *test, struct retained_test *t,
			  const struct replay_case *c, const char *filter,
			  struct rnd_state *rnd)
{
	struct kmqtt_replay *r = replay(test, t, filter, c->all);
	u64 seq = t->seq;
	u32 calls = 0;
	int ret, i;

	for (i = 0; i < TOPICS; i++)
		t->topics[i].seen = false;
	do {
		struct kmqtt_msg *msg = NULL;
		u32 steps = c->steps;

		ret = kmqtt_replay_next(&t->store, r, &steps, &msg);
		if (ret > 0) {
			expect_msg(test, t, msg, filter, c->all, seq);
			kmqtt_msg_put(msg);
		}
		if (c->changes && kmqtt_test_below(rnd, 4))
			random_change(test, t, rnd);
		KUNIT_ASSERT_LT(test, ++calls, 10000);
	} while (ret > 0 || ret == -EAGAIN);
	KUNIT_EXPECT_EQ(test, ret, 0);

	/* What was there from the first to the last moment was walked to. */
	for (i = 0; i < TOPICS; i++) {
		const struct topic *topic = &t->topics[i];

		if (topic->msg && topic->seq <= seq &&
		    topic_matches(topic, filter, c->all))
			KUNIT_EXPECT_TRUE_MSG(test, topic->seen,
					      "%s not found by %s",
					      topic->name, filter);
	}
	kmqtt_replay_destroy(&t->store, r);
}

static void replay_random(struct kunit *test)
{
	const struct replay_case *c = test->param_value;
	struct retained_test *t = retained_create(test);
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 815);
	topics_fill(test, t, &rnd);
	for (i = 0; i < FILTERS; i++) {
		char filter[KMQTT_TEST_NAME_MAX];

		kmqtt_test_random_filter(&rnd, filter);
		replay_filter(test, t, c, filter, &rnd);
	}
	replay_filter(test, t, c, "#", &rnd);
	replay_filter(test, t, c, "+/#", &rnd);
	for (i = 0; i < TOPICS; i++)
		topic_clear(test, t, &t->topics[i]);
	KUNIT_EXPECT_EQ(test, t->store.nr, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	kmqtt_retained_uninit(&t->store);
}

/* Without a start there is nothing old enough, at the end nothing more. */
static void replay_ends(struct kunit *test)
{
	struct retained_test *t = retained_create(test);
	struct kmqtt_replay *r;
	struct kmqtt_msg *msg;
	u32 steps = 10;

	KUNIT_ASSERT_EQ(test, set(test, t, "a", NO_LIMIT), 0);
	r = kmqtt_replay_create(t->memory, "a", 1, false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_EQ(test, kmqtt_replay_next(&t->store, r, &steps, &msg), 0);
	kmqtt_replay_destroy(&t->store, r);

	r = replay(test, t, "a", false);
	KUNIT_ASSERT_EQ(test, kmqtt_replay_next(&t->store, r, &steps, &msg), 1);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, kmqtt_replay_next(&t->store, r, &steps, &msg), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_replay_next(&t->store, r, &steps, &msg), 0);
	kmqtt_replay_destroy(&t->store, r);
	kmqtt_retained_uninit(&t->store);
}

/* A walk that rests keeps its place, also when all else is gone, and no more. */
static void replay_destroyed(struct kunit *test)
{
	struct retained_test *t = retained_create(test);
	static const char *const names[] = { "a", "a/b", "a/b/c", "d" };
	size_t stop, i;

	for (stop = 0; stop <= ARRAY_SIZE(names); stop++) {
		struct kmqtt_replay *r;
		struct kmqtt_msg *msg;
		u32 steps = 100;

		for (i = 0; i < ARRAY_SIZE(names); i++)
			KUNIT_ASSERT_EQ(test, set(test, t, names[i], NO_LIMIT),
					0);
		r = replay(test, t, "#", false);
		for (i = 0; i < stop; i++) {
			KUNIT_ASSERT_EQ(test, kmqtt_replay_next(&t->store, r,
								&steps, &msg),
					1);
			kmqtt_msg_put(msg);
		}
		for (i = 0; i < ARRAY_SIZE(names); i++)
			KUNIT_EXPECT_EQ(test, clear(t, names[i]), 0);
		if (stop & 1)
			KUNIT_EXPECT_EQ(test, kmqtt_replay_next(&t->store, r,
								&steps, &msg),
					0);
		kmqtt_replay_destroy(&t->store, r);
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	}
	kmqtt_retained_uninit(&t->store);
}

static struct kunit_case retained_cases[] = {
	KUNIT_CASE(retained_set),
	KUNIT_CASE(retained_limits),
	KUNIT_CASE_PARAM(replay_random, replay_gen_params),
	KUNIT_CASE(replay_ends),
	KUNIT_CASE(replay_destroyed),
	{}
};

static struct kunit_suite retained_suite = {
	.name = "kmqtt_topic_retained",
	.test_cases = retained_cases,
};

kunit_test_suites(&retained_suite);
