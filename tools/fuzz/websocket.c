// SPDX-License-Identifier: GPL-2.0
/*
 * The frames of a WebSocket. The first byte of the input says how the stream
 * is cut into pieces, the second when answers are taken and when we close, and
 * the rest is the stream. What has to come of it is found out before, in one
 * walk over all of it; then each piece is compared with that.
 */
#include "check.h"
#include "../../kmqtt/wire/websocket.h"

#include <stdlib.h>
#include <string.h>

#define NEVER	((size_t)-1)

/**
 * struct ref_ping - a ping whose header is there
 * @begin: bytes of the stream up to its payload
 * @end: bytes up to its end, which may not be there
 */
struct ref_ping {
	size_t begin;
	size_t end;
};

/**
 * struct ref_ws - a stream as the second opinion has it
 * @plain: the stream, with the payloads unmasked
 * @mqtt: the bytes of MQTT
 * @mqtt_at: how many of them are in so many bytes of the stream
 * @ping: the pings
 * @pings: how many
 * @end: bytes after which nothing is looked at
 * @code: that we close with then
 * @closed: since the client has closed, and has kept to the rules
 */
struct ref_ws {
	u8 *plain;
	u8 *mqtt;
	size_t *mqtt_at;
	struct ref_ping *ping;
	size_t pings;
	size_t end;
	u16 code;
	bool closed;
};

static void *many(size_t number, size_t size)
{
	void *p = calloc(number + 1, size);

	if (!p)
		abort();
	return p;
}

static u64 big_endian(const u8 *p, size_t bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v * 256 + *p++;
	return v;
}

/* The first bytes that there may be, behind a whole message and within one. */
static u16 ref_start(const u8 *p, bool open)
{
	static const u8 firsts[2][5] = {
		{ 0x82, 0x02, 0x88, 0x89, 0x8a },
		{ 0x80, 0x00, 0x88, 0x89, 0x8a },
	};

	if (p[1] < 0x80)
		return 1002;
	if (!open && (p[0] == 0x81 || p[0] == 0x01))
		return 1003;
	if (!memchr(firsts[open], p[0], 5))
		return 1002;
	if (p[0] >= 0x88 && p[1] > 0x80 + 125)
		return 1002;
	return p[0] == 0x88 && p[1] == 0x81 ? 1002 : 0;
}

/* Bytes that tell a length besides the second one, for each form of it. */
static size_t len_bytes(u8 second)
{
	return second % 128 == 126 ? 2 : second % 128 == 127 ? 8 : 0;
}

/* The length that a header tells. Returns false if it may not. */
static bool ref_len(const u8 *p, u64 *len)
{
	size_t bytes = len_bytes(p[1]);

	*len = bytes ? big_endian(p + 2, bytes) : p[1] % 128;
	if (bytes == 8)
		return *len >= 65536 && p[2] < 0x80;
	return !bytes || *len >= 126;
}

static bool ref_code(u16 code)
{
	static const u16 good[][2] = {
		{ 1000, 1003 }, { 1007, 1014 }, { 3000, 4999 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (code >= good[i][0] && code <= good[i][1])
			return true;
	return false;
}

static void ref_end(struct ref_ws *r, size_t end, u16 code, bool closed)
{
	r->end = end;
	r->code = code;
	r->closed = closed;
}

static void ref_close(struct ref_ws *r, const u8 *payload, size_t len,
		      size_t end)
{
	u16 code = len ? big_endian(payload, 2) : 1005;

	if (len && !ref_code(code))
		ref_end(r, end, 1002, false);
	else
		ref_end(r, end, code, true);
}

static void ref_read(struct ref_ws *r, size_t size)
{
	size_t pos = 0, got = 0, head, n, i;
	bool open = false;
	u64 len;

	while (r->end == NEVER && size - pos >= 2) {
		u8 *p = r->plain + pos;
		u16 code = ref_start(p, open);

		head = 2 + len_bytes(p[1]) + 4;
		if (code) {
			ref_end(r, pos + 2, code, false);
			return;
		}
		if (size - pos < head)
			return;
		pos += head;
		if (!ref_len(p, &len)) {
			ref_end(r, pos, 1002, false);
			return;
		}
		n = size - pos < len ? size - pos : len;
		for (i = 0; i < n; i++)
			p[head + i] ^= p[head - 4 + i % 4];
		if (p[0] < 0x88)
			open = p[0] < 0x80;
		if (p[0] == 0x89)
			r->ping[r->pings++] = (struct ref_ping) { pos, pos + len };
		for (i = 0; i < n; i++) {
			if (p[0] < 0x88)
				r->mqtt[got++] = p[head + i];
			r->mqtt_at[pos + i + 1] = got;
		}
		pos += n;
		if (p[0] == 0x88 && n == len)
			ref_close(r, p + head, len, pos);
	}
}

static void ref_make(struct ref_ws *r, const u8 *data, size_t size)
{
	size_t i;

	*r = (struct ref_ws) {
		.plain = copy_of(data, size),
		.mqtt = many(size, 1),
		.mqtt_at = many(size, sizeof(*r->mqtt_at)),
		.ping = many(size, sizeof(*r->ping)),
		.end = NEVER,
	};
	ref_read(r, size);
	/* Headers have none. */
	for (i = 1; i <= size; i++)
		if (r->mqtt_at[i] < r->mqtt_at[i - 1])
			r->mqtt_at[i] = r->mqtt_at[i - 1];
}

static void ref_free(struct ref_ws *r)
{
	give_back(r->plain);
	free(r->mqtt);
	free(r->mqtt_at);
	free(r->ping);
}

/**
 * struct model - what is known of a WebSocket that is on its way
 * @ref: the whole of it
 * @pos: bytes that were decoded
 * @answered: pings that were answered or need no answer any more
 * @code: that we close with, 0 if we don't
 * @sent: our close frame is out
 */
struct model {
	struct ref_ws ref;
	size_t pos;
	size_t answered;
	u16 code;
	bool sent;
};

/* The ping to be answered; NULL if there is none. */
static const struct ref_ping *ping_due(const struct model *m)
{
	size_t i = m->ref.pings;

	while (i && m->ref.ping[i - 1].begin > m->pos)
		i--;
	if (i <= m->answered || m->ref.ping[i - 1].end > m->pos || m->sent)
		return NULL;
	return &m->ref.ping[i - 1];
}

/* Take what is due, and compare it. */
static void answer(struct kmqtt_ws *ws, struct model *m)
{
	const struct ref_ping *ping = ping_due(m);
	u8 want[KMQTT_WS_ANSWER_MAX], *p = want, *exact;
	size_t n;

	if (ping) {
		n = ping->end - ping->begin;
		*p++ = 0x8a;
		*p++ = n;
		memcpy(p, m->ref.plain + ping->begin, n);
		p += n;
		m->answered = ping - m->ref.ping + 1;
	}
	if (m->code && !m->sent) {
		*p++ = 0x88;
		*p++ = m->code == 1005 ? 0 : 2;
		if (m->code != 1005) {
			*p++ = m->code >> 8;
			*p++ = m->code & 0xff;
		}
		m->sent = true;
	}
	CLAIM(kmqtt_ws_due(ws) == (p != want));
	exact = room(p - want);
	CLAIM(kmqtt_ws_answer(ws, exact) == p - want);
	CLAIM(!memcmp(exact, want, p - want));
	CLAIM(!kmqtt_ws_due(ws) && !kmqtt_ws_answer(ws, exact));
	CLAIM(ws->close_sent == m->sent);
	give_back(exact);
}

static void piece(struct kmqtt_ws *ws, struct model *m, const u8 *data, size_t n)
{
	const struct ref_ws *ref = &m->ref;
	size_t before = ref->mqtt_at[m->pos], got = NEVER;
	u8 *p = copy_of(data, n);
	bool over;
	int err;

	err = kmqtt_ws_decode(ws, p, n, &got);
	m->pos += n;
	over = m->pos >= ref->end;
	if (over && !m->code)
		m->code = ref->code;
	CLAIM(err == (over && !ref->closed ? -EPROTO : 0));
	CLAIM(ws->failed == (err != 0));
	CLAIM(ws->closed == (over && ref->closed));
	CLAIM(!ws->closed || ws->peer_code == ref->code);
	CLAIM(ws->close_code == m->code);
	CLAIM(ws->head_len <= KMQTT_WS_CLIENT_HEAD_MAX);
	CLAIM(got == ref->mqtt_at[m->pos] - before);
	CLAIM(!memcmp(p, ref->mqtt + before, got));
	CLAIM(kmqtt_ws_due(ws) == (ping_due(m) || (m->code && !m->sent)));
	give_back(p);
}

/* A header of ours says what it should, in as few bytes as possible. */
static void head(const u8 *data, size_t size)
{
	u64 want = big_endian(data, size < 8 ? size : 8) >> 1, len;
	u8 p[KMQTT_WS_HEAD_MAX];
	size_t n = kmqtt_ws_head(p, want);

	CLAIM(p[0] == 0x82 && p[1] < 0x80);
	CLAIM(n == 2 + len_bytes(p[1]));
	CLAIM(ref_len(p, &len) && len == want);
}

/* For libFuzzer. */
int fuzz_one(const u8 *data, size_t size)
{
	struct kmqtt_ws ws = {};
	struct model m = {};
	u32 random, nr = 0;
	u8 cut, when;

	if (size < 2)
		return 0;
	cut = data[0];
	random = cut;
	when = data[1];
	data += 2;
	size -= 2;
	ref_make(&m.ref, data, size);
	while (m.pos < size) {
		size_t n, left = size - m.pos;

		random = random * 1103515245 + 12345;
		n = 1 + (random >> 16) % (cut == 255 ? size : cut % 16 + 1);
		piece(&ws, &m, data + m.pos, n < left ? n : left);
		if (when & 1 && random >> 8 & when >> 1 & 7)
			answer(&ws, &m);
		if (++nr == when >> 4) {
			kmqtt_ws_close(&ws, KMQTT_WS_GOING_AWAY);
			if (!m.code)
				m.code = KMQTT_WS_GOING_AWAY;
		}
	}
	answer(&ws, &m);
	ref_free(&m.ref);
	head(data, size);
	return 0;
}
