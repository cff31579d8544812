// SPDX-License-Identifier: GPL-2.0
/*
 * Salts, keys and hashes in base64.
 */
#include "base64.h"

#include <string.h>
#include <openssl/evp.h>

/**
 * base64_read() - read base64 in front of other things
 * @text: base64 of one byte at least
 * @ends: what may follow it; if empty, nothing
 * @to: room for BASE64_BYTES_MAX bytes
 * @len: how many there are
 *
 * Return: what follows behind the one of @ends, or the end; NULL if @text is
 * something else.
 */
const char *base64_read(const char *text, const char *ends, uint8_t *to,
			size_t *len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strspn(text, digits), pad = strspn(text + n, "=");
	const char *end = text + n + pad;
	uint8_t buf[BASE64_BYTES_MAX * 2];

	/* OpenSSL takes blanks around it, and padding anywhere. */
	n += pad;
	if (!n || n % 4 || pad > 2 || n > sizeof(buf) ||
	    EVP_DecodeBlock(buf, (const unsigned char *)text, n) < 0)
		return NULL;
	*len = n / 4 * 3 - pad;
	if (*len > BASE64_BYTES_MAX)
		return NULL;
	memcpy(to, buf, *len);
	if (!*ends)
		return *end ? NULL : end;
	return *end && strchr(ends, *end) ? end + 1 : NULL;
}

/**
 * base64_write() - write base64
 * @text: where to
 * @bytes: what
 * @len: BASE64_BYTES_MAX at most
 */
void base64_write(char text[BASE64_TEXT_MAX], const uint8_t *bytes, size_t len)
{
	EVP_EncodeBlock((unsigned char *)text, bytes, len);
}
