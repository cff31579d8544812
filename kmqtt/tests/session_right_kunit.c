// SPDX-License-Identifier: GPL-2.0
/*
 * What clients of sessions may do: who they are is who they were when they had
 * a connection the last time.
 */
#include "support_access.h"
#include "support_session.h"
#include "../session/author.h"
#include "../session/right.h"
#include "../session/share.h"
#include "../topic/match.h"

#define TO_READ	KMQTT_ACL_ACCESS_READ
#define TO_WRITE	KMQTT_ACL_ACCESS_WRITE
#define NR	2

struct right_test {
	struct kunit *test;
	struct kmqtt_test_store *s;
	struct kmqtt_port *port;
	struct kmqtt_session *sessions[NR];
	struct kmqtt_test_link *links[NR];
	struct kmqtt_author *authors[NR];
	struct kmqtt_verdicts verdicts;
};

static struct right_test *right_create(struct kunit *test, const char *rules)
{
	struct right_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->port = kmqtt_test_port(test);
	kmqtt_test_rules(test, t->port, rules);
	t->s = kmqtt_test_store_create(test);
	t->s->store.access = t->port->access;
	t->s->batch.verdicts = &t->verdicts;
	for (i = 0; i < NR; i++) {
		const char id[2] = { 'a' + i };

		t->sessions[i] = kmqtt_test_session(t->s, id);
		t->links[i] = kmqtt_test_link(test);
	}
	return t;
}

static void disconnect(struct right_test *t, int who)
{
	struct kmqtt_msg *will;

	kmqtt_session_detach(t->sessions[who], &t->links[who]->link, &will);
	kmqtt_author_put(t->authors[who]);
	t->authors[who] = NULL;
}

static void right_destroy(struct right_test *t)
{
	int i;

	for (i = 0; i < NR; i++) {
		if (t->sessions[i]->link)
			disconnect(t, i);
		kmqtt_session_put(t->sessions[i]);
	}
	kmqtt_test_store_destroy(t->s);
	KUNIT_EXPECT_EQ(t->test, kref_read(&t->port->ref), 1);
}

/* Returns the user that came with the session before. */
static const char *connect(struct right_test *t, int who, const char *user)
{
	struct kmqtt_attach a = kmqtt_test_attach(t->links[who], NULL,
						  KMQTT_EXPIRY_NEVER);
	struct kmqtt_msg *will;
	const char *before;

	a.identity = kmqtt_test_identity(t->test, t->port, user);
	KUNIT_ASSERT_EQ(t->test, kmqtt_session_attach(t->sessions[who], &a,
						      &will), 0);
	before = !a.identity ? "none" : a.identity->user_len ? "some" : "";
	kmqtt_identity_put(a.identity);
	return before;
}

static int may(struct right_test *t, int who, const char *topic,
	       enum kmqtt_acl_access access)
{
	struct kmqtt_session *session = t->sessions[who];
	struct kmqtt_msg *msg = kmqtt_test_msg(t->test, t->s->memory, topic, 1);
	int ret;

	rcu_read_lock();
	ret = access == TO_READ ?
	      kmqtt_session_may_read(session, msg, &t->s->batch) :
	      kmqtt_session_may(session, rcu_dereference(session->identity),
				msg, access, &t->s->batch);
	rcu_read_unlock();
	kmqtt_msg_put(msg);
	return ret;
}

/* It is the last connection that counts, and none that never was. */
static void right_of_identity(struct kunit *test)
{
	struct right_test *t = right_create(test, "topic x\nuser u\ntopic read a\n"
					    "user v\ntopic write a");

	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 0);
	KUNIT_EXPECT_STREQ(test, connect(t, 0, "u"), "none");
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_WRITE), 0);
	disconnect(t, 0);
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	KUNIT_EXPECT_STREQ(test, connect(t, 0, "v"), "some");
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 0);
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_WRITE), 1);
	KUNIT_EXPECT_STREQ(test, connect(t, 0, ""), "some");
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_WRITE), 0);
	KUNIT_EXPECT_EQ(test, may(t, 0, "x", TO_WRITE), 1);
	KUNIT_EXPECT_STREQ(test, connect(t, 0, "u"), "");
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	/* Others who come hold for those who are there. */
	kmqtt_test_rules(test, t->port, "user u\ntopic b");
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 0);
	KUNIT_EXPECT_EQ(test, may(t, 0, "b", TO_READ), 1);
	kmqtt_test_rules(test, t->port, NULL);
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	right_destroy(t);
}

/* What belongs to brokers, rules or not. */
static void right_reserved(struct kunit *test)
{
	static const char *const rules[] = { NULL, "topic $SYS/#\ntopic $share/#\n"
					     "topic $SYSx\ntopic $sharex\ntopic $x" };
	struct right_test *t;
	int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		t = right_create(test, rules[i]);
		connect(t, 0, "");
		KUNIT_EXPECT_EQ(test, may(t, 0, "$SYS/a", TO_WRITE), 0);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$SYS", TO_WRITE), 0);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$SYSx", TO_WRITE), 0);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$share/g/a", TO_WRITE), 0);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$sharex", TO_WRITE), 0);
		KUNIT_EXPECT_EQ(test,
				may(t, 0, "$SYS/broker/connection/b/state",
				    TO_WRITE), 1);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$x", TO_WRITE), 1);
		KUNIT_EXPECT_EQ(test, may(t, 0, "$SYS/a", TO_READ), 1);
		right_destroy(t);
	}
}

/* Softirq leaves it to a thread where there is much to look at. */
static void right_softirq(struct kunit *test)
{
	struct right_test *t = right_create(test, NULL);
	char *rules = kunit_kzalloc(test, 16 << 10, GFP_KERNEL), *p = rules;
	struct kmqtt_batch *batch = &t->s->batch;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, rules);
	for (i = 0; i < 1024; i++)
		p += sprintf(p, "%s", "topic read x\n");
	kmqtt_test_rules(test, t->port, rules);
	connect(t, 0, "");
	batch->bh = true;
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 0);
	KUNIT_EXPECT_EQ(test, batch->work, 1024 / KMQTT_RULES_PER_WORK);
	sprintf(p, "%s", "topic read a\n");
	kmqtt_test_rules(test, t->port, rules);
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), -EAGAIN);
	batch->bh = false;
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	/* A context remembers what a thread would have to find out. */
	batch->bh = true;
	KUNIT_EXPECT_EQ(test, may(t, 0, "a", TO_READ), 1);
	batch->bh = false;
	right_destroy(t);
}

static void retain(struct right_test *t, const char *topic)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(t->test, t->s->memory, topic, 1);

	msg->retain = true;
	kmqtt_msg_published(msg);
	KUNIT_ASSERT_EQ(t->test,
			kmqtt_retained_set(&t->s->retained, msg, 100), 0);
	kmqtt_msg_put(msg);
}

static bool refill(struct right_test *t, u32 *denied)
{
	bool more;

	spin_lock_bh(&t->sessions[0]->lock);
	more = kmqtt_session_refill(t->sessions[0], &t->s->batch, denied);
	spin_unlock_bh(&t->sessions[0]->lock);
	return more;
}

static int note_author(struct right_test *t, int who, struct kmqtt_msg *msg)
{
	struct kmqtt_session *session = t->sessions[who];
	struct kmqtt_identity *identity;
	int err;

	rcu_read_lock();
	identity = rcu_dereference(session->identity);
	err = kmqtt_author_note(&t->authors[who], session, identity, msg,
				GFP_ATOMIC);
	rcu_read_unlock();
	return err;
}

static void retain_by(struct right_test *t, int who, const char *topic)
{
	struct kmqtt_msg *msg = kmqtt_test_msg(t->test, t->s->memory, topic, 1);

	msg->retain = true;
	kmqtt_msg_published(msg);
	KUNIT_EXPECT_EQ(t->test, note_author(t, who, msg), 0);
	KUNIT_ASSERT_EQ(t->test,
			kmqtt_retained_set(&t->s->retained, msg, 100), 0);
	kmqtt_msg_put(msg);
}

/* How many retained messages the first client is not to get. */
static u32 denied_to(struct right_test *t, const char *filter)
{
	struct kmqtt_replay *replay;
	u32 denied = 0;

	replay = kmqtt_replay_create(t->s->memory, filter, strlen(filter),
				     false, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(t->test, replay);
	kmqtt_replay_start(&t->s->retained, replay);
	kmqtt_session_replay(t->sessions[0], replay);
	while (refill(t, &denied))
		;
	return denied;
}

/* Retained messages are left out, not waited for. */
static void right_retained(struct kunit *test)
{
	static const char *const topics[] = { "a", "b", "c", "d" };
	struct right_test *t = right_create(test, "topic write #\ntopic read b\n"
					    "topic read d");
	int i;

	connect(t, 0, "");
	for (i = 0; i < ARRAY_SIZE(topics); i++)
		retain(t, topics[i]);
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 2);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->sessions[0]->outbox), 2);
	KUNIT_EXPECT_EQ(test, t->sessions[0]->dropped, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->sessions[0]->replays));
	right_destroy(t);
}

/* It is asked who they are from, also when that client is gone. */
static void right_author(struct kunit *test)
{
	struct right_test *t = right_create(test, "user u\ntopic read #\n"
					    "user v\ntopic write v\n"
					    "pattern write %c");
	bool *check = &t->s->store.check_retain_source;

	*check = true;
	connect(t, 0, "u");
	connect(t, 1, "v");
	retain(t, "none");
	retain_by(t, 1, "v");
	retain_by(t, 1, "b");
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 0);
	kmqtt_test_rules(test, t->port, "user u\ntopic read #\n"
			 "pattern write %c");
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 1);
	disconnect(t, 1);
	connect(t, 1, "u");
	KUNIT_EXPECT_EQ(test, denied_to(t, "v"), 1);
	KUNIT_EXPECT_EQ(test, denied_to(t, "b"), 0);
	*check = false;
	KUNIT_EXPECT_EQ(test, denied_to(t, "v"), 0);
	retain_by(t, 1, "late");
	*check = true;
	kmqtt_test_rules(test, t->port, "user u\ntopic read #");
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 3);
	kmqtt_test_rules(test, t->port, "topic #\nuser u\ntopic #\n"
			 "user v\ntopic #");
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 0);
	/* Its listener goes, and the rules with it. */
	WRITE_ONCE(t->port->closed, true);
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 3);
	KUNIT_EXPECT_EQ(test, denied_to(t, "none"), 0);
	*check = false;
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 0);
	*check = true;
	kmqtt_test_rules(test, t->port, NULL);
	KUNIT_EXPECT_EQ(test, denied_to(t, "#"), 0);
	right_destroy(t);
}

/* Each client is one author, known to what is retained only. */
static void right_author_note(struct kunit *test)
{
	struct right_test *t = right_create(test, NULL);
	struct kmqtt_msg *msg[4];
	u64 used;
	int i;

	for (i = 0; i < NR; i++)
		connect(t, i, i ? "v" : "");
	/* The first has no payload, which ends what is retained. */
	for (i = 0; i < ARRAY_SIZE(msg); i++)
		msg[i] = kmqtt_test_msg(test, t->s->memory, "t", !!i);
	KUNIT_EXPECT_EQ(test, note_author(t, 1, msg[1]), 0);
	KUNIT_EXPECT_NULL(test, msg[1]->author);
	for (i = 0; i < ARRAY_SIZE(msg); i++)
		msg[i]->retain = true;
	KUNIT_EXPECT_EQ(test, note_author(t, 1, msg[0]), 0);
	KUNIT_EXPECT_NULL(test, msg[0]->author);
	KUNIT_EXPECT_NULL(test, t->authors[1]);

	used = kmqtt_memory_used(t->s->memory);
	WRITE_ONCE(t->s->memory->limit, 0);
	KUNIT_EXPECT_EQ(test, note_author(t, 1, msg[1]), -ENOMEM);
	KUNIT_EXPECT_NULL(test, msg[1]->author);
	KUNIT_EXPECT_NULL(test, t->authors[1]);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->s->memory), used);
	WRITE_ONCE(t->s->memory->limit, KMQTT_TEST_MEMORY);

	KUNIT_EXPECT_EQ(test, note_author(t, 1, msg[1]), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->authors[1]);
	used = kmqtt_memory_used(t->s->memory);
	KUNIT_EXPECT_EQ(test, note_author(t, 1, msg[2]), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(t->s->memory), used);
	KUNIT_EXPECT_EQ(test, note_author(t, 0, msg[3]), 0);
	KUNIT_ASSERT_NOT_NULL(test, t->authors[0]);
	KUNIT_EXPECT_PTR_NE(test, t->authors[0], t->authors[1]);
	KUNIT_EXPECT_PTR_EQ(test, msg[1]->author, t->authors[1]);
	KUNIT_EXPECT_PTR_EQ(test, msg[2]->author, t->authors[1]);
	KUNIT_EXPECT_PTR_EQ(test, msg[3]->author, t->authors[0]);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->authors[1]->refs), 3);
	for (i = 0; i < ARRAY_SIZE(msg); i++)
		kmqtt_msg_put(msg[i]);
	KUNIT_EXPECT_EQ(test, refcount_read(&t->authors[1]->refs), 1);
	right_destroy(t);
}

/* Members that may not get a message are passed over. */
static void right_shared(struct kunit *test)
{
	struct kmqtt_sub_request request = kmqtt_test_request("$share/g/t", 2);
	struct right_test *t = right_create(test, "user u\ntopic read t");
	struct kmqtt_match match;
	struct kmqtt_route *route = kunit_kzalloc(test, sizeof(*route),
						  GFP_KERNEL);
	struct kmqtt_msg *msg = kmqtt_test_msg(test, t->s->memory, "t", 1);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, route);
	route->matches = &match;
	route->max = 1;
	route->steps_max = 10;
	msg->qos = KMQTT_QOS1;
	for (i = 0; i < NR; i++)
		KUNIT_ASSERT_EQ(test,
				kmqtt_tree_subscribe(&t->s->tree,
						     &t->sessions[i]->subscriber,
						     &request, 9), 0);
	connect(t, 0, "v");
	connect(t, 1, "u");
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, kmqtt_tree_match(&t->s->tree, "t", 1, route), 0);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test,
				kmqtt_share_deliver(match.group, msg, false,
						    &t->s->batch),
				KMQTT_DELIVERED_QUEUED);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->sessions[0]->outbox), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_queued(&t->sessions[1]->outbox), 6);
	connect(t, 1, "v");
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, kmqtt_share_deliver(match.group, msg, false,
						  &t->s->batch),
			KMQTT_DELIVERED_DENIED);
	rcu_read_unlock();
	kmqtt_msg_put(msg);
	right_destroy(t);
}

/* What came before the connection can be told from what came after. */
static void right_old(struct kunit *test)
{
	struct right_test *t = right_create(test, NULL);
	struct kmqtt_session *session = t->sessions[0];
	struct kmqtt_offer offer = { .qos = KMQTT_QOS1 };
	struct kmqtt_delivery d;
	int i;

	connect(t, 0, "u");
	offer.msg = kmqtt_test_msg(test, t->s->memory, "t", 1);
	for (i = 0; i < 4; i++) {
		if (i == 2)
			connect(t, 0, "v");
		KUNIT_EXPECT_EQ(test, kmqtt_session_deliver(session, &offer,
							    &t->s->batch),
				KMQTT_DELIVERED_QUEUED);
	}
	spin_lock_bh(&session->lock);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_TRUE(test, kmqtt_outbox_next(&session->outbox, 9,
							  &d));
		KUNIT_EXPECT_EQ(test, kmqtt_outbox_is_old(&session->outbox, &d),
				i < 2);
		kmqtt_delivery_put(&d);
	}
	spin_unlock_bh(&session->lock);
	kmqtt_msg_put(offer.msg);
	right_destroy(t);
}

static struct kunit_case right_cases[] = {
	KUNIT_CASE(right_of_identity),
	KUNIT_CASE(right_reserved),
	KUNIT_CASE(right_softirq),
	KUNIT_CASE(right_retained),
	KUNIT_CASE(right_author),
	KUNIT_CASE(right_author_note),
	KUNIT_CASE(right_shared),
	KUNIT_CASE(right_old),
	{}
};

static struct kunit_suite right_suite = {
	.name = "kmqtt_session_right",
	.test_cases = right_cases,
};

kunit_test_suites(&right_suite);
