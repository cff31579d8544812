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

	while (s < end) {
		u32 code, min;
		int follow;

		/* Eight ASCII bytes at a time, none of them zero. */
		while (end - s >= 8) {
			u64 v = get_unaligned((const u64 *)s);

			if ((v | (v - LOW_BITS)) & HIGH_BITS)
				break;
			s += 8;
		}
		if (s == end)
			break;
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
		if (code < min || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return false;
	}
	return true;
}
