/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a session stands on, and connections that only take notes.
 */
#ifndef _KMQTT_TESTS_SUPPORT_SESSION_H
#define _KMQTT_TESTS_SUPPORT_SESSION_H

#include "support.h"
#include "../session/store.h"

/**
 * struct kmqtt_test_store - a store with all it needs
 * @test: the test
 * @memory: account of everything below
 * @tree: subscriptions
 * @retained: retained messages
 * @store: sessions
 * @wq: takes sessions apart
 * @batch: for deliveries
 * @wills: wills that the store has published
 * @drops: messages that the store has told were dropped
 */
struct kmqtt_test_store {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_tree tree;
	struct kmqtt_retained retained;
	struct kmqtt_store store;
	struct workqueue_struct *wq;
	struct kmqtt_batch batch;
	atomic_t wills;
	atomic_t drops;
};

/**
 * struct kmqtt_test_link - a connection that takes notes
 * @link: the link
 * @closes: how often it was closed
 * @reason: why, the last time
 * @releases: how often the last reference went
 */
struct kmqtt_test_link {
	struct kmqtt_link link;
	int closes;
	enum kmqtt_reason reason;
	int releases;
};

struct kmqtt_test_store *kmqtt_test_store_create(struct kunit *test);
void kmqtt_test_store_destroy(struct kmqtt_test_store *s);
struct kmqtt_session *kmqtt_test_session(struct kmqtt_test_store *s,
					 const char *id);
struct kmqtt_test_link *kmqtt_test_link(struct kunit *test);
void kmqtt_test_batch_end(struct kmqtt_test_store *s);

/* The terms of a client that takes all there is. */
static inline struct kmqtt_attach kmqtt_test_attach(struct kmqtt_test_link *l,
						    struct kmqtt_msg *will,
						    u32 expiry)
{
	return (struct kmqtt_attach) {
		.link = &l->link,
		.will = will,
		.expiry = expiry,
		.max_packet = KMQTT_PACKET_MAX,
		.receive_max = U16_MAX,
		.version = KMQTT_V311,
	};
}

#endif /* _KMQTT_TESTS_SUPPORT_SESSION_H */
