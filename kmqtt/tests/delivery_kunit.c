// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of what an outbox gives out, and the acknowledgements of a link.
 */
#include "support.h"
#include "../session/link.h"
#include "../session/outbox.h"
#include "../wire/decode.h"
#include "../wire/encode.h"

struct delivery_case {
	const char *desc;
	const char *topic;
	u32 payload_len;
	u8 first;
	u16 id;
};

static const struct delivery_case delivery_cases[] = {
	{ "QoS 0 without payload", "a/b", 0, 0x30, 0 },
	{ "QoS 0 with payload", "a/b", 5, 0x30, 0 },
	{ "QoS 0 with RETAIN", "a/b", 5, 0x31, 0 },
	{ "QoS 1", "a/b", 5, 0x32, 1 },
	{ "QoS 1 with DUP", "a/b", 5, 0x3a, 0x1234 },
	{ "QoS 2 with all", "a/b", 5, 0x3d, 65535 },
	{ "last of one length byte", "a", 122, 0x32, 2 },
	{ "first of two length bytes", "a", 123, 0x32, 2 },
	{ "payload in place", "a/b", PAGE_SIZE, 0x32, 7 },
	{ "payload in pages", "a/b", PAGE_SIZE + 1, 0x30, 0 },
	{ "payload in pages, QoS 2", "a/b", 100000, 0x34, 9 },
	{ "last of three length bytes", "a", 2097151 - 5, 0x32, 7 },
	{ "first of four length bytes", "a", 2097152 - 5, 0x32, 7 },
};

KUNIT_ARRAY_PARAM_DESC(delivery, delivery_cases, desc);

static void delivery_publish(struct kunit *test)
{
	const struct delivery_case *c = test->param_value;
	struct kmqtt_memory *memory = kmqtt_test_memory(test,
							KMQTT_TEST_MEMORY);
	bool paged = c->payload_len > KMQTT_MSG_INLINE_MAX;
	struct kmqtt_delivery d = { .first = c->first, .id = c->id };
	u32 copied, i, wrong = 0;
	struct kmqtt_publish pub;
	struct kmqtt_fixed fixed;
	u8 *bytes;

	d.msg = kmqtt_test_msg(test, memory, c->topic, c->payload_len);
	kmqtt_delivery_prepare(&d, KMQTT_V311);
	copied = kmqtt_delivery_copied(&d);
	KUNIT_EXPECT_EQ(test, copied + (paged ? c->payload_len : 0),
			kmqtt_delivery_len(&d));
	bytes = kunit_kmalloc(test, copied, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_EQ(test, kmqtt_delivery_copy(&d, bytes), copied);

	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(bytes, copied, &fixed), 0);
	KUNIT_EXPECT_EQ(test, fixed.type << 4 | fixed.flags, c->first);
	KUNIT_EXPECT_EQ(test, fixed.len + fixed.remaining,
			kmqtt_delivery_len(&d));
	KUNIT_ASSERT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V311,
						   bytes + fixed.len,
						   copied - fixed.len, &pub),
			0);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&pub.topic, c->topic));
	KUNIT_EXPECT_EQ(test, pub.id, c->id);
	KUNIT_EXPECT_EQ(test, pub.payload_len, c->payload_len);
	KUNIT_EXPECT_EQ(test, copied, fixed.len + pub.head_len +
			(paged ? 0 : c->payload_len));
	for (i = 0; !paged && i < c->payload_len; i++)
		wrong += bytes[fixed.len + pub.head_len + i] !=
			 kmqtt_test_byte(i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	kmqtt_msg_put(d.msg);
}

static void delivery_pubrel(struct kunit *test)
{
	struct kmqtt_delivery d = { .first = 0x62, .id = 0x1234 };
	static const u8 want[] = { 0x62, 2, 0x12, 0x34 };
	u8 *bytes = kmqtt_test_exact(test, "????", 4);

	kmqtt_delivery_prepare(&d, KMQTT_V311);
	KUNIT_EXPECT_EQ(test, kmqtt_delivery_len(&d), 4);
	KUNIT_ASSERT_EQ(test, kmqtt_delivery_copied(&d), 4);
	KUNIT_EXPECT_EQ(test, kmqtt_delivery_copy(&d, bytes), 4);
	KUNIT_EXPECT_MEMEQ(test, bytes, want, 4);
}

struct test_link {
	struct kmqtt_link link;
	int releases;
};

static void test_link_release(struct kref *ref)
{
	container_of(ref, struct test_link, link.ref)->releases++;
}

static const struct kmqtt_link_ops test_link_ops = {
	.release = test_link_release,
};

static struct test_link *link_create(struct kunit *test)
{
	struct test_link *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	kmqtt_link_init(&l->link, &test_link_ops);
	return l;
}

static void link_destroy(struct kunit *test, struct test_link *l)
{
	KUNIT_EXPECT_EQ(test, l->releases, 0);
	kmqtt_link_put(&l->link);
	KUNIT_EXPECT_EQ(test, l->releases, 1);
	kmqtt_link_uninit(&l->link);
}

static void link_acks(struct kunit *test)
{
	struct test_link *l = link_create(test);
	struct kmqtt_link *link = &l->link;
	u8 to[16];

	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 16), 0);
	KUNIT_ASSERT_EQ(test, kmqtt_link_reserve(link, 8, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 16), 0);
	kmqtt_link_ack(link, "abcd", 4);
	kmqtt_link_ack(link, "efg", 3);
	/* Looking takes nothing away. */
	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 5), 5);
	KUNIT_EXPECT_MEMEQ(test, to, "abcde", 5);
	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 16), 7);
	KUNIT_EXPECT_MEMEQ(test, to, "abcdefg", 7);
	/* Part of a packet may be sent, and more may come meanwhile. */
	kmqtt_link_drop_acks(link, 2);
	kmqtt_link_ack(link, "h", 1);
	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 16), 6);
	KUNIT_EXPECT_MEMEQ(test, to, "cdefgh", 6);
	kmqtt_link_drop_acks(link, 0);
	kmqtt_link_drop_acks(link, 6);
	KUNIT_EXPECT_EQ(test, kmqtt_link_copy_acks(link, to, 16), 0);
	link_destroy(test, l);
}

static void link_reserve(struct kunit *test)
{
	struct test_link *l = link_create(test);
	struct kmqtt_link *link = &l->link;
	u32 i, wrong = 0;
	u8 *bytes;

	/* What is there moves along when room is made. */
	for (i = 0; i < 1000; i++) {
		u8 ack[4];

		KUNIT_ASSERT_EQ(test, kmqtt_link_reserve(link, 4, GFP_ATOMIC),
				0);
		kmqtt_link_ack(link, ack, kmqtt_ack_encode(ack, KMQTT_PUBACK,
							   i, 0, NULL));
	}
	bytes = kunit_kmalloc(test, 4000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_EQ(test, kmqtt_link_copy_acks(link, bytes, 4000), 4000);
	for (i = 0; i < 1000; i++)
		wrong += (bytes[4 * i + 2] << 8 | bytes[4 * i + 3]) != i;
	KUNIT_EXPECT_EQ(test, wrong, 0);

	/* A client that doesn't read gets no more room, until it does. */
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, KMQTT_LINK_ACKS_MAX -
						 4000, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, KMQTT_LINK_ACKS_MAX -
						 3999, GFP_KERNEL), -ENOSPC);
	kmqtt_link_shrink(link);
	KUNIT_EXPECT_EQ(test, link->acks_len, 4000);
	kmqtt_link_drop_acks(link, 4000);
	/* A single packet may be larger than all may be. */
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 2 * KMQTT_LINK_ACKS_MAX,
						 GFP_KERNEL), 0);
	/* Nothing is kept for nothing. */
	kmqtt_link_shrink(link);
	KUNIT_EXPECT_NULL(test, link->acks);
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 4, GFP_KERNEL), 0);
	KUNIT_EXPECT_NOT_NULL(test, link->acks);
	link_destroy(test, l);
}

/* Who is there already gets short answers when nothing else gets memory. */
static void link_full(struct kunit *test)
{
	struct test_link *l = link_create(test);
	struct kmqtt_link *link = &l->link;
	struct kmqtt_memory *memory;

	memory = kunit_kzalloc(test, sizeof(*memory), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_EQ(test, kmqtt_memory_init(memory, 0), 0);
	link->memory = memory;
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 64, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 64);
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 513, GFP_KERNEL),
			-ENOMEM);
	/* What is there leaves first, and then there is room again. */
	kmqtt_link_ack(link, "abcd", 4);
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 509, GFP_KERNEL),
			-ENOSPC);
	kmqtt_link_drop_acks(link, 4);
	KUNIT_EXPECT_EQ(test, kmqtt_link_reserve(link, 512, GFP_KERNEL), 0);
	kmqtt_link_shrink(link);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
	link->memory = NULL;
	link_destroy(test, l);
	kmqtt_memory_uninit(memory);
}

static void link_touch(struct kunit *test)
{
	struct test_link *l = link_create(test), *m = link_create(test);
	struct kmqtt_batch batch, other;
	struct kmqtt_link *link, *next;
	int nr = 0;

	INIT_LIST_HEAD(&batch.touched);
	INIT_LIST_HEAD(&other.touched);
	kmqtt_link_touch(&l->link, &batch);
	kmqtt_link_touch(&m->link, &batch);
	kmqtt_link_touch(&l->link, &batch);
	/* The first batch sends for both. */
	kmqtt_link_touch(&m->link, &other);
	KUNIT_EXPECT_TRUE(test, list_empty(&other.touched));
	KUNIT_EXPECT_EQ(test, kref_read(&l->link.ref), 2);
	KUNIT_EXPECT_EQ(test, kref_read(&m->link.ref), 2);
	list_for_each_entry_safe(link, next, &batch.touched, touched) {
		KUNIT_EXPECT_PTR_EQ(test, link, nr++ ? &m->link : &l->link);
		list_del_init(&link->touched);
		clear_bit(KMQTT_LINK_TOUCHED, &link->flags);
		kmqtt_link_put(link);
	}
	KUNIT_EXPECT_EQ(test, nr, 2);
	kmqtt_link_touch(&m->link, &other);
	KUNIT_EXPECT_FALSE(test, list_empty(&other.touched));
	list_del_init(&m->link.touched);
	kmqtt_link_put(&m->link);
	link_destroy(test, l);
	link_destroy(test, m);
}

static struct kunit_case delivery_kunit_cases[] = {
	KUNIT_CASE_PARAM(delivery_publish, delivery_gen_params),
	KUNIT_CASE(delivery_pubrel),
	{}
};

static struct kunit_case link_cases[] = {
	KUNIT_CASE(link_acks),
	KUNIT_CASE(link_reserve),
	KUNIT_CASE(link_full),
	KUNIT_CASE(link_touch),
	{}
};

static struct kunit_suite delivery_suite = {
	.name = "kmqtt_delivery",
	.test_cases = delivery_kunit_cases,
};

static struct kunit_suite link_suite = {
	.name = "kmqtt_link",
	.test_cases = link_cases,
};

kunit_test_suites(&delivery_suite, &link_suite);
