// SPDX-License-Identifier: GPL-2.0
/*
 * Retained messages on their way into a session's outbox.
 */
#include "support_session.h"

#define CALLS_MAX	1000

static void retain(struct kmqtt_test_store *s, const char *topic, u8 qos,
		   u32 payload_len)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(s->test, s->memory, topic,
					       payload_len);

	msg->qos = qos;
	KUNIT_EXPECT_EQ(s->test, kmqtt_retained_set(&s->retained, msg, U32_MAX),
			0);
	kmqtt_msg_put(msg);
}

static void retain_many(struct kmqtt_test_store *s, int nr, u32 payload_len)
{
	char topic[16];
	int i;

	for (i = 0; i < nr; i++) {
		snprintf(topic, sizeof(topic), "many/%d", i);
		retain(s, topic, 0, payload_len);
	}
}

static void replay(struct kmqtt_test_store *s, struct kmqtt_session *session,
		   const char *filter, u8 qos)
{
	struct kmqtt_replay *r;

	r = kmqtt_replay_create(s->memory, filter, strlen(filter), false,
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(s->test, r);
	r->options = qos;
	kmqtt_replay_start(&s->retained, r);
	kmqtt_session_replay(session, r);
}

static struct kmqtt_session *session_create(struct kmqtt_test_store *s,
					    struct kmqtt_test_link *l)
{
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_attach a = kmqtt_test_attach(l, NULL, KMQTT_EXPIRY_NEVER);
	struct kmqtt_msg *will;

	KUNIT_ASSERT_EQ(s->test, kmqtt_session_attach(session, &a, &will), 0);
	return session;
}

static void session_destroy(struct kmqtt_test_store *s,
			    struct kmqtt_session *session)
{
	struct kmqtt_msg *will;

	if (session->link)
		kmqtt_session_detach(session, session->link, &will);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static bool refill(struct kmqtt_session *session)
{
	struct kmqtt_batch batch = {};
	u32 denied = 0;
	bool more;

	spin_lock_bh(&session->lock);
	more = kmqtt_session_refill(session, &batch, &denied);
	spin_unlock_bh(&session->lock);
	return more;
}

/* Send and acknowledge all that is queued; returns how much it was. */
static int drain(struct kmqtt_session *session, u8 *first)
{
	struct kmqtt_delivery d;
	int nr = 0;

	spin_lock_bh(&session->lock);
	while (kmqtt_outbox_next(&session->outbox, 100, &d)) {
		*first = d.first;
		kmqtt_outbox_puback(&session->outbox, d.id);
		kmqtt_msg_put(d.msg);
		nr++;
	}
	kmqtt_outbox_sent(&session->outbox);
	spin_unlock_bh(&session->lock);
	return nr;
}

/* What a transmit side does until there is nothing more to do. */
static int refill_and_drain(struct kunit *test, struct kmqtt_session *session)
{
	int calls = 0, nr = 0, got;
	bool more;
	u8 first;

	do {
		more = refill(session);
		got = drain(session, &first);
		nr += got;
		KUNIT_ASSERT_LT(test, ++calls, CALLS_MAX);
	} while (more || got);
	return nr;
}

/* The smaller QoS of message and subscription, always with RETAIN. */
static void refill_qos(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);
	u8 msg, sub, first = 0;

	for (msg = 0; msg <= 1; msg++)
		for (sub = 0; sub <= 2; sub++) {
			retain(s, "a", msg, 1);
			replay(s, session, "a", sub);
			KUNIT_EXPECT_FALSE(test, refill(session));
			KUNIT_EXPECT_EQ(test, drain(session, &first), 1);
			KUNIT_EXPECT_EQ(test, first,
					0x31 | min(msg, sub) << 1);
		}
	KUNIT_EXPECT_TRUE(test, list_empty(&session->replays));
	session_destroy(s, session);
}

/* Not what the client has published itself, if it wants so. */
static void refill_no_local(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);
	struct kmqtt_msg *own = kmqtt_test_msg(test, s->memory, "own", 1);
	u8 first;

	KUNIT_EXPECT_NE(test, session->origin, 0);
	own->origin = session->origin;
	KUNIT_EXPECT_EQ(test, kmqtt_retained_set(&s->retained, own, 9), 0);
	kmqtt_msg_put(own);
	retain(s, "other", 0, 1);
	replay(s, session, "+", KMQTT_SUB_NO_LOCAL);
	refill(session);
	KUNIT_EXPECT_EQ(test, drain(session, &first), 1);
	replay(s, session, "+", 0);
	refill(session);
	KUNIT_EXPECT_EQ(test, drain(session, &first), 2);
	KUNIT_EXPECT_EQ(test, session->dropped, 0);
	session_destroy(s, session);
}

/* The identifier of the subscription comes with each message. */
static void refill_identifier(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);
	struct kmqtt_replay *r;
	struct kmqtt_delivery d;
	int i;

	retain_many(s, 3, 1);
	r = kmqtt_replay_create(s->memory, "#", 1, false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	r->sub_id = 4711;
	kmqtt_replay_start(&s->retained, r);
	kmqtt_session_replay(session, r);
	refill(session);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&session->outbox, 9,
							  &d));
		KUNIT_EXPECT_EQ(test, d.sub_id, 4711);
		KUNIT_EXPECT_NULL(test, d.extra);
		kmqtt_delivery_put(&d);
	}
	session_destroy(s, session);
}

/* Many messages come bit by bit, whatever the queue takes. */
static void refill_many(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);

	retain_many(s, 500, 10);
	retain(s, "one", 0, 1);
	replay(s, session, "many/+", 0);
	replay(s, session, "one", 0);
	refill(session);
	refill(session);
	KUNIT_EXPECT_LT(test, kmqtt_outbox_queued(&session->outbox), 50);
	KUNIT_EXPECT_FALSE(test, list_empty(&session->replays));
	KUNIT_EXPECT_EQ(test, refill_and_drain(test, session), 501);
	KUNIT_EXPECT_EQ(test, session->dropped, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&session->replays));
	session_destroy(s, session);
}

struct limit_case {
	const char *desc;
	u32 max_queued;
	u64 max_bytes;
};

static const struct limit_case limit_cases[] = {
	{ "few messages", 3, U64_MAX },
	{ "one message", 1, U64_MAX },
	{ "few bytes", 100, 300 },
	{ "bytes of less than a message", 100, 1 },
};

KUNIT_ARRAY_PARAM_DESC(limit, limit_cases, desc);

/* A small queue makes it slower: a replay waits for room. */
static void refill_limits(struct kunit *test)
{
	const struct limit_case *c = test->param_value;
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);

	s->store.outbox_limits.max_queued = c->max_queued;
	s->store.outbox_limits.max_bytes = c->max_bytes;
	retain_many(s, 50, 100);
	replay(s, session, "#", 0);
	KUNIT_EXPECT_EQ(test, refill_and_drain(test, session), 50);
	KUNIT_EXPECT_EQ(test, session->dropped, 0);
	session_destroy(s, session);
}

/* A new subscription to the same filter begins from the start. */
static void refill_again(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);
	int before;
	u8 first;

	retain_many(s, 100, 1);
	replay(s, session, "many/#", 0);
	refill(session);
	before = drain(session, &first);
	KUNIT_EXPECT_GT(test, before, 0);
	KUNIT_EXPECT_LT(test, before, 100);
	replay(s, session, "many/#", 0);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&session->replays));
	KUNIT_EXPECT_EQ(test, refill_and_drain(test, session), 100);
	/* Another filter is another replay. */
	replay(s, session, "many/+", 0);
	replay(s, session, "many/#", 0);
	KUNIT_EXPECT_EQ(test, refill_and_drain(test, session), 200);
	session_destroy(s, session);
}

/* The session ends with replays not begun, half way, and after its end. */
static void refill_session_ends(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);

	retain_many(s, 100, 1);
	replay(s, session, "many/#", 0);
	refill(session);
	replay(s, session, "#", 0);
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED,
					      NULL), 0);
	replay(s, session, "many/+", 0);
	flush_work(&s->store.reap_work);
	KUNIT_EXPECT_TRUE(test, list_empty(&session->replays));
	session_destroy(s, session);
}

/* A filter that has to pass many nodes to find nothing is no long step. */
static void refill_steps(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_session *session = session_create(s, l);
	int calls = 1;

	retain_many(s, 1000, 1);
	replay(s, session, "many/+/none", 0);
	while (refill(session))
		calls++;
	KUNIT_EXPECT_GT(test, calls, 2);
	KUNIT_EXPECT_TRUE(test, list_empty(&session->replays));
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&session->outbox), 0);
	session_destroy(s, session);
}

static struct kunit_case refill_cases[] = {
	KUNIT_CASE(refill_qos),
	KUNIT_CASE(refill_no_local),
	KUNIT_CASE(refill_identifier),
	KUNIT_CASE(refill_many),
	KUNIT_CASE_PARAM(refill_limits, limit_gen_params),
	KUNIT_CASE(refill_again),
	KUNIT_CASE(refill_session_ends),
	KUNIT_CASE(refill_steps),
	{}
};

static struct kunit_suite refill_suite = {
	.name = "kmqtt_session_refill",
	.test_cases = refill_cases,
};

kunit_test_suites(&refill_suite);
