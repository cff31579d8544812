// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of SCRAM taken apart, by the grammar in section 7 of RFC 5802.
 * They come from clients that nobody knows yet: all of a message is checked
 * before anything is made of it.
 */
#include "scram_text.h"

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "../compat.h"
#include "../wire/utf8.h"

/* What is left of a message. */
struct text {
	const u8 *pos;
	const u8 *end;
};

static struct text text_of(const struct kmqtt_str *data)
{
	return (struct text){ .pos = data->data, .end = data->data + data->len };
}

/*
 * Take a value up to a comma or the end. No attribute may be empty, and a comma
 * at the end would stand for one that isn't there.
 */
static bool take_value(struct text *t, struct kmqtt_str *value)
{
	const u8 *comma = memchr(t->pos, ',', t->end - t->pos);
	const u8 *stop = comma ?: t->end;

	if (stop == t->pos || (comma && comma + 1 == t->end))
		return false;
	value->data = t->pos;
	value->len = stop - t->pos;
	t->pos = comma ? comma + 1 : t->end;
	return true;
}

/* Take the attribute @name, which has to be the next one. */
static bool take(struct text *t, char name, struct kmqtt_str *value)
{
	if (t->end - t->pos < 2 || t->pos[0] != name || t->pos[1] != '=')
		return false;
	t->pos += 2;
	return take_value(t, value);
}

/*
 * Pass over extensions, up to an attribute @last or to the end. Those that
 * nobody knows are of no importance, except "m", which announces that one is.
 */
static bool skip_extensions(struct text *t, char last)
{
	struct kmqtt_str value;

	while (t->pos < t->end && *t->pos != last) {
		char name = *t->pos;

		if (!isascii(name) || !isalpha(name) || name == 'm' ||
		    !take(t, name, &value))
			return false;
	}
	return true;
}

/* Printable ASCII; commas are no part of a value anyway. */
static bool is_nonce(const struct kmqtt_str *s)
{
	u32 i;

	for (i = 0; i < s->len; i++) {
		if (s->data[i] < 0x21 || s->data[i] > 0x7e)
			return false;
	}
	return s->len;
}

/*
 * "n" or "y": channel binding isn't wanted, or the client believes rightly that
 * it isn't offered here. "p" wants it.
 */
static bool take_gs2(struct text *t, struct kmqtt_scram_first *first)
{
	const u8 *start = t->pos;

	if (t->end - t->pos < 3 || (*t->pos != 'n' && *t->pos != 'y') ||
	    t->pos[1] != ',')
		return false;
	t->pos += 2;
	if (*t->pos == ',')
		t->pos++;
	else if (!take(t, 'a', &first->authzid))
		return false;
	first->gs2_len = t->pos - start;
	return true;
}

/**
 * kmqtt_scram_read_first() - take a client-first-message apart
 * @data: the message
 * @first: what is in it
 *
 * Context: any.
 * Return: false if it isn't one, or wants what isn't offered.
 */
bool kmqtt_scram_read_first(const struct kmqtt_str *data,
			    struct kmqtt_scram_first *first)
{
	struct text t = text_of(data);

	*first = (struct kmqtt_scram_first){};
	/* An extension that has to be understood would stand before "n". */
	return kmqtt_utf8_valid(data->data, data->len) &&
	       take_gs2(&t, first) && take(&t, 'n', &first->name) &&
	       take(&t, 'r', &first->nonce) && is_nonce(&first->nonce) &&
	       skip_extensions(&t, '\0');
}

/**
 * kmqtt_scram_read_final() - take a client-final-message apart
 * @data: the message
 * @final: what is in it
 *
 * Context: any.
 * Return: false if it isn't one.
 */
bool kmqtt_scram_read_final(const struct kmqtt_str *data,
			    struct kmqtt_scram_final *final)
{
	struct text t = text_of(data);

	*final = (struct kmqtt_scram_final){};
	if (!kmqtt_utf8_valid(data->data, data->len) ||
	    !take(&t, 'c', &final->binding) || !take(&t, 'r', &final->nonce) ||
	    !skip_extensions(&t, 'p') || t.pos == t.end)
		return false;
	/* What came before left its comma. */
	final->signed_len = t.pos - 1 - data->data;
	/* The proof is the end, because it can't sign what is behind it. */
	return take(&t, 'p', &final->proof) && t.pos == t.end;
}

/**
 * kmqtt_scram_read_name() - undo the escapes of a name
 * @from: the name with "=2C" for a comma and "=3D" for an equals sign
 * @to: where to
 * @max: bytes that fit there
 * @len: bytes that there are
 *
 * Context: any.
 * Return: false if @from isn't a name or doesn't fit.
 */
bool kmqtt_scram_read_name(const struct kmqtt_str *from, u8 *to, u16 max,
			   u16 *len)
{
	u32 n = 0, i = 0;

	while (i < from->len) {
		u8 c = from->data[i++];

		if (c == '=') {
			if (from->len - i < 2)
				return false;
			if (!memcmp(from->data + i, "2C", 2))
				c = ',';
			else if (memcmp(from->data + i, "3D", 2))
				return false;
			i += 2;
		}
		if (n == max)
			return false;
		to[n++] = c;
	}
	*len = n;
	return n;
}

/**
 * kmqtt_scram_is_base64_of() - does a text stand for these bytes?
 * @text: the text
 * @data: the bytes
 * @len: how many
 *
 * Context: any.
 * Return: true if @text is @data in base64.
 */
bool kmqtt_scram_is_base64_of(const struct kmqtt_str *text, const u8 *data,
			      u16 len)
{
	const u8 *pos = text->data;
	char digits[4];

	if (text->len != DIV_ROUND_UP(len, 3) * 4)
		return false;
	/* Three bytes at a time, as there is no bound that a stack likes. */
	while (len) {
		u16 n = min_t(u16, len, 3);

		kmqtt_base64_encode(data, n, digits);
		if (memcmp(pos, digits, sizeof(digits)))
			return false;
		pos += sizeof(digits);
		data += n;
		len -= n;
	}
	return true;
}

/**
 * kmqtt_scram_read_bytes() - read base64 of a length that is known before
 * @from: the base64
 * @to: room for @len bytes
 * @len: how many it has to be; not a multiple of 3
 *
 * Context: any.
 * Return: false if it isn't base64 of that many bytes.
 */
bool kmqtt_scram_read_bytes(const struct kmqtt_str *from, u8 *to, u16 len)
{
	u32 padding = 3 - len % 3, digits;

	if (from->len != DIV_ROUND_UP(len, 3) * 4)
		return false;
	/* Another digit in place of padding would be a byte that doesn't fit. */
	digits = from->len - padding;
	if (memcmp(from->data + digits, "==", padding))
		return false;
	/* Not every kernel's decoder minds the bits that are none of a byte. */
	return kmqtt_base64_decode(from->data, from->len, to) == len &&
	       kmqtt_scram_is_base64_of(from, to, len);
}
