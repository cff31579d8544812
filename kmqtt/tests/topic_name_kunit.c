// SPDX-License-Identifier: GPL-2.0
/*
 * Topic names and topic filters (MQTT 3.1.1, 4.7), and the trie of their
 * levels.
 */
#include "support.h"
#include "../topic/trie.h"

struct valid_case {
	const char *text;
	bool name;
	bool filter;
};

static const struct valid_case valid_cases[] = {
	{ "", false, false },
	{ "a", true, true },
	{ "/", true, true },
	{ "//", true, true },
	{ "/a", true, true },
	{ "a/", true, true },
	{ " ", true, true },
	{ "$", true, true },
	{ "$SYS/broker", true, true },
	{ "a/b/c", true, true },
	{ "ACCOUNTS/Accounts payable", true, true },
	{ "#", false, true },
	{ "+", false, true },
	{ "/#", false, true },
	{ "/+", false, true },
	{ "+/", false, true },
	{ "+/+", false, true },
	{ "+/#", false, true },
	{ "+/a/#", false, true },
	{ "a/+/b", false, true },
	{ "a/#", false, true },
	{ "sport/tennis/#", false, true },
	{ "sport/tennis#", false, false },
	{ "sport/tennis/#/ranking", false, false },
	{ "#/", false, false },
	{ "#/a", false, false },
	{ "##", false, false },
	{ "a/##", false, false },
	{ "#a", false, false },
	{ "+a", false, false },
	{ "a+", false, false },
	{ "a+/b", false, false },
	{ "sport+", false, false },
	{ "++", false, false },
	{ "+#", false, false },
	{ "a/+b/c", false, false },
};

KUNIT_ARRAY_PARAM_DESC(valid, valid_cases, text);

static void name_validity(struct kunit *test)
{
	const struct valid_case *c = test->param_value;
	size_t len = strlen(c->text);
	u8 *exact = kmqtt_test_exact(test, c->text, len);

	KUNIT_EXPECT_EQ(test, kmqtt_topic_name_valid(exact, len), c->name);
	KUNIT_EXPECT_EQ(test, kmqtt_topic_filter_valid(exact, len), c->filter);
}

/* Levels are limited, length is not. */
static void name_levels(struct kunit *test)
{
	const size_t max = KMQTT_STRING_MAX;
	u8 *text = kunit_kmalloc(test, max, GFP_KERNEL);
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', max);
	KUNIT_EXPECT_TRUE(test, kmqtt_topic_name_valid(text, max));
	KUNIT_EXPECT_TRUE(test, kmqtt_topic_filter_valid(text, max));
	memset(text, '/', max);
	for (len = 1; len < KMQTT_LEVELS_MAX + 3; len++) {
		bool few = len + 1 <= KMQTT_LEVELS_MAX;

		KUNIT_EXPECT_EQ(test, kmqtt_topic_name_valid(text, len), few);
		KUNIT_EXPECT_EQ(test, kmqtt_topic_filter_valid(text, len), few);
	}
	KUNIT_EXPECT_FALSE(test, kmqtt_topic_name_valid(text, max));
	KUNIT_EXPECT_FALSE(test, kmqtt_topic_filter_valid(text, max));
}

struct match_case {
	const char *desc;
	const char *filter;
	const char *name;
	bool matches;
};

static const struct match_case match_cases[] = {
	/* 4.7.1.2 */
	{ "player below #", "sport/tennis/player1/#",
	  "sport/tennis/player1", true },
	{ "ranking below #", "sport/tennis/player1/#",
	  "sport/tennis/player1/ranking", true },
	{ "two levels below #", "sport/tennis/player1/#",
	  "sport/tennis/player1/score/wimbledon", true },
	{ "another player", "sport/tennis/player1/#",
	  "sport/tennis/player2", false },
	{ "parent of #", "sport/#", "sport", true },
	{ "# is everything", "#", "a/b/c", true },
	{ "# and a slash", "#", "/", true },
	/* 4.7.1.3 */
	{ "player1 is +", "sport/tennis/+", "sport/tennis/player1", true },
	{ "player2 is +", "sport/tennis/+", "sport/tennis/player2", true },
	{ "ranking is one more than +", "sport/tennis/+",
	  "sport/tennis/player1/ranking", false },
	{ "+ is not nothing", "sport/+", "sport", false },
	{ "+ is an empty level", "sport/+", "sport/", true },
	{ "+/+ and /finance", "+/+", "/finance", true },
	{ "/+ and /finance", "/+", "/finance", true },
	{ "+ and /finance", "+", "/finance", false },
	{ "tennis below +", "+/tennis/#", "sport/tennis/player1", true },
	{ "+ in the middle", "sport/+/player1", "sport/tennis/player1", true },
	/* 4.7.2 */
	{ "# and $SYS", "#", "$SYS/broker", false },
	{ "# and $ alone", "#", "$", false },
	{ "+ and $SYS", "+/monitor/Clients", "$SYS/monitor/Clients", false },
	{ "+ alone and $SYS", "+", "$SYS", false },
	{ "$SYS/# and $SYS", "$SYS/#", "$SYS", true },
	{ "$SYS/# and below", "$SYS/#", "$SYS/monitor/Clients", true },
	{ "$SYS, then +", "$SYS/monitor/+", "$SYS/monitor/Clients", true },
	{ "$ in the second level", "+/$SYS", "a/$SYS", true },
	{ "$ below #", "a/#", "a/$SYS", true },
	/* 4.7.3 */
	{ "case counts", "ACCOUNTS", "Accounts", false },
	{ "space counts", "Accounts payable", "Accounts  payable", false },
	{ "leading slash counts", "/finance", "finance", false },
	{ "trailing slash counts", "finance/", "finance", false },
	{ "equal", "a/b/c", "a/b/c", true },
	{ "shorter", "a/b", "a/b/c", false },
	{ "longer", "a/b/c", "a/b", false },
	{ "beginning of a level", "a/b", "a/bc", false },
	{ "end of a level", "a/bc", "a/b", false },
	{ "empty levels", "//", "//", true },
	{ "empty levels are levels", "//", "/", false },
};

KUNIT_ARRAY_PARAM_DESC(match, match_cases, desc);

/* The table judges the reference as well. */
static void name_matches(struct kunit *test)
{
	const struct match_case *c = test->param_value;
	size_t filter_len = strlen(c->filter), len = strlen(c->name);
	u8 *filter = kmqtt_test_exact(test, c->filter, filter_len);
	u8 *name = kmqtt_test_exact(test, c->name, len);

	KUNIT_EXPECT_EQ(test, kmqtt_topic_matches(filter, filter_len, name,
						  len), c->matches);
	KUNIT_EXPECT_EQ(test, kmqtt_test_matches(c->filter, c->name),
			c->matches);
}

static void name_matches_random(struct kunit *test)
{
	u32 wrong = 0, matched = 0;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 47);
	for (i = 0; i < 20000; i++) {
		char filter[KMQTT_TEST_NAME_MAX], name[KMQTT_TEST_NAME_MAX];
		bool want;

		kmqtt_test_random_filter(&rnd, filter);
		kmqtt_test_random_name(&rnd, name);
		want = kmqtt_test_matches(filter, name);
		matched += want;
		wrong += kmqtt_topic_matches(filter, strlen(filter),
					     name, strlen(name)) != want;
		wrong += !kmqtt_topic_filter_valid(filter, strlen(filter));
		wrong += !kmqtt_topic_name_valid(name, strlen(name));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	/* The samples are worth something. */
	KUNIT_EXPECT_GT(test, matched, 1000);
}

static struct kmqtt_trie *trie_create(struct kunit *test,
				      struct kmqtt_memory *memory)
{
	struct kmqtt_trie *trie = kunit_kzalloc(test, sizeof(*trie),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, trie);
	KUNIT_ASSERT_EQ(test, kmqtt_trie_init(trie, memory), 0);
	return trie;
}

static struct kmqtt_trie_node *trie_get(struct kmqtt_trie *trie,
					const char *name)
{
	struct kmqtt_trie_node *node;

	spin_lock_bh(&trie->lock);
	node = kmqtt_trie_get(trie, name, strlen(name));
	spin_unlock_bh(&trie->lock);
	return node;
}

static void trie_put(struct kmqtt_trie *trie, struct kmqtt_trie_node *node)
{
	spin_lock_bh(&trie->lock);
	kmqtt_trie_put(trie, node);
	spin_unlock_bh(&trie->lock);
}

/* Only to compare: the lock no longer keeps what is returned. */
static struct kmqtt_trie_node *trie_find(struct kmqtt_trie *trie,
					 const char *name)
{
	struct kmqtt_trie_node *node;

	spin_lock_bh(&trie->lock);
	node = kmqtt_trie_find(trie, name, strlen(name));
	spin_unlock_bh(&trie->lock);
	return node;
}

static void trie_lives(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_trie *trie = trie_create(test, memory);
	struct kmqtt_trie_node *abc, *ab, *again;

	KUNIT_EXPECT_NULL(test, trie_find(trie, "a"));
	abc = trie_get(trie, "a/b/c");
	KUNIT_ASSERT_NOT_NULL(test, abc);
	KUNIT_EXPECT_EQ(test, abc->depth, 3);
	KUNIT_EXPECT_PTR_EQ(test, trie_find(trie, "a/b/c"), abc);
	KUNIT_EXPECT_PTR_EQ(test, trie_find(trie, "a/b"), abc->parent);
	KUNIT_EXPECT_NULL(test, trie_find(trie, "a/b/c/"));
	KUNIT_EXPECT_NULL(test, trie_find(trie, "a/b/d"));
	KUNIT_EXPECT_NULL(test, trie_find(trie, "b/b/c"));

	ab = trie_get(trie, "a/b");
	again = trie_get(trie, "a/b/c");
	KUNIT_EXPECT_PTR_EQ(test, ab, abc->parent);
	KUNIT_EXPECT_PTR_EQ(test, again, abc);
	trie_put(trie, abc);
	KUNIT_EXPECT_PTR_EQ(test, trie_find(trie, "a/b/c"), abc);
	trie_put(trie, again);
	KUNIT_EXPECT_NULL(test, trie_find(trie, "a/b/c"));
	KUNIT_EXPECT_PTR_EQ(test, trie_find(trie, "a/b"), ab);
	trie_put(trie, ab);
	KUNIT_EXPECT_NULL(test, trie_find(trie, "a"));
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
	kmqtt_trie_uninit(trie);
}

static void trie_wildcards(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_trie *trie = trie_create(test, memory);
	struct kmqtt_trie_node *plus = trie_get(trie, "a/+");
	struct kmqtt_trie_node *multi = trie_get(trie, "a/#");
	struct kmqtt_trie_node *a = trie_find(trie, "a");

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(a->plus), plus);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(a->multi), multi);
	trie_put(trie, plus);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(a->plus));
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(a->multi), multi);
	trie_put(trie, multi);
	kmqtt_trie_uninit(trie);
}

static void trie_path(struct kunit *test)
{
	static const char *const names[] = {
		"a", "/", "//", "a/", "/a", "a/b/c", "$SYS/+/#", "a//b",
	};
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_trie *trie = trie_create(test, memory);
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct kmqtt_trie_node *node = trie_get(trie, names[i]);
		size_t len = strlen(names[i]);

		KUNIT_ASSERT_NOT_NULL(test, node);
		for (size = 0; size <= len; size++) {
			u8 *to = kmqtt_test_exact(test, "????????????", size);

			KUNIT_EXPECT_EQ(test, kmqtt_trie_path(node, to, size),
					len);
			KUNIT_EXPECT_MEMEQ(test, to, size == len ? names[i] :
					   "????????????", size);
		}
		trie_put(trie, node);
	}
	kmqtt_trie_uninit(trie);
}

/* A name that can't be made whole leaves nothing behind. */
static void trie_no_memory(struct kunit *test)
{
	static const char name[] =
		"a/b/a level that is longer than all the limit has room for";
	struct kmqtt_memory *memory = kmqtt_test_memory(test, 0);
	struct kmqtt_trie *trie = trie_create(test, memory);
	struct kmqtt_trie_node *node;

	KUNIT_EXPECT_NULL(test, trie_get(trie, "a/b/c"));
	memory->limit = struct_size(node, level, 10);
	KUNIT_EXPECT_NULL(test, trie_get(trie, name));
	KUNIT_EXPECT_NULL(test, trie_find(trie, "a"));
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);

	/* What others use stays. */
	node = trie_get(trie, "a/b");
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_EXPECT_NULL(test, trie_get(trie, name));
	KUNIT_EXPECT_PTR_EQ(test, trie_find(trie, "a/b"), node);
	trie_put(trie, node);
	kmqtt_trie_uninit(trie);
}

static struct kunit_case name_cases[] = {
	KUNIT_CASE_PARAM(name_validity, valid_gen_params),
	KUNIT_CASE(name_levels),
	KUNIT_CASE_PARAM(name_matches, match_gen_params),
	KUNIT_CASE(name_matches_random),
	{}
};

static struct kunit_case trie_cases[] = {
	KUNIT_CASE(trie_lives),
	KUNIT_CASE(trie_wildcards),
	KUNIT_CASE(trie_path),
	KUNIT_CASE(trie_no_memory),
	{}
};

static struct kunit_suite name_suite = {
	.name = "kmqtt_topic_name",
	.test_cases = name_cases,
};

static struct kunit_suite trie_suite = {
	.name = "kmqtt_topic_trie",
	.test_cases = trie_cases,
};

kunit_test_suites(&name_suite, &trie_suite);
