// SPDX-License-Identifier: GPL-2.0
#include "support.h"

#include <linux/slab.h>

struct test_memory {
	struct kmqtt_memory memory;
	struct kunit *test;
};

static void memory_exit(void *data)
{
	struct test_memory *m = data;

	KUNIT_EXPECT_EQ_MSG(m->test, percpu_counter_sum(&m->memory.used), 0,
			    "what was charged must be given back");
	kmqtt_memory_uninit(&m->memory);
}

/**
 * kmqtt_test_memory() - an account that must be empty when the test ends
 * @test: the test
 * @limit: ceiling in bytes
 *
 * Context: process, may sleep.
 * Return: the account.
 */
struct kmqtt_memory *kmqtt_test_memory(struct kunit *test, u64 limit)
{
	struct test_memory *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	KUNIT_ASSERT_EQ(test, kmqtt_memory_init(&m->memory, limit), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, memory_exit, m),
			0);
	return &m->memory;
}

/**
 * kmqtt_test_exact() - copy bytes to where one more would be out of bounds
 * @test: the test, whose end frees the copy if kunit_kfree() didn't
 * @data: the bytes
 * @len: how many
 *
 * Context: process, may sleep.
 * Return: the copy.
 */
u8 *kmqtt_test_exact(struct kunit *test, const void *data, size_t len)
{
	u8 *copy = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

/**
 * kmqtt_test_byte() - what a test payload has at an offset
 * @offset: where
 *
 * Context: any.
 * Return: a byte that tells most offsets apart, across pages, too.
 */
u8 kmqtt_test_byte(u32 offset)
{
	return offset ^ (offset >> 8) * 7 ^ (offset >> 16) * 13;
}

/**
 * kmqtt_test_msg() - make a filled message
 * @test: the test
 * @memory: account
 * @topic: its topic
 * @payload_len: bytes of payload, which kmqtt_test_byte() tells
 *
 * Context: process, may sleep.
 * Return: the message; the caller puts it.
 */
struct kmqtt_msg *kmqtt_test_msg(struct kunit *test,
				 struct kmqtt_memory *memory,
				 const char *topic, u32 payload_len)
{
	struct kmqtt_str str = kmqtt_test_str(topic);
	struct kmqtt_msg *msg;
	u32 offset = 0;

	msg = kmqtt_msg_create(memory, &str, NULL, payload_len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	while (offset < payload_len) {
		u32 n = payload_len - offset;
		u8 *to = kmqtt_msg_room(msg, &n, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, to);
		while (n--)
			*to++ = kmqtt_test_byte(offset++);
	}
	return msg;
}

static bool levels_match(const char *filter, const char *name)
{
	size_t f, n;

	if (!filter)
		return !name;
	if (!strcmp(filter, "#"))
		return true;
	if (!name)
		return false;
	f = strcspn(filter, "/");
	n = strcspn(name, "/");
	if (!(f == 1 && *filter == '+') &&
	    (f != n || strncmp(filter, name, n)))
		return false;
	return levels_match(filter[f] ? filter + f + 1 : NULL,
			    name[n] ? name + n + 1 : NULL);
}

/**
 * kmqtt_test_matches() - the reference: does a filter match a name?
 * @filter: a valid topic filter
 * @name: a valid topic name
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_test_matches(const char *filter, const char *name)
{
	if (*name == '$' && (*filter == '+' || *filter == '#'))
		return false;
	return levels_match(filter, name);
}

/**
 * kmqtt_test_below() - a random number
 * @rnd: where from
 * @limit: not 0
 *
 * Context: any.
 * Return: 0 to @limit - 1.
 */
u32 kmqtt_test_below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}

/* Few levels of few kinds, so that much matches and much is shared. */
static const char *const name_levels[] = { "a", "b", "", "$s", "ab" };

static void random_levels(struct rnd_state *rnd, char *to, bool wild)
{
	int levels = 1 + kmqtt_test_below(rnd, 4);
	char *p = to;

	while (levels--) {
		const char *level = name_levels[kmqtt_test_below(rnd,
						ARRAY_SIZE(name_levels))];
		u32 kind = wild ? kmqtt_test_below(rnd, 8) : 8;

		if (kind < 2)
			level = "+";
		if (kind == 2) {
			level = "#";
			levels = 0;
		}
		p += sprintf(p, "%s%s", level, levels ? "/" : "");
	}
	/* The empty string is neither a name nor a filter. */
	if (p == to)
		strscpy(to, "a", KMQTT_TEST_NAME_MAX);
}

/**
 * kmqtt_test_random_name() - make a valid topic name
 * @rnd: where from
 * @to: room for KMQTT_TEST_NAME_MAX bytes
 *
 * Context: any.
 */
void kmqtt_test_random_name(struct rnd_state *rnd, char *to)
{
	random_levels(rnd, to, false);
}

/**
 * kmqtt_test_random_filter() - make a valid topic filter
 * @rnd: where from
 * @to: room for KMQTT_TEST_NAME_MAX bytes
 *
 * Context: any.
 */
void kmqtt_test_random_filter(struct rnd_state *rnd, char *to)
{
	random_levels(rnd, to, true);
}
