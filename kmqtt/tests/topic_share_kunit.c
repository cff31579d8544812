// SPDX-License-Identifier: GPL-2.0
/*
 * Shared subscriptions in the tree: their filters, their groups and who is in
 * them.
 */
#include "support.h"
#include "../topic/match.h"

#define SUBSCRIBERS	40
#define MATCHES		64
#define NO_LIMIT	U32_MAX
#define ROUNDS		1500

struct filter_case {
	const char *desc;
	const char *filter;
	const char *share;	/* NULL if it is no shared subscription */
	const char *topic;	/* NULL if it is invalid */
};

static const struct filter_case filter_cases[] = {
	{ "not shared", "a/b", NULL, "a/b" },
	{ "empty", "", NULL, NULL },
	{ "shared", "$share/g/a/b", "g", "a/b" },
	{ "shared, with wildcards", "$share/group/+/b/#", "group", "+/b/#" },
	{ "shared, empty levels", "$share/g//", "g", "/" },
	{ "shared, a first level with $", "$share/g/$SYS/#", "g", "$SYS/#" },
	{ "shared, another one as topic", "$share/g/$share/h/a", "g",
	  "$share/h/a" },
	{ "no name and no topic", "$share/", NULL, NULL },
	{ "no name", "$share//a", NULL, NULL },
	{ "no topic", "$share/g", NULL, NULL },
	{ "an empty topic", "$share/g/", NULL, NULL },
	{ "wildcard + in the name", "$share/g+/a", NULL, NULL },
	{ "just # as name", "$share/#/a", NULL, NULL },
	{ "# as name and no topic", "$share/#", NULL, NULL },
	{ "topic with # in between", "$share/g/#/a", NULL, NULL },
	{ "topic with a+", "$share/g/a+", NULL, NULL },
	{ "prefix without slash", "$share", NULL, "$share" },
	{ "longer first level", "$shared/g/a", NULL, "$shared/g/a" },
	{ "another case", "$SHARE/g/a", NULL, "$SHARE/g/a" },
	{ "not at the start", "a/$share/g/a", NULL, "a/$share/g/a" },
};

KUNIT_ARRAY_PARAM_DESC(filter, filter_cases, desc);

static void share_filter(struct kunit *test)
{
	const struct filter_case *c = test->param_value;
	size_t len = strlen(c->filter);
	u8 *exact = kmqtt_test_exact(test, c->filter, len);
	struct kmqtt_filter f;

	KUNIT_ASSERT_EQ(test, kmqtt_filter_parse(&f, exact, len), !!c->topic);
	if (!c->topic)
		return;
	KUNIT_ASSERT_EQ(test, f.len, strlen(c->topic));
	KUNIT_EXPECT_MEMEQ(test, f.topic, c->topic, f.len);
	KUNIT_ASSERT_EQ(test, !!f.share, !!c->share);
	KUNIT_ASSERT_EQ(test, f.share_len, c->share ? strlen(c->share) : 0);
	if (c->share)
		KUNIT_EXPECT_MEMEQ(test, f.share, c->share, f.share_len);
}

struct share_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_tree tree;
	struct kmqtt_subscriber subscribers[SUBSCRIBERS];
	struct kmqtt_match matches[MATCHES];
	struct kmqtt_route route;
};

static struct share_test *share_create(struct kunit *test)
{
	struct share_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	KUNIT_ASSERT_EQ(test, kmqtt_tree_init(&t->tree, t->memory), 0);
	for (i = 0; i < SUBSCRIBERS; i++)
		kmqtt_subscriber_init(&t->subscribers[i]);
	t->route.matches = t->matches;
	t->route.max = MATCHES;
	t->route.steps_max = 1000;
	return t;
}

static void share_destroy(struct share_test *t)
{
	int i;

	for (i = 0; i < SUBSCRIBERS; i++)
		while (kmqtt_tree_leave(&t->tree, &t->subscribers[i], true))
			;
	KUNIT_EXPECT_EQ(t->test, t->tree.nr_subs, 0);
	KUNIT_EXPECT_EQ(t->test, kmqtt_memory_used(t->memory), 0);
	KUNIT_EXPECT_EQ(t->test, atomic_read(&t->tree.groups.table.nelems), 0);
	kmqtt_tree_uninit(&t->tree);
}

static int subscribe(struct share_test *t, int who, const char *filter)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, 1);

	return kmqtt_tree_subscribe(&t->tree, &t->subscribers[who], &request,
				    NO_LIMIT);
}

static int unsubscribe(struct share_test *t, int who, const char *filter)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, 0);

	return kmqtt_tree_unsubscribe(&t->tree, &t->subscribers[who],
				      &request.filter);
}

/* How many subscribers and groups get this. */
static u32 match(struct share_test *t, const char *name)
{
	rcu_read_lock();
	KUNIT_EXPECT_EQ(t->test, kmqtt_tree_match(&t->tree, name, strlen(name),
						  &t->route), 0);
	rcu_read_unlock();
	return t->route.nr;
}

/* The group of this name in the last match, which has it at most once. */
static struct kmqtt_group *matched(struct share_test *t, const char *name)
{
	struct kmqtt_group *found = NULL;
	u32 i;

	for (i = 0; i < t->route.nr; i++) {
		struct kmqtt_group *group = t->matches[i].group;

		KUNIT_EXPECT_EQ(t->test, !group, !!t->matches[i].subscriber);
		if (!group || group->name_len != strlen(name) ||
		    memcmp(group->name, name, group->name_len))
			continue;
		KUNIT_EXPECT_NULL(t->test, found);
		found = group;
	}
	return found;
}

/* A bit for each subscriber that a group has, each once. */
static u64 members(struct share_test *t, const struct kmqtt_group *group)
{
	u64 seen = 0;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < group->nr; i++) {
		struct kmqtt_sub *sub = kmqtt_group_member(group, i);
		u64 bit;

		if (!sub) {
			KUNIT_FAIL(t->test, "member %u is missing", i);
			continue;
		}
		bit = BIT_ULL(sub->subscriber - t->subscribers);
		KUNIT_EXPECT_FALSE(t->test, seen & bit);
		KUNIT_EXPECT_PTR_EQ(t->test, sub->group, group);
		seen |= bit;
	}
	/* Behind the last there is none, as far as one may look. */
	for (; i < group->nr + 100; i++)
		KUNIT_EXPECT_NULL(t->test, kmqtt_group_member(group, i));
	rcu_read_unlock();
	return seen;
}

static void share_join(struct kunit *test)
{
	struct share_test *t = share_create(test);
	u64 generation = kmqtt_tree_generation(&t->tree);
	struct kmqtt_group *group;

	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "$share/g/a"), 0);
	KUNIT_EXPECT_NE(test, kmqtt_tree_generation(&t->tree),
			generation);
	KUNIT_EXPECT_EQ(test, match(t, "a"), 1);
	group = matched(t, "g");
	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_EXPECT_EQ(test, members(t, group), 1);
	/* More members are still one match. */
	KUNIT_EXPECT_EQ(test, subscribe(t, 1, "$share/g/a"), 0);
	KUNIT_EXPECT_EQ(test, match(t, "a"), 1);
	KUNIT_EXPECT_PTR_EQ(test, matched(t, "g"), group);
	KUNIT_EXPECT_EQ(test, members(t, group), 3);
	/* The same again changes the subscription, not the group. */
	KUNIT_EXPECT_EQ(test, subscribe(t, 0, "$share/g/a"), 1);
	KUNIT_EXPECT_EQ(test, group->nr, 2);
	KUNIT_EXPECT_EQ(test, t->tree.nr_subs, 2);
	KUNIT_EXPECT_EQ(test, match(t, "b"), 0);

	KUNIT_EXPECT_EQ(test, unsubscribe(t, 2, "$share/g/a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "$share/h/a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "$share/g/b"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "$share/g/a"), 0);
	KUNIT_EXPECT_EQ(test, match(t, "a"), 1);
	KUNIT_EXPECT_EQ(test, members(t, group), 2);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, "$share/g/a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, unsubscribe(t, 1, "$share/g/a"), 0);
	KUNIT_EXPECT_EQ(test, match(t, "a"), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	share_destroy(t);
}

/* A group grows, and whoever leaves it leaves no gap. */
static void share_grows(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_group *group;
	u64 want = 0;
	int i;

	for (i = 0; i < SUBSCRIBERS; i++) {
		KUNIT_EXPECT_EQ(test, subscribe(t, i, "$share/g/+/b"), 0);
		want |= BIT_ULL(i);
		KUNIT_EXPECT_EQ(test, match(t, "a/b"), 1);
		group = matched(t, "g");
		KUNIT_ASSERT_NOT_NULL(test, group);
		KUNIT_EXPECT_EQ(test, group->nr, i + 1);
		KUNIT_EXPECT_EQ(test, members(t, group), want);
	}
	/* The first, the last, and all from the middle on. */
	for (i = 0; i < SUBSCRIBERS; i++) {
		int who = (i * 7 + (i & 1 ? SUBSCRIBERS - 1 : 0)) % SUBSCRIBERS;

		if (!(want & BIT_ULL(who)))
			continue;
		KUNIT_EXPECT_EQ(test, unsubscribe(t, who, "$share/g/+/b"), 0);
		want &= ~BIT_ULL(who);
		if (want)
			KUNIT_EXPECT_EQ(test, members(t, group), want);
	}
	/* The rest goes as sessions do. */
	for (i = 0; i < SUBSCRIBERS; i++)
		KUNIT_EXPECT_FALSE(test, kmqtt_tree_leave(&t->tree,
							  &t->subscribers[i],
							  false));
	KUNIT_EXPECT_EQ(test, match(t, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	share_destroy(t);
}

/* One client, many groups: by name, by filter, and on its own. */
static void share_several(struct kunit *test)
{
	static const char *const filters[] = {
		"a/b", "$share/g/a/b", "$share/gg/a/b", "$share/g/a/+",
		"$share/h/#", "a/#",
	};
	struct share_test *t = share_create(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(filters); i++) {
		KUNIT_EXPECT_EQ(test, subscribe(t, 0, filters[i]), 0);
		KUNIT_EXPECT_EQ(test, match(t, "a/b"), i + 1);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_tree_count(&t->tree, &t->subscribers[0]),
			ARRAY_SIZE(filters));
	KUNIT_EXPECT_NOT_NULL(test, matched(t, "gg"));
	KUNIT_EXPECT_NOT_NULL(test, matched(t, "h"));
	/* A match of its own stands beside the other, groups elsewhere. */
	for (i = 1; i < ARRAY_SIZE(filters); i++)
		KUNIT_EXPECT_FALSE(test, !t->matches[i].subscriber &&
				   t->matches[i - 1].subscriber);
	KUNIT_EXPECT_EQ(test, match(t, "a/c"), 3);
	KUNIT_EXPECT_EQ(test, match(t, "$SYS"), 0);
	for (i = 0; i < ARRAY_SIZE(filters); i++) {
		KUNIT_EXPECT_EQ(test, unsubscribe(t, 0, filters[i]), 0);
		KUNIT_EXPECT_EQ(test, match(t, "a/b"),
				ARRAY_SIZE(filters) - 1 - i);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	share_destroy(t);
}

/* A group lives as long as someone has it, members or not. */
static void share_reference(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_group *old, *group;

	subscribe(t, 0, "$share/g/a");
	match(t, "a");
	old = matched(t, "g");
	KUNIT_ASSERT_NOT_NULL(test, old);
	kmqtt_group_get(old);
	unsubscribe(t, 0, "$share/g/a");
	KUNIT_EXPECT_EQ(test, match(t, "a"), 0);
	KUNIT_EXPECT_EQ(test, members(t, old), 0);
	KUNIT_EXPECT_GT(test, kmqtt_memory_used(t->memory), 0);
	/* The next one of that name is another. */
	subscribe(t, 1, "$share/g/a");
	match(t, "a");
	group = matched(t, "g");
	KUNIT_EXPECT_PTR_NE(test, group, old);
	KUNIT_EXPECT_EQ(test, members(t, group), 2);
	KUNIT_EXPECT_EQ(test, members(t, old), 0);
	unsubscribe(t, 1, "$share/g/a");
	kmqtt_group_put(old);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	kmqtt_group_put(NULL);
	share_destroy(t);
}

static void share_limits(struct kunit *test)
{
	struct kmqtt_sub_request request = kmqtt_test_request("$share/g/a", 0);
	struct share_test *t = share_create(test);
	u64 used, limit;
	int i, failed = 0;

	KUNIT_EXPECT_EQ(test, kmqtt_tree_subscribe(&t->tree, t->subscribers,
						   &request, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
	/* Whatever there is no memory for, nothing is left of what fails. */
	subscribe(t, SUBSCRIBERS - 1, "a");
	used = kmqtt_memory_used(t->memory);
	for (limit = 0; limit < 1000; limit++) {
		t->memory->limit = limit;
		if (!subscribe(t, 0, "$share/g/a"))
			break;
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
		KUNIT_EXPECT_EQ(test, match(t, "a"), 1);
		failed++;
	}
	KUNIT_EXPECT_GE(test, failed, sizeof(struct kmqtt_sub));
	KUNIT_EXPECT_EQ(test, match(t, "a"), 2);
	/* There is memory for a subscription, but not for many members. */
	t->memory->limit = sizeof(struct kmqtt_sub) + 8;
	for (i = 1; i < SUBSCRIBERS; i++) {
		used = kmqtt_memory_used(t->memory);
		if (subscribe(t, i, "$share/g/a"))
			break;
	}
	KUNIT_ASSERT_LT(test, i, SUBSCRIBERS);
	KUNIT_EXPECT_GT(test, i, 4);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	KUNIT_EXPECT_EQ(test, t->tree.nr_subs, i + 1);
	KUNIT_EXPECT_EQ(test, match(t, "a"), 2);
	KUNIT_EXPECT_EQ(test, members(t, matched(t, "g")), BIT_ULL(i) - 1);
	t->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, subscribe(t, i, "$share/g/a"), 0);
	share_destroy(t);
}

static void share_walk(struct kunit *test)
{
	static const char *const filters[] = { "$share/g/a", "a", "$share/h/a" };
	static const char *const names[] = { "g", NULL, "h" };
	struct share_test *t = share_create(test);
	struct kmqtt_sub_walk walk = {};
	u8 filter[8];
	size_t len;
	int i;

	for (i = 0; i < 3; i++)
		subscribe(t, 0, filters[i]);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, kmqtt_tree_walk(&t->tree, t->subscribers,
						      &walk, filter, 8, &len),
				1);
		KUNIT_EXPECT_EQ(test, len, 1);
		KUNIT_ASSERT_EQ(test, !!walk.group, !!names[i]);
		if (walk.group)
			KUNIT_EXPECT_MEMEQ(test, walk.group->name, names[i], 1);
	}
	/* The group where it rests goes, and comes anew. */
	unsubscribe(t, 0, filters[2]);
	KUNIT_EXPECT_EQ(test, walk.group->nr, 0);
	subscribe(t, 0, filters[2]);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, t->subscribers, &walk,
					      filter, 8, &len), -ESTALE);
	KUNIT_EXPECT_NULL(test, walk.group);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_walk(&t->tree, t->subscribers, &walk,
					      filter, 8, &len), 1);
	kmqtt_tree_walk_end(&t->tree, &walk);
	share_destroy(t);
}

/* Anyone in any of some groups, in any order. */
static void share_random(struct kunit *test)
{
	static const char *const filters[] = {
		"$share/g/a", "$share/h/a", "$share/i/+", "$share/j/#",
	};
	static const char *const names[] = { "g", "h", "i", "j" };
	struct share_test *t = share_create(test);
	u64 want[ARRAY_SIZE(filters)] = {};
	struct rnd_state rnd;
	int i, j;

	prandom_seed_state(&rnd, 48);
	for (i = 0; i < ROUNDS; i++) {
		u32 who = kmqtt_test_below(&rnd, SUBSCRIBERS);
		u32 what = kmqtt_test_below(&rnd, ARRAY_SIZE(filters));
		bool had = want[what] & BIT_ULL(who);
		u32 nr = 0;

		/* Sometimes many, sometimes few. */
		if (kmqtt_test_below(&rnd, 4) < (i / 200 & 1 ? 3 : 1)) {
			KUNIT_EXPECT_EQ(test, subscribe(t, who, filters[what]),
					had);
			want[what] |= BIT_ULL(who);
		} else {
			KUNIT_EXPECT_EQ(test, unsubscribe(t, who,
							  filters[what]),
					had ? 0 : -ENOENT);
			want[what] &= ~BIT_ULL(who);
		}
		match(t, "a");
		for (j = 0; j < ARRAY_SIZE(filters); j++) {
			struct kmqtt_group *group = matched(t, names[j]);

			KUNIT_ASSERT_EQ(test, !!group, !!want[j]);
			if (group)
				KUNIT_ASSERT_EQ(test, members(t, group),
						want[j]);
			nr += !!want[j];
		}
		KUNIT_ASSERT_EQ(test, t->route.nr, nr);
	}
	share_destroy(t);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE_PARAM(share_filter, filter_gen_params),
	KUNIT_CASE(share_join),
	KUNIT_CASE(share_grows),
	KUNIT_CASE(share_several),
	KUNIT_CASE(share_reference),
	KUNIT_CASE(share_limits),
	KUNIT_CASE(share_walk),
	KUNIT_CASE(share_random),
	{}
};

static struct kunit_suite share_suite = {
	.name = "kmqtt_topic_share",
	.test_cases = share_cases,
};

kunit_test_suites(&share_suite);
