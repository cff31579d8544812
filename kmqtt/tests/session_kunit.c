// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: their connections, wills and messages, from the first CONNECT to
 * the end.
 */
#include "support_session.h"

#define NEVER	KMQTT_EXPIRY_NEVER

static int attach(struct kmqtt_session *session, struct kmqtt_test_link *l,
		  struct kmqtt_msg *will, u32 expiry)
{
	struct kmqtt_attach a = kmqtt_test_attach(l, will, expiry);
	struct kmqtt_msg *old_will = NULL;
	int err;

	err = kmqtt_session_attach(session, &a, &old_will);
	kmqtt_msg_put(old_will);
	return err;
}

static bool detach(struct kmqtt_session *session, struct kmqtt_test_link *l)
{
	struct kmqtt_msg *will;
	bool was = kmqtt_session_detach(session, &l->link, &will);

	kmqtt_msg_put(will);
	return was;
}

static enum kmqtt_delivered deliver(struct kmqtt_test_store *s,
				    struct kmqtt_session *session, u8 qos)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(s->test, s->memory, "t", 9);
	struct kmqtt_offer offer = { .msg = msg, .qos = qos };
	enum kmqtt_delivered ret;

	ret = kmqtt_session_deliver(session, &offer, &s->batch);
	kmqtt_msg_put(msg);
	return ret;
}

static struct kmqtt_session *lookup(struct kmqtt_test_store *s,
				    const char *id)
{
	return kmqtt_store_lookup(&s->store, id, strlen(id));
}

static void session_attach(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);

	KUNIT_EXPECT_NULL(test, session->link);
	KUNIT_EXPECT_EQ(test, attach(session, l, NULL, NEVER), 0);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &l->link);
	KUNIT_EXPECT_EQ(test, session->version, KMQTT_V311);
	KUNIT_EXPECT_EQ(test, session->expiry, NEVER);
	KUNIT_EXPECT_EQ(test, l->closes, 0);

	/* Two pointers, cleared together; references as before. */
	KUNIT_EXPECT_TRUE(test, detach(session, l));
	KUNIT_EXPECT_NULL(test, session->link);
	KUNIT_EXPECT_EQ(test, kref_read(&l->link.ref), 1);
	KUNIT_EXPECT_FALSE(test, detach(session, l));
	KUNIT_EXPECT_FALSE(test, session->dead);
	KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 2);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static void session_not_persistent(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);

	KUNIT_EXPECT_EQ(test, attach(session, l, NULL, 0), 0);
	KUNIT_EXPECT_FALSE(test, detach(session, l));
	KUNIT_EXPECT_TRUE(test, session->dead);
	KUNIT_EXPECT_NULL(test, session->link);
	KUNIT_EXPECT_NULL(test, lookup(s, "id"));
	KUNIT_EXPECT_EQ(test, attach(session, l, NULL, 0), -ESHUTDOWN);
	flush_work(&s->store.reap_work);
	KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 1);
	kmqtt_session_put(session);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->store.nr), 0);
	kmqtt_test_store_destroy(s);
}

static void session_take_over(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *first = kmqtt_test_link(test);
	struct kmqtt_test_link *second = kmqtt_test_link(test);

	KUNIT_EXPECT_EQ(test, attach(session, first, NULL, NEVER), 0);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 1), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_EQ(test, attach(session, second, NULL, NEVER), 0);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &second->link);
	KUNIT_EXPECT_EQ(test, first->closes, 1);
	KUNIT_EXPECT_EQ(test, first->reason, KMQTT_REASON_SESSION_TAKEN_OVER);
	KUNIT_EXPECT_EQ(test, second->closes, 0);
	/* What needs no answer was for the first alone. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&session->outbox), 1);

	/* The first comes too late: nothing of the second is touched. */
	KUNIT_EXPECT_FALSE(test, detach(session, first));
	kmqtt_session_goodbye(session, &first->link, true, NULL);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &second->link);
	KUNIT_EXPECT_TRUE(test, detach(session, second));
	KUNIT_EXPECT_EQ(test, second->closes, 0);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
	KUNIT_EXPECT_EQ(test, kref_read(&first->link.ref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&second->link.ref), 1);
}

static void session_will(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_test_link *m = kmqtt_test_link(test);
	struct kmqtt_msg *will, *other, *left;
	struct kmqtt_attach a;

	will = kmqtt_test_msg(test, s->memory, "will", 4);
	other = kmqtt_test_msg(test, s->memory, "will", 5);

	/* Lost: the will is the caller's. */
	KUNIT_EXPECT_EQ(test, attach(session, l, kmqtt_msg_get(will), NEVER),
			0);
	KUNIT_EXPECT_EQ(test, refcount_read(&will->refs), 2);
	KUNIT_EXPECT_TRUE(test, kmqtt_session_detach(session, &l->link, &left));
	KUNIT_EXPECT_PTR_EQ(test, left, will);
	KUNIT_EXPECT_NULL(test, session->will);
	kmqtt_msg_put(left);

	/* Said goodbye: it is gone. */
	KUNIT_EXPECT_EQ(test, attach(session, l, kmqtt_msg_get(will), NEVER),
			0);
	kmqtt_session_goodbye(session, &m->link, true, NULL);
	KUNIT_EXPECT_PTR_EQ(test, session->will, will);
	kmqtt_session_goodbye(session, &l->link, true, NULL);
	KUNIT_EXPECT_NULL(test, session->will);
	KUNIT_EXPECT_EQ(test, refcount_read(&will->refs), 1);
	kmqtt_session_goodbye(session, &l->link, true, NULL);
	KUNIT_EXPECT_TRUE(test, kmqtt_session_detach(session, &l->link, &left));
	KUNIT_EXPECT_NULL(test, left);

	/* Taken over: only by a caller that can publish it. */
	KUNIT_EXPECT_EQ(test, attach(session, l, kmqtt_msg_get(will), NEVER),
			0);
	a = kmqtt_test_attach(m, other, NEVER);
	KUNIT_EXPECT_EQ(test, kmqtt_session_attach(session, &a, NULL),
			-EAGAIN);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &l->link);
	KUNIT_EXPECT_EQ(test, l->closes, 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&other->refs), 1);
	kmqtt_msg_get(other);
	KUNIT_EXPECT_EQ(test, kmqtt_session_attach(session, &a, &left), 0);
	KUNIT_EXPECT_PTR_EQ(test, left, will);
	kmqtt_msg_put(left);
	KUNIT_EXPECT_PTR_EQ(test, session->will, other);
	KUNIT_EXPECT_FALSE(test, kmqtt_session_detach(session, &l->link,
						      &left));
	KUNIT_EXPECT_NULL(test, left);
	KUNIT_EXPECT_TRUE(test, kmqtt_session_detach(session, &m->link, &left));
	KUNIT_EXPECT_PTR_EQ(test, left, other);
	kmqtt_msg_put(left);

	KUNIT_EXPECT_EQ(test, refcount_read(&will->refs), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&other->refs), 1);
	kmqtt_msg_put(will);
	kmqtt_msg_put(other);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static void session_queue_qos0(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_outbox *outbox = &session->outbox;

	/* Of a connection that ends, none is left, whatever is set. */
	s->store.outbox_limits.queue_qos0 = true;
	attach(session, l, NULL, NEVER);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_TRUE(test, detach(session, l));
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(outbox), 0);
	/* Without one, they wait for the next. */
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 1), KMQTT_DELIVERED_QUEUED);
	s->store.outbox_limits.queue_qos0 = false;
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_OFFLINE);
	attach(session, l, NULL, NEVER);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &l->link);
	KUNIT_EXPECT_TRUE(test, session->subscriber.ready);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(outbox), 2);
	KUNIT_EXPECT_TRUE(test, detach(session, l));
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(outbox), 1);
	kmqtt_session_put(session);
	kmqtt_test_batch_end(s);
	kmqtt_test_store_destroy(s);
}

static void session_kick(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);

	KUNIT_EXPECT_FALSE(test, kmqtt_session_kick(session,
						    KMQTT_REASON_BANNED));
	attach(session, l, NULL, NEVER);
	KUNIT_EXPECT_TRUE(test, kmqtt_session_kick(session,
						   KMQTT_REASON_BANNED));
	KUNIT_EXPECT_EQ(test, l->closes, 1);
	KUNIT_EXPECT_EQ(test, l->reason, KMQTT_REASON_BANNED);
	/* It goes when its connection comes to say so. */
	KUNIT_EXPECT_PTR_EQ(test, session->link, &l->link);
	KUNIT_EXPECT_TRUE(test, detach(session, l));
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static void session_deliver(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_offer offer = { .qos = 1 };
	struct kmqtt_msg *msg;

	/* No connection. */
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_OFFLINE);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 1), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_TRUE(test, list_empty(&s->batch.touched));

	/* A connection, which is to be flushed, once. */
	attach(session, l, NULL, NEVER);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&session->outbox), 1);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 2), KMQTT_DELIVERED_QUEUED);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&s->batch.touched));
	KUNIT_EXPECT_EQ(test, kref_read(&l->link.ref), 2);
	kmqtt_test_batch_end(s);
	KUNIT_EXPECT_EQ(test, kref_read(&l->link.ref), 1);

	/* Limits. */
	s->store.outbox_limits.max_queued = 3;
	KUNIT_EXPECT_EQ(test, deliver(s, session, 1), KMQTT_DELIVERED_FULL);
	KUNIT_EXPECT_EQ(test, deliver(s, session, 0), KMQTT_DELIVERED_FULL);
	KUNIT_EXPECT_EQ(test, session->dropped, 2);
	s->store.outbox_limits.max_queued = 1000;
	while (session->outbox.assured.tail < 8)
		deliver(s, session, 1);
	msg = kmqtt_test_msg(test, s->memory, "t", 1);
	offer.msg = msg;
	while (!kmqtt_session_deliver(session, &offer, &s->batch))
		s->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, kmqtt_session_deliver(session, &offer, &s->batch),
			KMQTT_DELIVERED_NOMEM);
	s->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, session->dropped, 4);

	/* The connection goes: QoS 0 goes with it. */
	KUNIT_EXPECT_TRUE(test, detach(session, l));
	KUNIT_EXPECT_EQ(test, session->outbox.best_effort.head,
			session->outbox.best_effort.tail);
	KUNIT_EXPECT_GT(test, kmqtt_outbox_queued(&session->outbox), 8);

	/* The end. */
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED,
					      NULL), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_session_deliver(session, &offer, &s->batch),
			KMQTT_DELIVERED_DEAD);
	flush_work(&s->store.reap_work);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 1);
	kmqtt_msg_put(msg);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static void session_received(struct kunit *test)
{
	static const u16 ids[] = { 1, 2, 63, 64, 4095, 4096, 65535 };
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	u64 used = kmqtt_memory_used(s->memory);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_FALSE(test, kmqtt_session_received(session,
								ids[i]));
		KUNIT_EXPECT_EQ(test, kmqtt_session_receive(session, ids[i]),
				0);
		KUNIT_EXPECT_TRUE(test, kmqtt_session_received(session,
							       ids[i]));
		KUNIT_EXPECT_EQ(test, session->nr_received, i + 1);
	}
	KUNIT_EXPECT_GT(test, kmqtt_memory_used(s->memory), used);
	KUNIT_EXPECT_NE(test, kmqtt_session_receive(session, 64), 0);
	KUNIT_EXPECT_EQ(test, session->nr_received, ARRAY_SIZE(ids));
	KUNIT_EXPECT_FALSE(test, kmqtt_session_received(session, 3));
	kmqtt_session_release(session, 3);
	KUNIT_EXPECT_EQ(test, session->nr_received, ARRAY_SIZE(ids));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		kmqtt_session_release(session, ids[i]);
		KUNIT_EXPECT_FALSE(test, kmqtt_session_received(session,
								ids[i]));
	}
	KUNIT_EXPECT_EQ(test, session->nr_received, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(s->memory), used);

	s->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, kmqtt_session_receive(session, 1), -ENOMEM);
	s->memory->limit = KMQTT_TEST_MEMORY;
	/* What is still noted goes with the session, nothing comes after. */
	KUNIT_EXPECT_EQ(test, kmqtt_session_receive(session, 7), 0);
	kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED, NULL);
	KUNIT_EXPECT_EQ(test, kmqtt_session_receive(session, 8), -ESHUTDOWN);
	kmqtt_session_put(session);
	kmqtt_test_store_destroy(s);
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(session_attach),
	KUNIT_CASE(session_not_persistent),
	KUNIT_CASE(session_take_over),
	KUNIT_CASE(session_will),
	KUNIT_CASE(session_queue_qos0),
	KUNIT_CASE(session_kick),
	KUNIT_CASE(session_deliver),
	KUNIT_CASE(session_received),
	{}
};

static struct kunit_suite session_suite = {
	.name = "kmqtt_session",
	.test_cases = session_cases,
};

kunit_test_suites(&session_suite);
