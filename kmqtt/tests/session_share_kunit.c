// SPDX-License-Identifier: GPL-2.0
/*
 * Which member of a group gets a message, and what becomes of it when that
 * member goes.
 */
#include "support_session.h"
#include "../session/share.h"
#include "../topic/match.h"

#define MEMBERS		4
#define NEVER		KMQTT_EXPIRY_NEVER

struct share_test {
	struct kunit *test;
	struct kmqtt_test_store *s;
	struct kmqtt_group *group;
	struct kmqtt_session *sessions[MEMBERS];
	struct kmqtt_test_link *links[MEMBERS];
	struct kmqtt_msg *msgs[3];
	struct kmqtt_match match;
	struct kmqtt_route route;
};

static void connect(struct share_test *t, int who, u32 expiry)
{
	struct kmqtt_attach a = kmqtt_test_attach(t->links[who], NULL, expiry);
	struct kmqtt_msg *will;

	KUNIT_ASSERT_EQ(t->test, kmqtt_session_attach(t->sessions[who], &a,
						      &will), 0);
}

static void disconnect(struct share_test *t, int who)
{
	struct kmqtt_msg *will;

	kmqtt_session_detach(t->sessions[who], &t->links[who]->link, &will);
	KUNIT_EXPECT_NULL(t->test, t->sessions[who]->link);
	flush_work(&t->s->store.reap_work);
}

/* A group of @nr, of which @online are connected. */
static struct share_test *share_create(struct kunit *test, int nr, int online)
{
	struct kmqtt_sub_request request = kmqtt_test_request("$share/g/t", 2);
	struct share_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->s = kmqtt_test_store_create(test);
	for (i = 0; i < nr; i++) {
		const char id[2] = { 'a' + i };

		t->sessions[i] = kmqtt_test_session(t->s, id);
		t->links[i] = kmqtt_test_link(test);
		KUNIT_ASSERT_EQ(test, kmqtt_tree_subscribe(&t->s->tree,
							   &t->sessions[i]->subscriber,
							   &request, 9), 0);
		if (i < online)
			connect(t, i, NEVER);
	}
	for (i = 0; i < 3; i++) {
		t->msgs[i] = kmqtt_test_msg(test, t->s->memory, "t", i);
		t->msgs[i]->qos = i;
	}
	t->route.matches = &t->match;
	t->route.max = 1;
	t->route.steps_max = 10;
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, kmqtt_tree_match(&t->s->tree, "t", 1, &t->route),
			0);
	rcu_read_unlock();
	t->group = t->match.group;
	KUNIT_ASSERT_NOT_NULL(test, t->group);
	return t;
}

static void share_destroy(struct share_test *t)
{
	struct kmqtt_msg *will;
	int i;

	for (i = 0; i < MEMBERS && t->sessions[i]; i++) {
		if (t->sessions[i]->link)
			kmqtt_session_detach(t->sessions[i],
					     t->sessions[i]->link, &will);
		kmqtt_session_put(t->sessions[i]);
	}
	for (i = 0; i < 3; i++)
		kmqtt_msg_put(t->msgs[i]);
	kmqtt_test_store_destroy(t->s);
}

static enum kmqtt_delivered deliver(struct share_test *t, u8 qos,
				    bool ready_only)
{
	enum kmqtt_delivered ret;

	rcu_read_lock();
	ret = kmqtt_share_deliver(t->group, t->msgs[qos], ready_only,
				  &t->s->batch);
	rcu_read_unlock();
	return ret;
}

/* As many of @qos as @nr; all of them find someone. */
static void deliver_many(struct share_test *t, u8 qos, int nr)
{
	while (nr--)
		KUNIT_EXPECT_EQ(t->test, deliver(t, qos, false),
				KMQTT_DELIVERED_QUEUED);
}

static u32 queued(struct share_test *t, int who)
{
	return kmqtt_outbox_queued(&t->sessions[who]->outbox);
}

/* Begin to send @nr messages. */
static void begin(struct share_test *t, int who, int nr)
{
	struct kmqtt_session *session = t->sessions[who];
	struct kmqtt_delivery d;

	spin_lock_bh(&session->lock);
	while (nr--) {
		KUNIT_EXPECT_TRUE(t->test, kmqtt_outbox_next(&session->outbox,
							     100, &d));
		kmqtt_delivery_put(&d);
	}
	kmqtt_outbox_sent(&session->outbox);
	spin_unlock_bh(&session->lock);
}

static void acknowledge(struct share_test *t, int who, u16 id)
{
	struct kmqtt_session *session = t->sessions[who];

	spin_lock_bh(&session->lock);
	KUNIT_EXPECT_EQ(t->test, kmqtt_outbox_puback(&session->outbox, id), 0);
	spin_unlock_bh(&session->lock);
}

static u32 drops(struct share_test *t)
{
	return atomic_read(&t->s->drops);
}

static void share_turns(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 3);
	u8 qos;
	int i;

	for (qos = 0; qos <= 2; qos++)
		deliver_many(t, qos, 9);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, queued(t, i), 9);
		KUNIT_EXPECT_FALSE(test, list_empty(&t->links[i]->link.touched));
	}
	/* Also when the counter wraps around. */
	atomic_set(&t->group->turn, -5);
	deliver_many(t, 0, 12);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_GE(test, queued(t, i), 9 + 3);
		KUNIT_EXPECT_LE(test, queued(t, i), 9 + 5);
	}
	share_destroy(t);
}

/* Those who aren't there leave their turns to others, and all get some. */
static void share_turns_some(struct kunit *test)
{
	struct share_test *t = share_create(test, 4, 3);
	int i;

	deliver_many(t, 1, 40);
	KUNIT_EXPECT_EQ(test, queued(t, 3), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_GE(test, queued(t, i), 10);
	share_destroy(t);
}

/* A subscription says how its member gets a message. */
static void share_options(struct kunit *test)
{
	struct kmqtt_sub_request request = kmqtt_test_request("$share/g/t", 1);
	struct share_test *t = share_create(test, 1, 1);
	struct kmqtt_session *session = t->sessions[0];
	struct kmqtt_delivery d;
	int i;

	request.id = 77;
	request.options = 1 | KMQTT_SUB_RETAIN_AS_PUBLISHED;
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, kmqtt_tree_subscribe(&t->s->tree,
							   &session->subscriber,
							   &request, 9), 1);
		t->msgs[2]->retain = true;
		deliver_many(t, 2, 1);
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&session->outbox, 9,
							  &d));
		KUNIT_EXPECT_EQ(test, d.first, i ? 0x32 : 0x33);
		KUNIT_EXPECT_PTR_EQ(test, d.extra->group, t->group);
		KUNIT_ASSERT_EQ(test, d.extra->nr_ids, i ? 0 : 1);
		if (!i)
			KUNIT_EXPECT_EQ(test, d.extra->ids[0], 77);
		kmqtt_delivery_put(&d);
		request.id = 0;
		request.options = 1;
	}
	t->msgs[2]->retain = false;
	share_destroy(t);
}

static void share_no_room(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 3);
	int i;

	t->s->store.outbox_limits.max_queued = 4;
	/* The others are served, the first reads nothing. */
	deliver_many(t, 1, 3);
	begin(t, 1, 1);
	begin(t, 2, 1);
	deliver_many(t, 1, 11);
	KUNIT_EXPECT_EQ(test, deliver(t, 1, false), KMQTT_DELIVERED_FULL);
	KUNIT_EXPECT_EQ(test, deliver(t, 1, true), KMQTT_DELIVERED_FULL);
	KUNIT_EXPECT_EQ(test, deliver(t, 0, false), KMQTT_DELIVERED_FULL);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, queued(t, i), 4);
		/* The group's loss is no member's. */
		KUNIT_EXPECT_EQ(test, t->sessions[i]->dropped, 0);
	}
	begin(t, 0, 1);
	deliver_many(t, 2, 1);
	KUNIT_EXPECT_EQ(test, deliver(t, 2, false), KMQTT_DELIVERED_FULL);
	share_destroy(t);
}

static void share_offline(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 0);

	KUNIT_EXPECT_EQ(test, deliver(t, 0, false), KMQTT_DELIVERED_OFFLINE);
	KUNIT_EXPECT_EQ(test, deliver(t, 1, true), KMQTT_DELIVERED_OFFLINE);
	deliver_many(t, 1, 6);
	deliver_many(t, 2, 6);
	KUNIT_EXPECT_EQ(test, queued(t, 0) + queued(t, 1) + queued(t, 2), 12);
	/* One is there: it gets all that is new, of any QoS. */
	connect(t, 1, NEVER);
	begin(t, 1, queued(t, 1));
	deliver_many(t, 0, 5);
	deliver_many(t, 1, 5);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 10);
	/* It has no room any more: better late than never. */
	t->s->store.outbox_limits.max_queued = 10;
	KUNIT_EXPECT_EQ(test, deliver(t, 1, true), KMQTT_DELIVERED_FULL);
	deliver_many(t, 1, 1);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 10);
	/* Not so with QoS 0. */
	KUNIT_EXPECT_EQ(test, deliver(t, 0, false), KMQTT_DELIVERED_FULL);
	/* Ended, but still a member. */
	disconnect(t, 1);
	kmqtt_store_end(t->sessions[1], KMQTT_REASON_UNSPECIFIED, NULL);
	KUNIT_EXPECT_EQ(test, deliver(t, 0, false), KMQTT_DELIVERED_OFFLINE);
	share_destroy(t);
}

/* The session stays: what it had not begun goes to those who are there. */
static void share_move(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 1);

	deliver_many(t, 1, 5);
	deliver_many(t, 2, 5);
	deliver_many(t, 0, 1);
	begin(t, 0, 7);
	connect(t, 1, NEVER);
	disconnect(t, 0);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 3);
	kmqtt_share_move(t->sessions[0]);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 0);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 3);
	KUNIT_EXPECT_EQ(test, queued(t, 2), 0);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	/* What it had begun, it goes on with. */
	connect(t, 0, NEVER);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 7);
	/* Connected, it keeps what it has. */
	kmqtt_share_move(t->sessions[0]);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 7);
	share_destroy(t);
}

/* Nobody is there, or nobody has room: the session keeps it all. */
static void share_move_keeps(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 1);
	struct kmqtt_session *session = t->sessions[0];
	struct kmqtt_delivery d;
	int i;

	deliver_many(t, 1, 3);
	deliver_many(t, 2, 3);
	disconnect(t, 0);
	kmqtt_share_move(session);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 6);
	connect(t, 1, NEVER);
	t->s->store.outbox_limits.max_queued = 2;
	deliver_many(t, 1, 2);
	kmqtt_share_move(session);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 6);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 2);
	KUNIT_EXPECT_EQ(test, queued(t, 2), 0);
	/* There is room for one. */
	t->s->store.outbox_limits.max_queued = 3;
	kmqtt_share_move(session);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 5);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 3);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	/* In the order in which it came. */
	connect(t, 0, NEVER);
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&session->outbox, 9,
							  &d));
		KUNIT_EXPECT_EQ(test, d.first, i < 2 ? 0x32 : 0x34);
		KUNIT_EXPECT_PTR_EQ(test, d.extra->group, t->group);
		kmqtt_delivery_put(&d);
	}
	share_destroy(t);
}

/* A client that comes and goes and acknowledges nothing costs no more. */
static void share_move_again(struct kunit *test)
{
	struct share_test *t = share_create(test, 1, 1);
	u64 used = 0;
	int i;

	deliver_many(t, 1, 50);
	for (i = 0; i < 100; i++) {
		begin(t, 0, 1);
		disconnect(t, 0);
		kmqtt_share_move(t->sessions[0]);
		connect(t, 0, NEVER);
		KUNIT_EXPECT_EQ(test, queued(t, 0), 50);
		if (!i)
			used = kmqtt_memory_used(t->s->memory);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->s->memory), used);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	share_destroy(t);
}

/* The session ends: also what was begun with QoS 1 begins again elsewhere. */
static void share_move_ended(struct kunit *test)
{
	struct share_test *t = share_create(test, 3, 1);

	deliver_many(t, 1, 3);
	deliver_many(t, 2, 4);
	deliver_many(t, 1, 4);
	begin(t, 0, 5);
	acknowledge(t, 0, 2);
	connect(t, 1, NEVER);
	/* Left with it: 2 begun of QoS 1 and 2 of QoS 2, 6 others. */
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(t->sessions[0],
					      KMQTT_REASON_UNSPECIFIED, NULL),
			0);
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 2 + 6);
	KUNIT_EXPECT_EQ(test, queued(t, 2), 0);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	KUNIT_EXPECT_EQ(test, t->group->nr, 2);
	/* Nobody is there: then those who aren't. */
	disconnect(t, 1);
	kmqtt_store_end(t->sessions[1], KMQTT_REASON_UNSPECIFIED, NULL);
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, queued(t, 2), 8);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	/* Nobody is left: they are lost, and that is told. */
	kmqtt_store_end(t->sessions[2], KMQTT_REASON_UNSPECIFIED, NULL);
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, drops(t), 8);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->msgs[1]->refs), 1);
	share_destroy(t);
}

static void share_move_ended_full(struct kunit *test)
{
	struct share_test *t = share_create(test, 2, 1);

	deliver_many(t, 1, 10);
	connect(t, 1, NEVER);
	t->s->store.outbox_limits.max_queued = 4;
	kmqtt_store_end(t->sessions[0], KMQTT_REASON_UNSPECIFIED, NULL);
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, queued(t, 1), 4);
	KUNIT_EXPECT_EQ(test, drops(t), 6);
	share_destroy(t);
}

/* Whoever has left the group still has its messages, which keep the group. */
static void share_left(struct kunit *test)
{
	struct kmqtt_sub_request request = kmqtt_test_request("$share/g/t", 0);
	struct share_test *t = share_create(test, 1, 1);
	struct kmqtt_session *session = t->sessions[0];

	deliver_many(t, 1, 2);
	KUNIT_EXPECT_EQ(test, kmqtt_tree_unsubscribe(&t->s->tree,
						     &session->subscriber,
						     &request.filter), 0);
	KUNIT_EXPECT_EQ(test, deliver(t, 1, false), KMQTT_DELIVERED_OFFLINE);
	disconnect(t, 0);
	kmqtt_share_move(session);
	KUNIT_EXPECT_EQ(test, queued(t, 0), 2);
	KUNIT_EXPECT_EQ(test, drops(t), 0);
	kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED, NULL);
	flush_work(&t->s->store.reap_work);
	KUNIT_EXPECT_EQ(test, drops(t), 2);
	share_destroy(t);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(share_turns),
	KUNIT_CASE(share_turns_some),
	KUNIT_CASE(share_options),
	KUNIT_CASE(share_no_room),
	KUNIT_CASE(share_offline),
	KUNIT_CASE(share_move),
	KUNIT_CASE(share_move_keeps),
	KUNIT_CASE(share_move_again),
	KUNIT_CASE(share_move_ended),
	KUNIT_CASE(share_move_ended_full),
	KUNIT_CASE(share_left),
	{}
};

static struct kunit_suite share_suite = {
	.name = "kmqtt_session_share",
	.test_cases = share_cases,
};

kunit_test_suites(&share_suite);
