// SPDX-License-Identifier: GPL-2.0
/*
 * A second opinion, written from the specification and as simple as can be.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static bool in(u8 byte, u8 low, u8 high)
{
	return byte >= low && byte <= high;
}

/* Bytes of the character at @s, by the grammar of RFC 3629; 0 if it is none. */
static size_t utf8_char(const u8 *s, size_t len)
{
	static const struct {
		u8 first[2], second[2];
		u8 len;
	} forms[] = {
		{ { 0x00, 0x7f }, { 0x00, 0x00 }, 1 },
		{ { 0xc2, 0xdf }, { 0x80, 0xbf }, 2 },
		{ { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 3 },
		{ { 0xe1, 0xec }, { 0x80, 0xbf }, 3 },
		{ { 0xed, 0xed }, { 0x80, 0x9f }, 3 },
		{ { 0xee, 0xef }, { 0x80, 0xbf }, 3 },
		{ { 0xf0, 0xf0 }, { 0x90, 0xbf }, 4 },
		{ { 0xf1, 0xf3 }, { 0x80, 0xbf }, 4 },
		{ { 0xf4, 0xf4 }, { 0x80, 0x8f }, 4 },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!in(s[0], forms[i].first[0], forms[i].first[1]))
			continue;
		if (forms[i].len > len)
			return 0;
		if (forms[i].len > 1 &&
		    !in(s[1], forms[i].second[0], forms[i].second[1]))
			return 0;
		for (j = 2; j < forms[i].len; j++) {
			if (!in(s[j], 0x80, 0xbf))
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/**
 * ref_utf8() - is this UTF-8?
 * @s: the bytes
 * @len: how many
 * @nul: U+0000 may be in it
 *
 * Return: true if so.
 */
bool ref_utf8(const u8 *s, size_t len, bool nul)
{
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_char(s, len);
		if (!n || (!*s && !nul))
			return false;
	}
	return true;
}

enum kind { NONE, BYTE, TWO, FOUR, VARINT, TEXT, BINARY, PAIR };

#define NOT_ZERO	0x80	/* a value that is a protocol error */
#define AGAIN		0x40	/* goes on to subscribers */
#define KIND		0x3f

#define P(type)	BIT(KMQTT_ ## type)
#define EVERY	(0xffff & ~(P(PINGREQ) | P(PINGRESP)))
#define REPLIES	(EVERY & ~(P(CONNECT) | P(PUBLISH) | P(WILL) | \
			   P(SUBSCRIBE) | P(UNSUBSCRIBE)))

/* MQTT 5, table 2-4. */
static const struct {
	u8 kind;
	u16 packets;
	u16 field;
} table[KMQTT_PROPERTIES] = {
#define ROW(id, kind, packets, name) \
	[id] = { kind, packets, offsetof(struct kmqtt_props, name) }
	ROW(0x01, BYTE | AGAIN, P(PUBLISH) | P(WILL), payload_format),
	ROW(0x02, FOUR, P(PUBLISH) | P(WILL), message_expiry),
	ROW(0x03, TEXT | AGAIN, P(PUBLISH) | P(WILL), content_type),
	ROW(0x08, TEXT | AGAIN, P(PUBLISH) | P(WILL), response_topic),
	ROW(0x09, BINARY | AGAIN, P(PUBLISH) | P(WILL), correlation_data),
	ROW(0x0b, VARINT | NOT_ZERO, P(PUBLISH) | P(SUBSCRIBE),
	    subscription_id),
	ROW(0x11, FOUR, P(CONNECT) | P(CONNACK) | P(DISCONNECT),
	    session_expiry),
	ROW(0x12, TEXT, P(CONNACK), assigned_id),
	ROW(0x13, TWO, P(CONNACK), server_keep_alive),
	ROW(0x15, TEXT, P(CONNECT) | P(CONNACK) | P(AUTH), auth_method),
	ROW(0x16, BINARY, P(CONNECT) | P(CONNACK) | P(AUTH), auth_data),
	ROW(0x17, BYTE, P(CONNECT), request_problem),
	ROW(0x18, FOUR, P(WILL), will_delay),
	ROW(0x19, BYTE, P(CONNECT), request_response),
	ROW(0x1a, TEXT, P(CONNACK), response_info),
	ROW(0x1c, TEXT, P(CONNACK) | P(DISCONNECT), server_reference),
	ROW(0x1f, TEXT, REPLIES, reason_string),
	ROW(0x21, TWO | NOT_ZERO, P(CONNECT) | P(CONNACK), receive_max),
	ROW(0x22, TWO, P(CONNECT) | P(CONNACK), topic_alias_max),
	ROW(0x23, TWO, P(PUBLISH), topic_alias),
	ROW(0x24, BYTE, P(CONNACK), max_qos),
	ROW(0x25, BYTE, P(CONNACK), retain_available),
	ROW(0x26, PAIR | AGAIN, EVERY, present),
	ROW(0x27, FOUR | NOT_ZERO, P(CONNECT) | P(CONNACK), max_packet_size),
	ROW(0x28, BYTE, P(CONNACK), wildcard_available),
	ROW(0x29, BYTE, P(CONNACK), sub_id_available),
	ROW(0x2a, BYTE, P(CONNACK), shared_available),
#undef ROW
};

/* Returns the bytes of a number, 0 if it isn't one, -1 if there is more to come. */
static int get_varint(const u8 *p, size_t len, u32 *v)
{
	size_t i;

	*v = 0;
	for (i = 0; i < 4; i++) {
		if (i == len)
			return -1;
		*v += (p[i] & 0x7f) * (1 << 7 * i);
		if (p[i] < 0x80)
			return i && !p[i] ? 0 : i + 1;
	}
	return 0;
}

static u32 big_endian(const u8 *p, size_t bytes)
{
	u32 v = 0;

	while (bytes--)
		v = v * 256 + *p++;
	return v;
}

static size_t get_text(const u8 *p, size_t len, bool text, struct kmqtt_str *s)
{
	if (len < 2)
		return 0;
	s->len = big_endian(p, 2);
	s->data = p + 2;
	if (len - 2 < s->len || (text && !ref_utf8(s->data, s->len, false)))
		return 0;
	return 2 + s->len;
}

static size_t get_bytes(const u8 *p, size_t len, size_t bytes, u32 *v)
{
	if (len < bytes)
		return 0;
	*v = big_endian(p, bytes);
	return bytes;
}

/* Returns the bytes of a value, 0 if it isn't one. */
static size_t get_value(enum kind kind, const u8 *p, size_t len,
			struct ref_value *v)
{
	size_t n, m;
	int bytes;

	switch (kind) {
	case BYTE:
		n = get_bytes(p, len, 1, &v->number);
		return v->number > 1 ? 0 : n;
	case TWO:
		return get_bytes(p, len, 2, &v->number);
	case FOUR:
		return get_bytes(p, len, 4, &v->number);
	case VARINT:
		bytes = get_varint(p, len, &v->number);
		return bytes > 0 ? bytes : 0;
	case TEXT:
	case BINARY:
		return get_text(p, len, kind == TEXT, &v->text);
	case PAIR:
		n = get_text(p, len, true, &v->text);
		m = n ? get_text(p + n, len - n, true, &v->text) : 0;
		return m ? n + m : 0;
	default:
		return 0;
	}
}

static bool get_block(struct ref_props *r, u8 type, const u8 *p, size_t len)
{
	while (len) {
		u8 id = *p, kind = id < KMQTT_PROPERTIES ? table[id].kind : 0;
		struct ref_value v = { .number = 1 };
		size_t n;

		if (!kind || !(table[id].packets & BIT(type)))
			return false;
		n = get_value(kind & KIND, p + 1, len - 1, &v);
		if (!n || (kind & NOT_ZERO && !v.number))
			return false;
		if (r->present & BIT_ULL(id) && (kind & KIND) != PAIR)
			return false;
		r->present |= BIT_ULL(id);
		r->value[id] = v;
		if (kind & AGAIN) {
			memcpy(r->forward + r->forward_len, p, n + 1);
			r->forward_len += n + 1;
		}
		p += n + 1;
		len -= n + 1;
	}
	return true;
}

/**
 * ref_props_read() - read properties with their length
 * @r: what is found; for ref_props_free()
 * @type: packet type, or KMQTT_WILL
 * @p: the bytes
 * @len: how many
 */
void ref_props_read(struct ref_props *r, u8 type, const u8 *p, size_t len)
{
	u32 block;
	int n;

	memset(r, 0, sizeof(*r));
	n = get_varint(p, len, &block);
	r->short_of = n < 0 || (n > 0 && len - n < block);
	if (n <= 0 || r->short_of)
		return;
	r->forward = malloc(block + 1);
	if (!r->forward)
		abort();
	if (get_block(r, type, p + n, block))
		r->size = n + block;
}

/**
 * ref_props_free() - free what ref_props_read() has allocated
 * @r: the properties
 */
void ref_props_free(struct ref_props *r)
{
	free(r->forward);
}

static bool same_text(const struct kmqtt_str *a, const struct kmqtt_str *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/**
 * ref_props_same() - claim that two ways of reading lead to the same
 * @r: one
 * @props: the other; user properties are not looked at
 */
void ref_props_same(const struct ref_props *r, const struct kmqtt_props *props)
{
	int id;

	CLAIM((r->present | BIT_ULL(KMQTT_PROP_USER)) ==
	      (props->present | BIT_ULL(KMQTT_PROP_USER)));
	for (id = 0; id < KMQTT_PROPERTIES; id++) {
		const void *field = (const u8 *)props + table[id].field;
		const struct ref_value *v = &r->value[id];

		if (!(r->present & BIT_ULL(id)))
			continue;
		switch (table[id].kind & KIND) {
		case BYTE:
			CLAIM(*(const u8 *)field == v->number);
			break;
		case TWO:
			CLAIM(*(const u16 *)field == v->number);
			break;
		case FOUR:
		case VARINT:
			CLAIM(*(const u32 *)field == v->number);
			break;
		case TEXT:
		case BINARY:
			CLAIM(same_text(field, &v->text));
			break;
		}
	}
}
