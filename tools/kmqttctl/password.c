// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords as mosquitto_passwd keeps them.
 */
#include "password.h"

#include <assert.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "text.h"

/* As long as those of mosquitto_passwd. */
#define SALT_LEN	12

static_assert(BASE64_BYTES_MAX >= PASSWORD_HASH_LEN, "room for a hash");

/**
 * password_derive() - make a hash of a password, with a new salt
 * @password: the hash
 * @text: the password
 * @iterations: of PBKDF2
 *
 * Return: false if OpenSSL can't.
 */
bool password_derive(struct password *password, const char *text,
		     uint32_t iterations)
{
	*password = (struct password){
		.iterations = iterations,
		.salt_len = SALT_LEN,
	};
	return RAND_bytes(password->salt, SALT_LEN) == 1 &&
	       PKCS5_PBKDF2_HMAC(text, -1, password->salt, SALT_LEN, iterations,
				 EVP_sha512(), PASSWORD_HASH_LEN,
				 password->hash);
}

/* A number and the $ behind it; returns what follows or NULL. */
static const char *read_iterations(const char *text, uint32_t *iterations)
{
	size_t len = strcspn(text, "$");
	char number[TEXT_NUMBER_MAX];
	uint64_t value;

	if (!text[len] || len >= sizeof(number))
		return NULL;
	memcpy(number, text, len);
	number[len] = '\0';
	if (!text_to_number(number, PASSWORD_ITERATIONS_MAX, &value) || !value)
		return NULL;
	*iterations = value;
	return text + len + 1;
}

/**
 * password_unsupported() - is it a hash that the broker can't check?
 * @text: what mosquitto_passwd has made
 *
 * Return: what to do instead; NULL if it is none of these.
 */
const char *password_unsupported(const char *text)
{
	if (!strncmp(text, "$argon2id$", 10))
		return "argon2id is not supported: use mosquitto_passwd -H sha512-pbkdf2";
	return NULL;
}

/**
 * password_read() - read a hash that mosquitto_passwd has made
 * @password: the hash
 * @text: "$7$ITERATIONS$SALT$HASH" or "$6$SALT$HASH"
 *
 * Return: false if @text is something else.
 */
bool password_read(struct password *password, const char *text)
{
	uint8_t hash[BASE64_BYTES_MAX];
	size_t len;

	*password = (struct password){ 0 };
	if (!strncmp(text, "$7$", 3))
		text = read_iterations(text + 3, &password->iterations);
	else if (!strncmp(text, "$6$", 3))
		text += 3;
	else
		return false;
	text = text ? base64_read(text, "$", password->salt,
				  &password->salt_len) : NULL;
	text = text ? base64_read(text, "", hash, &len) : NULL;
	if (!text || len != PASSWORD_HASH_LEN)
		return false;
	memcpy(password->hash, hash, len);
	return true;
}
