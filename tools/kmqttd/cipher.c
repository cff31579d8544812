// SPDX-License-Identifier: GPL-2.0
/*
 * Which ciphers there are for a connection that the kernel goes on with.
 */
#include "cipher.h"

#include <stdlib.h>
#include <string.h>

/**
 * cipher_fits() - can the kernel go on with it, and is it worth it?
 * @cipher: a cipher of OpenSSL
 */
bool cipher_fits(const SSL_CIPHER *cipher)
{
	/* Nobody would know whom they talk to. */
	if (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
		return false;
	switch (SSL_CIPHER_get_cipher_nid(cipher)) {
	case NID_aes_128_gcm:
	case NID_aes_256_gcm:
	case NID_chacha20_poly1305:
		return true;
	default:
		return false;
	}
}

/*
 * Names of ciphers of @ctx that fit, for versions of TLS before 1.3 or for it;
 * NULL without memory, empty without any.
 */
static char *list_fitting(SSL_CTX *ctx, bool tls13)
{
	struct stack_st_SSL_CIPHER *ciphers = SSL_CTX_get_ciphers(ctx);
	const SSL_CIPHER *cipher;
	size_t size = 1, len = 0, n;
	const char *name;
	char *names;
	int i;

	for (i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		cipher = sk_SSL_CIPHER_value(ciphers, i);
		size += strlen(SSL_CIPHER_get_name(cipher)) + 1;
	}
	names = calloc(1, size);
	for (i = 0; names && i < sk_SSL_CIPHER_num(ciphers); i++) {
		cipher = sk_SSL_CIPHER_value(ciphers, i);
		if (!cipher_fits(cipher) ||
		    (SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any) != tls13)
			continue;
		if (len)
			names[len++] = ':';
		name = SSL_CIPHER_get_name(cipher);
		n = strlen(name);
		memcpy(names + len, name, n);
		len += n;
	}
	return names;
}

/**
 * cipher_set_list() - choose ciphers for TLS 1.2
 * @ctx: for whom
 * @list: as in ciphers(1)
 *
 * Return: false if the list is wrong or none of them fits.
 */
bool cipher_set_list(SSL_CTX *ctx, const char *list)
{
	bool good = SSL_CTX_set_cipher_list(ctx, list);
	char *fitting = NULL;

	if (good)
		fitting = list_fitting(ctx, false);
	good = fitting && *fitting && SSL_CTX_set_cipher_list(ctx, fitting);
	free(fitting);
	return good;
}

/**
 * cipher_set_suites() - choose ciphers for TLS 1.3
 * @ctx: for whom
 * @suites: names, with colons between them
 *
 * Return: false if there is a name that OpenSSL doesn't know, or if none of
 * them fits.
 */
bool cipher_set_suites(SSL_CTX *ctx, const char *suites)
{
	bool good = SSL_CTX_set_ciphersuites(ctx, suites);
	char *fitting = NULL;

	if (good)
		fitting = list_fitting(ctx, true);
	good = fitting && *fitting && SSL_CTX_set_ciphersuites(ctx, fitting);
	free(fitting);
	return good;
}
