// SPDX-License-Identifier: GPL-2.0
/*
 * UTF-8 strings (MQTT 3.1.1, 1.5.3).
 */
#include "support.h"
#include "../wire/utf8.h"

/* The fast path takes this many bytes at once. */
#define FAST	8

struct utf8_case {
	const char *desc;
	const char *text;
	u8 len;
	bool valid;
};

#define TEXT(str)	.text = (str), .len = sizeof(str) - 1

static const struct utf8_case utf8_cases[] = {
	{ "empty", TEXT(""), true },
	{ "one letter", TEXT("a"), true },
	{ "U+0001", TEXT("\x01"), true },
	{ "U+007F", TEXT("\x7f"), true },
	{ "U+0000", TEXT("\0"), false },
	{ "U+0000 at the end", TEXT("abc\0"), false },
	{ "U+0080, first of two bytes", TEXT("\xc2\x80"), true },
	{ "U+07FF, last of two bytes", TEXT("\xdf\xbf"), true },
	{ "U+0800, first of three bytes", TEXT("\xe0\xa0\x80"), true },
	{ "U+D7FF, before the surrogates", TEXT("\xed\x9f\xbf"), true },
	{ "U+D800, first surrogate", TEXT("\xed\xa0\x80"), false },
	{ "U+DBFF, last high surrogate", TEXT("\xed\xaf\xbf"), false },
	{ "U+DC00, first low surrogate", TEXT("\xed\xb0\x80"), false },
	{ "U+DFFF, last surrogate", TEXT("\xed\xbf\xbf"), false },
	{ "a surrogate pair", TEXT("\xed\xa0\xbd\xed\xb8\x80"), false },
	{ "U+E000, behind the surrogates", TEXT("\xee\x80\x80"), true },
	{ "U+FEFF, kept as it is", TEXT("\xef\xbb\xbf"), true },
	{ "U+FFFF, last of three bytes", TEXT("\xef\xbf\xbf"), true },
	{ "U+10000, first of four bytes", TEXT("\xf0\x90\x80\x80"), true },
	{ "U+10FFFF, the last", TEXT("\xf4\x8f\xbf\xbf"), true },
	{ "U+110000, too large", TEXT("\xf4\x90\x80\x80"), false },
	{ "lead byte F5", TEXT("\xf5\x80\x80\x80"), false },
	{ "lead byte F8", TEXT("\xf8\x88\x80\x80\x80"), false },
	{ "lead byte FE", TEXT("\xfe"), false },
	{ "lead byte FF", TEXT("\xff"), false },
	{ "U+0000 in two bytes", TEXT("\xc0\x80"), false },
	{ "U+007F in two bytes", TEXT("\xc1\xbf"), false },
	{ "U+002F in three bytes", TEXT("\xe0\x80\xaf"), false },
	{ "U+07FF in three bytes", TEXT("\xe0\x9f\xbf"), false },
	{ "U+FFFF in four bytes", TEXT("\xf0\x8f\xbf\xbf"), false },
	{ "continuation alone", TEXT("\x80"), false },
	{ "last continuation alone", TEXT("\xbf"), false },
	{ "two bytes, one there", TEXT("\xc2"), false },
	{ "three bytes, one there", TEXT("\xe2"), false },
	{ "three bytes, two there", TEXT("\xe2\x82"), false },
	{ "four bytes, three there", TEXT("\xf0\x9f\x98"), false },
	{ "second byte is ASCII", TEXT("\xc3\x28"), false },
	{ "third byte is ASCII", TEXT("\xe2\x82\x28"), false },
	{ "fourth byte is ASCII", TEXT("\xf0\x9f\x98\x28"), false },
	{ "second byte is a lead byte", TEXT("\xc3\xc3"), false },
	{ "one continuation too many", TEXT("\xc3\xa4\x80"), false },
	{ "all lengths", TEXT("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"), true },
};

KUNIT_ARRAY_PARAM_DESC(utf8, utf8_cases, desc);

/*
 * Each string alone and behind and before any number of letters, so that its
 * bytes come to lie at each place of the fast path.
 */
static void utf8_table(struct kunit *test)
{
	const struct utf8_case *c = test->param_value;
	size_t before, after;

	for (before = 0; before <= 2 * FAST; before++) {
		for (after = 0; after <= FAST + 1; after++) {
			size_t len = before + c->len + after;
			u8 text[4 * FAST + 16];
			u8 *exact;

			memset(text, 'x', sizeof(text));
			memcpy(text + before, c->text, c->len);
			exact = kmqtt_test_exact(test, text, len);
			KUNIT_EXPECT_EQ_MSG(test, kmqtt_utf8_valid(exact, len),
					    c->valid, "%zu before, %zu after",
					    before, after);
			kunit_kfree(test, exact);
		}
	}
}

/* The fast path reads whole words, from any address. */
static void utf8_unaligned(struct kunit *test)
{
	size_t start, bad;
	u8 *text;

	text = kunit_kmalloc(test, 4 * FAST, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	for (start = 0; start < FAST; start++) {
		size_t len = 4 * FAST - start;

		memset(text, 'x', 4 * FAST);
		KUNIT_EXPECT_TRUE(test, kmqtt_utf8_valid(text + start, len));
		for (bad = 0; bad < len; bad++) {
			text[start + bad] = 0;
			KUNIT_EXPECT_FALSE(test, kmqtt_utf8_valid(text + start,
								  len));
			text[start + bad] = 0xff;
			KUNIT_EXPECT_FALSE(test, kmqtt_utf8_valid(text + start,
								  len));
			/* U+0001 is next to what borrows in the fast path. */
			text[start + bad] = 1;
			KUNIT_EXPECT_TRUE(test, kmqtt_utf8_valid(text + start,
								 len));
			text[start + bad] = 'x';
		}
	}
}

/* A whole text in pieces of @piece bytes. */
static bool feed(const u8 *text, size_t len, size_t piece)
{
	struct kmqtt_utf8 u = {};

	for (; len > piece; text += piece, len -= piece)
		if (!kmqtt_utf8_feed(&u, text, piece))
			return false;
	return kmqtt_utf8_feed(&u, text, len) && !u.left;
}

/* In pieces of any size it is what it is as a whole, but for U+0000. */
static void utf8_pieces(struct kunit *test)
{
	const struct utf8_case *c = test->param_value;
	bool valid = c->valid || memchr(c->text, 0, c->len);
	size_t before, after, piece;

	for (before = 0; before <= 4; before++)
		for (after = 0; after <= 4; after++) {
			size_t len = before + c->len + after;
			u8 text[32];

			memset(text, 'x', sizeof(text));
			memcpy(text + before, c->text, c->len);
			for (piece = 1; piece <= len + 1; piece++)
				KUNIT_EXPECT_EQ_MSG(test,
						    feed(text, len, piece),
						    valid,
						    "%zu before, %zu after, by %zu",
						    before, after, piece);
		}
}

/* Random text, in random pieces, empty ones among them. */
static void utf8_random(struct kunit *test)
{
	static const u8 bytes[] = {
		'a', 1, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xdf,
		0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5,
	};
	u32 i, wrong = 0, nr_valid = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 8);
	for (i = 0; i < 200000; i++) {
		u32 len = kmqtt_test_below(&rnd, 8), pos = 0, j;
		struct kmqtt_utf8 u = {};
		bool valid = true;
		u8 text[8];

		for (j = 0; j < len; j++)
			text[j] = bytes[kmqtt_test_below(&rnd, sizeof(bytes))];
		while (valid && pos < len) {
			u32 n = kmqtt_test_below(&rnd, len - pos + 1);

			valid = kmqtt_utf8_feed(&u, text + pos, n);
			pos += n;
		}
		valid = valid && !u.left;
		wrong += valid != kmqtt_utf8_valid(text, len);
		nr_valid += valid && len > 2;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, nr_valid, 1000);
}

/* All code points, one by one, in their shortest form. */
static void utf8_code_points(struct kunit *test)
{
	u32 code, wrong = 0;

	for (code = 1; code < 0x120000; code++) {
		bool want = code <= 0x10ffff &&
			    (code < 0xd800 || code > 0xdfff);
		u8 s[4], *p = s;

		if (code < 0x80) {
			*p++ = code;
		} else if (code < 0x800) {
			*p++ = 0xc0 | code >> 6;
			*p++ = 0x80 | (code & 0x3f);
		} else if (code < 0x10000) {
			*p++ = 0xe0 | code >> 12;
			*p++ = 0x80 | (code >> 6 & 0x3f);
			*p++ = 0x80 | (code & 0x3f);
		} else {
			*p++ = 0xf0 | code >> 18;
			*p++ = 0x80 | (code >> 12 & 0x3f);
			*p++ = 0x80 | (code >> 6 & 0x3f);
			*p++ = 0x80 | (code & 0x3f);
		}
		wrong += kmqtt_utf8_valid(s, p - s) != want;
		wrong += feed(s, p - s, 1) != want;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static struct kunit_case utf8_kunit_cases[] = {
	KUNIT_CASE_PARAM(utf8_table, utf8_gen_params),
	KUNIT_CASE(utf8_unaligned),
	KUNIT_CASE_PARAM(utf8_pieces, utf8_gen_params),
	KUNIT_CASE(utf8_random),
	KUNIT_CASE(utf8_code_points),
	{}
};

static struct kunit_suite utf8_suite = {
	.name = "kmqtt_wire_utf8",
	.test_cases = utf8_kunit_cases,
};

kunit_test_suites(&utf8_suite);
