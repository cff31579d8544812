// SPDX-License-Identifier: GPL-2.0
/*
 * Topic aliases in both directions.
 */
#include "support.h"
#include "../session/alias.h"

#define TOPICS		12
#define BATCH		6
#define ROUNDS		3000

struct alias_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_aliases aliases;
	struct kmqtt_msg *msgs[TOPICS];
	u64 used;
};

/* Topic n is "topic/" and a letter. */
static struct alias_test *alias_create(struct kunit *test, u16 in_max,
				       u16 out_max)
{
	struct alias_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	char name[] = "topic/?";
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	for (i = 0; i < TOPICS; i++) {
		name[6] = 'a' + i;
		t->msgs[i] = kmqtt_test_msg(test, t->memory, name, 1);
	}
	t->used = kmqtt_memory_used(t->memory);
	kmqtt_aliases_init(&t->aliases, in_max, out_max);
	return t;
}

static void alias_destroy(struct alias_test *t)
{
	int i;

	kmqtt_aliases_uninit(&t->aliases, t->memory);
	KUNIT_EXPECT_EQ(t->test, kmqtt_memory_used(t->memory), t->used);
	for (i = 0; i < TOPICS; i++)
		kmqtt_msg_put(t->msgs[i]);
}

static int set(struct alias_test *t, u16 alias, const char *name)
{
	struct kmqtt_str topic = kmqtt_test_str(name);

	return kmqtt_alias_set(&t->aliases, t->memory, alias, &topic,
			       GFP_KERNEL);
}

static int get(struct alias_test *t, u16 alias, const char *name)
{
	struct kmqtt_str topic;
	int err = kmqtt_alias_get(&t->aliases, alias, &topic);

	if (!err)
		KUNIT_EXPECT_TRUE(t->test, kmqtt_test_str_is(&topic, name));
	return err;
}

static void alias_in(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 3, 0);

	KUNIT_EXPECT_EQ(test, get(t, 1, ""), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), t->used);
	KUNIT_EXPECT_EQ(test, set(t, 1, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 1, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 2, ""), -ENOENT);
	KUNIT_EXPECT_EQ(test, set(t, 3, "c"), 0);
	KUNIT_EXPECT_EQ(test, set(t, 2, "a/b"), 0);
	/* It may be set to something else at any time, also to what it is. */
	KUNIT_EXPECT_EQ(test, set(t, 1, "a/longer/one"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 1, "a/longer/one"), 0);
	KUNIT_EXPECT_EQ(test, set(t, 1, "a/longer/one"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 1, "a/longer/one"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 2, "a/b"), 0);
	KUNIT_EXPECT_EQ(test, get(t, 3, "c"), 0);
	alias_destroy(t);
}

static void alias_in_range(struct kunit *test)
{
	static const u16 maxima[] = { 0, 1, 10, U16_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(maxima); i++) {
		struct alias_test *t = alias_create(test, maxima[i], 0);
		u16 max = maxima[i];

		KUNIT_EXPECT_EQ(test, set(t, 0, "a"), -ERANGE);
		KUNIT_EXPECT_EQ(test, get(t, 0, "a"), -ERANGE);
		if (max < U16_MAX) {
			KUNIT_EXPECT_EQ(test, set(t, max + 1, "a"), -ERANGE);
			KUNIT_EXPECT_EQ(test, get(t, max + 1, "a"), -ERANGE);
			KUNIT_EXPECT_EQ(test, set(t, U16_MAX, "a"), -ERANGE);
			KUNIT_EXPECT_EQ(test, get(t, U16_MAX, "a"), -ERANGE);
		}
		if (max) {
			KUNIT_EXPECT_EQ(test, set(t, max, "a"), 0);
			KUNIT_EXPECT_EQ(test, get(t, max, "a"), 0);
			KUNIT_EXPECT_EQ(test, set(t, 1, "b"), 0);
			KUNIT_EXPECT_EQ(test, get(t, 1, "b"), 0);
		}
		alias_destroy(t);
	}
}

static void alias_in_no_memory(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 2, 0);

	t->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, set(t, 1, "a"), -ENOMEM);
	KUNIT_EXPECT_EQ(test, get(t, 1, ""), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), t->used);
	t->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, set(t, 1, "a"), 0);
	t->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, set(t, 1, "b"), -ENOMEM);
	KUNIT_EXPECT_EQ(test, get(t, 1, "a"), 0);
	alias_destroy(t);
}

/* Send topic @n; returns its alias, 0 for none, -alias if it is told anew. */
static int send(struct alias_test *t, int n, struct kmqtt_delivery *d)
{
	*d = (struct kmqtt_delivery) { .msg = t->msgs[n] };
	kmqtt_alias_choose(&t->aliases, t->memory, d);
	KUNIT_EXPECT_LE(t->test, d->alias, t->aliases.out_max);
	return d->alias_known ? d->alias : -d->alias;
}

static void alias_out(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 0, 10);
	struct kmqtt_delivery d;
	int alias, i;

	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	alias = -send(t, 0, &d);
	KUNIT_EXPECT_GT(test, alias, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, send(t, 0, &d), alias);
	/* What comes once costs nothing but the table. */
	KUNIT_EXPECT_EQ(test, send(t, 1, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), alias);

	/* It isn't told after all: the client is told again. */
	kmqtt_alias_unsent(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), alias);
	send(t, 2, &d);
	kmqtt_alias_unsent(&t->aliases, t->memory, &d);
	alias = -send(t, 2, &d);
	KUNIT_EXPECT_GT(test, alias, 0);
	kmqtt_alias_unsent(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, send(t, 2, &d), -alias);
	KUNIT_EXPECT_EQ(test, send(t, 2, &d), alias);
	alias_destroy(t);
}

/* No alias: for PUBREL, short topics, clients that take none, no memory. */
static void alias_out_none(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 5, 5);
	struct kmqtt_delivery d = { .first = 0x62 };
	struct kmqtt_msg *msg;
	int i;

	for (i = 0; i < 3; i++)
		kmqtt_alias_choose(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, d.alias, 0);
	msg = kmqtt_test_msg(test, t->memory, "a/b", 1);
	d.msg = msg;
	for (i = 0; i < 3; i++)
		kmqtt_alias_choose(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, d.alias, 0);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), t->used);

	t->memory->limit = 0;
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	t->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	t->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	t->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_LT(test, send(t, 0, &d), 0);
	alias_destroy(t);

	t = alias_create(test, 5, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	kmqtt_alias_unsent(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), t->used);
	alias_destroy(t);
}

/* One alias for two topics: whoever comes twice in a row has it. */
static void alias_out_clash(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 0, 1);
	struct kmqtt_delivery d;
	int i;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, send(t, i & 1, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 1, &d), -1);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 1, &d), 1);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), -1);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 1);
	KUNIT_EXPECT_EQ(test, send(t, 1, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 1, &d), -1);
	/* The client has forgotten the first for the second, or not yet. */
	kmqtt_alias_unsent(&t->aliases, t->memory, &d);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), 0);
	KUNIT_EXPECT_EQ(test, send(t, 0, &d), -1);
	alias_destroy(t);
}

static void alias_out_max(struct kunit *test)
{
	struct alias_test *t = alias_create(test, 0, U16_MAX);
	struct kmqtt_delivery d;
	int i;

	KUNIT_EXPECT_EQ(test, t->aliases.out_max, KMQTT_ALIASES_OUT_MAX);
	for (i = 0; i < 3 * TOPICS; i++)
		send(t, i / 3, &d);
	alias_destroy(t);
}

/* Some packets were not sent: the last of those that were chosen. */
static void unsent(struct alias_test *t, const struct kmqtt_delivery *d,
		   u32 from, u32 nr)
{
	for (; from < nr; from++)
		kmqtt_alias_unsent(&t->aliases, t->memory, &d[from]);
}

/* A client that remembers what it was told never gets the wrong topic. */
static void alias_out_random(struct kunit *test)
{
	static const u16 maxima[] = { 1, 2, 5, KMQTT_ALIASES_OUT_MAX };
	u32 used = 0, told = 0;
	struct rnd_state rnd;
	size_t m;
	int i;

	prandom_seed_state(&rnd, 35);
	for (m = 0; m < ARRAY_SIZE(maxima); m++) {
		struct alias_test *t = alias_create(test, 0, maxima[m]);
		const struct kmqtt_msg *client[KMQTT_ALIASES_OUT_MAX] = {};

		for (i = 0; i < ROUNDS; i++) {
			u32 nr = 1 + kmqtt_test_below(&rnd, BATCH), sent, n;
			struct kmqtt_delivery d[BATCH];
			u32 topic = 0;

			for (n = 0; n < nr; n++) {
				/* Often the same again. */
				if (kmqtt_test_below(&rnd, 2))
					topic = kmqtt_test_below(&rnd, TOPICS);
				send(t, topic, &d[n]);
			}
			sent = kmqtt_test_below(&rnd, 2) ? nr :
			       kmqtt_test_below(&rnd, nr);
			for (n = 0; n < sent; n++) {
				if (!d[n].alias)
					continue;
				if (!d[n].alias_known)
					client[d[n].alias - 1] = d[n].msg;
				KUNIT_ASSERT_PTR_EQ(test,
						    client[d[n].alias - 1],
						    d[n].msg);
				used += d[n].alias_known;
				told += !d[n].alias_known;
			}
			unsent(t, d, sent, nr);
		}
		alias_destroy(t);
	}
	KUNIT_EXPECT_GT(test, used, ROUNDS);
	KUNIT_EXPECT_GT(test, told, 100);
}

static struct kunit_case alias_cases[] = {
	KUNIT_CASE(alias_in),
	KUNIT_CASE(alias_in_range),
	KUNIT_CASE(alias_in_no_memory),
	KUNIT_CASE(alias_out),
	KUNIT_CASE(alias_out_none),
	KUNIT_CASE(alias_out_clash),
	KUNIT_CASE(alias_out_max),
	KUNIT_CASE(alias_out_random),
	{}
};

static struct kunit_suite alias_suite = {
	.name = "kmqtt_session_alias",
	.test_cases = alias_cases,
};

kunit_test_suites(&alias_suite);
