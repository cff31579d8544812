/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share: an account that must end up empty, buffers without a
 * byte to spare, messages with a known payload, and a matcher that is too
 * simple to be wrong.
 */
#ifndef _KMQTT_TESTS_SUPPORT_H
#define _KMQTT_TESTS_SUPPORT_H

#include <linux/prandom.h>
#include <linux/string.h>
#include <kunit/test.h>
#include "../topic/message.h"
#include "../topic/tree.h"

/* Longest name that kmqtt_test_random_name() makes, terminated. */
#define KMQTT_TEST_NAME_MAX	16

/* Enough for everything but the tests of limits. */
#define KMQTT_TEST_MEMORY	(64ULL << 20)

struct kmqtt_memory *kmqtt_test_memory(struct kunit *test, u64 limit);
u8 *kmqtt_test_exact(struct kunit *test, const void *data, size_t len);
struct kmqtt_msg *kmqtt_test_msg(struct kunit *test,
				 struct kmqtt_memory *memory,
				 const char *topic, u32 payload_len);
u8 kmqtt_test_byte(u32 offset);
bool kmqtt_test_matches(const char *filter, const char *name);
u32 kmqtt_test_below(struct rnd_state *rnd, u32 limit);
void kmqtt_test_random_name(struct rnd_state *rnd, char *to);
void kmqtt_test_random_filter(struct rnd_state *rnd, char *to);

static inline struct kmqtt_str kmqtt_test_str(const char *s)
{
	return (struct kmqtt_str) { .data = (const u8 *)s, .len = strlen(s) };
}

/* What a client asks for with a valid filter, which may be a shared one. */
static inline struct kmqtt_sub_request kmqtt_test_request(const char *filter,
							  u8 options)
{
	struct kmqtt_sub_request request = { .options = options };

	WARN_ON(!kmqtt_filter_parse(&request.filter, filter, strlen(filter)));
	return request;
}

static inline bool kmqtt_test_str_is(const struct kmqtt_str *s,
				     const char *want)
{
	return s->len == strlen(want) && !memcmp(s->data, want, s->len);
}

#endif /* _KMQTT_TESTS_SUPPORT_H */
