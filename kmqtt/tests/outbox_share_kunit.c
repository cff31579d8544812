// SPDX-License-Identifier: GPL-2.0
/*
 * What leaves an outbox other than by being delivered: messages that are
 * discarded, rejected, or given to other members of their group.
 */
#include "support.h"
#include "../session/outbox.h"

#define MESSAGES	6

struct share_test {
	struct kmqtt_memory *memory;
	struct kmqtt_outbox outbox;
	struct kmqtt_outbox_limits limits;
	struct kmqtt_group group;
	struct kmqtt_msg *msgs[MESSAGES];
};

static struct share_test *share_create(struct kunit *test)
{
	struct share_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	t->limits.max_queued = U32_MAX;
	t->limits.max_bytes = U64_MAX;
	kref_init(&t->group.ref);
	kmqtt_outbox_init(&t->outbox, t->memory);
	for (i = 0; i < MESSAGES; i++)
		t->msgs[i] = kmqtt_test_msg(test, t->memory, "t", i);
	return t;
}

static void share_destroy(struct kunit *test, struct share_test *t)
{
	int i;

	kmqtt_outbox_uninit(&t->outbox);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 0);
	KUNIT_EXPECT_EQ(test, t->outbox.bytes, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&t->group.ref), 1);
	for (i = 0; i < MESSAGES; i++) {
		KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[i]->refs), 1);
		kmqtt_msg_put(t->msgs[i]);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
}

static int push(struct share_test *t, int msg, u8 qos, bool shared)
{
	const struct kmqtt_offer offer = {
		.msg = t->msgs[msg],
		.group = shared ? &t->group : NULL,
		.qos = qos,
	};

	return kmqtt_outbox_push(&t->outbox, &offer, &t->limits);
}

static int msg_number(struct share_test *t, const struct kmqtt_msg *msg)
{
	int i;

	for (i = 0; t->msgs[i] != msg; i++)
		;
	return i;
}

/* Take the next packet; returns the number of its message, -1 for none. */
static int next(struct share_test *t, struct kmqtt_delivery *d)
{
	if (!kmqtt_outbox_next(&t->outbox, 100, d))
		return -1;
	kmqtt_delivery_put(d);
	return d->msg ? msg_number(t, d->msg) : MESSAGES;
}

/* Take out what others may get; returns its number, -1 for none. */
static int take(struct share_test *t, bool ended, u64 *pos)
{
	struct kmqtt_entry entry;

	if (!kmqtt_outbox_take_shared(&t->outbox, ended, pos, &entry))
		return -1;
	kmqtt_extra_put(entry.extra);
	kmqtt_msg_put(entry.msg);
	return msg_number(t, entry.msg);
}

static void share_discard(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_outbox_mark mark;
	struct kmqtt_delivery d;
	int i;

	for (i = 0; i < MESSAGES; i++)
		KUNIT_EXPECT_EQ(test, push(t, i, i % 3, false), 0);
	kmqtt_outbox_mark(&t->outbox, &mark);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, next(t, &d), i);
		if (i == 0 || i == 2)
			kmqtt_outbox_discard(&t->outbox, &d);
	}
	/* It is gone at once and counts nowhere. */
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[0]->refs), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[2]->refs), 1);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 2);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(&t->outbox, 2), -ENOENT);

	/* Giving back what was taken doesn't bring it back. */
	kmqtt_outbox_rewind(&t->outbox, &mark);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 4);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, d.id, 1);
	KUNIT_EXPECT_EQ(test, next(t, &d), 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), 4);
	/* Nor does a lost connection. */
	kmqtt_outbox_drop_best_effort(&t->outbox);
	kmqtt_outbox_restart(&t->outbox);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, d.first, 0x3a);
	KUNIT_EXPECT_EQ(test, next(t, &d), 4);
	KUNIT_EXPECT_EQ(test, d.id, 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), 5);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	share_destroy(test, t);
}

/* What is discarded leaves room for others. */
static void share_discard_limits(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_delivery d;
	u8 qos;
	int i;

	t->limits.max_queued = 2;
	for (qos = 0; qos <= 2; qos++) {
		push(t, 0, qos, false);
		push(t, 1, qos, false);
		KUNIT_EXPECT_EQ(test, push(t, 2, qos, false), -ENOBUFS);
		for (i = 0; i < 2; i++) {
			KUNIT_EXPECT_EQ(test, next(t, &d), i);
			kmqtt_outbox_discard(&t->outbox, &d);
		}
		KUNIT_EXPECT_EQ(test, t->outbox.bytes, 0);
		KUNIT_EXPECT_EQ(test, t->outbox.inflight, 0);
		kmqtt_outbox_sent(&t->outbox);
		KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 0);
	}
	share_destroy(test, t);
}

/* A client to which nothing can be sent at all has no queue that grows. */
static void share_discard_memory(struct kunit *test)
{
	struct share_test *t = share_create(test);
	u64 used = kmqtt_memory_used(t->memory);
	struct kmqtt_delivery d;
	u8 qos;
	int i;

	for (qos = 0; qos <= 2; qos++)
		for (i = 0; i < 200; i++) {
			KUNIT_ASSERT_EQ(test, push(t, 1, qos, i & 1), 0);
			KUNIT_ASSERT_EQ(test, next(t, &d), 1);
			kmqtt_outbox_discard(&t->outbox, &d);
			KUNIT_ASSERT_EQ(test, next(t, &d), -1);
			KUNIT_ASSERT_EQ(test, kmqtt_memory_used(t->memory),
					used);
		}
	share_destroy(test, t);
}

static void share_reject(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_delivery d;
	int i;

	push(t, 0, 2, true);
	push(t, 1, 1, false);
	push(t, 2, 2, false);
	push(t, 3, 2, false);
	for (i = 0; i < 3; i++)
		next(t, &d);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(&t->outbox, 3), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 1), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[0]->refs), 1);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 2);
	/* Once; not with QoS 1; not behind PUBREC; not before it is sent. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 3), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_reject(&t->outbox, 4), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(&t->outbox, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(&t->outbox, 3), 0);
	kmqtt_outbox_restart(&t->outbox);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, next(t, &d), 3);
	share_destroy(test, t);
}

/* A session that stays: others get only what was not begun. */
static void share_take(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_delivery d;
	u64 pos = 0;

	push(t, 0, 1, true);
	push(t, 1, 2, true);
	push(t, 2, 1, false);
	push(t, 3, 2, true);
	push(t, 4, 1, true);
	push(t, 5, 0, true);
	next(t, &d);
	next(t, &d);
	kmqtt_outbox_drop_best_effort(&t->outbox);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 3);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), 3);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 2);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), 4);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), -1);
	pos = 0;
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), -1);
	KUNIT_EXPECT_EQ(test, t->outbox.bytes, 3 + 0 + 1 + 2);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 2);
	/* What was begun on one connection is begun on the next. */
	kmqtt_outbox_restart(&t->outbox);
	pos = 0;
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), -1);
	KUNIT_EXPECT_EQ(test, next(t, &d), 0);
	KUNIT_EXPECT_EQ(test, d.first, 0x3a);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, next(t, &d), 2);
	KUNIT_EXPECT_EQ(test, d.id, 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	share_destroy(test, t);
}

/* A session that ends: QoS 1 may begin again elsewhere, QoS 2 may not. */
static void share_take_ended(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_delivery d;
	u64 pos = 0;

	push(t, 0, 2, true);
	push(t, 1, 2, true);
	push(t, 2, 1, true);
	push(t, 3, 2, true);
	push(t, 4, 1, false);
	push(t, 5, 1, true);
	next(t, &d);
	next(t, &d);
	next(t, &d);
	kmqtt_outbox_pubrec(&t->outbox, 1);
	KUNIT_EXPECT_EQ(test, take(t, true, &pos), 2);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 2);
	KUNIT_EXPECT_EQ(test, take(t, true, &pos), 3);
	KUNIT_EXPECT_EQ(test, take(t, true, &pos), 5);
	KUNIT_EXPECT_EQ(test, take(t, true, &pos), -1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 1);
	share_destroy(test, t);
}

/* The place of a walk may have gone meanwhile, and more may have come. */
static void share_take_walk(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_delivery d;
	u64 pos = 0;
	int i;

	for (i = 0; i < 4; i++)
		push(t, i, 1, true);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), 0);
	for (i = 1; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, next(t, &d), i);
		KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(&t->outbox, d.id), 0);
	}
	push(t, 4, 1, true);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), 4);
	KUNIT_EXPECT_EQ(test, take(t, false, &pos), -1);
	push(t, 5, 1, true);
	KUNIT_EXPECT_EQ(test, next(t, &d), 5);
	share_destroy(test, t);
}

/* What nobody takes comes back to its place, if that is still there. */
static void share_put_back(struct kunit *test)
{
	struct share_test *t = share_create(test);
	struct kmqtt_entry entry, other;
	struct kmqtt_delivery d;
	u64 pos = 0, first;
	int i;

	for (i = 0; i < 4; i++)
		push(t, i, 1, i != 1);
	t->limits.max_queued = 0;
	KUNIT_ASSERT_TRUE(test, kmqtt_outbox_take_shared(&t->outbox, false,
							 &pos, &entry));
	KUNIT_EXPECT_TRUE(test, kmqtt_outbox_put_back(&t->outbox, pos, &entry));
	KUNIT_EXPECT_EQ(test, refcount_read(&entry.msg->refs), 3);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 4);
	KUNIT_EXPECT_EQ(test, t->outbox.bytes, 1 + 2 + 3 + 4);
	kmqtt_extra_put(entry.extra);
	kmqtt_msg_put(entry.msg);
	KUNIT_ASSERT_TRUE(test, kmqtt_outbox_take_shared(&t->outbox, false,
							 &pos, &other));
	KUNIT_EXPECT_EQ(test, next(t, &d), 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_outbox_put_back(&t->outbox, pos, &other));
	kmqtt_extra_put(other.extra);
	kmqtt_msg_put(other.msg);
	KUNIT_EXPECT_EQ(test, next(t, &d), 2);
	KUNIT_EXPECT_EQ(test, d.id, 3);

	/* The last one: the client is back and has stepped over its place. */
	first = pos;
	KUNIT_ASSERT_TRUE(test, kmqtt_outbox_take_shared(&t->outbox, false,
							 &pos, &entry));
	KUNIT_EXPECT_EQ(test, pos, first + 1);
	kmqtt_outbox_restart(&t->outbox);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, next(t, &d), i);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	KUNIT_EXPECT_FALSE(test, kmqtt_outbox_put_back(&t->outbox, pos,
						       &entry));
	for (i = 1; i <= 3; i++)
		KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(&t->outbox, i), 0);
	KUNIT_EXPECT_FALSE(test, kmqtt_outbox_put_back(&t->outbox, pos,
						       &entry));
	kmqtt_extra_put(entry.extra);
	kmqtt_msg_put(entry.msg);
	share_destroy(test, t);
}

/* A ring out of which all was taken has no memory, and takes on as before. */
static void share_take_memory(struct kunit *test)
{
	struct share_test *t = share_create(test);
	u64 used = kmqtt_memory_used(t->memory);
	struct kmqtt_delivery d;
	int round, i;

	for (round = 0; round < 20; round++) {
		u64 pos = 0;

		for (i = 0; i < 100; i++)
			KUNIT_ASSERT_EQ(test, push(t, 1, 1, true), 0);
		for (i = 0; i < 100; i++)
			KUNIT_ASSERT_EQ(test, take(t, false, &pos), 1);
		KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 0);
	}
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	share_destroy(test, t);
}

/* One identifier needs no memory; several, or a group, need it until the end. */
static void share_extra(struct kunit *test)
{
	static const u32 ids[] = { 1, 2, 3 };
	struct share_test *t = share_create(test);
	struct kmqtt_offer offer = { .msg = t->msgs[0], .ids = ids, .qos = 1 };
	u64 used = kmqtt_memory_used(t->memory);
	struct kmqtt_delivery d;

	t->memory->limit = 0;
	offer.nr_ids = 1;
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_push(&t->outbox, &offer,
						&t->limits), 0);
	offer.nr_ids = 2;
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_push(&t->outbox, &offer,
						&t->limits), -ENOMEM);
	KUNIT_EXPECT_EQ(test, push(t, 1, 1, true), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[1]->refs), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&t->group.ref), 1);
	t->memory->limit = KMQTT_TEST_MEMORY;
	offer.nr_ids = 3;
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_push(&t->outbox, &offer,
						&t->limits), 0);
	KUNIT_EXPECT_EQ(test, push(t, 1, 1, true), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&t->group.ref), 2);

	KUNIT_EXPECT_EQ(test, next(t, &d), 0);
	KUNIT_EXPECT_EQ(test, d.sub_id, 1);
	/* A packet on its way keeps what it needs. */
	KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&t->outbox, 100, &d));
	kmqtt_outbox_puback(&t->outbox, 2);
	KUNIT_EXPECT_EQ(test, d.extra->nr_ids, 3);
	kmqtt_delivery_put(&d);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	kmqtt_outbox_puback(&t->outbox, 3);
	KUNIT_EXPECT_EQ(test, kref_read(&t->group.ref), 1);
	/* Empty, the ring gives back what it has grown by. */
	kmqtt_outbox_puback(&t->outbox, 1);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), used);
	share_destroy(test, t);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(share_discard),
	KUNIT_CASE(share_discard_limits),
	KUNIT_CASE(share_discard_memory),
	KUNIT_CASE(share_reject),
	KUNIT_CASE(share_take),
	KUNIT_CASE(share_take_ended),
	KUNIT_CASE(share_take_walk),
	KUNIT_CASE(share_put_back),
	KUNIT_CASE(share_take_memory),
	KUNIT_CASE(share_extra),
	{}
};

static struct kunit_suite share_suite = {
	.name = "kmqtt_outbox_share",
	.test_cases = share_cases,
};

kunit_test_suites(&share_suite);
