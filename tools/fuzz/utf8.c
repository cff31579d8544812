// SPDX-License-Identifier: GPL-2.0
/*
 * kmqtt_utf8_valid() and kmqtt_utf8_feed(). The first byte of the input says
 * how the rest is cut into pieces.
 */
#include "check.h"

/* Feed @p in pieces that depend on @cut. Returns how it ends. */
static bool feed(const u8 *p, size_t len, u8 cut)
{
	struct kmqtt_utf8 u = {};
	u32 random = cut;
	u8 *piece;
	size_t n;
	bool good;

	while (len) {
		random = random * 1103515245 + 12345;
		n = 1 + (random >> 16) % (cut % 16 + 1);
		n = n < len ? n : len;
		piece = copy_of(p, n);
		good = kmqtt_utf8_feed(&u, piece, n);
		give_back(piece);
		if (!good)
			return false;
		p += n;
		len -= n;
		/* What is good so far lacks nothing that could not come. */
		CLAIM(u.left <= 3);
	}
	return !u.left;
}

/* For libFuzzer. */
int fuzz_one(const u8 *data, size_t size)
{
	struct kmqtt_utf8 whole = {};
	bool good;
	u8 *p;

	if (!size)
		return 0;
	size--;
	p = copy_of(data + 1, size);
	CLAIM(kmqtt_utf8_valid(p, size) == ref_utf8(p, size, false));
	good = ref_utf8(p, size, true);
	CLAIM((kmqtt_utf8_feed(&whole, p, size) && !whole.left) == good);
	CLAIM(feed(p, size, data[0]) == good);
	give_back(p);
	return 0;
}
