// SPDX-License-Identifier: GPL-2.0
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * claim_fail() - something isn't as it should be
 * @file: where
 * @line: where
 * @what: that was claimed
 *
 * libFuzzer keeps the input of a program that aborts.
 */
void claim_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/**
 * room() - memory that ends where it should
 * @len: bytes, maybe none
 *
 * Of no bytes not even one may be read, which malloc(0) would allow. The
 * address is odd, so that it isn't taken for an aligned one.
 *
 * Return: the memory, for give_back().
 */
u8 *room(size_t len)
{
	u8 *p = malloc(len + 1);

	if (!p)
		abort();
	return p + 1;
}

/**
 * copy_of() - bytes whose end is watched
 * @data: the bytes
 * @len: how many
 *
 * Return: a copy, for give_back().
 */
u8 *copy_of(const u8 *data, size_t len)
{
	u8 *p = room(len);

	if (len)
		memcpy(p, data, len);
	return p;
}

/**
 * give_back() - free what room() or copy_of() gave
 * @p: the memory
 */
void give_back(u8 *p)
{
	free(p - 1);
}

/**
 * claim_inside() - a field has to be part of its packet
 * @s: the field
 * @p: the packet
 * @len: bytes there
 */
void claim_inside(const struct kmqtt_str *s, const u8 *p, size_t len)
{
	CLAIM(s->data >= p && s->data <= p + len);
	CLAIM(s->len <= p + len - s->data);
	/* Its length stands in front of it. */
	CLAIM(s->data >= p + 2 && s->data[-2] << 8 == (s->len & 0xff00) &&
	      s->data[-1] == (s->len & 0xff));
}

/**
 * claim_text() - a string has to be part of its packet, and UTF-8
 * @s: the string
 * @p: the packet
 * @len: bytes there
 */
void claim_text(const struct kmqtt_str *s, const u8 *p, size_t len)
{
	claim_inside(s, p, len);
	CLAIM(ref_utf8(s->data, s->len, false));
}

/**
 * claim_props() - decoded properties have to be what is there
 * @props: the properties
 * @type: packet type, or KMQTT_WILL
 * @p: the packet that they are part of
 * @len: bytes there
 */
void claim_props(const struct kmqtt_props *props, u8 type, const u8 *p,
		 size_t len)
{
	const u8 *start = props->block - kmqtt_varint_len(props->block_len);
	struct ref_props ref;

	CLAIM(start >= p && props->block <= p + len);
	CLAIM(props->block_len <= p + len - props->block);
	ref_props_read(&ref, type, start, p + len - start);
	CLAIM(ref.size == props->block - start + props->block_len);
	ref_props_same(&ref, props);
	ref_props_free(&ref);
}
