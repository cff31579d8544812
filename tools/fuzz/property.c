// SPDX-License-Identifier: GPL-2.0
/*
 * The properties of each packet type. The first byte of the input is the type,
 * or KMQTT_WILL, and the rest are properties with their length.
 */
#include "check.h"

#include <string.h>

/* Decode what must be good, and nothing must be left. */
static void decode_all(struct kmqtt_props *props, u8 type, const u8 *p,
		       size_t len)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };

	memset(props, 0xa5, sizeof(*props));
	CLAIM(!kmqtt_props_decode(&cur, type, props));
	CLAIM(cur.pos == p + len);
	claim_props(props, type, p, len);
}

/* What is written has the values of what was read. */
static void encode(const struct kmqtt_props *props, u8 type,
		   const struct ref_props *ref)
{
	u32 len = kmqtt_props_len(props), written;
	struct kmqtt_props again;
	u8 *p, *exact;

	p = room(len + 4);
	written = kmqtt_props_encode(p, props);
	CLAIM(written == kmqtt_varint_len(len) + len);
	exact = copy_of(p, written);
	decode_all(&again, type, exact, written);
	ref_props_same(ref, &again);
	CLAIM(!kmqtt_prop_has(&again, KMQTT_PROP_USER));
	give_back(exact);
	give_back(p);
}

/* Properties with their length, of which @len bytes go to @block. */
static u8 *with_length(u32 len, u8 **block)
{
	u8 *p = room(kmqtt_varint_len(len) + len);

	*block = p + kmqtt_varint_encode(p, len);
	return p;
}

/* What goes on to subscribers arrives as it was. */
static void forward(const struct kmqtt_props *props, const struct ref_props *ref)
{
	u32 len = kmqtt_props_forward(props, NULL);
	struct kmqtt_props next;
	u8 *p, *block, *again;

	CLAIM(len <= props->block_len);
	CLAIM(len == ref->forward_len);
	p = with_length(len, &block);
	CLAIM(kmqtt_props_forward(props, block) == len);
	CLAIM(!memcmp(block, ref->forward, len));
	decode_all(&next, KMQTT_PUBLISH, p, block + len - p);
	CLAIM(!kmqtt_prop_has(&next, KMQTT_PROP_MESSAGE_EXPIRY));
	CLAIM(!kmqtt_prop_has(&next, KMQTT_PROP_SUBSCRIPTION_ID));
	CLAIM(!kmqtt_prop_has(&next, KMQTT_PROP_WILL_DELAY));
	CLAIM(!kmqtt_prop_has(&next, KMQTT_PROP_TOPIC_ALIAS));
	CLAIM(!(next.present & ~props->present));

	/* The next hop leaves all of it as it is. */
	again = room(len);
	CLAIM(kmqtt_props_forward(&next, NULL) == len);
	CLAIM(kmqtt_props_forward(&next, again) == len);
	CLAIM(!memcmp(again, block, len));
	give_back(again);
	give_back(p);
}

/* For libFuzzer. */
int fuzz_one(const u8 *data, size_t size)
{
	struct kmqtt_cursor cur;
	struct kmqtt_props props;
	struct ref_props ref;
	int err;
	u8 type;
	u8 *p;

	if (!size)
		return 0;
	type = data[0] & 0xf;
	size--;
	p = copy_of(data + 1, size);
	cur = (struct kmqtt_cursor) { .pos = p, .end = p + size };
	memset(&props, 0x5a, sizeof(props));
	err = kmqtt_props_decode(&cur, type, &props);
	ref_props_read(&ref, type, p, size);
	CLAIM(err == 0 || err == -EAGAIN || err == -EBADMSG || err == -EPROTO);
	CLAIM((err == 0) == (ref.size != 0));
	CLAIM((err == -EAGAIN) == ref.short_of);
	if (!err) {
		CLAIM(cur.pos == p + ref.size);
		claim_props(&props, type, p, size);
		encode(&props, type, &ref);
		if (type == KMQTT_PUBLISH || type == KMQTT_WILL)
			forward(&props, &ref);
	}
	ref_props_free(&ref);
	give_back(p);
	return 0;
}
