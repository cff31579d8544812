// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords, by the two ways in which mosquitto_passwd makes hashes of them:
 * PBKDF2 with HMAC-SHA-512 (RFC 8018, 5.2), of which one block is the key, and
 * a single SHA-512 of password and salt.
 */
#include "password.h"

#include <crypto/hash.h>
#include <crypto/utils.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* Iterations between two looks at whether anybody still wants to know. */
#define STRIDE	256

/* Has no key, so it serves all. */
static struct crypto_shash *sha512;

/*
 * Which keys derivations have, each has a code of its own; this one is here so
 * that making another neither loads nor tests anything.
 */
static struct crypto_shash *hmac_sha512;

/*
 * What HMAC makes of its key is made once, by setting it. An iteration then
 * costs two blocks of SHA-512, which is as few as there can be.
 */
static int derive(struct crypto_shash *hmac, const struct kmqtt_password *p,
		  const bool *stop, u8 *out)
{
	u8 u[KMQTT_PASSWORD_HASH_LEN], number[4];
	SHASH_DESC_ON_STACK(desc, hmac);
	u32 i;
	int err;

	desc->tfm = hmac;
	put_unaligned_be32(1, number);
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, p->salt, p->salt_len) ?:
	      crypto_shash_finup(desc, number, sizeof(number), u);
	memcpy(out, u, sizeof(u));
	for (i = 1; !err && i < p->iterations; i++) {
		err = crypto_shash_digest(desc, u, sizeof(u), u);
		crypto_xor(out, u, sizeof(u));
		if (i % STRIDE)
			continue;
		if (READ_ONCE(*stop))
			err = -ECANCELED;
		cond_resched();
	}
	shash_desc_zero(desc);
	memzero_explicit(u, sizeof(u));
	return err;
}

static int kmqtt_pbkdf2_sha512(const struct kmqtt_password *p,
			       const struct kmqtt_str *text, const bool *stop,
			       u8 *out)
{
	struct crypto_shash *hmac;
	int err;

	hmac = crypto_alloc_shash("hmac(sha512)", 0, 0);
	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = crypto_shash_setkey(hmac, text->data, text->len) ?:
	      derive(hmac, p, stop, out);
	/* Zeroes the key, too. */
	crypto_free_shash(hmac);
	return err;
}

static int salted_sha512(const struct kmqtt_password *p,
			 const struct kmqtt_str *text, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, sha512);
	int err;

	desc->tfm = sha512;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, text->data, text->len) ?:
	      crypto_shash_finup(desc, p->salt, p->salt_len, out);
	shash_desc_zero(desc);
	return err;
}

/**
 * kmqtt_password_check() - is it this password?
 * @password: what the password is told by
 * @text: what somebody says that it is
 * @stop: if this becomes true nobody wants to know any more
 *
 * Context: process, may sleep.
 * Return: 0, -EACCES if it is another, -ECANCELED if it was stopped, or another
 * negative errno if that can't be told.
 */
int kmqtt_password_check(const struct kmqtt_password *password,
			 const struct kmqtt_str *text, const bool *stop)
{
	u8 hash[KMQTT_PASSWORD_HASH_LEN];
	int err;

	if (password->method == KMQTT_PASSWORD_METHOD_SHA512)
		err = salted_sha512(password, text, hash);
	else
		err = kmqtt_pbkdf2_sha512(password, text, stop, hash);
	if (!err && crypto_memneq(hash, password->hash, sizeof(hash)))
		err = -EACCES;
	memzero_explicit(hash, sizeof(hash));
	return err;
}

/**
 * kmqtt_password_module_uninit() - give the hash functions back
 *
 * Context: module exit; nothing is checked any more.
 */
void kmqtt_password_module_uninit(void)
{
	if (!IS_ERR_OR_NULL(sha512))
		crypto_free_shash(sha512);
	if (!IS_ERR_OR_NULL(hmac_sha512))
		crypto_free_shash(hmac_sha512);
	sha512 = NULL;
	hmac_sha512 = NULL;
}

/**
 * kmqtt_password_module_init() - get the hash functions
 *
 * Context: module initialization.
 * Return: 0 or a negative errno.
 */
int kmqtt_password_module_init(void)
{
	int err;

	sha512 = crypto_alloc_shash("sha512", 0, 0);
	hmac_sha512 = crypto_alloc_shash("hmac(sha512)", 0, 0);
	err = PTR_ERR_OR_ZERO(sha512) ?: PTR_ERR_OR_ZERO(hmac_sha512);
	if (err)
		kmqtt_password_module_uninit();
	return err;
}
