// SPDX-License-Identifier: GPL-2.0
/*
 * Who looks on is shown what the filter stands for, or what the client sends and
 * gets, in order, and no more.
 */
#include "support.h"
#include "../protocol/client.h"
#include "../protocol/tap.h"

#define TAPS	4
#define RUN	3

/* A tap, and what it was shown. */
struct test_tap {
	struct kmqtt_tap tap;
	const struct kmqtt_session *from;
	const struct kmqtt_msg *shown[RUN];
	u32 nr;
};

struct tap_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_broker broker;
	struct test_tap taps[TAPS];
};

static void note(struct kmqtt_tap *base, const struct kmqtt_msg *msg,
		 const struct kmqtt_session *from)
{
	struct test_tap *tap = container_of(base, struct test_tap, tap);

	if (tap->nr < RUN)
		tap->shown[tap->nr] = msg;
	tap->nr++;
	tap->from = from;
}

static struct tap_test *tap_create(struct kunit *test)
{
	static const char *const filters[TAPS] = { "#", "a/+", "a/#", "b" };
	struct tap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	for (i = 0; i < TAPS; i++) {
		struct kmqtt_tap *tap = &t->taps[i].tap;

		tap->message = note;
		tap->filter = kmqtt_test_exact(test, filters[i],
					       strlen(filters[i]));
		tap->filter_len = strlen(filters[i]);
	}
	return t;
}

/* Show @nr messages of @topic. Returns how often one was shown. */
static u32 show(struct tap_test *t, const char *topic, u32 nr)
{
	const struct kmqtt_session *from = (const void *)topic;
	struct kmqtt_msg *msgs[RUN];
	u32 ret, i, j;

	for (i = 0; i < TAPS; i++)
		t->taps[i].nr = 0;
	for (i = 0; i < nr; i++)
		msgs[i] = kmqtt_test_msg(t->test, t->memory, topic, i);
	rcu_read_lock();
	ret = kmqtt_tap_show(&t->broker, from, msgs, nr);
	rcu_read_unlock();
	for (i = 0; i < TAPS; i++) {
		const struct test_tap *tap = &t->taps[i];

		if (!tap->nr)
			continue;
		KUNIT_EXPECT_EQ(t->test, tap->nr, nr);
		KUNIT_EXPECT_PTR_EQ(t->test, tap->from, from);
		for (j = 0; j < nr; j++)
			KUNIT_EXPECT_PTR_EQ(t->test, tap->shown[j], msgs[j]);
	}
	for (i = 0; i < nr; i++)
		kmqtt_msg_put(msgs[i]);
	return ret;
}

static void tap_matches(struct kunit *test)
{
	struct tap_test *t = tap_create(test);
	int i;

	KUNIT_EXPECT_FALSE(test, kmqtt_tap_any(&t->broker));
	KUNIT_EXPECT_EQ(test, show(t, "a/x", RUN), 0);
	for (i = 0; i < TAPS; i++)
		hlist_add_head_rcu(&t->taps[i].tap.list, &t->broker.taps);
	KUNIT_EXPECT_TRUE(test, kmqtt_tap_any(&t->broker));

	KUNIT_EXPECT_EQ(test, show(t, "a/x", RUN), 3 * RUN);
	KUNIT_EXPECT_EQ(test, t->taps[3].nr, 0);
	KUNIT_EXPECT_EQ(test, show(t, "a", 1), 2);
	KUNIT_EXPECT_EQ(test, t->taps[1].nr, 0);
	KUNIT_EXPECT_EQ(test, show(t, "b", 1), 2);
	KUNIT_EXPECT_EQ(test, t->taps[3].nr, 1);
	KUNIT_EXPECT_EQ(test, show(t, "$SYS/a", 1), 0);

	hlist_del_rcu(&t->taps[0].tap.list);
	KUNIT_EXPECT_EQ(test, show(t, "c", 1), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->memory), 0);
}

/* A tap of a client's packets, and the last one that it was shown. */
struct packet_tap {
	struct kmqtt_tap tap;
	struct kmqtt_tapped last;
	u32 nr;
};

struct packet_test {
	struct kunit *test;
	struct kmqtt_broker broker;
	struct kmqtt_client client;
	struct packet_tap *one;
	struct packet_tap *other;
};

static void note_packet(struct kmqtt_tap *base,
			const struct kmqtt_tapped *packet)
{
	struct packet_tap *tap = container_of(base, struct packet_tap, tap);

	tap->last = *packet;
	tap->nr++;
}

static struct packet_tap *add_packet_tap(struct packet_test *t, const char *id)
{
	struct packet_tap *tap = kunit_kzalloc(t->test, sizeof(*tap),
					       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(t->test, tap);
	tap->tap.packet = note_packet;
	tap->tap.client_id.data = kmqtt_test_exact(t->test, id, strlen(id));
	tap->tap.client_id.len = strlen(id);
	hlist_add_head_rcu(&tap->tap.list, &t->broker.taps);
	return tap;
}

static struct packet_test *packet_create(struct kunit *test)
{
	struct packet_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->client.broker = &t->broker;
	t->client.version = KMQTT_V5;
	t->one = add_packet_tap(t, "one");
	t->other = add_packet_tap(t, "other");
	return t;
}

/* From now on the client is called so. */
static void set_session(struct packet_test *t, const char *id)
{
	struct kmqtt_session *session;

	session = kunit_kzalloc(t->test, struct_size(session, id, strlen(id)),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, session);
	memcpy(session->id, id, strlen(id));
	session->id_len = strlen(id);
	t->client.session = session;
}

/* A packet is received in place, at the end of what may be read. */
static u32 receive(struct packet_test *t, const u8 *packet, u32 len)
{
	struct kmqtt_fixed fixed = {
		.type = packet[0] >> 4,
		.flags = packet[0] & 0xf,
		.len = 2,
		.remaining = packet[1],
	};
	const u8 *body = kmqtt_test_exact(t->test, packet + 2, len - 2);

	return kmqtt_tap_received(&t->client, &fixed, body, len - 2);
}

#define RECEIVE(t, ...)						\
({								\
	static const u8 _packet[] = { __VA_ARGS__ };		\
								\
	receive(t, _packet, sizeof(_packet));			\
})

static void send(struct packet_test *t, const u8 *packet, u32 len)
{
	const u8 *body = kmqtt_test_exact(t->test, packet + 2, len - 2);

	kmqtt_tap_sent(&t->client, packet[0], packet[1], body, len - 2);
}

#define SEND(t, ...)						\
do {								\
	static const u8 _packet[] = { __VA_ARGS__ };		\
								\
	send(t, _packet, sizeof(_packet));			\
} while (0)

/* The last packet that was shown of "one"; @reason is -1 for none. */
static void expect(struct packet_test *t, u32 nr, u8 first, u32 remaining,
		   u16 id, int reason)
{
	const struct kmqtt_tapped *last = &t->one->last;

	KUNIT_EXPECT_EQ(t->test, t->one->nr, nr);
	KUNIT_EXPECT_EQ(t->test, t->other->nr, 0);
	KUNIT_EXPECT_PTR_EQ(t->test, last->client, &t->client);
	KUNIT_EXPECT_EQ(t->test, last->client_id.len, 3);
	KUNIT_EXPECT_EQ(t->test, last->first, first);
	KUNIT_EXPECT_EQ(t->test, last->remaining, remaining);
	KUNIT_EXPECT_EQ(t->test, last->id, id);
	KUNIT_EXPECT_EQ(t->test, last->has_reason ? last->reason : -1, reason);
}

/* CONNECT tells a name; nothing else does without a session. */
static void tap_names(struct kunit *test)
{
	struct packet_test *t = packet_create(test);

	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5,
				      2, 0, 60, 0, 0, 3, 'o', 'n', 'e'), 1);
	expect(t, 1, 0x10, 16, 0, -1);
	KUNIT_EXPECT_FALSE(test, t->one->last.sent);
	/* Somebody else, nobody, and no CONNECT at all. */
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5,
				      2, 0, 60, 0, 0, 3, 'o', 'n', 'f'), 0);
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 5,
				      2, 0, 60, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5,
				      2, 0, 60, 0, 0, 9, 'o', 'n', 'e'), 0);
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0xf0, 0), 0);
	SEND(t, 0x20, 3, 0, 0x87, 0);
	expect(t, 1, 0x10, 16, 0, -1);
	/* A session has the name, whatever CONNECT says. */
	set_session(t, "one");
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 5,
				      2, 0, 60, 0, 0, 0), 1);
	expect(t, 2, 0x10, 13, 0, -1);
	SEND(t, 0x20, 3, 0, 0x87, 0);
	expect(t, 3, 0x20, 3, 0, 0x87);
	KUNIT_EXPECT_TRUE(test, t->one->last.sent);
	set_session(t, "nobody");
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0xc0, 0), 0);
	KUNIT_EXPECT_EQ(test, t->one->nr, 3);
}

/* What is told of packets, and nothing from behind them. */
static void tap_looks_into(struct kunit *test)
{
	struct packet_test *t = packet_create(test);

	set_session(t, "one");
	RECEIVE(t, 0x30, 6, 0, 1, 'a', 0, 'x', 'y');
	expect(t, 1, 0x30, 6, 0, -1);
	RECEIVE(t, 0x3a, 6, 0, 1, 'a', 1, 2, 0);
	expect(t, 2, 0x3a, 6, 0x102, -1);
	/* The beginning of a large one. */
	SEND(t, 0x34, 100, 0, 1, 'a', 0xff, 0xff, 0);
	expect(t, 3, 0x34, 100, 0xffff, -1);
	SEND(t, 0x34, 100, 0, 1, 'a', 0xff);
	expect(t, 4, 0x34, 100, 0, -1);
	SEND(t, 0x34, 100, 0);
	expect(t, 5, 0x34, 100, 0, -1);
	/* Reasons are said or left out, or not there yet. */
	RECEIVE(t, 0x40, 2, 0, 7);
	expect(t, 6, 0x40, 2, 7, 0);
	SEND(t, 0x50, 3, 0, 8, 0x97);
	expect(t, 7, 0x50, 3, 8, 0x97);
	SEND(t, 0x62, 3, 0, 8);
	expect(t, 8, 0x62, 3, 8, -1);
	RECEIVE(t, 0xe0, 0);
	expect(t, 9, 0xe0, 0, 0, 0);
	SEND(t, 0xe0, 1, 0x8e);
	expect(t, 10, 0xe0, 1, 0, 0x8e);
	RECEIVE(t, 0x82, 7, 0, 9, 0, 0, 1, 'a', 0);
	expect(t, 11, 0x82, 7, 9, -1);
	SEND(t, 0x90, 4, 0, 9, 0, 0x80);
	expect(t, 12, 0x90, 4, 9, -1);
	RECEIVE(t, 0xc0, 0);
	expect(t, 13, 0xc0, 0, 0, -1);
	/* Clients before 5.0 have other codes, or none. */
	t->client.version = KMQTT_V311;
	RECEIVE(t, 0x40, 2, 0, 7);
	expect(t, 14, 0x40, 2, 7, -1);
	SEND(t, 0x20, 2, 0, 5);
	expect(t, 15, 0x20, 2, 0, -1);
}

/* Taps of messages and of packets are in one list and don't meet. */
static void tap_kinds(struct kunit *test)
{
	struct packet_test *t = packet_create(test);
	struct test_tap all = {
		.tap = {
			.message = note,
			.filter = "#",
			.filter_len = 1,
		},
	};
	struct kmqtt_memory *memory;
	struct kmqtt_msg *msg;

	memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	msg = kmqtt_test_msg(test, memory, "one", 0);
	hlist_add_head_rcu(&all.tap.list, &t->broker.taps);
	set_session(t, "one");
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, kmqtt_tap_show(&t->broker, NULL, &msg, 1), 1);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, t->one->nr, 0);
	KUNIT_EXPECT_EQ(test, RECEIVE(t, 0xc0, 0), 1);
	KUNIT_EXPECT_EQ(test, all.nr, 1);
	hlist_del_rcu(&all.tap.list);
	kmqtt_msg_put(msg);
}

static struct kunit_case tap_cases[] = {
	KUNIT_CASE(tap_matches),
	KUNIT_CASE(tap_names),
	KUNIT_CASE(tap_looks_into),
	KUNIT_CASE(tap_kinds),
	{}
};

static struct kunit_suite tap_suite = {
	.name = "kmqtt_protocol_tap",
	.test_cases = tap_cases,
};

kunit_test_suites(&tap_suite);
