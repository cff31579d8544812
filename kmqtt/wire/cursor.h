/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading from flat bytes: a cursor knows its end and only moves forward.
 */
#ifndef _KMQTT_WIRE_CURSOR_H
#define _KMQTT_WIRE_CURSOR_H

#include <linux/errno.h>
#include <linux/unaligned.h>
#include "packet.h"
#include "utf8.h"

/**
 * struct kmqtt_cursor - a place in a packet
 * @pos: the next byte
 * @end: behind the last byte
 */
struct kmqtt_cursor {
	const u8 *pos;
	const u8 *end;
};

/**
 * kmqtt_cursor_left() - bytes that are left
 * @c: the cursor
 *
 * Context: any.
 * Return: how many.
 */
static inline size_t kmqtt_cursor_left(const struct kmqtt_cursor *c)
{
	return c->end - c->pos;
}

/*
 * The readers below return false, with the cursor anywhere, if there are too
 * few bytes or they are not what they should be.
 */

static inline bool kmqtt_read_u8(struct kmqtt_cursor *c, u8 *v)
{
	if (c->pos == c->end)
		return false;
	*v = *c->pos++;
	return true;
}

static inline bool kmqtt_read_u16(struct kmqtt_cursor *c, u16 *v)
{
	if (kmqtt_cursor_left(c) < 2)
		return false;
	*v = get_unaligned_be16(c->pos);
	c->pos += 2;
	return true;
}

static inline bool kmqtt_read_u32(struct kmqtt_cursor *c, u32 *v)
{
	if (kmqtt_cursor_left(c) < 4)
		return false;
	*v = get_unaligned_be32(c->pos);
	c->pos += 4;
	return true;
}

static inline bool kmqtt_read_binary(struct kmqtt_cursor *c,
				     struct kmqtt_str *s)
{
	if (!kmqtt_read_u16(c, &s->len) || kmqtt_cursor_left(c) < s->len)
		return false;
	s->data = c->pos;
	c->pos += s->len;
	return true;
}

static inline bool kmqtt_read_string(struct kmqtt_cursor *c,
				     struct kmqtt_str *s)
{
	return kmqtt_read_binary(c, s) && kmqtt_utf8_valid(s->data, s->len);
}

/**
 * kmqtt_read_varint() - read a variable byte integer (MQTT 5, 1.5.5)
 * @c: the cursor, which stays where it is unless the return is 0
 * @v: the number, up to KMQTT_REMAINING_MAX
 *
 * Longer forms than a number needs are refused in 5.0 only, by the caller who
 * compares with kmqtt_varint_len(): 3.1.1 doesn't forbid them.
 *
 * Context: any.
 * Return: 0, -EAGAIN if more bytes are needed, -EBADMSG if there are too many.
 */
static inline int kmqtt_read_varint(struct kmqtt_cursor *c, u32 *v)
{
	u32 value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if (i == kmqtt_cursor_left(c))
			return -EAGAIN;
		value |= (u32)(c->pos[i] & 0x7f) << (7 * i);
		if (!(c->pos[i] & 0x80)) {
			c->pos += i + 1;
			*v = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/**
 * kmqtt_varint_len() - bytes of a number as a variable byte integer
 * @v: the number, at most KMQTT_REMAINING_MAX
 *
 * Context: any.
 * Return: 1 to 4.
 */
static inline u32 kmqtt_varint_len(u32 v)
{
	return 1 + (v > 0x7f) + (v > 0x3fff) + (v > 0x1fffff);
}

#endif /* _KMQTT_WIRE_CURSOR_H */
