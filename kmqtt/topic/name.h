/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_NAME_H
#define _KMQTT_TOPIC_NAME_H

#include <linux/types.h>
#include <linux/unaligned.h>

/* Levels a name or filter may have, which bounds every walk of a tree. */
#define KMQTT_LEVELS_MAX	128

/**
 * struct kmqtt_levels - a walk over the levels of a name or filter
 * @level: the current level
 * @len: its length in bytes, maybe 0
 * @next: first byte of the next level, or NULL if there is none
 * @end: end of the name
 */
struct kmqtt_levels {
	const u8 *level;
	size_t len;
	const u8 *next;
	const u8 *end;
};

/**
 * struct kmqtt_filter - a subscription's filter, taken apart
 * @share: name of the group of a shared subscription; NULL if it is none
 * @share_len: its length in bytes
 * @topic: the topic filter itself
 * @len: its length in bytes
 */
struct kmqtt_filter {
	const u8 *share;
	u16 share_len;
	const u8 *topic;
	u16 len;
};

bool kmqtt_topic_name_valid(const u8 *name, size_t len);
bool kmqtt_topic_filter_valid(const u8 *filter, size_t len);
bool kmqtt_topic_has_wildcard(const u8 *filter, size_t len);
bool kmqtt_filter_parse(struct kmqtt_filter *f, const u8 *filter, size_t len);
bool kmqtt_topic_matches(const u8 *filter, size_t filter_len,
			 const u8 *name, size_t name_len);
void kmqtt_levels_start(struct kmqtt_levels *l, const u8 *name, size_t len);
bool kmqtt_levels_next(struct kmqtt_levels *l);

/**
 * kmqtt_level_is() - is this level just one wildcard?
 * @l: a walk that stands on a level
 * @wildcard: '+' or '#'
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_level_is(const struct kmqtt_levels *l, u8 wildcard)
{
	return l->len == 1 && l->level[0] == wildcard;
}

/**
 * kmqtt_topic_equal() - are two topic names the same?
 * @a: one
 * @b: the other
 * @len: bytes of each
 *
 * Looks at the end first, where names of one publisher differ.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_topic_equal(const u8 *a, const u8 *b, size_t len)
{
	while (len >= 8) {
		len -= 8;
		if (get_unaligned((const u64 *)(a + len)) !=
		    get_unaligned((const u64 *)(b + len)))
			return false;
	}
	while (len--)
		if (a[len] != b[len])
			return false;
	return true;
}

#endif /* _KMQTT_TOPIC_NAME_H */
