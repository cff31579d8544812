// SPDX-License-Identifier: GPL-2.0
/*
 * The table of sessions, and how they end.
 */
#include "support_session.h"

static struct kmqtt_session *lookup(struct kmqtt_test_store *s,
				    const char *id)
{
	return kmqtt_store_lookup(&s->store, id, strlen(id));
}

static int subscribe(struct kmqtt_test_store *s, struct kmqtt_session *session,
		     const char *filter)
{
	struct kmqtt_sub_request request = kmqtt_test_request(filter, 1);

	return kmqtt_tree_subscribe(&s->tree, &session->subscriber, &request,
				    U32_MAX);
}

static void store_lookup(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	static const char *const ids[] = { "", "a", "ab", "b", "a longer one" };
	struct kmqtt_session *sessions[ARRAY_SIZE(ids)], *found;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_NULL(test, lookup(s, ids[i]));
		sessions[i] = kmqtt_test_session(s, ids[i]);
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_EQ(test, kref_read(&sessions[i]->ref), 2);
		found = lookup(s, ids[i]);
		KUNIT_EXPECT_PTR_EQ(test, found, sessions[i]);
		KUNIT_EXPECT_EQ(test, kref_read(&sessions[i]->ref), 3);
		kmqtt_session_put(found);
		kmqtt_session_put(sessions[i]);
	}
	KUNIT_EXPECT_NULL(test, lookup(s, "A"));
	KUNIT_EXPECT_NULL(test, lookup(s, "a longer on"));
	kmqtt_session_put(NULL);
	kmqtt_test_store_destroy(s);
}

static void store_exists(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *first = kmqtt_test_session(s, "id"), *second;
	struct kmqtt_str id = kmqtt_test_str("id");
	u64 used = kmqtt_memory_used(s->memory);

	second = kmqtt_session_create(&s->store, &id, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_EXPECT_EQ(test, kmqtt_store_add(&s->store, second), -EEXIST);
	KUNIT_EXPECT_EQ(test, kref_read(&second->ref), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->store.nr), 2);
	kmqtt_session_put(second);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->store.nr), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(s->memory), used);
	kmqtt_session_put(first);
	kmqtt_test_store_destroy(s);
}

static void store_limits(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_str id = kmqtt_test_str("new");
	struct kmqtt_session *a, *b, *none;

	s->store.max = 2;
	a = kmqtt_test_session(s, "a");
	b = kmqtt_test_session(s, "b");
	none = kmqtt_session_create(&s->store, &id, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(none), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->store.nr), 2);
	/* The place is free when the last reference is gone. */
	kmqtt_store_end(a, KMQTT_REASON_ADMINISTRATIVE_ACTION, NULL);
	flush_work(&s->store.reap_work);
	none = kmqtt_session_create(&s->store, &id, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(none), -EDQUOT);
	kmqtt_session_put(a);
	s->memory->limit = 0;
	none = kmqtt_session_create(&s->store, &id, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(none), -ENOMEM);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->store.nr), 1);
	s->memory->limit = KMQTT_TEST_MEMORY;
	kmqtt_session_put(kmqtt_test_session(s, "new"));
	kmqtt_session_put(b);
	kmqtt_test_store_destroy(s);
}

static void store_end(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id"), *again;
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_msg *will, *left = NULL, *none = NULL;
	struct kmqtt_attach a;

	will = kmqtt_test_msg(test, s->memory, "will", 4);
	a = kmqtt_test_attach(l, will, KMQTT_EXPIRY_NEVER);
	KUNIT_EXPECT_EQ(test, kmqtt_session_attach(session, &a, &none), 0);
	KUNIT_EXPECT_NULL(test, none);
	/* A caller that can't publish the will changes nothing. */
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_BANNED,
					      NULL), -EAGAIN);
	KUNIT_EXPECT_PTR_EQ(test, session->link, &l->link);
	KUNIT_EXPECT_EQ(test, l->closes, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_BANNED,
					      &left), 0);
	KUNIT_EXPECT_PTR_EQ(test, left, will);
	KUNIT_EXPECT_EQ(test, l->closes, 1);
	KUNIT_EXPECT_EQ(test, l->reason, KMQTT_REASON_BANNED);
	KUNIT_EXPECT_NULL(test, session->link);
	KUNIT_EXPECT_NULL(test, lookup(s, "id"));
	KUNIT_EXPECT_EQ(test, kmqtt_store_end(session, KMQTT_REASON_BANNED,
					      &none), -ESHUTDOWN);
	KUNIT_EXPECT_FALSE(test, kmqtt_session_detach(session, &l->link,
						      &none));
	/* Its name is free for the next one at once. */
	again = kmqtt_test_session(s, "id");
	KUNIT_EXPECT_PTR_NE(test, again, session);
	kmqtt_session_put(session);
	kmqtt_session_put(again);
	kmqtt_msg_put(left);
	kmqtt_test_store_destroy(s);
}

/* A session that ends leaves nothing in the tree, nor any message. */
static void store_reap(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session = kmqtt_test_session(s, "id");
	struct kmqtt_session *other = kmqtt_test_session(s, "other");
	struct kmqtt_test_link *l = kmqtt_test_link(test);
	struct kmqtt_attach a = kmqtt_test_attach(l, NULL, 0);
	struct kmqtt_offer offer = {};
	struct kmqtt_msg *msg, *will;
	char filter[8];
	u64 used;
	int i;

	used = kmqtt_memory_used(s->memory);
	msg = kmqtt_test_msg(test, s->memory, "t", 9);
	offer.msg = msg;
	KUNIT_EXPECT_EQ(test, kmqtt_session_attach(session, &a, &will), 0);
	for (i = 0; i < 150; i++) {
		snprintf(filter, sizeof(filter), "%d/+", i);
		KUNIT_ASSERT_EQ(test, subscribe(s, session, filter), 0);
	}
	KUNIT_ASSERT_EQ(test, subscribe(s, other, "7/+"), 0);
	for (i = 0; i < 40; i++) {
		offer.qos = i % 3;
		kmqtt_session_deliver(session, &offer, &s->batch);
	}
	kmqtt_session_receive(session, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 41);

	KUNIT_EXPECT_FALSE(test,
			   kmqtt_session_detach(session, &l->link, &will));
	KUNIT_EXPECT_NULL(test, session->link);
	flush_work(&s->store.reap_work);
	KUNIT_EXPECT_EQ(test, s->tree.nr_subs, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&msg->refs), 1);
	KUNIT_EXPECT_EQ(test, subscribe(s, session, "a"), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, session->nr_received, 0);
	kmqtt_msg_put(msg);
	kmqtt_session_put(session);
	KUNIT_EXPECT_GT(test, used, kmqtt_memory_used(s->memory) -
			2 * sizeof(struct kmqtt_sub) -
			2 * sizeof(struct kmqtt_trie_node));
	kmqtt_session_put(other);
	kmqtt_test_store_destroy(s);
}

/* Sessions that are still there when the store goes, with all they have. */
static void store_uninit(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_offer offer = { .qos = 1 };
	struct kmqtt_msg *msg;
	int i;

	msg = kmqtt_test_msg(test, s->memory, "t", 9);
	offer.msg = msg;
	for (i = 0; i < 50; i++) {
		struct kmqtt_session *session;
		char id[8];

		snprintf(id, sizeof(id), "%d", i);
		session = kmqtt_test_session(s, id);
		subscribe(s, session, "a/#");
		kmqtt_session_deliver(session, &offer, &s->batch);
		kmqtt_session_receive(session, 3);
		if (i % 5 == 0)
			kmqtt_store_end(session, KMQTT_REASON_UNSPECIFIED,
					NULL);
		kmqtt_session_put(session);
	}
	kmqtt_msg_put(msg);
	kmqtt_test_store_destroy(s);
}

static void store_walk(struct kunit *test)
{
	struct kmqtt_test_store *s = kmqtt_test_store_create(test);
	struct kmqtt_session *session;
	struct rhashtable_iter iter;
	u64 seen = 0, want = 0;
	bool again = false;
	int i;

	for (i = 0; i < 20; i++) {
		char id[2] = { 'a' + i };

		kmqtt_session_put(kmqtt_test_session(s, id));
		want |= BIT_ULL(i);
	}
	kmqtt_store_walk_start(&s->store, &iter);
	while ((session = kmqtt_store_walk_next(&iter, &again))) {
		KUNIT_EXPECT_EQ(test, session->id_len, 1);
		seen |= BIT_ULL(session->id[0] - 'a');
		kmqtt_session_put(session);
	}
	kmqtt_store_walk_stop(&iter);
	/* Whoever is told that the table changed has to look again. */
	if (!again)
		KUNIT_EXPECT_EQ(test, seen, want);
	kmqtt_test_store_destroy(s);
}

static struct kunit_case store_cases[] = {
	KUNIT_CASE(store_lookup),
	KUNIT_CASE(store_exists),
	KUNIT_CASE(store_limits),
	KUNIT_CASE(store_end),
	KUNIT_CASE(store_reap),
	KUNIT_CASE(store_uninit),
	KUNIT_CASE(store_walk),
	{}
};

static struct kunit_suite store_suite = {
	.name = "kmqtt_session_store",
	.test_cases = store_cases,
};

kunit_test_suites(&store_suite);
