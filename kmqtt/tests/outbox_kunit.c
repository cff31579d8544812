// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a session: what is due, what is acknowledged, what is sent
 * again, and how much they take.
 */
#include "support.h"
#include "../session/outbox.h"

#define MESSAGES	8

struct outbox_test {
	struct kmqtt_memory *memory;
	struct kmqtt_outbox outbox;
	struct kmqtt_outbox_limits limits;
	struct kmqtt_msg *msgs[MESSAGES];
};

static struct outbox_test *outbox_create(struct kunit *test)
{
	struct outbox_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	t->limits.max_inflight = 100;
	t->limits.max_queued = 1000000;
	t->limits.max_bytes = U64_MAX;
	kmqtt_outbox_init(&t->outbox, t->memory);
	for (i = 0; i < MESSAGES; i++)
		t->msgs[i] = kmqtt_test_msg(test, t->memory, "t", i);
	return t;
}

static void outbox_destroy(struct kunit *test, struct outbox_test *t)
{
	int i;

	kmqtt_outbox_uninit(&t->outbox);
	KUNIT_EXPECT_EQ(test, t->outbox.bytes, 0);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 0);
	for (i = 0; i < MESSAGES; i++) {
		KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[i]->refs), 1);
		kmqtt_msg_put(t->msgs[i]);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
}

static int push(struct outbox_test *t, int msg, u8 qos)
{
	const struct kmqtt_offer offer = { .msg = t->msgs[msg], .qos = qos };

	return kmqtt_outbox_push(&t->outbox, &offer, &t->limits);
}

/* Take the next packet; returns the number of its message, -1 for none. */
static int next(struct outbox_test *t, struct kmqtt_delivery *d)
{
	int i;

	if (!kmqtt_outbox_next(&t->outbox, t->limits.max_inflight, d))
		return -1;
	if (!d->msg)
		return MESSAGES;	/* a PUBREL */
	kmqtt_msg_put(d->msg);
	for (i = 0; t->msgs[i] != d->msg; i++)
		;
	return i;
}

static void outbox_order(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	static const u8 qos[MESSAGES] = { 0, 1, 0, 2, 2, 0, 0, 1 };
	struct kmqtt_delivery d;
	u16 id = 0;
	int i;

	for (i = 0; i < MESSAGES; i++)
		KUNIT_EXPECT_EQ(test, push(t, i, qos[i]), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), MESSAGES);
	for (i = 0; i < MESSAGES; i++) {
		KUNIT_ASSERT_EQ(test, next(t, &d), i);
		KUNIT_EXPECT_EQ(test, d.first, 0x30 | qos[i] << 1);
		KUNIT_EXPECT_EQ(test, d.id, qos[i] ? ++id : 0);
	}
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	KUNIT_EXPECT_EQ(test, t->outbox.inflight, 4);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->outbox), 0);
	/* QoS 0 goes when it is sent, the others stay. */
	kmqtt_outbox_sent(&t->outbox);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[0]->refs), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[1]->refs), 2);
	outbox_destroy(test, t);
}

/* The order is that of arrival also after the counter has wrapped around. */
static void outbox_order_wraps(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_delivery d;
	int i;

	t->outbox.seq = U32_MAX - 3;
	for (i = 0; i < MESSAGES; i++)
		push(t, i, i & 1);
	for (i = 0; i < MESSAGES; i++)
		KUNIT_EXPECT_EQ(test, next(t, &d), i);
	outbox_destroy(test, t);
}

static void outbox_retain(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_offer offer = { .msg = t->msgs[0], .retain = true };
	struct kmqtt_delivery d;

	kmqtt_outbox_push(&t->outbox, &offer, &t->limits);
	offer.msg = t->msgs[1];
	offer.qos = 2;
	kmqtt_outbox_push(&t->outbox, &offer, &t->limits);
	next(t, &d);
	KUNIT_EXPECT_EQ(test, d.first, 0x31);
	next(t, &d);
	KUNIT_EXPECT_EQ(test, d.first, 0x35);
	kmqtt_outbox_restart(&t->outbox);
	kmqtt_outbox_drop_best_effort(&t->outbox);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, d.first, 0x3d);
	outbox_destroy(test, t);
}

static void outbox_window(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_delivery d;

	t->limits.max_inflight = 2;
	push(t, 0, 1);
	push(t, 1, 2);
	push(t, 2, 1);
	push(t, 3, 0);
	push(t, 4, 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	/* The window holds up nothing that needs no answer. */
	KUNIT_EXPECT_EQ(test, next(t, &d), 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), 4);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	/* PUBREC opens nothing, PUBCOMP does. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(&t->outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(&t->outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 2);
	KUNIT_EXPECT_EQ(test, d.id, 3);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	/* A smaller window later does no harm. */
	t->limits.max_inflight = 0;
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(&t->outbox, 1), 0);
	push(t, 5, 1);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	outbox_destroy(test, t);
}

static void outbox_inflight_bytes(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_outbox *outbox = &t->outbox;
	struct kmqtt_outbox_mark mark;
	struct kmqtt_delivery d;
	u64 size = kmqtt_msg_size(t->msgs[0]) + kmqtt_msg_size(t->msgs[1]);

	t->limits.max_inflight_bytes = size;
	push(t, 0, 1);
	push(t, 1, 2);
	push(t, 2, 0);
	push(t, 3, 1);
	kmqtt_outbox_mark(outbox, &mark);
	next(t, &d);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_max_inflight(outbox, &t->limits, 9),
			min_t(u32, 9, t->limits.max_inflight));
	next(t, &d);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, size);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_max_inflight(outbox, &t->limits, 9),
			0);

	/* What was not sent after all isn't in flight, nor what came to an end. */
	kmqtt_outbox_rewind(outbox, &mark);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);
	next(t, &d);
	next(t, &d);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 1), 0);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes,
			kmqtt_msg_size(t->msgs[1]));
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);

	/* QoS 0 does not count, and with a new connection all begins anew. */
	KUNIT_EXPECT_EQ(test, next(t, &d), 2);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 3);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes,
			kmqtt_msg_size(t->msgs[3]));
	kmqtt_outbox_restart(outbox);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);
	outbox_destroy(test, t);
	KUNIT_EXPECT_EQ(test, outbox->inflight_bytes, 0);
}

static void outbox_acknowledge(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_outbox *outbox = &t->outbox;
	struct kmqtt_delivery d;
	int i;

	/* Nothing is sent: nothing can be acknowledged. */
	for (i = 0; i < 4; i++)
		push(t, i, 1);
	push(t, 4, 2);
	push(t, 5, 2);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 1), -ENOENT);
	for (i = 0; i < 5; i++)
		next(t, &d);
	KUNIT_EXPECT_EQ(test, outbox->inflight, 5);

	/* Out of order, each just once. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 3), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 3), -ENOENT);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[2]->refs), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 1), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, outbox->inflight, 3);

	/* The wrong kind, the wrong order, what isn't sent, what never was. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(outbox, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 5), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(outbox, 5), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 6), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 7), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 65535), -ENOENT);
	KUNIT_EXPECT_EQ(test, outbox->inflight, 3);

	/* PUBREC may come again, until PUBCOMP. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 5), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[4]->refs), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 5), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(outbox, 5), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubrec(outbox, 5), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(outbox, 5), -ENOENT);

	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 2), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(outbox, 4), 0);
	KUNIT_EXPECT_EQ(test, outbox->inflight, 0);
	KUNIT_EXPECT_EQ(test, outbox->bytes, kmqtt_msg_size(t->msgs[5]));
	KUNIT_EXPECT_EQ(test, next(t, &d), 5);
	KUNIT_EXPECT_EQ(test, d.id, 6);
	outbox_destroy(test, t);
}

static void outbox_restart(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_delivery d;
	int i, round;

	for (i = 0; i < 6; i++)
		push(t, i, i & 1 ? 2 : 1);
	for (i = 0; i < 5; i++)
		next(t, &d);
	kmqtt_outbox_puback(&t->outbox, 3);
	kmqtt_outbox_pubrec(&t->outbox, 2);

	/* However often the connection is lost. */
	for (round = 0; round < 3; round++) {
		kmqtt_outbox_restart(&t->outbox);
		KUNIT_EXPECT_EQ(test, t->outbox.inflight, 0);
		KUNIT_EXPECT_EQ(test, next(t, &d), 0);
		KUNIT_EXPECT_EQ(test, d.first, 0x3a);
		KUNIT_EXPECT_EQ(test, d.id, 1);
		KUNIT_EXPECT_EQ(test, next(t, &d), MESSAGES);
		KUNIT_EXPECT_EQ(test, d.first, 0x62);
		KUNIT_EXPECT_EQ(test, d.id, 2);
		if (round == 1)
			continue;
		KUNIT_EXPECT_EQ(test, next(t, &d), 3);
		KUNIT_EXPECT_EQ(test, d.first, 0x3c);
		KUNIT_EXPECT_EQ(test, d.id, 4);
		KUNIT_EXPECT_EQ(test, next(t, &d), 4);
		KUNIT_EXPECT_EQ(test, d.first, 0x3a);
		KUNIT_EXPECT_EQ(test, d.id, 5);
		KUNIT_EXPECT_EQ(test, t->outbox.inflight, 4);
	}
	/* This one is sent for the first time. */
	KUNIT_EXPECT_EQ(test, next(t, &d), 5);
	KUNIT_EXPECT_EQ(test, d.first, 0x34);
	KUNIT_EXPECT_EQ(test, next(t, &d), -1);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_pubcomp(&t->outbox, 2), 0);
	outbox_destroy(test, t);
}

/*
 * Take all, acknowledge some, give back what comes after each place: what is
 * not acknowledged comes again, in order and without DUP, and nothing else.
 */
static void outbox_rewind(struct kunit *test)
{
	static const u8 qos[] = { 1, 0, 1, 2, 0, 1 };
	static const u16 ids[] = { 1, 0, 2, 3, 0, 4 };
	const int nr = ARRAY_SIZE(qos);
	int from, acked, i;

	for (from = 0; from <= nr; from++)
		for (acked = 0; acked < BIT(nr); acked++) {
			struct outbox_test *t = outbox_create(test);
			struct kmqtt_outbox_mark mark = {};
			struct kmqtt_delivery d;

			for (i = 0; i < nr; i++)
				push(t, i, qos[i]);
			for (i = 0; i < nr; i++) {
				if (i == from)
					kmqtt_outbox_mark(&t->outbox, &mark);
				next(t, &d);
			}
			for (i = nr - 1; i >= 0; i--)
				if (qos[i] == 1 && acked & BIT(i))
					kmqtt_outbox_puback(&t->outbox, ids[i]);
			if (acked & BIT(3))
				kmqtt_outbox_pubrec(&t->outbox, 3);
			if (from < nr)
				kmqtt_outbox_rewind(&t->outbox, &mark);
			kmqtt_outbox_sent(&t->outbox);
			for (i = from; i < nr; i++) {
				bool rel = qos[i] == 2 && acked & BIT(i);

				if (qos[i] == 1 && acked & BIT(i))
					continue;
				KUNIT_ASSERT_EQ_MSG(test, next(t, &d),
						    rel ? MESSAGES : i,
						    "from %d, acked %x", from,
						    acked);
				KUNIT_EXPECT_EQ(test, d.id, ids[i]);
				KUNIT_EXPECT_FALSE(test, !rel && d.first & 8);
			}
			KUNIT_EXPECT_EQ(test, next(t, &d), -1);
			outbox_destroy(test, t);
		}
}

static void outbox_grows(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	u64 before = kmqtt_memory_used(t->memory);
	const int nr = 500;
	struct kmqtt_delivery d;
	int i, qos;

	t->limits.max_inflight = nr;
	for (qos = 0; qos <= 1; qos++) {
		struct kmqtt_ring *ring = qos ? &t->outbox.assured :
						&t->outbox.best_effort;

		/* Not from the start, so that the slots wrap around. */
		for (i = 0; i < 5; i++) {
			push(t, 0, qos);
			next(t, &d);
			kmqtt_outbox_sent(&t->outbox);
			if (qos)
				kmqtt_outbox_puback(&t->outbox, d.id);
		}
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), before);
		for (i = 0; i < nr; i++)
			KUNIT_ASSERT_EQ(test, push(t, i % MESSAGES, qos), 0);
		KUNIT_EXPECT_GE(test, ring->size, nr);
		KUNIT_EXPECT_LE(test, ring->size, 4 * nr);
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory),
				before + ring->size * sizeof(*ring->slots));
		for (i = 0; i < nr; i++)
			KUNIT_ASSERT_EQ(test, next(t, &d), i % MESSAGES);
		kmqtt_outbox_sent(&t->outbox);
		for (i = 0; qos && i < nr; i++)
			KUNIT_ASSERT_EQ(test,
					kmqtt_outbox_puback(&t->outbox, i + 6),
					0);
		KUNIT_EXPECT_EQ(test, ring->size, KMQTT_RING_FIRST);
		KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), before);
	}
	outbox_destroy(test, t);
}

static void outbox_limits(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_delivery d;

	t->limits.max_queued = 3;
	KUNIT_EXPECT_EQ(test, push(t, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, push(t, 1, 1), 0);
	KUNIT_EXPECT_EQ(test, push(t, 2, 2), 0);
	KUNIT_EXPECT_EQ(test, push(t, 3, 0), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, push(t, 3, 1), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[3]->refs), 1);
	/* What is sent is not queued. */
	KUNIT_EXPECT_EQ(test, next(t, &d), 0);
	KUNIT_EXPECT_EQ(test, next(t, &d), 1);
	KUNIT_EXPECT_EQ(test, push(t, 3, 1), 0);
	kmqtt_outbox_uninit(&t->outbox);

	/* Message n has n + 1 bytes. */
	t->limits.max_queued = 1000;
	t->limits.max_bytes = 10;
	KUNIT_EXPECT_EQ(test, push(t, 5, 1), 0);
	KUNIT_EXPECT_EQ(test, push(t, 4, 0), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, push(t, 3, 0), 0);
	KUNIT_EXPECT_EQ(test, push(t, 0, 0), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, t->outbox.bytes, 10);
	/* Bytes count until they are acknowledged. */
	next(t, &d);
	KUNIT_EXPECT_EQ(test, push(t, 0, 0), -ENOBUFS);
	kmqtt_outbox_puback(&t->outbox, d.id);
	KUNIT_EXPECT_EQ(test, push(t, 0, 0), 0);
	kmqtt_outbox_uninit(&t->outbox);

	/* A single message may be larger than all are allowed to be. */
	t->limits.max_bytes = 2;
	KUNIT_EXPECT_EQ(test, push(t, 7, 1), 0);
	KUNIT_EXPECT_EQ(test, push(t, 0, 1), -ENOBUFS);
	outbox_destroy(test, t);
}

/* A ring that can't grow takes what it has room for. */
static void outbox_no_memory(struct kunit *test)
{
	struct outbox_test *t = outbox_create(test);
	struct kmqtt_delivery d;
	int i;

	t->memory->limit = 0;
	for (i = 0; i < KMQTT_RING_FIRST; i++)
		KUNIT_EXPECT_EQ(test, push(t, i, 1), 0);
	KUNIT_EXPECT_EQ(test, push(t, 0, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, push(t, 0, 0), 0);
	for (i = 0; i < KMQTT_RING_FIRST; i++)
		KUNIT_EXPECT_EQ(test, next(t, &d), i);
	outbox_destroy(test, t);
}

static struct kunit_case outbox_cases[] = {
	KUNIT_CASE(outbox_order),
	KUNIT_CASE(outbox_order_wraps),
	KUNIT_CASE(outbox_retain),
	KUNIT_CASE(outbox_window),
	KUNIT_CASE(outbox_inflight_bytes),
	KUNIT_CASE(outbox_acknowledge),
	KUNIT_CASE(outbox_restart),
	KUNIT_CASE(outbox_rewind),
	KUNIT_CASE(outbox_grows),
	KUNIT_CASE(outbox_limits),
	KUNIT_CASE(outbox_no_memory),
	{}
};

static struct kunit_suite outbox_suite = {
	.name = "kmqtt_outbox",
	.test_cases = outbox_cases,
};

kunit_test_suites(&outbox_suite);
