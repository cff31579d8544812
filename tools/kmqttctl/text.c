// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers, sizes, times and foreign strings as people read and write them.
 */
#include "text.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "exit.h"

/* Read the digits in front of @text; @end is what follows them. */
static bool read_digits(const char *text, uint64_t *value, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	*end = stop;
	return !errno;
}

static bool scale(uint64_t max, uint64_t unit, uint64_t *value)
{
	if (*value > max / unit)
		return false;
	*value *= unit;
	return true;
}

/**
 * text_to_number() - read an unsigned number
 * @text: decimal digits
 * @max: largest value accepted
 * @value: the number
 *
 * Return: true if @text is such a number.
 */
bool text_to_number(const char *text, uint64_t max, uint64_t *value)
{
	const char *end;

	return read_digits(text, value, &end) && !*end && *value <= max;
}

/**
 * text_to_bytes() - read a size
 * @text: decimal digits and maybe one of K, M, G and T
 * @max: largest value accepted
 * @value: bytes
 *
 * Return: true if @text is such a size.
 */
bool text_to_bytes(const char *text, uint64_t max, uint64_t *value)
{
	static const char units[] = "KMGT";
	const char *end, *unit;

	if (!read_digits(text, value, &end))
		return false;
	if (!*end)
		return *value <= max;
	unit = strchr(units, toupper((unsigned char)*end));
	if (!unit || (end[1] && strcmp(end + 1, "iB")))
		return false;
	return scale(max, 1ULL << (10 * (unit - units + 1)), value);
}

/**
 * text_to_seconds() - read a time
 * @text: decimal digits and maybe one of s, m, h and d
 * @max: largest value accepted
 * @value: seconds
 *
 * Return: true if @text is such a time.
 */
bool text_to_seconds(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t unit = 1;
	const char *end;

	if (!read_digits(text, value, &end) || (*end && end[1]))
		return false;
	switch (*end) {
	case '\0':
	case 's':
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 60 * 60;
		break;
	case 'd':
		unit = 24 * 60 * 60;
		break;
	default:
		return false;
	}
	return scale(max, unit, value);
}

/**
 * text_of_bytes() - write a size
 * @text: up to three digits and a unit, rounded down
 * @value: bytes
 */
void text_of_bytes(char text[TEXT_NUMBER_MAX], uint64_t value)
{
	static const char units[] = "KMGTPE";
	unsigned int unit = 0;
	uintmax_t whole = value;
	unsigned int tenths;

	if (value < 1024) {
		snprintf(text, TEXT_NUMBER_MAX, "%ju", whole);
		return;
	}
	while (whole >= 1024 * 1024) {
		whole /= 1024;
		unit++;
	}
	tenths = whole % 1024 * 10 / 1024;
	whole /= 1024;
	if (whole >= 100 || !tenths)
		snprintf(text, TEXT_NUMBER_MAX, "%ju%c", whole, units[unit]);
	else
		snprintf(text, TEXT_NUMBER_MAX, "%ju.%u%c", whole, tenths,
			 units[unit]);
}

/**
 * text_of_seconds() - write a time
 * @text: its two largest units
 * @value: seconds
 */
void text_of_seconds(char text[TEXT_NUMBER_MAX], uint64_t value)
{
	uintmax_t minutes = value / 60, hours = minutes / 60, days = hours / 24;

	if (!minutes)
		snprintf(text, TEXT_NUMBER_MAX, "%us", (unsigned int)value);
	else if (!hours)
		snprintf(text, TEXT_NUMBER_MAX, "%jum%02us", minutes,
			 (unsigned int)(value % 60));
	else if (!days)
		snprintf(text, TEXT_NUMBER_MAX, "%juh%02um", hours,
			 (unsigned int)(minutes % 60));
	else
		snprintf(text, TEXT_NUMBER_MAX, "%jud%02uh", days,
			 (unsigned int)(hours % 24));
}

/**
 * text_of_time() - write a point in time
 * @text: local time, to the microsecond, with its distance from UTC
 * @time: since 1970
 */
void text_of_time(char text[TEXT_TIME_MAX], const struct timespec *time)
{
	char seconds[32], zone[8];
	struct tm tm;

	localtime_r(&time->tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text, TEXT_TIME_MAX, "%s.%06ld%s", seconds,
		 time->tv_nsec / 1000, zone);
}

/* Characters that print as something, but change what is around them. */
static bool is_format(wchar_t c)
{
	return c == 0x00ad || c == 0x061c || c == 0x180e || c == 0xfeff ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/**
 * text_escape() - make a foreign string safe for a terminal
 * @text: any bytes
 * @len: how many
 * @quote: put it in double quotes if it may be mistaken for several words
 *
 * What the locale can't print, and what is used to escape, is written with
 * backslashes.
 *
 * Return: a string to free.
 */
char *text_escape(const char *text, size_t len, bool quote)
{
	mbstate_t state = { 0 };
	char *escaped, *to;
	size_t i, n, j;
	wchar_t c;

	quote = quote && (!len || memchr(text, ' ', len) ||
			  memchr(text, '"', len));
	escaped = malloc(4 * len + 3);
	if (!escaped)
		err(EXIT_FAILED, NULL);
	to = escaped;
	if (quote)
		*to++ = '"';
	for (i = 0; i < len; i += n) {
		n = mbrtowc(&c, text + i, len - i, &state);
		if (text[i] == '\\' || (quote && text[i] == '"')) {
			*to++ = '\\';
			*to++ = text[i];
		} else if (n && n <= len && iswprint(c) && !is_format(c)) {
			to = mempcpy(to, text + i, n);
		} else {
			if (!n || n > len) {
				memset(&state, 0, sizeof(state));
				n = 1;
			}
			for (j = 0; j < n; j++)
				to += sprintf(to, "\\x%02x",
					      (unsigned char)text[i + j]);
		}
	}
	if (quote)
		*to++ = '"';
	*to = '\0';
	return escaped;
}

/**
 * text_width() - columns that a string takes on a terminal
 * @text: what text_escape() made, or plain ASCII
 *
 * Return: how many.
 */
size_t text_width(const char *text)
{
	mbstate_t state = { 0 };
	size_t n, width = 0;
	wchar_t c;
	int w;

	for (; *text; text += n) {
		n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		if (n > MB_CUR_MAX)
			return width + strlen(text);
		w = wcwidth(c);
		width += w < 0 ? 1 : w;
	}
	return width;
}

/**
 * text_fit() - how much of a string has room on a terminal
 * @text: what text_escape() made, or plain ASCII
 * @columns: the room
 *
 * Return: bytes of whole characters.
 */
size_t text_fit(const char *text, size_t columns)
{
	mbstate_t state = { 0 };
	const char *from = text;
	size_t n, width = 0;
	wchar_t c;
	int w;

	for (; *text; text += n) {
		n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		if (n > MB_CUR_MAX)
			break;
		w = wcwidth(c);
		width += w < 0 ? 1 : w;
		if (width > columns)
			break;
	}
	return text - from;
}

/**
 * text_utf8_len() - how far is this UTF-8?
 * @text: any bytes
 * @len: how many
 *
 * Return: bytes in front that are well-formed UTF-8.
 */
size_t text_utf8_len(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, n, j;
	uint32_t c;

	for (; i < len; i += n) {
		n = s[i] < 0x80 ? 1 : s[i] < 0xc2 ? 0 : s[i] < 0xe0 ? 2 :
		    s[i] < 0xf0 ? 3 : s[i] < 0xf5 ? 4 : 0;
		if (!n || n > len - i)
			return i;
		c = n == 1 ? s[i] : s[i] & (0xff >> (n + 1));
		for (j = 1; j < n; j++) {
			if ((s[i + j] & 0xc0) != 0x80)
				return i;
			c = c << 6 | (s[i + j] & 0x3f);
		}
		if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) ||
		    c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return i;
	}
	return len;
}
