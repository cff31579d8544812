/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_UTF8_H
#define _KMQTT_WIRE_UTF8_H

#include <linux/types.h>

/**
 * struct kmqtt_utf8 - a check of UTF-8 that comes in pieces; begins as zeroes
 * @left: bytes that the present character still lacks
 * @code: its code point so far
 * @min: the least that it may be
 */
struct kmqtt_utf8 {
	u8 left;
	u32 code;
	u32 min;
};

bool kmqtt_utf8_feed(struct kmqtt_utf8 *u, const u8 *s, size_t len);
bool kmqtt_utf8_valid(const u8 *s, size_t len);

#endif /* _KMQTT_WIRE_UTF8_H */
