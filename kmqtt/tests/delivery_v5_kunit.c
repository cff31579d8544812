// SPDX-License-Identifier: GPL-2.0
/*
 * Messages as packets of MQTT 5: properties, subscription identifiers, topic
 * aliases; and messages that expire.
 */
#include "support.h"
#include "../session/delivery.h"
#include "../topic/retained.h"
#include "../wire/decode.h"
#include "../wire/encode.h"

#define IDS_MAX		KMQTT_SUB_IDS_MAX

/* Properties of the publisher: some that go on, some that don't. */
static const u8 published[] = "\1\1\46\0\1n\0\1v\43\0\7\11\0\2\0\xff";
static const u8 forwarded[] = "\1\1\46\0\1n\0\1v\11\0\2\0\xff";

enum alias_kind {
	NO_ALIAS,
	NEW_ALIAS,
	KNOWN_ALIAS,
};

struct delivery_case {
	const char *desc;
	u8 first;
	u16 id;
	u32 payload_len;
	bool props;
	bool expires;
	enum alias_kind alias;
	u32 nr_ids;
};

static const struct delivery_case delivery_cases[] = {
	{ "QoS 0, nothing", 0x30 },
	{ "QoS 1, payload", 0x32, 1, 9 },
	{ "QoS 2, payload in pages", 0x34, 65535, 100000 },
	{ "properties", 0x31, 0, 9, true },
	{ "properties, payload in pages", 0x32, 7, 5000, true },
	{ "expiry", 0x30, 0, 9, false, true },
	{ "new alias", 0x30, 0, 9, false, false, NEW_ALIAS },
	{ "known alias", 0x32, 7, 9, false, false, KNOWN_ALIAS },
	{ "known alias, payload in pages", 0x32, 7, 5000, false, false,
	  KNOWN_ALIAS },
	{ "an identifier", 0x32, 7, 9, false, false, NO_ALIAS, 1 },
	{ "two identifiers", 0x32, 7, 9, false, false, NO_ALIAS, 2 },
	{ "all, one identifier", 0x3d, 7, 9, true, true, NEW_ALIAS, 1 },
	{ "all, alias known", 0x3d, 7, 9, true, true, KNOWN_ALIAS, 1 },
	{ "all, many identifiers", 0x3d, 7, 100, true, true, KNOWN_ALIAS,
	  IDS_MAX },
	{ "all, many identifiers, payload in pages", 0x3d, 7, 5000, true, true,
	  NEW_ALIAS, IDS_MAX },
};

KUNIT_ARRAY_PARAM_DESC(delivery, delivery_cases, desc);

static struct kmqtt_msg *msg_create(struct kunit *test,
				    struct kmqtt_memory *memory,
				    const struct delivery_case *c)
{
	struct kmqtt_str topic = kmqtt_test_str("a/topic");
	struct kmqtt_props props = {
		.block = published,
		.block_len = c->props ? sizeof(published) - 1 : 0,
		.message_expiry = 100,
	};
	struct kmqtt_msg *msg;
	u32 i;

	if (c->expires)
		kmqtt_prop_add(&props, KMQTT_PROP_MESSAGE_EXPIRY);
	msg = kmqtt_msg_create(memory, &topic, &props, c->payload_len,
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	for (i = 0; i < c->payload_len; i++) {
		u8 byte = kmqtt_test_byte(i);

		KUNIT_ASSERT_EQ(test, kmqtt_msg_write(msg, &byte, 1,
						      GFP_KERNEL), 0);
	}
	kmqtt_msg_published(msg);
	return msg;
}

/* Identifiers of each length that there is. */
static u32 sub_id(u32 i)
{
	return 1 + i * i * i * 16;
}

/* The properties, of which the decoder takes just one of a kind. */
static void expect_props(struct kunit *test, const struct delivery_case *c,
			 const struct kmqtt_delivery *d, struct kmqtt_cursor *p)
{
	struct kmqtt_cursor block;
	u32 len, number, i;
	u16 alias;
	u8 id;

	KUNIT_ASSERT_EQ(test, kmqtt_read_varint(p, &len), 0);
	KUNIT_ASSERT_LE(test, len, kmqtt_cursor_left(p));
	block = (struct kmqtt_cursor) { .pos = p->pos, .end = p->pos + len };
	p->pos += len;
	if (c->expires) {
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u8(&block, &id));
		KUNIT_EXPECT_EQ(test, id, KMQTT_PROP_MESSAGE_EXPIRY);
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u32(&block, &number));
		KUNIT_EXPECT_LE(test, number, 100);
		KUNIT_EXPECT_GT(test, number, 50);
	}
	if (c->alias) {
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u8(&block, &id));
		KUNIT_EXPECT_EQ(test, id, KMQTT_PROP_TOPIC_ALIAS);
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u16(&block, &alias));
		KUNIT_EXPECT_EQ(test, alias, d->alias);
	}
	for (i = 0; i < c->nr_ids; i++) {
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u8(&block, &id));
		KUNIT_EXPECT_EQ(test, id, KMQTT_PROP_SUBSCRIPTION_ID);
		KUNIT_ASSERT_EQ(test, kmqtt_read_varint(&block, &number), 0);
		KUNIT_EXPECT_EQ(test, number, sub_id(i));
	}
	KUNIT_ASSERT_EQ(test, kmqtt_cursor_left(&block),
			c->props ? sizeof(forwarded) - 1 : 0);
	KUNIT_EXPECT_MEMEQ(test, block.pos, forwarded,
			   kmqtt_cursor_left(&block));
}

/* The decoder's own word on the packet. */
static void expect_decoded(struct kunit *test, const struct delivery_case *c,
			   const struct kmqtt_delivery *d,
			   const struct kmqtt_fixed *fixed, const u8 *p,
			   size_t len)
{
	struct kmqtt_publish pub;

	if (c->nr_ids > 1) {
		KUNIT_EXPECT_EQ(test, kmqtt_publish_decode(fixed, KMQTT_V5, p,
							   len, &pub), -EPROTO);
		return;
	}
	KUNIT_ASSERT_EQ(test, kmqtt_publish_decode(fixed, KMQTT_V5, p, len,
						   &pub), 0);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&pub.topic,
						  c->alias == KNOWN_ALIAS ?
						  "" : "a/topic"));
	KUNIT_EXPECT_EQ(test, pub.id, c->id);
	KUNIT_EXPECT_EQ(test, pub.payload_len, c->payload_len);
	KUNIT_EXPECT_EQ(test, kmqtt_prop_has(&pub.props,
					     KMQTT_PROP_MESSAGE_EXPIRY),
			c->expires);
	KUNIT_EXPECT_EQ(test, kmqtt_prop_has(&pub.props,
					     KMQTT_PROP_TOPIC_ALIAS),
			c->alias != NO_ALIAS);
	KUNIT_EXPECT_EQ(test, kmqtt_prop_has(&pub.props,
					     KMQTT_PROP_SUBSCRIPTION_ID),
			c->nr_ids == 1);
	KUNIT_EXPECT_EQ(test, kmqtt_prop_has(&pub.props, KMQTT_PROP_USER),
			c->props);
	KUNIT_EXPECT_EQ(test, pub.props.block_len, d->props_len);
}

/* The packet is in @bytes, @copied of them; the payload may not be. */
static void expect_packet(struct kunit *test, const struct delivery_case *c,
			  const struct kmqtt_delivery *d, const u8 *bytes,
			  u32 copied)
{
	struct kmqtt_cursor p = { .pos = bytes, .end = bytes + copied };
	bool paged = c->payload_len > KMQTT_MSG_INLINE_MAX;
	struct kmqtt_fixed fixed;
	struct kmqtt_str topic;
	u32 i, wrong = 0;
	u16 id;

	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(bytes, copied, &fixed), 0);
	KUNIT_EXPECT_TRUE(test, kmqtt_fixed_allowed(&fixed, KMQTT_V5));
	KUNIT_EXPECT_EQ(test, bytes[0], c->first);
	KUNIT_EXPECT_EQ(test, fixed.len + fixed.remaining,
			kmqtt_delivery_len(d));
	p.pos += fixed.len;
	expect_decoded(test, c, d, &fixed, p.pos, kmqtt_cursor_left(&p));
	KUNIT_ASSERT_TRUE(test, kmqtt_read_string(&p, &topic));
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&topic,
						  c->alias == KNOWN_ALIAS ?
						  "" : "a/topic"));
	if (c->id) {
		KUNIT_ASSERT_TRUE(test, kmqtt_read_u16(&p, &id));
		KUNIT_EXPECT_EQ(test, id, c->id);
	}
	expect_props(test, c, d, &p);
	KUNIT_ASSERT_EQ(test, kmqtt_cursor_left(&p), paged ? 0 : c->payload_len);
	for (i = 0; !paged && i < c->payload_len; i++)
		wrong += p.pos[i] != kmqtt_test_byte(i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void delivery_publish(struct kunit *test)
{
	const struct delivery_case *c = test->param_value;
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_delivery d = {
		.first = c->first,
		.id = c->id,
		.alias = c->alias ? 0x1234 : 0,
		.alias_known = c->alias == KNOWN_ALIAS,
		.msg = msg_create(test, memory, c),
	};
	bool paged = c->payload_len > KMQTT_MSG_INLINE_MAX;
	u32 ids[IDS_MAX], copied, i;
	u8 *bytes;

	for (i = 0; i < c->nr_ids; i++)
		ids[i] = sub_id(i);
	if (c->nr_ids == 1)
		d.sub_id = ids[0];
	else if (c->nr_ids)
		d.extra = kmqtt_extra_create(memory, NULL, ids, c->nr_ids);
	kmqtt_delivery_prepare(&d, KMQTT_V5);
	copied = kmqtt_delivery_copied(&d);
	KUNIT_EXPECT_EQ(test, copied + (paged ? c->payload_len : 0),
			kmqtt_delivery_len(&d));
	bytes = kunit_kmalloc(test, copied, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_EQ(test, kmqtt_delivery_copy(&d, bytes), copied);
	expect_packet(test, c, &d, bytes, copied);
	kmqtt_delivery_put(&d);
}

/* Clients of other versions get the same message without any of it. */
static void delivery_older(struct kunit *test)
{
	static const u8 want[] = "\x32\x0d\0\7a/topic\0\7\0\1";
	const struct delivery_case c = {
		.payload_len = 2, .props = true, .expires = true,
	};
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_delivery d = {
		.first = 0x32,
		.id = 7,
		.sub_id = 5,
		.msg = msg_create(test, memory, &c),
	};
	u8 *bytes = kmqtt_test_exact(test, want, sizeof(want) - 1);

	memset(bytes, 0xee, sizeof(want) - 1);
	kmqtt_delivery_prepare(&d, KMQTT_V31);
	KUNIT_EXPECT_EQ(test, kmqtt_delivery_copied(&d), sizeof(want) - 1);
	kmqtt_delivery_prepare(&d, KMQTT_V311);
	KUNIT_ASSERT_EQ(test, kmqtt_delivery_copied(&d), sizeof(want) - 1);
	KUNIT_EXPECT_EQ(test, kmqtt_delivery_copy(&d, bytes), sizeof(want) - 1);
	KUNIT_EXPECT_EQ(test, kmqtt_test_byte(1), 1);
	KUNIT_EXPECT_MEMEQ(test, bytes, want, sizeof(want) - 1);
	kmqtt_delivery_put(&d);
}

static void delivery_pubrel(struct kunit *test)
{
	struct kmqtt_delivery d = { .first = 0x62, .id = 0x1234 };
	u8 *bytes = kmqtt_test_exact(test, "????", 4);

	kmqtt_delivery_prepare(&d, KMQTT_V5);
	KUNIT_ASSERT_EQ(test, kmqtt_delivery_copied(&d), 4);
	KUNIT_EXPECT_EQ(test, kmqtt_delivery_copy(&d, bytes), 4);
	KUNIT_EXPECT_MEMEQ(test, bytes, "\x62\2\x12\x34", 4);
}

/* What is left, in seconds that have begun. */
static void expiry_left(struct kunit *test)
{
	static const struct {
		u64 expires;
		u64 now;
		u32 left;
	} cases[] = {
		{ 10000, 0, 10 }, { 10000, 1, 10 }, { 10000, 999, 10 },
		{ 10000, 1000, 9 }, { 10000, 1001, 9 }, { 10000, 8999, 2 },
		{ 10000, 9000, 1 }, { 10000, 9999, 1 }, { 10000, 10000, 0 },
		{ 10000, 10001, 0 }, { 10000, U64_MAX, 0 }, { 0, 0, 0 },
		{ 1234 + 1000ULL * U32_MAX, 1234, U32_MAX },
		{ 1234 + 1000ULL * U32_MAX, 1235, U32_MAX },
		{ 1234 + 1000ULL * U32_MAX, 2234, U32_MAX - 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kmqtt_msg msg = { .expires = cases[i].expires };

		KUNIT_EXPECT_EQ_MSG(test, kmqtt_msg_left(&msg, cases[i].now),
				    cases[i].left, "case %zu", i);
	}
}

static void expiry_message(struct kunit *test)
{
	static const u32 expiries[] = { 0, 1, 100, U32_MAX };
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_str topic = kmqtt_test_str("t");
	struct kmqtt_props props = {};
	struct kmqtt_msg *msg;
	size_t i;

	msg = kmqtt_msg_create(memory, &topic, &props, 0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, msg);
	kmqtt_msg_published(msg);
	KUNIT_EXPECT_FALSE(test, msg->has_expiry);
	KUNIT_EXPECT_FALSE(test, kmqtt_msg_expired(msg));
	kmqtt_msg_put(msg);

	kmqtt_prop_add(&props, KMQTT_PROP_MESSAGE_EXPIRY);
	for (i = 0; i < ARRAY_SIZE(expiries); i++) {
		u64 before, after;

		props.message_expiry = expiries[i];
		msg = kmqtt_msg_create(memory, &topic, &props, 0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, msg);
		before = kmqtt_msg_now();
		kmqtt_msg_published(msg);
		after = kmqtt_msg_now();
		KUNIT_EXPECT_GE(test, msg->expires,
				before + 1000ULL * expiries[i]);
		KUNIT_EXPECT_LE(test, msg->expires,
				after + 1000ULL * expiries[i]);
		if (expiries[i] != 1)
			KUNIT_EXPECT_EQ(test, kmqtt_msg_expired(msg),
					!expiries[i]);
		kmqtt_msg_put(msg);
	}
}

/* A retained message that has expired is none. */
static void expiry_retained(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	struct kmqtt_retained *store = kunit_kzalloc(test, sizeof(*store),
						     GFP_KERNEL);
	const char *const names[] = { "a/1", "a/2", "a/3" };
	struct kmqtt_replay *replay;
	struct kmqtt_msg *msg;
	u32 steps = 100, i;

	KUNIT_ASSERT_NOT_NULL(test, store);
	KUNIT_ASSERT_EQ(test, kmqtt_retained_init(store, memory, system_wq),
			0);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		msg = kmqtt_test_msg(test, memory, names[i], 1);
		msg->has_expiry = true;
		msg->expiry = i == 1 ? 1000 : 0;
		kmqtt_msg_published(msg);
		KUNIT_EXPECT_EQ(test, kmqtt_retained_set(store, msg, 10), 0);
		kmqtt_msg_put(msg);
	}
	replay = kmqtt_replay_create(memory, "a/#", 3, false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, replay);
	kmqtt_replay_start(store, replay);
	KUNIT_ASSERT_EQ(test, kmqtt_replay_next(store, replay, &steps, &msg),
			1);
	KUNIT_EXPECT_MEMEQ(test, kmqtt_msg_topic(msg), "a/2", 3);
	kmqtt_msg_put(msg);
	KUNIT_EXPECT_EQ(test, kmqtt_replay_next(store, replay, &steps, &msg),
			0);
	kmqtt_replay_destroy(store, replay);
	kmqtt_retained_uninit(store);
}

static struct kunit_case delivery_v5_cases[] = {
	KUNIT_CASE_PARAM(delivery_publish, delivery_gen_params),
	KUNIT_CASE(delivery_older),
	KUNIT_CASE(delivery_pubrel),
	{}
};

static struct kunit_case expiry_cases[] = {
	KUNIT_CASE(expiry_left),
	KUNIT_CASE(expiry_message),
	KUNIT_CASE(expiry_retained),
	{}
};

static struct kunit_suite delivery_v5_suite = {
	.name = "kmqtt_delivery_v5",
	.test_cases = delivery_v5_cases,
};

static struct kunit_suite expiry_suite = {
	.name = "kmqtt_message_expiry",
	.test_cases = expiry_cases,
};

kunit_test_suites(&delivery_v5_suite, &expiry_suite);
