// SPDX-License-Identifier: GPL-2.0
/*
 * The subscription tree against lists of filters and a matcher that is too
 * simple to be wrong.
 */
#include "support.h"
#include "../topic/memo.h"

#define SUBSCRIBERS	6
#define FILTERS		40
#define ROUNDS		400
#define MATCHES		(SUBSCRIBERS * FILTERS)

#define NO_LIMIT	U32_MAX

struct tree_test {
	struct kmqtt_memory *memory;
	struct kmqtt_tree tree;
	struct kmqtt_subscriber subscribers[SUBSCRIBERS];
	struct kmqtt_match matches[MATCHES];
	struct kmqtt_route route;
};

static struct tree_test *tree_create(struct kunit *test)
{
	struct tree_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	KUNIT_ASSERT_EQ(test, kmqtt_tree_init(&t->tree, t->memory), 0);
	for (i = 0; i < SUBSCRIBERS; i++)
		kmqtt_subscriber_init(&t->subscribers[i]);
	t->route.matches = t->matches;
	t->route.max = MATCHES;
	t->route.steps_max = 1000;
	return t;
}

/* Every subscriber leaves; then nothing may be left. */
static void tree_destroy(struct kunit *test, struct tree_test *t)
{
	int i;

	for (i = 0; i < SUBSCRIBERS; i++)
		while (kmqtt_tree_leave(&t->tree, &t->subscribers[i], true))
			;
	KUNIT_EXPECT_EQ(test, t->tree.nr_subs, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	kmqtt_tree_uninit(&t->tree);
}

static int subscribe(struct tree_test *t, int who, const char *filter, u8 qos,
		     u32 max)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, qos);

	return kmqtt_tree_subscribe(&t->tree, &t->subscribers[who], &request,
				    max);
}

static int unsubscribe(struct tree_test *t, int who, const char *filter)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, 0);

	return kmqtt_tree_unsubscribe(&t->tree, &t->subscribers[who],
				      &request.filter);
}

static int match(struct tree_test *t, const char *name)
{
	int ret;

	rcu_read_lock();
	ret = t->route.memo ?
	      kmqtt_memo_match(t->route.memo, &t->tree, name, strlen(name),
			       &t->route) :
	      kmqtt_tree_match(&t->tree, name, strlen(name), &t->route);
	rcu_read_unlock();
	return ret;
}

/* Matches of a subscriber. */
static u32 matched_nr(struct tree_test *t, int who)
{
	u32 i, nr = 0;

	for (i = 0; i < t->route.nr; i++)
		nr += t->matches[i].subscriber == &t->subscribers[who];
	return nr;
}

/* The QoS with which a subscriber gets what the last match was for, or -1. */
static int matched_qos(struct tree_test *t, int who)
{
	int qos = -1;
	u32 i, last = 0;

	for (i = 0; i < t->route.nr; i++) {
		if (t->matches[i].subscriber != &t->subscribers[who])
			continue;
		if (qos >= 0 && i != last + 1)
			return -2;	/* would be met twice */
		last = i;
		qos = max_t(int, qos, t->matches[i].options);
	}
	return qos;
}

static void tree_subscribe(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	u64 generation = kmqtt_tree_generation(&t->tree);

	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 0);

	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a/+", 1, NO_LIMIT), 0);
	KUNIT_EXPECT_NE(test, kmqtt_tree_generation(&t->tree),
			generation);
	KUNIT_EXPECT_EQ(test, t->tree.nr_subs, 1);
	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 1);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), 1);

	/* The same again replaces it, downwards, too. */
	generation = kmqtt_tree_generation(&t->tree);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a/+", 0, NO_LIMIT), 1);
	KUNIT_EXPECT_NE(test, kmqtt_tree_generation(&t->tree),
			generation);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_count(&t->tree, &t->subscribers[0]),
			1);
	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), 0);

	/* Another one's is another one. */
	KUNIT_EXPECT_EQ(test, subscribe(t, 1, "a/+", 2, NO_LIMIT), 0);
	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 2);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), 0);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 1), 2);

	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "a/b"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 2, "a/+"), -ENOENT);
	generation = kmqtt_tree_generation(&t->tree);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "a/+"), 0);
	KUNIT_EXPECT_NE(test, kmqtt_tree_generation(&t->tree),
			generation);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "a/+"), -ENOENT);
	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 1);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 1, "a/+"), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	tree_destroy(test, t);
}

static void tree_overlap(struct kunit *test)
{
	static const char *const filters[] = {
		"a/b", "a/#", "+/b", "+/+", "#", "a/b/#",
	};
	struct tree_test *t = tree_create(test);
	size_t best, i;

	for (best = 0; best < ARRAY_SIZE(filters); best++) {
		for (i = 0; i < ARRAY_SIZE(filters); i++)
			subscribe(t, 0, filters[i], i == best ? 2 : i & 1,
				  NO_LIMIT);
		KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
		KUNIT_EXPECT_EQ(test, t->route.nr, ARRAY_SIZE(filters));
		KUNIT_EXPECT_EQ_MSG(test, matched_qos(t, 0), 2, "%s",
				    filters[best]);
	}
	tree_destroy(test, t);
}

static void tree_route_full(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	int i;

	for (i = 0; i < SUBSCRIBERS; i++)
		subscribe(t, i, i & 1 ? "a" : "+", 0, NO_LIMIT);
	t->route.max = SUBSCRIBERS;
	KUNIT_EXPECT_EQ(test, match(t, "a"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, SUBSCRIBERS);
	t->route.max = SUBSCRIBERS - 1;
	KUNIT_EXPECT_EQ(test, match(t, "a"), -ENOSPC);
	KUNIT_EXPECT_EQ(test, t->route.nr, SUBSCRIBERS);
	t->route.max = 0;
	KUNIT_EXPECT_EQ(test, match(t, "a"), -ENOSPC);
	KUNIT_EXPECT_EQ(test, match(t, "b/c"), 0);
	KUNIT_EXPECT_EQ(test, t->route.nr, 0);
	tree_destroy(test, t);
}

/* Filters that branch at each level: 2^n nodes for n levels. */
static void tree_steps(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	u32 steps, i, needed = 0;

	for (i = 0; i < 32; i++) {
		char filter[] = "?/?/?/?/?";
		int level;

		for (level = 0; level < 5; level++)
			filter[2 * level] = i & BIT(level) ? '+' : 'a';
		KUNIT_ASSERT_EQ(test, subscribe(t, 0, filter, 0, NO_LIMIT), 0);
	}
	for (steps = 0; steps < 100 && !needed; steps++) {
		t->route.steps_max = steps;
		if (!match(t, "a/a/a/a/a"))
			needed = steps;
		else
			KUNIT_EXPECT_EQ(test, match(t, "a/a/a/a/a"), -E2BIG);
	}
	KUNIT_EXPECT_EQ(test, needed, 63);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), 0);
	tree_destroy(test, t);
}

/* The deepest name there may be, with a wildcard at each level. */
static void tree_deep(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	char *text = kunit_kzalloc(test, 2 * KMQTT_LEVELS_MAX, GFP_KERNEL);
	int level;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (level = 0; level < KMQTT_LEVELS_MAX; level++) {
		text[2 * level] = 'a';
		subscribe(t, 0, text, 0, NO_LIMIT);
		text[2 * level] = '+';
		subscribe(t, 1, text, 1, NO_LIMIT);
		text[2 * level] = '#';
		subscribe(t, 2, text, 2, NO_LIMIT);
		text[2 * level] = 'a';
		text[2 * level + 1] = '/';
	}
	text[2 * KMQTT_LEVELS_MAX - 1] = 0;
	KUNIT_ASSERT_TRUE(test, kmqtt_topic_name_valid(text, strlen(text)));
	KUNIT_EXPECT_EQ(test, match(t, text), 0);
	KUNIT_EXPECT_EQ(test, matched_nr(t, 0), 1);
	KUNIT_EXPECT_EQ(test, matched_nr(t, 1), 1);
	KUNIT_EXPECT_EQ(test, matched_nr(t, 2), KMQTT_LEVELS_MAX);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), 0);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 1), 1);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 2), 2);
	tree_destroy(test, t);
}

static void tree_limits(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	u64 used;

	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a", 0, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a", 0, 2), 0);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "b", 0, 2), 0);
	used = kmqtt_memory_used(t->memory);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "c/d", 0, 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	/* One's limit is not another's, and replacing needs no room. */
	KUNIT_EXPECT_EQ(test, subscribe(t, 1, "c/d", 0, 2), 0);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a", 2, 2), 1);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "b"), 0);
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "c/d", 0, 2), 0);

	used = kmqtt_memory_used(t->memory);
	t->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, subscribe(t, 2, "e/f", 0, 2), -ENOMEM);
	KUNIT_EXPECT_EQ(test, subscribe(t, 2, "a", 0, 2), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_count(&t->tree, &t->subscribers[2]),
			0);
	tree_destroy(test, t);
}

static void tree_leave(struct kunit *test)
{
	struct tree_test *t = tree_create(test);
	char filter[8];
	int i, rounds = 1;

	for (i = 0; i < 200; i++) {
		snprintf(filter, sizeof(filter), "a/%d", i);
		KUNIT_ASSERT_EQ(test, subscribe(t, 0, filter, 0, NO_LIMIT), 0);
	}
	subscribe(t, 1, "a/7", 1, NO_LIMIT);
	while (kmqtt_tree_leave(&t->tree, &t->subscribers[0], false))
		rounds++;
	KUNIT_EXPECT_GT(test, rounds, 1);
	KUNIT_EXPECT_EQ(test, t->tree.nr_subs, 1);
	KUNIT_EXPECT_EQ(test, match(t, "a/7"), 0);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 0), -1);
	KUNIT_EXPECT_EQ(test, matched_qos(t, 1), 1);

	/* It may come back, until it is gone for good. */
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a/7", 0, NO_LIMIT), 0);
	KUNIT_EXPECT_FALSE(test, kmqtt_tree_leave(&t->tree, &t->subscribers[0],
						  true));
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "a/7", 0, NO_LIMIT), -ESHUTDOWN);
	tree_destroy(test, t);
}

static void tree_walk(struct kunit *test)
{
	static const char *const filters[] = { "a", "b/+", "#", "c//d" };
	struct tree_test *t = tree_create(test);
	struct kmqtt_sub_walk walk = {};
	u8 filter[16];
	size_t len, i;

	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, &t->subscribers[0],
					      &walk, filter, 16, &len), 0);
	for (i = 0; i < ARRAY_SIZE(filters); i++)
		subscribe(t, 0, filters[i], i % 3, NO_LIMIT);
	for (i = 0; i < ARRAY_SIZE(filters); i++) {
		KUNIT_ASSERT_EQ(test, kmqtt_tree_walk(&t->tree,
						      &t->subscribers[0],
						      &walk, filter, 16, &len),
				1);
		KUNIT_ASSERT_EQ(test, len, strlen(filters[i]));
		KUNIT_EXPECT_MEMEQ(test, filter, filters[i], len);
		KUNIT_EXPECT_EQ(test, walk.options, i % 3);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, &t->subscribers[0],
					      &walk, filter, 16, &len), 0);

	/* The place where it rests goes. */
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, &t->subscribers[0],
					      &walk, filter, 16, &len), 1);
	unsubscribe(t, 0, filters[0]);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, &t->subscribers[0],
					      &walk, filter, 16, &len),
			-ESTALE);
	/* It ends half way. */
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, &t->subscribers[0],
					      &walk, filter, 16, &len), 1);
	kmqtt_tree_walk_end(&t->tree, &walk);
	tree_destroy(test, t);
}

/* Who subscribed to what: the model that the tree is compared with. */
struct tree_model {
	char filters[FILTERS][KMQTT_TEST_NAME_MAX];
	s8 qos[SUBSCRIBERS][FILTERS];
};

static void model_change(struct kunit *test, struct tree_test *t,
			 struct tree_model *m, struct rnd_state *rnd)
{
	u32 who = kmqtt_test_below(rnd, SUBSCRIBERS);
	u32 what = kmqtt_test_below(rnd, FILTERS);
	s8 *had = &m->qos[who][what];
	u8 qos = kmqtt_test_below(rnd, 3);

	if (kmqtt_test_below(rnd, 2)) {
		KUNIT_EXPECT_EQ(test, subscribe(t, who, m->filters[what], qos,
						NO_LIMIT), *had >= 0);
		*had = qos;
	} else {
		KUNIT_EXPECT_EQ(test, unsubscribe(t, who, m->filters[what]),
				*had >= 0 ? 0 : -ENOENT);
		*had = -1;
	}
}

static void model_compare(struct kunit *test, struct tree_test *t,
			  const struct tree_model *m, const char *name)
{
	u32 expected = 0;
	int who, what;

	KUNIT_ASSERT_EQ(test, match(t, name), 0);
	for (who = 0; who < SUBSCRIBERS; who++) {
		int want = -1;
		u32 nr = 0;

		for (what = 0; what < FILTERS; what++) {
			if (!kmqtt_test_matches(m->filters[what], name))
				continue;
			want = max_t(int, want, m->qos[who][what]);
			nr += m->qos[who][what] >= 0;
		}
		KUNIT_EXPECT_EQ_MSG(test, matched_qos(t, who), want,
				    "subscriber %d, name %s", who, name);
		KUNIT_EXPECT_EQ_MSG(test, matched_nr(t, who), nr,
				    "subscriber %d, name %s", who, name);
		expected += nr;
	}
	KUNIT_EXPECT_EQ_MSG(test, t->route.nr, expected, "name %s", name);
}

static void random_changes(struct kunit *test, struct tree_test *t)
{
	struct tree_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct rnd_state rnd;
	int i, j;

	KUNIT_ASSERT_NOT_NULL(test, m);
	memset(m->qos, -1, sizeof(m->qos));
	prandom_seed_state(&rnd, 4711);
	for (i = 0; i < FILTERS; ) {
		kmqtt_test_random_filter(&rnd, m->filters[i]);
		for (j = 0; strcmp(m->filters[j], m->filters[i]); j++)
			;
		i += j == i;
	}
	for (i = 0; i < ROUNDS; i++) {
		char name[KMQTT_TEST_NAME_MAX];

		for (j = kmqtt_test_below(&rnd, 8); j; j--)
			model_change(test, t, m, &rnd);
		for (j = 0; j < 4; j++) {
			kmqtt_test_random_name(&rnd, name);
			model_compare(test, t, m, name);
		}
	}
	tree_destroy(test, t);
}

static void tree_random(struct kunit *test)
{
	random_changes(test, tree_create(test));
}

/* The names are few, so that most are remembered until something changes. */
static void tree_random_memo(struct kunit *test)
{
	struct tree_test *t = tree_create(test);

	t->route.memo = kunit_kzalloc(test, sizeof(*t->route.memo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->route.memo);
	random_changes(test, t);
}

static struct kunit_case tree_cases[] = {
	KUNIT_CASE(tree_subscribe),
	KUNIT_CASE(tree_overlap),
	KUNIT_CASE(tree_route_full),
	KUNIT_CASE(tree_steps),
	KUNIT_CASE(tree_deep),
	KUNIT_CASE(tree_limits),
	KUNIT_CASE(tree_leave),
	KUNIT_CASE(tree_walk),
	KUNIT_CASE(tree_random),
	KUNIT_CASE(tree_random_memo),
	{}
};

static struct kunit_suite tree_suite = {
	.name = "kmqtt_topic_tree",
	.test_cases = tree_cases,
};

kunit_test_suites(&tree_suite);
