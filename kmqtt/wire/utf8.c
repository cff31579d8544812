// SPDX-License-Identifier: GPL-2.0
/*
 * UTF-8 as MQTT wants it: RFC 3629 without U+0000 (MQTT 3.1.1, 1.5.3).
 */
#include "utf8.h"

#include <linux/unaligned.h>

#define HIGH_BITS	0x8080808080808080ULL
#define LOW_BITS	0x0101010101010101ULL

/* Bytes that follow @lead, and through @min the least code point they may make. */
static int utf8_follow(u8 lead, u32 *min)
{
	if (lead >= 0xc2 && lead <= 0xdf) {
		*min = 0x80;
		return 1;
	}
	if ((lead & 0xf0) == 0xe0) {
		*min = 0x800;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*min = 0x10000;
		return 3;
	}
	return -1;
}

/* Is this a code point, in a form that is no longer than it needs to be? */
static bool is_code_point(u32 code, u32 min)
{
	return code >= min && code <= 0x10ffff &&
	       !(code >= 0xd800 && code <= 0xdfff);
}

/* Are these all ASCII, and none of them zero? Most strings are. */
static bool is_ascii(const u8 *s, size_t len)
{
	const u8 *last = s + len - 8;
	u64 bad = 0;

	if (len < 8) {
		while (len--)
			bad |= *s >= 0x80 || !*s, s++;
		return !bad;
	}
	/* Eight bytes at a time; the last eight may be seen twice. */
	for (; s < last; s += 8) {
		u64 v = get_unaligned((const u64 *)s);

		bad |= v | (v - LOW_BITS);
	}
	bad |= get_unaligned((const u64 *)last) |
	       (get_unaligned((const u64 *)last) - LOW_BITS);
	return !(bad & HIGH_BITS);
}

/**
 * kmqtt_utf8_valid() - is this a UTF-8 string that MQTT allows?
 * @s: the bytes
 * @len: how many
 *
 * Refuses overlong forms, surrogates (U+D800 to U+DFFF), code points above
 * U+10FFFF and U+0000. Control characters and noncharacters, which the
 * specification only advises against, pass.
 *
 * Context: any.
 * Return: true if valid, the empty string included.
 */
bool kmqtt_utf8_valid(const u8 *s, size_t len)
{
	const u8 *end = s + len;

	if (is_ascii(s, len))
		return true;
	while (s < end) {
		u32 code, min;
		int follow;

		if (*s < 0x80) {
			if (!*s++)
				return false;
			continue;
		}
		follow = utf8_follow(*s, &min);
		if (follow < 0 || end - s <= follow)
			return false;
		code = *s++ & (0x3f >> follow);
		while (follow--) {
			if ((*s & 0xc0) != 0x80)
				return false;
			code = code << 6 | (*s++ & 0x3f);
		}
		if (!is_code_point(code, min))
			return false;
	}
	return true;
}

/**
 * kmqtt_utf8_feed() - check a piece of UTF-8
 * @u: the check; at the end of the text @u->left has to be 0
 * @s: the bytes
 * @len: how many
 *
 * For payloads: other than strings of MQTT they may have U+0000 in them.
 *
 * Context: any.
 * Return: false if this can't be UTF-8, whatever follows.
 */
bool kmqtt_utf8_feed(struct kmqtt_utf8 *u, const u8 *s, size_t len)
{
	const u8 *end = s + len;

	for (; s < end; s++) {
		if (u->left) {
			if ((*s & 0xc0) != 0x80)
				return false;
			u->code = u->code << 6 | (*s & 0x3f);
			if (!--u->left && !is_code_point(u->code, u->min))
				return false;
		} else if (*s >= 0x80) {
			int follow = utf8_follow(*s, &u->min);

			if (follow < 0)
				return false;
			u->left = follow;
			u->code = *s & (0x3f >> follow);
		}
	}
	return true;
}
