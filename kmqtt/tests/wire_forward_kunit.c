// SPDX-License-Identifier: GPL-2.0
/*
 * Properties that go on to subscribers, and what the decoder makes of rubbish.
 */
#include "support.h"
#include <linux/slab.h>
#include "../wire/encode.h"

#define ROUNDS		2000
#define RANDOM_BLOCKS	20000
#define BLOCK_MAX	256

struct part {
	const char *bytes;
	u8 len;
	bool on;	/* goes on to subscribers */
	bool often;	/* may come more than once */
};

#define PART(str)	.bytes = (str), .len = sizeof(str) - 1

/* What a PUBLISH may have. */
static const struct part parts[] = {
	{ PART("\1\1"), true },
	{ PART("\2\0\0\0\5"), false },
	{ PART("\3\0\4text"), true },
	{ PART("\10\0\1r"), true },
	{ PART("\11\0\2\0\xff"), true },
	{ PART("\13\x80\1"), false },
	{ PART("\43\0\1"), false },
	{ PART("\46\0\1a\0\1b"), true, true },
	{ PART("\46\0\1a\0\1b"), true, true },
	{ PART("\46\0\1a\0\1c"), true, true },
	{ PART("\46\0\0\0\0"), true, true },
	/* Bytes that look like another property. */
	{ PART("\46\0\5\2\2\2\2\2\0\3\43\43\43"), true, true },
};

static int decode(u8 type, const u8 *bytes, size_t len,
		  struct kmqtt_props *props)
{
	struct kmqtt_cursor c = { .pos = bytes, .end = bytes + len };

	return kmqtt_props_decode(&c, type, props);
}

/* @block goes in, just @want goes on, and as many bytes as were counted. */
static void expect_forward(struct kunit *test, u8 type, const u8 *block,
			   u32 len, const u8 *want, u32 want_len)
{
	struct kmqtt_props props;
	u8 *bytes, *to, head[4];
	u32 head_len;

	head_len = kmqtt_varint_encode(head, len);
	bytes = kmalloc(head_len + len, GFP_KERNEL);
	to = kmalloc(want_len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_NOT_NULL(test, to);
	memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, block, len);
	KUNIT_EXPECT_EQ(test, decode(type, bytes, head_len + len, &props), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_props_forward(&props, NULL), want_len);
	if (kmqtt_props_forward(&props, NULL) == want_len) {
		KUNIT_EXPECT_EQ(test, kmqtt_props_forward(&props, to),
				want_len);
		KUNIT_EXPECT_MEMEQ(test, to, want, want_len);
	}
	kfree(bytes);
	kfree(to);
}

static void forward_order(struct kunit *test)
{
	static const u8 in[] =
		"\46\0\1b\0\0011\2\0\0\0\5\46\0\1a\0\0012\43\0\7\11\0\1\xff"
		"\46\0\1b\0\0013\13\5\1\1\46\0\1b\0\0011\10\0\1r\3\0\1t";
	static const u8 want[] =
		"\46\0\1b\0\0011\46\0\1a\0\0012\11\0\1\xff"
		"\46\0\1b\0\0013\1\1\46\0\1b\0\0011\10\0\1r\3\0\1t";

	expect_forward(test, KMQTT_PUBLISH, in, sizeof(in) - 1, want,
		       sizeof(want) - 1);
	expect_forward(test, KMQTT_PUBLISH, in, 0, want, 0);
}

static void forward_will(struct kunit *test)
{
	static const u8 in[] = "\30\0\0\0\1\46\0\1n\0\1v\2\0\0\0\5\1\0";
	static const u8 want[] = "\46\0\1n\0\1v\1\0";

	expect_forward(test, KMQTT_WILL, in, sizeof(in) - 1, want,
		       sizeof(want) - 1);
	expect_forward(test, KMQTT_WILL, in, 5, want, 0);
}

/* Any of them in any order. */
static void forward_random(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 500);
	for (i = 0; i < ROUNDS; i++) {
		u8 in[BLOCK_MAX], want[BLOCK_MAX];
		u32 len = 0, want_len = 0, used = 0;
		u32 nr = kmqtt_test_below(&rnd, 16);

		while (nr--) {
			u32 n = kmqtt_test_below(&rnd, ARRAY_SIZE(parts));
			const struct part *p = &parts[n];

			if (used & BIT(n) && !p->often)
				continue;
			used |= BIT(n);
			memcpy(in + len, p->bytes, p->len);
			len += p->len;
			if (!p->on)
				continue;
			memcpy(want + want_len, p->bytes, p->len);
			want_len += p->len;
		}
		expect_forward(test, KMQTT_PUBLISH, in, len, want, want_len);
	}
}

/* The longest strings, and more than there are in any small buffer. */
static void forward_long(struct kunit *test)
{
	const u32 len = 3 + KMQTT_STRING_MAX + 5 + KMQTT_STRING_MAX;
	u8 *block = kunit_kzalloc(test, len, GFP_KERNEL);
	u8 *user;

	KUNIT_ASSERT_NOT_NULL(test, block);
	memset(block, 'x', len);
	memcpy(block, "\11\xff\xff", 3);
	user = block + 3 + KMQTT_STRING_MAX;
	memcpy(user, "\46\xff\xff", 3);
	/* The name is a little shorter, to make room for the value's length. */
	put_unaligned_be16(KMQTT_STRING_MAX - 1, user + 1);
	memcpy(user + 3 + KMQTT_STRING_MAX - 1, "\0\1", 2);
	expect_forward(test, KMQTT_PUBLISH, block, len, block, len);
}

/* A message takes with it what goes on, behind its payload. */
static void forward_message(struct kunit *test)
{
	static const u8 in[] =
		"\x13\2\0\0\0\5\46\0\1a\0\0012\43\0\7\11\0\1\xff";
	static const u8 want[] = "\0\1tpay\46\0\1a\0\0012\11\0\1\xff";
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_str topic = kmqtt_test_str("t");
	struct kmqtt_props props;
	struct kmqtt_msg *msg;
	u8 payload[3];

	KUNIT_ASSERT_EQ(test, decode(KMQTT_PUBLISH, in, sizeof(in) - 1, &props),
			0);
	msg = kmqtt_msg_create(memory, &topic, &props, 3, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_EXPECT_EQ(test, kmqtt_msg_write(msg, "pay", 3, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, msg->props_len, 11);
	KUNIT_EXPECT_EQ(test, kmqtt_msg_size(msg), 1 + 11 + 3);
	KUNIT_EXPECT_MEMEQ(test, kmqtt_msg_topic(msg) - 2, want, sizeof(want) - 1);
	KUNIT_EXPECT_MEMEQ(test, kmqtt_msg_props(msg), want + 6, 11);
	kmqtt_msg_read(msg, 0, payload, 3);
	KUNIT_EXPECT_MEMEQ(test, payload, "pay", 3);
	KUNIT_EXPECT_TRUE(test, msg->has_expiry);
	KUNIT_EXPECT_EQ(test, msg->expiry, 5);
	kmqtt_msg_put(msg);
}

/* Random bytes as properties: what is accepted lies inside, and shrinks. */
static void forward_rubbish(struct kunit *test)
{
	u32 i, accepted = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 501);
	for (i = 0; i < RANDOM_BLOCKS; i++) {
		u32 len = 1 + kmqtt_test_below(&rnd, 20), j;
		u8 to[32], *bytes = kmalloc(len, GFP_KERNEL);
		struct kmqtt_props props;
		int err;

		KUNIT_ASSERT_NOT_NULL(test, bytes);
		prandom_bytes_state(&rnd, bytes, len);
		/* Mostly small numbers, or hardly any would be accepted. */
		for (j = 1; j < len && i & 3; j++)
			bytes[j] %= 44;
		if (i & 1)
			bytes[0] = len - 1;
		err = decode(i % KMQTT_PACKET_TYPES, bytes, len, &props);
		if (!err) {
			accepted++;
			KUNIT_EXPECT_LT(test, props.block_len, len);
			KUNIT_EXPECT_LE(test, kmqtt_props_len(&props),
					props.block_len);
			KUNIT_EXPECT_LE(test, kmqtt_props_encode(to, &props),
					len);
			KUNIT_EXPECT_LE(test, kmqtt_props_forward(&props, to),
					props.block_len);
		} else {
			KUNIT_EXPECT_TRUE(test, err == -EAGAIN ||
					  err == -EBADMSG || err == -EPROTO);
		}
		kfree(bytes);
	}
	KUNIT_EXPECT_GT(test, accepted, 100);
}

static struct kunit_case forward_cases[] = {
	KUNIT_CASE(forward_order),
	KUNIT_CASE(forward_will),
	KUNIT_CASE(forward_random),
	KUNIT_CASE(forward_long),
	KUNIT_CASE(forward_message),
	KUNIT_CASE(forward_rubbish),
	{}
};

static struct kunit_suite forward_suite = {
	.name = "kmqtt_wire_forward",
	.test_cases = forward_cases,
};

kunit_test_suites(&forward_suite);
