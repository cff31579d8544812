// SPDX-License-Identifier: GPL-2.0
/*
 * What time does to sessions without a connection, and to their wills.
 */
#include "support_session.h"
#include <linux/delay.h>
#include "../session/expiry.h"

#define NEVER		KMQTT_EXPIRY_NEVER
#define PATIENCE	(60 * 1000)
#define SESSIONS	30

/* Wait for what time brings, however slow the machine is. */
#define EXPECT_SOON(test, condition) do { \
	bool _so = false; \
	int _ms; \
	\
	for (_ms = 0; !_so && _ms < PATIENCE; _ms++) { \
		usleep_range(1000, 2000); \
		_so = (condition); \
	} \
	KUNIT_EXPECT_TRUE(test, _so); \
} while (0)

struct expiry_test {
	struct kunit *test;
	struct kmqtt_test_store *s;
	struct kmqtt_session *session;
	struct kmqtt_test_link *link;
	struct kmqtt_msg *will;
};

static struct expiry_test *expiry_create(struct kunit *test)
{
	struct expiry_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->s = kmqtt_test_store_create(test);
	t->session = kmqtt_test_session(t->s, "id");
	t->link = kmqtt_test_link(test);
	t->will = kmqtt_test_msg(test, t->s->memory, "will", 4);
	return t;
}

/* Nobody but the test has the will any more. */
static void expiry_destroy(struct expiry_test *t)
{
	KUNIT_EXPECT_EQ(t->test, refcount_read(&t->will->refs), 1);
	kmqtt_msg_put(t->will);
	kmqtt_session_put(t->session);
	kmqtt_test_store_destroy(t->s);
}

/* Connect with a will that is published so long after the end. */
static int connect(struct expiry_test *t, u32 expiry, u32 will_delay,
		   struct kmqtt_msg **old_will)
{
	struct kmqtt_attach a = kmqtt_test_attach(t->link,
						  kmqtt_msg_get(t->will),
						  expiry);
	int err;

	a.will_delay = will_delay;
	err = kmqtt_session_attach(t->session, &a, old_will);
	if (err)
		kmqtt_msg_put(t->will);
	return err;
}

/* Connect with no will. */
static void connect_plain(struct expiry_test *t, u32 expiry)
{
	struct kmqtt_attach a = kmqtt_test_attach(t->link, NULL, expiry);
	struct kmqtt_msg *will;

	KUNIT_EXPECT_EQ(t->test, kmqtt_session_attach(t->session, &a, &will),
			0);
	KUNIT_EXPECT_NULL(t->test, will);
}

/* Disconnect; returns whether there is a will to be published at once. */
static bool disconnect(struct expiry_test *t)
{
	struct kmqtt_msg *will;
	bool goes_on;

	goes_on = kmqtt_session_detach(t->session, &t->link->link, &will);
	KUNIT_EXPECT_EQ(t->test, goes_on, !t->session->dead);
	if (will)
		KUNIT_EXPECT_PTR_EQ(t->test, will, t->will);
	kmqtt_msg_put(will);
	return will;
}

static bool is_waiting(const struct expiry_test *t)
{
	return timer_pending(&t->session->timer);
}

static void expiry_arithmetic(struct kunit *test)
{
	static const u32 seconds[] = { 1000, 86400, NEVER - 1, NEVER };
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_session *session = t->session;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(seconds); i++) {
		u64 ms = 1000ULL * seconds[i], before, after;

		connect_plain(t, seconds[i]);
		KUNIT_EXPECT_FALSE(test, is_waiting(t));
		KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 2);
		before = kmqtt_msg_now();
		KUNIT_EXPECT_FALSE(test, disconnect(t));
		after = kmqtt_msg_now();
		if (seconds[i] == NEVER) {
			KUNIT_EXPECT_EQ(test, session->expires, U64_MAX);
			KUNIT_EXPECT_FALSE(test, is_waiting(t));
			continue;
		}
		KUNIT_EXPECT_GE(test, session->expires, before + ms);
		KUNIT_EXPECT_LE(test, session->expires, after + ms);
		KUNIT_EXPECT_TRUE(test, is_waiting(t));
		/* The timer has a reference, and looks every day. */
		KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 3);
		KUNIT_EXPECT_TRUE(test, time_before(session->timer.expires,
						    jiffies + 90000 * HZ));
		KUNIT_EXPECT_FALSE(test, session->dead);
	}
	expiry_destroy(t);
}

/* It fires too early: it goes on waiting. */
static void expiry_early(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_session *session = t->session;
	struct kmqtt_msg *left = NULL;
	int i;

	connect(t, 10000, 5000, NULL);
	KUNIT_EXPECT_FALSE(test, disconnect(t));
	for (i = 0; i < 3; i++) {
		mod_timer(&session->timer, jiffies);
		EXPECT_SOON(test, is_waiting(t) &&
			    time_after(READ_ONCE(session->timer.expires),
				       jiffies + 1000 * HZ));
		flush_work(&t->s->store.due_work);
		KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 3);
	}
	KUNIT_EXPECT_TRUE(test, time_before(session->timer.expires,
					    jiffies + 5010 * HZ));
	KUNIT_EXPECT_FALSE(test, session->dead);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED,
					      &left), 0);
	KUNIT_EXPECT_PTR_EQ(test, left, t->will);
	kmqtt_msg_put(left);
	expiry_destroy(t);
}

/* After a second it is over, and not before. */
static void expiry_ends(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_store *store = &t->s->store;
	u64 before;

	KUNIT_EXPECT_EQ(test, connect(t, 1, 100, NULL), 0);
	before = kmqtt_msg_now();
	KUNIT_EXPECT_FALSE(test, disconnect(t));
	EXPECT_SOON(test, READ_ONCE(t->session->dead));
	KUNIT_EXPECT_GE(test, kmqtt_msg_now(), before + 1000);
	flush_work(&store->due_work);
	flush_work(&store->reap_work);
	/* The will is due with the end of the session, once. */
	KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 1);
	KUNIT_EXPECT_NULL(test, t->session->will);
	KUNIT_EXPECT_NULL(test, kmqtt_store_lookup(store, "id", 2));
	KUNIT_EXPECT_EQ(test, kref_read(&t->session->ref), 1);
	expiry_destroy(t);
}

/* The will is due before the session is: just the will goes. */
static void expiry_will(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_session *session = t->session;
	u64 before;
	u32 expiry;

	for (expiry = 1000; expiry; expiry = expiry == 1000 ? NEVER : 0) {
		atomic_set(&t->s->wills, 0);
		KUNIT_EXPECT_EQ(test, connect(t, expiry, 1, NULL), 0);
		before = kmqtt_msg_now();
		KUNIT_EXPECT_FALSE(test, disconnect(t));
		KUNIT_EXPECT_GE(test, session->will_due, before + 1000);
		KUNIT_EXPECT_TRUE(test, is_waiting(t));
		EXPECT_SOON(test, atomic_read(&t->s->wills));
		KUNIT_EXPECT_GE(test, kmqtt_msg_now(), before + 1000);
		flush_work(&t->s->store.due_work);
		KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 1);
		KUNIT_EXPECT_NULL(test, session->will);
		KUNIT_EXPECT_FALSE(test, session->dead);
		KUNIT_EXPECT_EQ(test, is_waiting(t), expiry != NEVER);
		KUNIT_EXPECT_EQ(test, kref_read(&session->ref),
				expiry == NEVER ? 2 : 3);
	}
	expiry_destroy(t);
}

/* A client that is back in time: nothing happens, also not later. */
static void expiry_reconnect(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_session *session = t->session;
	u64 due;

	KUNIT_EXPECT_EQ(test, connect(t, 1, 1, NULL), 0);
	KUNIT_EXPECT_FALSE(test, disconnect(t));
	due = session->expires;
	KUNIT_EXPECT_EQ(test, refcount_read(&t->will->refs), 2);
	/* Nobody is asked to publish what isn't published. */
	KUNIT_EXPECT_EQ(test, connect(t, 1, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->will->refs), 2);
	KUNIT_EXPECT_FALSE(test, is_waiting(t));
	KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 2);
	EXPECT_SOON(test, kmqtt_msg_now() > due + 300);
	flush_work(&t->s->store.due_work);
	KUNIT_EXPECT_FALSE(test, session->dead);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &t->link->link);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 0);
	/* Without delay it is the caller's. */
	KUNIT_EXPECT_TRUE(test, disconnect(t));
	expiry_destroy(t);
}

/* A timer that fires while the client comes back finds nothing to do. */
static void expiry_race(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_session *session = t->session;
	int i;

	for (i = 0; i < 50; i++) {
		KUNIT_EXPECT_EQ(test, connect(t, 1000, 1000, NULL), 0);
		KUNIT_EXPECT_FALSE(test, disconnect(t));
		mod_timer(&session->timer, jiffies);
		if (i & 1)
			usleep_range(1, 5000);
	}
	KUNIT_EXPECT_EQ(test, connect(t, 0, 0, NULL), 0);
	flush_work(&t->s->store.due_work);
	KUNIT_EXPECT_FALSE(test, session->dead);
	KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 0);
	KUNIT_EXPECT_TRUE(test, disconnect(t));
	KUNIT_EXPECT_TRUE(test, session->dead);
	expiry_destroy(t);
}

static void expiry_take_over(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_test_link *first = t->link;
	struct kmqtt_msg *left = NULL;

	/* With a delay the client is back in time. */
	KUNIT_EXPECT_EQ(test, connect(t, 100, 5, NULL), 0);
	t->link = kmqtt_test_link(test);
	KUNIT_EXPECT_EQ(test, connect(t, 100, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, first->closes, 1);
	KUNIT_EXPECT_EQ(test, first->reason, KMQTT_REASON_SESSION_TAKEN_OVER);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->will->refs), 2);
	/* Without one the will is due now. */
	first = t->link;
	t->link = kmqtt_test_link(test);
	KUNIT_EXPECT_EQ(test, connect(t, 100, 5, NULL), -EAGAIN);
	KUNIT_EXPECT_EQ(test, first->closes, 0);
	KUNIT_EXPECT_EQ(test, connect(t, 100, 5, &left), 0);
	KUNIT_EXPECT_PTR_EQ(test, left, t->will);
	kmqtt_msg_put(left);
	KUNIT_EXPECT_EQ(test, first->closes, 1);
	/* One that waits for its time goes with the end of the session. */
	KUNIT_EXPECT_FALSE(test, disconnect(t));
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(t->session,
					      KMQTT_REASON_UNSPECIFIED, NULL),
			-EAGAIN);
	KUNIT_EXPECT_TRUE(test, is_waiting(t));
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(t->session,
					      KMQTT_REASON_UNSPECIFIED, &left),
			0);
	KUNIT_EXPECT_PTR_EQ(test, left, t->will);
	kmqtt_msg_put(left);
	KUNIT_EXPECT_FALSE(test, is_waiting(t));
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, kref_read(&t->session->ref), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->s->wills), 0);
	expiry_destroy(t);
}

static void expiry_goodbye(struct kunit *test)
{
	struct expiry_test *t = expiry_create(test);
	struct kmqtt_test_link *other = kmqtt_test_link(test);
	struct kmqtt_session *session = t->session;
	const u32 longer = 1000, none = 0;
	u64 before;

	/* Only by the connection that is the session's. */
	KUNIT_EXPECT_EQ(test, connect(t, 100, 0, NULL), 0);
	kmqtt_session_goodbye(session, &other->link, true, &none);
	KUNIT_EXPECT_EQ(test, session->expiry, 100);
	KUNIT_EXPECT_PTR_EQ(test, session->will, t->will);
	/* The will goes, the expiry stays. */
	kmqtt_session_goodbye(session, &t->link->link, true, NULL);
	KUNIT_EXPECT_EQ(test, session->expiry, 100);
	KUNIT_EXPECT_FALSE(test, disconnect(t));
	KUNIT_EXPECT_NULL(test, session->will);
	/* The other way round. */
	KUNIT_EXPECT_EQ(test, connect(t, 100, 0, NULL), 0);
	kmqtt_session_goodbye(session, &t->link->link, false, &longer);
	before = kmqtt_msg_now();
	KUNIT_EXPECT_TRUE(test, disconnect(t));
	KUNIT_EXPECT_GE(test, session->expires, before + 1000 * longer);
	/* The end at once, with a will that was to wait. */
	KUNIT_EXPECT_EQ(test, connect(t, 100, 100, NULL), 0);
	kmqtt_session_goodbye(session, &t->link->link, false, &none);
	KUNIT_EXPECT_TRUE(test, disconnect(t));
	KUNIT_EXPECT_TRUE(test, session->dead);
	KUNIT_EXPECT_FALSE(test, is_waiting(t));
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, kref_read(&session->ref), 1);
	expiry_destroy(t);
}

/* The store goes while many sessions wait, and some are just due. */
static void expiry_uninit(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_msg *will;
	int i;

	will = kmqtt_test_msg(test, s->memory, "will", 4);
	for (i = 0; i < SESSIONS; i++) {
		const char id[3] = { 'a' + i / 10, 'a' + i % 10 };
		struct kmqtt_session *session = kmqtt_test_session(s, id);
		struct kmqtt_attach a = kmqtt_test_attach(l, NULL, 100);
		struct kmqtt_msg *left;

		a.will = kmqtt_msg_get(will);
		a.will_delay = 100;
		KUNIT_EXPECT_EQ(test, kmqtt_session_attach(session, &a, NULL),
				0);
		kmqtt_session_detach(session, &l->link, &left);
		KUNIT_EXPECT_NULL(test, left);
		spin_lock_bh(&session->lock);
		if (i % 3)
			session->expires = kmqtt_msg_now();
		kmqtt_session_arm(session);
		spin_unlock_bh(&session->lock);
		kmqtt_session_put(session);
		if (i > SESSIONS / 2)
			usleep_range(1000, 2000);
	}
	kmqtt_msg_put(will);
	kmqtt_test_store_destroy(s);
}

static struct kunit_case expiry_cases[] = {
	KUNIT_CASE(expiry_arithmetic),
	KUNIT_CASE(expiry_early),
	KUNIT_CASE_SLOW(expiry_ends),
	KUNIT_CASE_SLOW(expiry_will),
	KUNIT_CASE_SLOW(expiry_reconnect),
	KUNIT_CASE(expiry_race),
	KUNIT_CASE(expiry_take_over),
	KUNIT_CASE(expiry_goodbye),
	KUNIT_CASE(expiry_uninit),
	{}
};

static struct kunit_suite expiry_suite = {
	.name = "kmqtt_session_expiry",
	.test_cases = expiry_cases,
};

kunit_test_suites(&expiry_suite);
