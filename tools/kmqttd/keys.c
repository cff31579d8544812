// SPDX-License-Identifier: GPL-2.0
/*
 * From the secrets of a handshake to the keys of its connection, as RFC 5246
 * (6.3) and RFC 8446 (7.1 and 7.3) have it.
 */
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>

#define LABEL_MAX	32

static OSSL_PARAM digest(const EVP_MD *md)
{
	return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						(char *)EVP_MD_get0_name(md),
						0);
}

static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)data, len);
}

static bool derive(const char *algorithm, const OSSL_PARAM *params,
		   unsigned char *to, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, algorithm, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool good = ctx && EVP_KDF_derive(ctx, to, len, params) > 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

/* HKDF-Expand-Label() with an empty context. */
static bool expand_label(const EVP_MD *md, const unsigned char *secret,
			 const char *label, unsigned char *to, size_t len)
{
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	unsigned char info[LABEL_MAX];
	OSSL_PARAM params[5];
	size_t n;

	n = snprintf((char *)info + 3, sizeof(info) - 4, "tls13 %s", label);
	info[0] = len >> 8;
	info[1] = len;
	info[2] = n;
	info[3 + n] = 0;
	params[0] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	params[1] = digest(md);
	params[2] = octets(OSSL_KDF_PARAM_KEY, secret, EVP_MD_get_size(md));
	params[3] = octets(OSSL_KDF_PARAM_INFO, info, 3 + n + 1);
	params[4] = OSSL_PARAM_construct_end();
	return derive("HKDF", params, to, len);
}

/**
 * keys_of_tls13() - find the keys that a traffic secret stands for
 * @md: hash of the cipher suite
 * @secret: as long as its output
 * @keys: with the lengths set, for the rest to fill in
 *
 * Return: true if that went well.
 */
bool keys_of_tls13(const EVP_MD *md, const unsigned char *secret,
		   struct keys *keys)
{
	return expand_label(md, secret, "key", keys->key, keys->key_len) &&
	       expand_label(md, secret, "iv", keys->iv, keys->iv_len);
}

static const unsigned char *take(const unsigned char *from, unsigned char *to,
				 size_t len)
{
	memcpy(to, from, len);
	return from + len;
}

/**
 * keys_of_tls12() - find the keys that a master secret stands for
 * @md: hash of the cipher suite
 * @master: the secret, and what it was agreed on with
 * @client: with the lengths set, for the rest to fill in
 * @server: the same
 *
 * Return: true if that went well.
 */
bool keys_of_tls12(const EVP_MD *md, const struct keys_master *master,
		   struct keys *client, struct keys *server)
{
	static const char label[] = "key expansion";
	unsigned char block[2 * (KEYS_KEY_MAX + KEYS_IV_MAX)];
	const unsigned char *from = block;
	OSSL_PARAM params[6];
	bool good;

	params[0] = digest(md);
	params[1] = octets(OSSL_KDF_PARAM_SECRET, master->secret,
			   sizeof(master->secret));
	/* The pieces of the seed are put together. */
	params[2] = octets(OSSL_KDF_PARAM_SEED, label, sizeof(label) - 1);
	params[3] = octets(OSSL_KDF_PARAM_SEED, master->server_random,
			   sizeof(master->server_random));
	params[4] = octets(OSSL_KDF_PARAM_SEED, master->client_random,
			   sizeof(master->client_random));
	params[5] = OSSL_PARAM_construct_end();
	good = derive("TLS1-PRF", params, block,
		      2 * (client->key_len + client->iv_len));
	if (good) {
		from = take(from, client->key, client->key_len);
		from = take(from, server->key, server->key_len);
		from = take(from, client->iv, client->iv_len);
		take(from, server->iv, server->iv_len);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return good;
}
