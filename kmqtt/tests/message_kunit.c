// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: payloads in place and in pages, however they come in.
 */
#include "support.h"

/* The largest payload that a chunk of pages holds is 8 of them. */
#define CHUNK	(8 * PAGE_SIZE)

struct payload_case {
	const char *desc;
	u32 len;
	bool paged;
};

static const struct payload_case payload_cases[] = {
	{ "no payload", 0, false },
	{ "a byte", 1, false },
	{ "a byte less than a page", PAGE_SIZE - 1, false },
	{ "a page, the most in place", PAGE_SIZE, false },
	{ "a byte more than a page", PAGE_SIZE + 1, true },
	{ "a chunk", CHUNK, true },
	{ "a byte more than a chunk", CHUNK + 1, true },
	{ "four chunks, all that the first vector holds", 4 * CHUNK, true },
	{ "a byte more than four chunks", 4 * CHUNK + 1, true },
	{ "a megabyte and three bytes", (1 << 20) + 3, true },
};

KUNIT_ARRAY_PARAM_DESC(payload, payload_cases, desc);

static void expect_payload(struct kunit *test, const struct kmqtt_msg *msg,
			   u32 offset, u32 len)
{
	u32 i, wrong = 0;
	u8 *to;

	to = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, to);
	kmqtt_msg_read(msg, offset, to, len);
	for (i = 0; i < len; i++)
		wrong += to[i] != kmqtt_test_byte(offset + i);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "%u bytes at %u", len, offset);
	kunit_kfree(test, to);
}

/* Write all that is left in pieces of about @piece bytes. */
static int write_pieces(struct kunit *test, struct kmqtt_msg *msg,
			struct rnd_state *rnd, u32 piece)
{
	u32 offset = msg->filled;
	int err = 0;

	while (offset < msg->payload_len && !err) {
		u32 i, len = 1 + kmqtt_test_below(rnd, piece);
		u8 *data;

		len = min(len, msg->payload_len - offset);
		data = kunit_kmalloc(test, len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, data);
		for (i = 0; i < len; i++)
			data[i] = kmqtt_test_byte(offset + i);
		err = kmqtt_msg_write(msg, data, len, GFP_KERNEL);
		kunit_kfree(test, data);
		offset += len;
	}
	return err;
}

static void message_payload(struct kunit *test)
{
	static const u32 pieces[] = { 31, 1000, PAGE_SIZE + 7, 3 * CHUNK };
	const struct payload_case *c = test->param_value;
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_str topic = kmqtt_test_str("a/topic");
	struct rnd_state rnd;
	size_t p, i;

	prandom_seed_state(&rnd, c->len);
	for (p = 0; p < ARRAY_SIZE(pieces); p++) {
		struct kmqtt_msg *msg;
		u64 used;

		/* Small pieces for small payloads: it takes long enough. */
		if (c->len / pieces[p] > 300)
			continue;
		msg = kmqtt_msg_create(memory, &topic, NULL, c->len,
				       GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, msg);
		used = kmqtt_memory_used(memory);
		KUNIT_EXPECT_GE(test, used, c->paged ? 0 : c->len);
		KUNIT_EXPECT_LT(test, used, 2 * PAGE_SIZE);

		KUNIT_ASSERT_EQ(test, write_pieces(test, msg, &rnd, pieces[p]),
				0);
		KUNIT_EXPECT_EQ(test, msg->filled, c->len);
		KUNIT_EXPECT_EQ(test, !!msg->pages, c->paged);
		KUNIT_EXPECT_GE(test, kmqtt_memory_used(memory), c->len);
		KUNIT_EXPECT_EQ(test, msg->topic_len, topic.len);
		KUNIT_EXPECT_MEMEQ(test, kmqtt_msg_topic(msg), topic.data,
				   topic.len);
		KUNIT_EXPECT_EQ(test, kmqtt_msg_size(msg), topic.len + c->len);

		expect_payload(test, msg, 0, c->len);
		for (i = 0; i < 20 && c->len; i++) {
			u32 from = kmqtt_test_below(&rnd, c->len);
			u32 len = kmqtt_test_below(&rnd, c->len - from + 1);

			expect_payload(test, msg, from, len);
		}
		kmqtt_msg_put(msg);
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
	}
}

/* Reads that begin and end at and around the borders of pages and chunks. */
static void message_read_borders(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	const u32 borders[] = { 0, PAGE_SIZE, CHUNK, 2 * CHUNK, 5 * CHUNK };
	struct kmqtt_msg *msg;
	size_t i, j;
	int d, e;

	msg = kmqtt_test_msg(test, memory, "t", 5 * CHUNK + 2);
	for (i = 0; i < ARRAY_SIZE(borders); i++)
		for (j = i; j < ARRAY_SIZE(borders); j++)
			for (d = -1; d <= 1; d++)
				for (e = -1; e <= 2; e++) {
					s64 from = (s64)borders[i] + d;
					s64 to = (s64)borders[j] + e;

					if (from >= 0 && from <= to)
						expect_payload(test, msg, from,
							       to - from);
				}
	kmqtt_msg_put(msg);
}

/* kmqtt_msg_room() never promises more than is there, nor more than is left. */
static void message_room(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_str topic = kmqtt_test_str("t");
	const u32 total = 2 * CHUNK + 100;
	struct kmqtt_msg *msg;
	u32 calls = 0;

	msg = kmqtt_msg_create(memory, &topic, NULL, total, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	while (msg->filled < total) {
		u32 before = msg->filled;
		u32 len = U32_MAX;
		u8 *to = kmqtt_msg_room(msg, &len, GFP_ATOMIC);

		KUNIT_ASSERT_NOT_NULL(test, to);
		KUNIT_ASSERT_GT(test, len, 0);
		KUNIT_ASSERT_EQ(test, msg->filled, before + len);
		KUNIT_ASSERT_LE(test, msg->filled, total);
		memset(to, 0x5a, len);
		KUNIT_ASSERT_LT(test, ++calls, 100);
	}
	kmqtt_msg_put(msg);
}

/* What was announced costs nothing until it comes. */
static void message_costs_as_it_grows(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_str topic = kmqtt_test_str("t");
	struct kmqtt_msg *msg;

	msg = kmqtt_msg_create(memory, &topic, NULL, KMQTT_REMAINING_MAX - 3,
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_EXPECT_LT(test, kmqtt_memory_used(memory), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kmqtt_msg_write(msg, "first", 5, GFP_KERNEL), 0);
	KUNIT_EXPECT_LT(test, kmqtt_memory_used(memory), CHUNK + PAGE_SIZE);
	kmqtt_msg_put(msg);
}

static void message_no_memory(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test, 0);
	struct kmqtt_str topic = kmqtt_test_str("t");

	KUNIT_EXPECT_NULL(test, kmqtt_msg_create(memory, &topic, NULL, 10,
						 GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

/* The ceiling is met half way; the part that came stays readable. */
static void message_limit_midway(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test, 16 * CHUNK);
	struct kmqtt_str topic = kmqtt_test_str("t");
	const u32 total = 64 * CHUNK;
	struct kmqtt_msg *msg;
	struct rnd_state rnd;
	u32 filled;

	prandom_seed_state(&rnd, 1);
	msg = kmqtt_msg_create(memory, &topic, NULL, total, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_EXPECT_EQ(test, write_pieces(test, msg, &rnd, CHUNK), -ENOMEM);
	filled = msg->filled;
	KUNIT_EXPECT_GT(test, filled, CHUNK);
	KUNIT_EXPECT_LT(test, filled, total);
	KUNIT_EXPECT_LE(test, kmqtt_memory_used(memory),
			16 * CHUNK + num_possible_cpus() * (64 << 10));
	expect_payload(test, msg, 0, filled);

	/* Nothing is lost by it: the rest can still come. */
	memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, write_pieces(test, msg, &rnd, CHUNK), 0);
	KUNIT_EXPECT_EQ(test, msg->filled, total);
	expect_payload(test, msg, filled - 100, 300);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

static void message_references(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_msg *msg;

	msg = kmqtt_test_msg(test, memory, "t", 2 * CHUNK);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 1);
	KUNIT_EXPECT_PTR_EQ(test, kmqtt_msg_get(msg), msg);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 2);
	kmqtt_msg_put(msg);
	expect_payload(test, msg, 0, 2 * CHUNK);
	KUNIT_EXPECT_GT(test, kmqtt_memory_used(memory), 2 * CHUNK);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
	kmqtt_msg_put(NULL);
}

static void message_topics(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 255, 256, KMQTT_STRING_MAX };
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		u8 *text = kunit_kzalloc(test, lens[i], GFP_KERNEL);
		struct kmqtt_str topic = { .data = text, .len = lens[i] };
		struct kmqtt_msg *msg;

		KUNIT_ASSERT_NOT_NULL(test, text);
		memset(text, 'x', lens[i]);
		msg = kmqtt_msg_create(memory, &topic, NULL, 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, msg);
		KUNIT_EXPECT_EQ(test, kmqtt_msg_write(msg, "p", 1, GFP_KERNEL),
				0);
		KUNIT_EXPECT_EQ(test, kmqtt_msg_topic(msg)[-2], lens[i] >> 8);
		KUNIT_EXPECT_EQ(test, kmqtt_msg_topic(msg)[-1], lens[i] & 0xff);
		KUNIT_EXPECT_MEMEQ(test, kmqtt_msg_topic(msg), text, lens[i]);
		KUNIT_EXPECT_EQ(test, kmqtt_msg_topic(msg)[lens[i]], 'p');
		kmqtt_msg_put(msg);
	}
}

static struct kunit_case message_cases[] = {
	KUNIT_CASE_PARAM(message_payload, payload_gen_params),
	KUNIT_CASE(message_read_borders),
	KUNIT_CASE(message_room),
	KUNIT_CASE(message_costs_as_it_grows),
	KUNIT_CASE(message_no_memory),
	KUNIT_CASE(message_limit_midway),
	KUNIT_CASE(message_references),
	KUNIT_CASE(message_topics),
	{}
};

static struct kunit_suite message_suite = {
	.name = "kmqtt_message",
	.test_cases = message_cases,
};

kunit_test_suites(&message_suite);
