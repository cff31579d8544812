// SPDX-License-Identifier: GPL-2.0
/*
 * Streams of WebSocket frames (RFC 6455, 5). Numbers in front of a case are
 * those of the Autobahn test suite, whose messages of text are binary here.
 */
#include <linux/unaligned.h>

#include "support.h"
#include "../wire/websocket.h"

#define PROTOCOL	KMQTT_WS_PROTOCOL_ERROR
#define NO_CODE		KMQTT_WS_NO_CODE

/* Longest stream that is cut in two at each of its bytes. */
#define CUT_EVERYWHERE	700

/**
 * struct ws_frame - a frame that a client sends
 * @first: its first byte; above that, a bit that tells it from no frame
 * @len: bytes of its payload
 * @code: what it begins with if it is a close frame
 */
struct ws_frame {
	u16 first;
	u32 len;
	u16 code;
};

#define FRAME(first, len)	{ 0x100 | (first), len }
#define TEXT(len)		FRAME(0x81, len)
#define BIN(len)		FRAME(0x82, len)
#define BEGIN(len)		FRAME(0x02, len)
#define MORE(len)		FRAME(0x00, len)
#define LAST(len)		FRAME(0x80, len)
#define PING(len)		FRAME(0x89, len)
#define PONG(len)		FRAME(0x8a, len)
#define CLOSE(len, code)	{ 0x188, len, code }

/**
 * struct ws_want - what has to come of a stream
 * @mqtt: bytes of MQTT, which kmqtt_test_byte() tells
 * @code: that we close with, 0 if we don't
 * @pong: ping that is answered, counted from 1, 0 for none
 * @bad: it breaks a rule
 */
struct ws_want {
	u32 mqtt;
	u16 code;
	u8 pong;
	bool bad;
};

#define GOOD(mqtt)		{ mqtt }
#define PONGS(mqtt, pong)	{ mqtt, 0, pong }
#define CLOSES(mqtt, code)	{ mqtt, code }
#define FAILS(mqtt, code)	{ mqtt, code, 0, true }

struct ws_case {
	const char *desc;
	struct ws_frame frames[10];
	struct ws_want want;
};

static const struct ws_case ws_cases[] = {
	{ "nothing", {}, GOOD(0) },
	{ "1.2.1 binary, 0 bytes", { BIN(0) }, GOOD(0) },
	{ "1.2.2 binary, 125 bytes", { BIN(125) }, GOOD(125) },
	{ "1.2.3 binary, 126 bytes", { BIN(126) }, GOOD(126) },
	{ "1.2.4 binary, 127 bytes", { BIN(127) }, GOOD(127) },
	{ "1.2.5 binary, 128 bytes", { BIN(128) }, GOOD(128) },
	{ "1.2.6 binary, 65535 bytes", { BIN(65535) }, GOOD(65535) },
	{ "1.2.7 binary, 65536 bytes", { BIN(65536) }, GOOD(65536) },
	{ "1.1.2 text", { TEXT(4), BIN(4) }, FAILS(0, 1003) },
	{ "text behind binary", { BIN(4), TEXT(0) }, FAILS(4, 1003) },
	{ "text in two frames", { BIN(3), FRAME(0x01, 4), LAST(4) },
	  FAILS(3, 1003) },
	{ "many frames at once", { BIN(2), BIN(0), BIN(130), BIN(1), BIN(7),
				   BIN(8), BIN(9), BIN(64), BIN(1), BIN(3) },
	  GOOD(225) },

	{ "2.1 ping without payload", { PING(0) }, PONGS(0, 1) },
	{ "2.3 ping with payload", { PING(5) }, PONGS(0, 1) },
	{ "2.4 ping of 125 bytes", { PING(125) }, PONGS(0, 1) },
	{ "2.5 ping of 126 bytes", { PING(126) }, FAILS(0, PROTOCOL) },
	{ "2.7 pong that nobody asked for", { PONG(0) }, GOOD(0) },
	{ "2.8 pong with payload", { PONG(5) }, GOOD(0) },
	{ "pong of 125 bytes", { PONG(125), BIN(2) }, GOOD(2) },
	{ "pong of 126 bytes", { PONG(126) }, FAILS(0, PROTOCOL) },
	{ "2.9 pong, ping", { PONG(9), PING(4) }, PONGS(0, 2) },
	{ "ping, pong", { PING(4), PONG(9) }, PONGS(0, 1) },
	{ "2.10 ten pings, of which the last is answered",
	  { PING(1), PING(2), PING(3), PING(4), PING(5), PING(6), PING(125),
	    PING(8), PING(0), PING(10) }, PONGS(0, 10) },
	{ "a short ping behind a long one", { PING(125), BIN(3), PING(0) },
	  PONGS(3, 3) },

	{ "3.1 RSV 1", { FRAME(0x92, 5) }, FAILS(0, PROTOCOL) },
	{ "3.2 RSV 2 behind a message", { BIN(5), FRAME(0xa2, 5), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "3.3 RSV 3", { BIN(5), FRAME(0xb2, 5), PING(0) }, FAILS(5, PROTOCOL) },
	{ "3.4 RSV 4", { BIN(5), FRAME(0xc2, 5), PING(0) }, FAILS(5, PROTOCOL) },
	{ "3.5 RSV 5", { FRAME(0xd2, 5) }, FAILS(0, PROTOCOL) },
	{ "3.6 ping with RSV 6", { FRAME(0xe9, 5) }, FAILS(0, PROTOCOL) },
	{ "3.7 close with RSV 7", { FRAME(0xf8, 0) }, FAILS(0, PROTOCOL) },

	{ "4.1.1 opcode 3", { FRAME(0x83, 0) }, FAILS(0, PROTOCOL) },
	{ "4.1.2 opcode 4", { FRAME(0x84, 3) }, FAILS(0, PROTOCOL) },
	{ "4.1.3 opcode 5", { BIN(5), FRAME(0x85, 0), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "4.1.4 opcode 6", { BIN(5), FRAME(0x86, 3), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "4.1.5 opcode 7", { BIN(5), FRAME(0x87, 3), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "4.2.1 opcode 11", { FRAME(0x8b, 0) }, FAILS(0, PROTOCOL) },
	{ "4.2.2 opcode 12", { FRAME(0x8c, 3) }, FAILS(0, PROTOCOL) },
	{ "4.2.3 opcode 13", { BIN(5), FRAME(0x8d, 0), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "4.2.4 opcode 14", { BIN(5), FRAME(0x8e, 3), PING(0) },
	  FAILS(5, PROTOCOL) },
	{ "4.2.5 opcode 15", { BIN(5), FRAME(0x8f, 3), PING(0) },
	  FAILS(5, PROTOCOL) },

	{ "5.1 ping in two frames", { FRAME(0x09, 3), LAST(3) },
	  FAILS(0, PROTOCOL) },
	{ "5.2 pong in two frames", { FRAME(0x0a, 3), LAST(3) },
	  FAILS(0, PROTOCOL) },
	{ "close in two frames", { FRAME(0x08, 0), LAST(2) },
	  FAILS(0, PROTOCOL) },
	{ "5.3 message in two frames", { BEGIN(9), LAST(9) }, GOOD(18) },
	{ "5.6 ping in between", { BEGIN(9), PING(6), LAST(9) }, PONGS(18, 2) },
	{ "5.9 continues nothing", { LAST(9), BIN(9) }, FAILS(0, PROTOCOL) },
	{ "5.12 continues nothing, goes on", { MORE(9), BIN(9) },
	  FAILS(0, PROTOCOL) },
	{ "5.15 continues what has ended",
	  { BEGIN(9), LAST(9), MORE(9), BIN(9) }, FAILS(18, PROTOCOL) },
	{ "5.16 twice", { MORE(9), BIN(9), MORE(9), BIN(9) },
	  FAILS(0, PROTOCOL) },
	{ "5.18 a message in another", { BEGIN(9), BIN(9) },
	  FAILS(9, PROTOCOL) },
	{ "a message begins in another", { BEGIN(9), BEGIN(9), LAST(9) },
	  FAILS(9, PROTOCOL) },
	{ "text in a message", { BEGIN(9), TEXT(9) }, FAILS(9, PROTOCOL) },
	{ "5.19 five frames and two pings",
	  { BEGIN(9), MORE(9), PING(9), MORE(9), MORE(9), PING(9), LAST(9) },
	  PONGS(45, 6) },
	{ "frames without payload", { BEGIN(0), MORE(0), MORE(0), LAST(0),
				      BEGIN(0), MORE(2), LAST(0), BIN(1) },
	  GOOD(3) },
	{ "a message that doesn't end", { BEGIN(9), MORE(200) }, GOOD(209) },

	{ "7.1.1 message, close", { BIN(5), CLOSE(2, 1000) }, CLOSES(5, 1000) },
	{ "7.1.2 two closes", { CLOSE(2, 1000), CLOSE(2, 1001) },
	  CLOSES(0, 1000) },
	{ "7.1.3 ping behind close", { CLOSE(2, 1000), PING(3) },
	  CLOSES(0, 1000) },
	{ "7.1.4 message behind close", { CLOSE(2, 1000), BIN(3) },
	  CLOSES(0, 1000) },
	{ "rule broken behind close", { CLOSE(2, 1000), FRAME(0xff, 3) },
	  CLOSES(0, 1000) },
	{ "7.1.5 close within a message", { BEGIN(5), CLOSE(2, 1000), LAST(5) },
	  CLOSES(5, 1000) },
	{ "7.1.6 256 KiB, close, ping", { BIN(262144), CLOSE(2, 1000), PING(0) },
	  CLOSES(262144, 1000) },
	{ "7.3.1 close without payload", { CLOSE(0, 0) }, CLOSES(0, NO_CODE) },
	{ "7.3.2 close with one byte", { CLOSE(1, 1000) }, FAILS(0, PROTOCOL) },
	{ "7.3.3 close with a code", { CLOSE(2, 1000) }, CLOSES(0, 1000) },
	{ "7.3.4 close with a reason", { CLOSE(20, 1000) }, CLOSES(0, 1000) },
	{ "7.3.5 reason of 123 bytes", { CLOSE(125, 1000) }, CLOSES(0, 1000) },
	{ "7.3.6 reason of 124 bytes", { CLOSE(126, 1000) },
	  FAILS(0, PROTOCOL) },
	{ "7.7.1 close with 1000", { CLOSE(2, 1000) }, CLOSES(0, 1000) },
	{ "7.7.2 close with 1001", { CLOSE(2, 1001) }, CLOSES(0, 1001) },
	{ "7.7.3 close with 1002", { CLOSE(2, 1002) }, CLOSES(0, 1002) },
	{ "7.7.4 close with 1003", { CLOSE(2, 1003) }, CLOSES(0, 1003) },
	{ "7.7.5 close with 1007", { CLOSE(2, 1007) }, CLOSES(0, 1007) },
	{ "7.7.6 close with 1008", { CLOSE(2, 1008) }, CLOSES(0, 1008) },
	{ "7.7.7 close with 1009", { CLOSE(2, 1009) }, CLOSES(0, 1009) },
	{ "7.7.8 close with 1010", { CLOSE(2, 1010) }, CLOSES(0, 1010) },
	{ "7.7.9 close with 1011", { CLOSE(2, 1011) }, CLOSES(0, 1011) },
	{ "7.7.10 close with 3000", { CLOSE(2, 3000) }, CLOSES(0, 3000) },
	{ "7.7.11 close with 3999", { CLOSE(2, 3999) }, CLOSES(0, 3999) },
	{ "7.7.12 close with 4000", { CLOSE(2, 4000) }, CLOSES(0, 4000) },
	{ "7.7.13 close with 4999", { CLOSE(2, 4999) }, CLOSES(0, 4999) },
	{ "7.9.1 close with 0", { CLOSE(2, 0) }, FAILS(0, PROTOCOL) },
	{ "7.9.2 close with 999", { CLOSE(2, 999) }, FAILS(0, PROTOCOL) },
	{ "7.9.3 close with 1004", { CLOSE(2, 1004) }, FAILS(0, PROTOCOL) },
	{ "7.9.4 close with 1005", { CLOSE(2, 1005) }, FAILS(0, PROTOCOL) },
	{ "7.9.5 close with 1006", { CLOSE(9, 1006) }, FAILS(0, PROTOCOL) },
	{ "7.9.6 close with 1016", { CLOSE(2, 1016) }, FAILS(0, PROTOCOL) },
	{ "7.9.7 close with 1100", { CLOSE(2, 1100) }, FAILS(0, PROTOCOL) },
	{ "7.9.8 close with 2000", { CLOSE(2, 2000) }, FAILS(0, PROTOCOL) },
	{ "7.9.9 close with 2999", { CLOSE(125, 2999) }, FAILS(0, PROTOCOL) },
	{ "7.13.1 close with 5000", { CLOSE(2, 5000) }, FAILS(0, PROTOCOL) },
	{ "7.13.2 close with 65535", { CLOSE(2, 65535) }, FAILS(0, PROTOCOL) },
	{ "ping, close", { BIN(4), PING(125), CLOSE(30, 4000) },
	  { 4, 4000, 2 } },
	{ "ping, close without payload", { PING(3), CLOSE(0, 0) },
	  { 0, NO_CODE, 1 } },
	{ "ping, broken rule", { PING(3), FRAME(0x03, 3) },
	  { 0, PROTOCOL, 1, true } },
};

KUNIT_ARRAY_PARAM_DESC(ws, ws_cases, desc);

/* Payload of the frame that is number @nr, unless it is MQTT's. */
static u8 control_byte(const struct ws_frame *frame, u8 nr, u32 offset)
{
	if ((frame->first & 0xf) == 8 && offset < 2)
		return offset ? frame->code & 0xff : frame->code >> 8;
	return 0xa5 ^ nr * 31 ^ offset;
}

/* Write a client's header. Returns where the payload begins. */
static u8 *client_head(u8 *p, u8 first, u32 len, const u8 *mask)
{
	*p++ = first;
	if (len < 126) {
		*p++ = 0x80 | len;
	} else if (len < 65536) {
		*p++ = 0x80 | 126;
		put_unaligned_be16(len, p);
		p += 2;
	} else {
		*p++ = 0x80 | 127;
		put_unaligned_be64(len, p);
		p += 8;
	}
	memcpy(p, mask, 4);
	return p + 4;
}

/* The bytes of at most @nr frames, of which the first empty one is the end. */
static u8 *stream_make(struct kunit *test, const struct ws_frame *frames,
		       size_t nr, size_t *len)
{
	size_t room = 1, i, j;
	u32 offset = 0;
	u8 *stream, *p;

	for (i = 0; i < nr; i++)
		room += KMQTT_WS_CLIENT_HEAD_MAX + frames[i].len;
	stream = kunit_kmalloc(test, room, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stream);
	p = stream;
	for (i = 0; i < nr && frames[i].first; i++) {
		const struct ws_frame *f = &frames[i];
		const u8 mask[] = { 0x37 + i, 0xfa - i, 0x21, 0x80 ^ i };

		p = client_head(p, f->first, f->len, mask);
		for (j = 0; j < f->len; j++) {
			u8 byte = f->first & 8 ? control_byte(f, i, j) :
						 kmqtt_test_byte(offset++);

			*p++ = byte ^ mask[j % 4];
		}
	}
	*len = p - stream;
	return stream;
}

/**
 * struct ws_run - a stream on its way through the decoder
 * @ws: the decoder
 * @room: where pieces are decoded: each ends where this memory does
 * @room_len: bytes there
 * @out: what comes out
 * @got: how much of it there is
 * @err: return of the last call
 */
struct ws_run {
	struct kmqtt_ws ws;
	u8 *room;
	size_t room_len;
	u8 *out;
	size_t got;
	int err;
};

static struct ws_run *run_make(struct kunit *test, size_t len)
{
	struct ws_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	run->room_len = len;
	run->room = kunit_kmalloc(test, len, GFP_KERNEL);
	run->out = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run->room);
	KUNIT_ASSERT_NOT_NULL(test, run->out);
	return run;
}

static void run_begin(struct ws_run *run)
{
	memset(&run->ws, 0, sizeof(run->ws));
	run->got = 0;
	run->err = 0;
}

/* Decode the next @len bytes. Returns false if that went wrong. */
static bool run_piece(struct ws_run *run, const u8 *bytes, size_t len)
{
	u8 *piece = run->room + run->room_len - len;
	bool ended = run->ws.closed || run->ws.failed;
	size_t got = SIZE_MAX;
	int err = run->err;

	memcpy(piece, bytes, len);
	run->err = kmqtt_ws_decode(&run->ws, piece, len, &got);
	if (got > len || (ended && (got || run->err != err)))
		return false;
	memcpy(run->out + run->got, piece, got);
	run->got += got;
	return true;
}

/* A whole stream, first @first bytes, then pieces of @piece bytes. */
static bool run_stream(struct ws_run *run, const u8 *stream, size_t len,
		       size_t first, size_t piece)
{
	run_begin(run);
	if (!run_piece(run, stream, first))
		return false;
	for (; first < len; first += piece) {
		piece = min(piece, len - first);
		if (!run_piece(run, stream + first, piece))
			return false;
	}
	return true;
}

static bool is_mqtt(const u8 *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != kmqtt_test_byte(i))
			return false;
	return true;
}

/* What @want answers to @frames. Returns its length. */
static size_t answer_make(const struct ws_want *want,
			  const struct ws_frame *frames, u8 *to)
{
	u8 *p = to;
	u32 i;

	if (want->pong) {
		const struct ws_frame *ping = &frames[want->pong - 1];

		*p++ = 0x8a;
		*p++ = ping->len;
		for (i = 0; i < ping->len; i++)
			*p++ = control_byte(ping, want->pong - 1, i);
	}
	if (want->code) {
		*p++ = 0x88;
		*p++ = want->code == NO_CODE ? 0 : 2;
		if (want->code != NO_CODE) {
			*p++ = want->code >> 8;
			*p++ = want->code & 0xff;
		}
	}
	return p - to;
}

static void run_check(struct kunit *test, struct ws_run *run,
		      const struct ws_want *want,
		      const struct ws_frame *frames, size_t first, size_t piece)
{
	u8 due[KMQTT_WS_ANSWER_MAX], answer[KMQTT_WS_ANSWER_MAX];
	size_t len = answer_make(want, frames, due);
	bool good = run->got == want->mqtt && is_mqtt(run->out, run->got) &&
		    run->err == (want->bad ? -EPROTO : 0) &&
		    run->ws.failed == want->bad &&
		    run->ws.closed == (want->code && !want->bad) &&
		    run->ws.close_code == want->code &&
		    (!run->ws.closed || run->ws.peer_code == want->code);

	KUNIT_EXPECT_TRUE_MSG(test, good,
			      "cut at %zu, then by %zu: %zu bytes, %d, code %u",
			      first, piece, run->got, run->err,
			      run->ws.close_code);
	good = kmqtt_ws_due(&run->ws) == (len > 0) &&
	       kmqtt_ws_answer(&run->ws, answer) == len &&
	       !memcmp(answer, due, len) && !kmqtt_ws_due(&run->ws);
	KUNIT_EXPECT_TRUE_MSG(test, good, "answer, cut at %zu, then by %zu",
			      first, piece);
}

/* Each case as a whole, cut in two anywhere, and in pieces of many sizes. */
static void ws_table(struct kunit *test)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 7, 8, 9, 64, 997 };
	const struct ws_case *c = test->param_value;
	size_t len, i;
	u8 *stream = stream_make(test, c->frames, ARRAY_SIZE(c->frames), &len);
	struct ws_run *run = run_make(test, len);

	for (i = 0; i <= len; i++) {
		if (len > CUT_EVERYWHERE && i > 30 && i < len - 30)
			continue;
		KUNIT_ASSERT_TRUE(test, run_stream(run, stream, len, i, len));
		run_check(test, run, &c->want, c->frames, i, len);
	}
	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t first = min(pieces[i], len);

		KUNIT_ASSERT_TRUE(test, run_stream(run, stream, len, first,
						   pieces[i]));
		run_check(test, run, &c->want, c->frames, first, pieces[i]);
	}
}

struct large_case {
	const char *desc;
	u32 fragment;
	u32 piece;
};

/* Autobahn's have 4 MiB and 1 MiB; which would be the same, but slower. */
#define LARGE	(128 * 1024)

static const struct large_case large_cases[] = {
	{ "9.2.1 in one frame", LARGE, LARGE },
	{ "9.4.1 fragments of 64", 64, LARGE },
	{ "9.4.2 fragments of 256", 256, LARGE },
	{ "9.4.3 fragments of 1024", 1024, LARGE },
	{ "9.4.4 fragments of 4096", 4096, 4096 },
	{ "9.4.5 fragments of 16384", 16384, 16384 },
	{ "9.4.6 fragments of 65536", 65536, 10000 },
	{ "9.6.1 pieces of 64", LARGE, 64 },
	{ "9.6.2 pieces of 128", LARGE, 128 },
	{ "9.6.3 pieces of 256", LARGE, 256 },
	{ "9.6.4 pieces of 512", LARGE, 512 },
	{ "9.6.5 pieces of 1024", LARGE, 1024 },
	{ "9.6.6 pieces of 2048", LARGE, 2048 },
	{ "fragments of 100, pieces of 99", 100, 99 },
	{ "fragments of 1", 1, 4096 },
};

KUNIT_ARRAY_PARAM_DESC(large, large_cases, desc);

static void ws_large(struct kunit *test)
{
	const struct large_case *c = test->param_value;
	size_t nr = DIV_ROUND_UP(LARGE, c->fragment), i, len;
	struct ws_want want = { .mqtt = LARGE };
	struct ws_frame *frames;
	struct ws_run *run;
	u8 *stream;

	frames = kunit_kcalloc(test, nr, sizeof(*frames), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, frames);
	for (i = 0; i < nr; i++) {
		frames[i].first = 0x100 | (i ? 0 : 2) | (i == nr - 1 ? 0x80 : 0);
		frames[i].len = min(c->fragment,
				    (u32)(LARGE - i * c->fragment));
	}
	stream = stream_make(test, frames, nr, &len);
	run = run_make(test, len);
	KUNIT_ASSERT_TRUE(test, run_stream(run, stream, len, 0, c->piece));
	run_check(test, run, &want, frames, 0, c->piece);
}

/* Cut in three anywhere, at each alignment. */
static void ws_mask(struct kunit *test)
{
	static const struct ws_frame frames[] = { BIN(21), BIN(3), BIN(9) };
	struct ws_want want = { .mqtt = 33 };
	u32 align, wrong = 0;
	size_t len, i, j;
	u8 *stream = stream_make(test, frames, ARRAY_SIZE(frames), &len);
	struct ws_run *run = run_make(test, len + 8);

	for (align = 0; align < 8; align++) {
		run->room_len = len + align;
		for (i = 0; i <= len; i++)
			for (j = i; j <= len; j++) {
				run_begin(run);
				wrong += !run_piece(run, stream, i) ||
					 !run_piece(run, stream + i, j - i) ||
					 !run_piece(run, stream + j, len - j) ||
					 run->got != want.mqtt || run->err ||
					 !is_mqtt(run->out, run->got);
			}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static struct kunit_case ws_kunit_cases[] = {
	KUNIT_CASE_PARAM(ws_table, ws_gen_params),
	KUNIT_CASE_PARAM(ws_large, large_gen_params),
	KUNIT_CASE(ws_mask),
	{}
};

static struct kunit_suite ws_suite = {
	.name = "kmqtt_wire_websocket_stream",
	.test_cases = ws_kunit_cases,
};

kunit_test_suites(&ws_suite);
