// SPDX-License-Identifier: GPL-2.0
#include "support_session.h"

#include <linux/slab.h>

static void store_publish(struct kmqtt_session *session,
			  struct kmqtt_identity *identity,
			  struct kmqtt_msg *will)
{
	struct kmqtt_test_store *s = container_of(session->store,
						  struct kmqtt_test_store,
						  store);

	atomic_inc(&s->wills);
	kmqtt_msg_put(will);
}

static void store_dropped(struct kmqtt_store *store,
			  struct kmqtt_session *session)
{
	atomic_inc(&container_of(store, struct kmqtt_test_store, store)->drops);
}

static const struct kmqtt_store_ops store_ops = {
	.publish = store_publish,
	.dropped = store_dropped,
};

/**
 * kmqtt_test_store_create() - make a store and all it needs
 * @test: the test
 *
 * Context: process, may sleep.
 * Return: the store, for kmqtt_test_store_destroy().
 */
struct kmqtt_test_store *kmqtt_test_store_create(struct kunit *test)
{
	struct kmqtt_test_store *s;

	s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	s->wq = alloc_workqueue("kmqtt_test", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, s->wq);
	KUNIT_ASSERT_EQ(test, kmqtt_tree_init(&s->tree, s->memory), 0);
	KUNIT_ASSERT_EQ(test, kmqtt_retained_init(&s->retained, s->memory,
						  s->wq), 0);
	KUNIT_ASSERT_EQ(test, kmqtt_store_init(&s->store, s->memory, &s->tree,
					       &s->retained, &store_ops,
					       s->wq), 0);
	s->store.max = 100;
	s->store.outbox_limits = (struct kmqtt_outbox_limits) {
		.max_inflight = 10,
		.max_queued = 100,
		.max_bytes = 1 << 20,
	};
	INIT_LIST_HEAD(&s->batch.touched);
	s->batch.gfp = GFP_KERNEL;
	return s;
}

/**
 * kmqtt_test_store_destroy() - end what is left; nothing else may be
 * @s: the store
 *
 * Context: process, may sleep.
 */
void kmqtt_test_store_destroy(struct kmqtt_test_store *s)
{
	kmqtt_test_batch_end(s);
	flush_work(&s->store.reap_work);
	kmqtt_store_uninit(&s->store);
	KUNIT_EXPECT_EQ(s->test, atomic_read(&s->store.nr), 0);
	kmqtt_retained_uninit(&s->retained);
	KUNIT_EXPECT_EQ(s->test, s->tree.nr_subs, 0);
	kmqtt_tree_uninit(&s->tree);
	KUNIT_EXPECT_EQ(s->test, kmqtt_memory_used(s->memory), 0);
	destroy_workqueue(s->wq);
}

/**
 * kmqtt_test_session() - make a session and put it into the store
 * @s: the store
 * @id: client identifier
 *
 * Context: process, may sleep.
 * Return: the session, with a reference for the caller.
 */
struct kmqtt_session *kmqtt_test_session(struct kmqtt_test_store *s,
					 const char *id)
{
	struct kmqtt_str str = kmqtt_test_str(id);
	struct kmqtt_session *session;

	session = kmqtt_session_create(&s->store, &str, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(s->test, session);
	KUNIT_ASSERT_EQ(s->test, kmqtt_store_add(&s->store, session), 0);
	return session;
}

static void link_flush(struct kmqtt_link *link)
{
}

static void link_close(struct kmqtt_link *link, enum kmqtt_reason reason)
{
	struct kmqtt_test_link *l = container_of(link, struct kmqtt_test_link,
						 link);

	l->closes++;
	l->reason = reason;
}

static void link_release(struct kref *ref)
{
	container_of(ref, struct kmqtt_test_link, link.ref)->releases++;
}

static const struct kmqtt_link_ops link_ops = {
	.flush = link_flush,
	.close = link_close,
	.release = link_release,
};

/**
 * kmqtt_test_link() - make a connection
 * @test: the test, which frees it at its end
 *
 * Context: process, may sleep.
 * Return: the connection.
 */
struct kmqtt_test_link *kmqtt_test_link(struct kunit *test)
{
	struct kmqtt_test_link *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	kmqtt_link_init(&l->link, &link_ops);
	return l;
}

/**
 * kmqtt_test_batch_end() - give back the links that a batch has
 * @s: the store
 *
 * Context: any.
 */
void kmqtt_test_batch_end(struct kmqtt_test_store *s)
{
	struct kmqtt_link *link, *next;

	list_for_each_entry_safe(link, next, &s->batch.touched, touched) {
		list_del_init(&link->touched);
		clear_bit(KMQTT_LINK_TOUCHED, &link->flags);
		kmqtt_link_put(link);
	}
}
