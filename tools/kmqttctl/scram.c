// SPDX-License-Identifier: GPL-2.0
/*
 * The keys of SCRAM: derived from a password, or as PostgreSQL writes them.
 */
#include "scram.h"

#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base64.h"
#include "text.h"

#define SALT_LEN	16

static bool hmac(const EVP_MD *md, const uint8_t *key, size_t key_len,
		 const char *data, uint8_t *out)
{
	return HMAC(md, key, key_len, (const unsigned char *)data, strlen(data),
		    out, NULL);
}

static const EVP_MD *hash_of(struct scram *scram, bool sha_512)
{
	const EVP_MD *md = sha_512 ? EVP_sha512() : EVP_sha256();

	memset(scram, 0, sizeof(*scram));
	scram->key_len = EVP_MD_get_size(md);
	return md;
}

/**
 * scram_derive() - make keys of a password, with a new salt
 * @scram: the keys
 * @sha_512: of SCRAM-SHA-512, else of SCRAM-SHA-256
 * @password: the password
 * @iterations: of the derivation
 *
 * Return: false if OpenSSL can't.
 */
bool scram_derive(struct scram *scram, bool sha_512, const char *password,
		  uint32_t iterations)
{
	const EVP_MD *md = hash_of(scram, sha_512);
	uint8_t salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];
	bool ok;

	scram->iterations = iterations;
	scram->salt_len = SALT_LEN;
	ok = RAND_bytes(scram->salt, SALT_LEN) == 1 &&
	     PKCS5_PBKDF2_HMAC(password, -1, scram->salt, SALT_LEN, iterations,
			       md, scram->key_len, salted) &&
	     hmac(md, salted, scram->key_len, "Client Key", client) &&
	     EVP_Digest(client, scram->key_len, scram->stored_key, NULL, md,
			NULL) &&
	     hmac(md, salted, scram->key_len, "Server Key", scram->server_key);
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return ok;
}

/**
 * scram_read() - read keys that were derived elsewhere
 * @scram: the keys
 * @sha_512: of SCRAM-SHA-512, else of SCRAM-SHA-256
 * @text: "ITERATIONS:SALT:STOREDKEY:SERVERKEY", or as PostgreSQL writes it,
 *	with a $ behind the salt and the method's name and a $ in front
 *
 * Return: false if @text is something else.
 */
bool scram_read(struct scram *scram, bool sha_512, const char *text)
{
	const char *prefix = sha_512 ? "SCRAM-SHA-512$" : "SCRAM-SHA-256$";
	char number[TEXT_NUMBER_MAX];
	size_t want, stored, server;
	const char *colon;
	uint64_t value;

	hash_of(scram, sha_512);
	want = scram->key_len;
	if (!strncmp(text, prefix, strlen(prefix)))
		text += strlen(prefix);
	colon = strchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof(number))
		return false;
	memcpy(number, text, colon - text);
	number[colon - text] = '\0';
	if (!text_to_number(number, UINT32_MAX, &value))
		return false;
	scram->iterations = value;
	text = base64_read(colon + 1, ":$", scram->salt, &scram->salt_len);
	text = text ? base64_read(text, ":", scram->stored_key, &stored) : NULL;
	text = text ? base64_read(text, "", scram->server_key, &server) : NULL;
	return text && stored == want && server == want;
}
