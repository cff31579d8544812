// SPDX-License-Identifier: GPL-2.0
/*
 * Topic names and topic filters (MQTT 3.1.1, 4.7). Strings come in checked as
 * UTF-8, so '/', '+' and '#' can't be part of another character.
 */
#include "name.h"

#include <linux/string.h>

/* Eight times the same byte. */
#define REPEAT(byte)	((byte) * 0x0101010101010101ULL)

/**
 * kmqtt_levels_start() - begin to walk the levels of a name
 * @l: the walk; kmqtt_levels_next() steps onto the first level
 * @name: topic name or filter
 * @len: its length in bytes
 *
 * Context: any.
 */
void kmqtt_levels_start(struct kmqtt_levels *l, const u8 *name, size_t len)
{
	l->next = name;
	l->end = name + len;
}

/**
 * kmqtt_levels_next() - step onto the next level
 * @l: the walk
 *
 * Context: any.
 * Return: false if the last level was passed.
 */
bool kmqtt_levels_next(struct kmqtt_levels *l)
{
	const u8 *slash;

	if (!l->next)
		return false;
	l->level = l->next;
	slash = memchr(l->next, '/', l->end - l->next);
	l->len = (slash ?: l->end) - l->level;
	l->next = slash ? slash + 1 : NULL;
	return true;
}

/* Is a wildcard among eight bytes? '+' and '#' differ by one bit. */
static bool word_has_wildcard(const u8 *bytes)
{
	u64 v = (get_unaligned((const u64 *)bytes) & ~REPEAT('+' ^ '#')) ^
		REPEAT('+' & '#');

	return (v - REPEAT(0x01)) & ~v & REPEAT(0x80);
}

static bool has_wildcard(const u8 *name, size_t len)
{
	size_t i;

	if (len < 8) {
		for (i = 0; i < len; i++)
			if (name[i] == '+' || name[i] == '#')
				return true;
		return false;
	}
	for (i = 0; i < len - 8; i += 8)
		if (word_has_wildcard(name + i))
			return true;
	/* The last eight bytes, some of which may have been looked at. */
	return word_has_wildcard(name + len - 8);
}

/**
 * kmqtt_topic_name_valid() - may this be published to?
 * @name: a UTF-8 string
 * @len: its length in bytes
 *
 * Context: any.
 * Return: true if it is not empty, has no wildcard and few enough levels.
 */
bool kmqtt_topic_name_valid(const u8 *name, size_t len)
{
	size_t levels = 1;
	size_t i;

	if (!len)				/* [MQTT-4.7.3-1] */
		return false;
	if (has_wildcard(name, len))		/* [MQTT-3.3.2-2] */
		return false;
	/* So few bytes are few enough levels. */
	if (len < KMQTT_LEVELS_MAX)
		return true;
	for (i = 0; i < len; i++)
		levels += name[i] == '/';
	return levels <= KMQTT_LEVELS_MAX;
}

/**
 * kmqtt_topic_filter_valid() - may this be subscribed to?
 * @filter: a UTF-8 string
 * @len: its length in bytes
 *
 * Context: any.
 * Return: true if it is not empty, has its wildcards where they may stand
 * ([MQTT-4.7.1-2], [MQTT-4.7.1-3]) and few enough levels.
 */
bool kmqtt_topic_filter_valid(const u8 *filter, size_t len)
{
	struct kmqtt_levels l;
	int levels = 0;

	if (!len)
		return false;
	kmqtt_levels_start(&l, filter, len);
	while (kmqtt_levels_next(&l)) {
		if (++levels > KMQTT_LEVELS_MAX)
			return false;
		if (memchr(l.level, '#', l.len) && (l.len != 1 || l.next))
			return false;
		if (memchr(l.level, '+', l.len) && l.len != 1)
			return false;
	}
	return true;
}

/**
 * kmqtt_topic_has_wildcard() - may a filter match more than one name?
 * @filter: a valid topic filter
 * @len: its length in bytes
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_topic_has_wildcard(const u8 *filter, size_t len)
{
	return has_wildcard(filter, len);
}

/**
 * kmqtt_filter_parse() - take the filter of a subscription apart
 * @f: its parts, pointing into @filter
 * @filter: a UTF-8 string
 * @len: its length in bytes
 *
 * A filter that begins with $share/ is a shared subscription in all versions,
 * as with other brokers (MQTT 5, 4.8.2).
 *
 * Context: any.
 * Return: true if valid.
 */
bool kmqtt_filter_parse(struct kmqtt_filter *f, const u8 *filter, size_t len)
{
	const size_t prefix = strlen("$share/");
	const u8 *slash;

	f->share = NULL;
	f->share_len = 0;
	f->topic = filter;
	f->len = len;
	if (len >= prefix && !memcmp(filter, "$share/", prefix)) {
		f->share = filter + prefix;
		slash = memchr(f->share, '/', len - prefix);
		if (!slash || slash == f->share)	/* [MQTT-4.8.2-1] */
			return false;
		f->share_len = slash - f->share;
		if (kmqtt_topic_has_wildcard(f->share, f->share_len))
			return false;			/* [MQTT-4.8.2-2] */
		f->topic = slash + 1;
		f->len = filter + len - f->topic;
	}
	return kmqtt_topic_filter_valid(f->topic, f->len);
}

/**
 * kmqtt_topic_matches() - does one filter match one name?
 * @filter: a valid topic filter
 * @filter_len: its length in bytes
 * @name: a valid topic name
 * @name_len: its length in bytes
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_topic_matches(const u8 *filter, size_t filter_len,
			 const u8 *name, size_t name_len)
{
	struct kmqtt_levels f, n;
	bool more;

	/* Wildcards don't stand for a first level with $ [MQTT-4.7.2-1]. */
	if (name[0] == '$' && (filter[0] == '+' || filter[0] == '#'))
		return false;
	kmqtt_levels_start(&f, filter, filter_len);
	kmqtt_levels_start(&n, name, name_len);
	while (kmqtt_levels_next(&f)) {
		if (kmqtt_level_is(&f, '#'))
			return true;
		more = kmqtt_levels_next(&n);
		if (!more)
			return false;
		if (!kmqtt_level_is(&f, '+') &&
		    (f.len != n.len || memcmp(f.level, n.level, f.len)))
			return false;
	}
	return !kmqtt_levels_next(&n);
}
