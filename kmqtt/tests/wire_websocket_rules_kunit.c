// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of WebSocket frames one by one (RFC 6455, 5), and what is answered.
 */
#include <linux/unaligned.h>

#include "support.h"
#include "../wire/websocket.h"

#define PROTOCOL	KMQTT_WS_PROTOCOL_ERROR

/* There is one for each connection. */
static_assert(sizeof(struct kmqtt_ws) <= 192);

/* Take the answer that is due: it has to be this one, and due only once. */
static bool answers(struct kmqtt_ws *ws, const void *want, size_t len)
{
	bool closing = ws->close_due;
	u8 answer[KMQTT_WS_ANSWER_MAX];

	return kmqtt_ws_due(ws) == (len > 0) &&
	       kmqtt_ws_answer(ws, answer) == len &&
	       !memcmp(answer, want, len) && !kmqtt_ws_due(ws) &&
	       !kmqtt_ws_answer(ws, answer) && (!closing || ws->close_sent);
}

/* What is wrong with the two bytes that a header begins with? */
static u16 start_code(u8 first, u8 second, bool fragmented)
{
	bool fin = first & 0x80;
	u8 len = second & 0x7f;

	if (first & 0x70 || !(second & 0x80))
		return PROTOCOL;
	switch (first & 0xf) {
	case 0:
		return fragmented ? 0 : PROTOCOL;
	case 1:
		return fragmented ? PROTOCOL : KMQTT_WS_UNSUPPORTED;
	case 2:
		return fragmented ? PROTOCOL : 0;
	case 8:
		return fin && len <= 125 && len != 1 ? 0 : PROTOCOL;
	case 9:
	case 10:
		return fin && len <= 125 ? 0 : PROTOCOL;
	default:
		return PROTOCOL;
	}
}

/* All that a header may begin with, within a message and without one. */
static void ws_start(struct kunit *test)
{
	u32 i, wrong = 0;

	for (i = 0; i < 0x20000; i++) {
		bool fragmented = i >> 16;
		u8 bytes[] = { i >> 8, i };
		struct kmqtt_ws ws = { .fragmented = fragmented };
		u16 code = start_code(i >> 8, i, fragmented);
		size_t got;
		int err;

		wrong += kmqtt_ws_decode(&ws, bytes, 1, &got) != 0;
		err = kmqtt_ws_decode(&ws, bytes + 1, 1, &got);
		wrong += err != (code ? -EPROTO : 0) || got ||
			 ws.close_code != code || ws.close_due != !!code;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

struct len_case {
	const char *desc;
	u8 form;
	u64 len;
	bool good;
};

static const struct len_case len_cases[] = {
	{ "1", 1, 1, true },
	{ "125", 125, 125, true },
	{ "0 in two bytes", 126, 0, false },
	{ "125 in two bytes", 126, 125, false },
	{ "126, first of two bytes", 126, 126, true },
	{ "32768", 126, 32768, true },
	{ "65535, last of two bytes", 126, 65535, true },
	{ "0 in eight bytes", 127, 0, false },
	{ "125 in eight bytes", 127, 125, false },
	{ "65535 in eight bytes", 127, 65535, false },
	{ "65536, first of eight bytes", 127, 65536, true },
	{ "2^32", 127, 1ULL << 32, true },
	{ "2^63 - 1, the last", 127, (1ULL << 63) - 1, true },
	{ "2^63", 127, 1ULL << 63, false },
	{ "2^63 + 1", 127, (1ULL << 63) + 1, false },
	{ "2^64 - 1", 127, U64_MAX, false },
};

KUNIT_ARRAY_PARAM_DESC(len, len_cases, desc);

static void ws_len(struct kunit *test)
{
	const struct len_case *c = test->param_value;
	u8 bytes[KMQTT_WS_CLIENT_HEAD_MAX + 1] = { 0x82, 0x80 | c->form };
	size_t len = 6, cut;

	if (c->form == 126) {
		put_unaligned_be16(c->len, bytes + 2);
		len += 2;
	} else if (c->form == 127) {
		put_unaligned_be64(c->len, bytes + 2);
		len += 8;
	}
	/* A mask, and a byte of payload. */
	memset(bytes + len - 4, 0x0f, 5);
	for (cut = 0; cut < len; cut++) {
		u8 *exact = kmqtt_test_exact(test, bytes, cut);
		u8 *rest = kmqtt_test_exact(test, bytes + cut, len + 1 - cut);
		struct kmqtt_ws ws = {};
		size_t got;

		KUNIT_EXPECT_EQ(test, kmqtt_ws_decode(&ws, exact, cut, &got), 0);
		KUNIT_EXPECT_EQ(test, got, 0);
		KUNIT_EXPECT_EQ(test, kmqtt_ws_decode(&ws, rest, len + 1 - cut,
						      &got),
				c->good ? 0 : -EPROTO);
		KUNIT_EXPECT_EQ(test, got, c->good);
		KUNIT_EXPECT_EQ(test, ws.close_code, c->good ? 0 : PROTOCOL);
		if (c->good)
			KUNIT_EXPECT_EQ(test, *rest, 0);
		if (c->good && c->len > 1)
			KUNIT_EXPECT_EQ(test, ws.len - ws.done, c->len - 1);
	}
}

/* Every code that two bytes can have. */
static void ws_codes(struct kunit *test)
{
	u32 code, wrong = 0;

	for (code = 0; code < 0x10000; code++) {
		u8 bytes[] = { 0x88, 0x82, 0, 0, 0, 0, code >> 8, code };
		bool good = (code >= 1000 && code <= 1014 && code != 1004 &&
			     code != 1005 && code != 1006) ||
			    code / 1000 == 3 || code / 1000 == 4;
		u16 want = good ? code : PROTOCOL;
		u8 answer[] = { 0x88, 2, want >> 8, want };
		struct kmqtt_ws ws = {};
		size_t got;
		int err;

		err = kmqtt_ws_decode(&ws, bytes, sizeof(bytes), &got);
		wrong += err != (good ? 0 : -EPROTO) || ws.closed != good ||
			 !answers(&ws, answer, sizeof(answer));
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static int decode(struct kmqtt_ws *ws, const char *bytes, size_t len)
{
	u8 copy[32];
	size_t got;

	memcpy(copy, bytes, len);
	return kmqtt_ws_decode(ws, copy, len, &got);
}

/* A frame that needs no mask, for that is 0. */
static int frame(struct kmqtt_ws *ws, u8 first, const char *payload, size_t len)
{
	u8 bytes[32] = { first, 0x80 | len };
	size_t got;

	memcpy(bytes + 6, payload, len);
	return kmqtt_ws_decode(ws, bytes, 6 + len, &got);
}

/* A pong is sent once, and for the last ping that has come as a whole. */
static void ws_pong(struct kunit *test)
{
	struct kmqtt_ws ws = {};

	KUNIT_EXPECT_TRUE(test, answers(&ws, NULL, 0));
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "a", 1), 0);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x8a\1a", 3));
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "b", 1), 0);
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "cd", 2), 0);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x8a\2cd", 4));

	/* The next one takes the place of one that wasn't answered yet. */
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "e", 1), 0);
	KUNIT_EXPECT_EQ(test, decode(&ws, "\x89\x82\0\0\0", 5), 0);
	KUNIT_EXPECT_TRUE(test, kmqtt_ws_due(&ws));
	KUNIT_EXPECT_EQ(test, decode(&ws, "\0f", 2), 0);
	KUNIT_EXPECT_TRUE(test, answers(&ws, NULL, 0));
	KUNIT_EXPECT_EQ(test, decode(&ws, "g", 1), 0);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x8a\2fg", 4));
}

/* Who has been told to close gets nothing more, whatever it sends. */
static void ws_close_ours(struct kunit *test)
{
	struct kmqtt_ws ws = {};

	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "a", 1), 0);
	kmqtt_ws_close(&ws, KMQTT_WS_GOING_AWAY);
	kmqtt_ws_close(&ws, KMQTT_WS_POLICY);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x8a\1a\x88\2\x03\xe9", 7));
	KUNIT_EXPECT_FALSE(test, ws.closed);
	kmqtt_ws_close(&ws, KMQTT_WS_POLICY);
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x89, "b", 1), 0);
	KUNIT_EXPECT_TRUE(test, answers(&ws, NULL, 0));

	/* Its close frame is the answer to ours. */
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x88, "\x0f\xa0", 2), 0);
	KUNIT_EXPECT_TRUE(test, ws.closed);
	KUNIT_EXPECT_EQ(test, ws.peer_code, 4000);
	KUNIT_EXPECT_EQ(test, ws.close_code, KMQTT_WS_GOING_AWAY);
	KUNIT_EXPECT_TRUE(test, answers(&ws, NULL, 0));
}

/* Ours isn't out yet when the client's comes: one of them is enough. */
static void ws_close_both(struct kunit *test)
{
	struct kmqtt_ws ws = {};

	kmqtt_ws_close(&ws, KMQTT_WS_TOO_BIG);
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x88, "\x03\xe8", 2), 0);
	KUNIT_EXPECT_TRUE(test, ws.closed);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x88\2\x03\xf1", 4));
}

static void ws_close_then_broken(struct kunit *test)
{
	struct kmqtt_ws ws = {};

	kmqtt_ws_close(&ws, KMQTT_WS_NORMAL);
	KUNIT_EXPECT_TRUE(test, answers(&ws, "\x88\2\x03\xe8", 4));
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x8b, "", 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, frame(&ws, 0x82, "a", 1), -EPROTO);
	KUNIT_EXPECT_FALSE(test, ws.closed);
	KUNIT_EXPECT_TRUE(test, answers(&ws, NULL, 0));
}

struct head_case {
	const char *desc;
	u64 len;
	u8 head_len;
	u8 head[KMQTT_WS_HEAD_MAX];
};

static const struct head_case head_cases[] = {
	{ "0", 0, 2, { 0x82, 0 } },
	{ "2", 2, 2, { 0x82, 2 } },
	{ "125, last of two bytes", 125, 2, { 0x82, 125 } },
	{ "126, first of four", 126, 4, { 0x82, 126, 0, 126 } },
	{ "4096", 4096, 4, { 0x82, 126, 0x10, 0 } },
	{ "65535, last of four", 65535, 4, { 0x82, 126, 0xff, 0xff } },
	{ "65536, first of ten", 65536, 10,
	  { 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
	{ "2^63 - 1, the last", (1ULL << 63) - 1, 10,
	  { 0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};

KUNIT_ARRAY_PARAM_DESC(head, head_cases, desc);

static void ws_head(struct kunit *test)
{
	const struct head_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->head, c->head_len);

	memset(exact, 0xee, c->head_len);
	KUNIT_ASSERT_EQ(test, kmqtt_ws_head(exact, c->len), c->head_len);
	KUNIT_EXPECT_MEMEQ(test, exact, c->head, c->head_len);
}

static struct kunit_case ws_kunit_cases[] = {
	KUNIT_CASE(ws_start),
	KUNIT_CASE_PARAM(ws_len, len_gen_params),
	KUNIT_CASE(ws_codes),
	KUNIT_CASE(ws_pong),
	KUNIT_CASE(ws_close_ours),
	KUNIT_CASE(ws_close_both),
	KUNIT_CASE(ws_close_then_broken),
	KUNIT_CASE_PARAM(ws_head, head_gen_params),
	{}
};

static struct kunit_suite ws_suite = {
	.name = "kmqtt_wire_websocket_rules",
	.test_cases = ws_kunit_cases,
};

kunit_test_suites(&ws_suite);
