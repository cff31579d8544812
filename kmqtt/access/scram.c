// SPDX-License-Identifier: GPL-2.0
/*
 * The server's side of SCRAM (RFC 5802, RFC 7677), without channel binding.
 *
 *	client-first	n,,n=user,r=cnonce
 *	server-first	r=cnonce snonce,s=salt,i=iterations
 *	client-final	c=biws,r=cnonce snonce,p=proof
 *	server-final	v=signature
 *
 * Proof and signature are about all of it but themselves: the first message
 * behind its "n,,", the second and the third, with commas between.
 */
#include "scram.h"

#include <crypto/hash.h>
#include <crypto/utils.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "../compat.h"
#include "scram_text.h"

/* What users who don't exist are told, so that nobody can tell. */
#define FAKE_ITERATIONS	210000
#define FAKE_SALT_LEN	16

/* Characters of a client's nonce; clients in use have up to 64. */
#define CLIENT_NONCE_MAX	256

/* Random bytes of the broker's nonce, and characters of it. */
#define NONCE_BYTES	18
#define NONCE_MAX	32

/* "r=", both nonces, ",s=", base64 of the salt, ",i=", a number, a null byte */
#define SERVER_FIRST_MAX	(2 + CLIENT_NONCE_MAX + NONCE_MAX + \
				 3 + DIV_ROUND_UP(KMQTT_SCRAM_KEY_MAX, 3) * 4 + \
				 3 + 10 + 1)

/**
 * struct scram_hash - a hash function
 * @name: of the hash
 * @hmac_name: of the message authentication code with it
 * @len: bytes of both
 * @hash: got when the module is loaded
 * @hmac: likewise; has one key at a time, under scram_mutex
 *
 * One of each serves all exchanges. A key of its own for each would cost every
 * exchange another allocation of that size, and what is done under the mutex
 * takes microseconds.
 */
struct scram_hash {
	const char *name;
	const char *hmac_name;
	u32 len;
	struct crypto_shash *hash;
	struct crypto_shash *hmac;
};

static struct scram_hash hashes[KMQTT_SCRAM_METHODS] = {
	[KMQTT_AUTH_METHOD_SCRAM_SHA_256] = { "sha256", "hmac(sha256)", 32 },
	[KMQTT_AUTH_METHOD_SCRAM_SHA_512] = { "sha512", "hmac(sha512)", 64 },
};

static DEFINE_MUTEX(scram_mutex);	/* keys of hashes[].hmac */

enum scram_state {
	SCRAM_FIRST,
	SCRAM_FINAL,
	SCRAM_ENDED,
};

/**
 * struct kmqtt_scram - an exchange
 * @auth: what others see of it
 * @h: hash of the method
 * @state: what the client has to send
 * @known: there is such a user; without, @key is made up
 * @key: of the user
 * @snonce_len: bytes of @snonce
 * @snonce: our part of the nonce
 * @gs2_len: bytes in front of @text that the client has to repeat
 * @nonce_off: where both nonces stand in @text
 * @nonce_len: bytes of them
 * @text_len: bytes of @text
 * @text: client-first, a comma, server-first, a comma
 * @user_len: bytes of @user
 * @user: name of the user
 */
struct kmqtt_scram {
	struct kmqtt_auth auth;
	struct scram_hash *h;
	enum scram_state state;
	bool known;
	struct kmqtt_scram_key key;
	u8 snonce_len;
	u8 snonce[NONCE_MAX];
	u16 gs2_len;
	u16 nonce_off;
	u16 nonce_len;
	u16 text_len;
	u8 text[KMQTT_AUTH_MESSAGE_MAX + 1 + SERVER_FIRST_MAX + 1];
	u16 user_len;
	u8 user[KMQTT_USER_MAX];
};

/* Whoever can open a connection can have one. */
static_assert(sizeof(struct kmqtt_scram) <= 2048);

/* Bytes, wherever they are. */
struct bytes {
	const u8 *data;
	u32 len;
};

/**
 * kmqtt_scram_hash_len() - length of a method's keys
 * @method: the method
 *
 * Context: any.
 * Return: bytes.
 */
u32 kmqtt_scram_hash_len(enum kmqtt_auth_method method)
{
	return hashes[method].len;
}

/* The code of @a and @b, one behind the other. */
static int hmac(struct scram_hash *h, struct bytes key, struct bytes a,
		struct bytes b, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, h->hmac);
	int err;

	desc->tfm = h->hmac;
	mutex_lock(&scram_mutex);
	err = crypto_shash_setkey(h->hmac, key.data, key.len) ?:
	      crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, a.data, a.len) ?:
	      crypto_shash_finup(desc, b.data, b.len, out);
	mutex_unlock(&scram_mutex);
	shash_desc_zero(desc);
	return err;
}

static struct kmqtt_scram *scram_of(struct kmqtt_auth *auth)
{
	return container_of(auth, struct kmqtt_scram, auth);
}

static struct kmqtt_auth *
scram_create(const struct kmqtt_auth_ops *ops, struct kmqtt_port *port)
{
	struct kmqtt_scram *scram;
	u8 random[NONCE_BYTES];

	scram = kzalloc(sizeof(*scram), GFP_KERNEL);
	if (!scram)
		return NULL;
	scram->h = &hashes[ops->id];
	get_random_bytes(random, sizeof(random));
	scram->snonce_len = kmqtt_base64_encode(random, sizeof(random),
						scram->snonce);
	return &scram->auth;
}

#if IS_ENABLED(CONFIG_KMQTT_KUNIT_TEST)
/**
 * kmqtt_scram_set_nonce() - choose the broker's nonce
 * @auth: an exchange that has not begun
 * @nonce: up to 32 characters
 *
 * Published examples have one. Modules without tests haven't got this.
 *
 * Context: any.
 */
void kmqtt_scram_set_nonce(struct kmqtt_auth *auth, const char *nonce)
{
	struct kmqtt_scram *scram = scram_of(auth);

	scram->snonce_len = min_t(size_t, strlen(nonce), NONCE_MAX);
	memcpy(scram->snonce, nonce, scram->snonce_len);
}
#endif

static void scram_destroy(struct kmqtt_auth *auth)
{
	kfree_sensitive(scram_of(auth));
}

/* A key for a user who doesn't exist, always the same for the same name. */
static int make_up_key(struct kmqtt_scram *scram)
{
	struct kmqtt_access *access = scram->auth.port->access;
	struct bytes probe = { access->probe_key, sizeof(access->probe_key) };
	struct bytes name = { scram->user, scram->user_len };
	u8 digest[KMQTT_SCRAM_HASH_MAX] = {};
	int err;

	err = hmac(scram->h, probe, name, (struct bytes){}, digest);
	scram->key.iterations = FAKE_ITERATIONS;
	scram->key.salt_len = FAKE_SALT_LEN;
	memcpy(scram->key.salt, digest, FAKE_SALT_LEN);
	memcpy(scram->key.stored_key, digest, sizeof(digest));
	memcpy(scram->key.server_key, digest, sizeof(digest));
	memzero_explicit(digest, sizeof(digest));
	return err;
}

static int find_key(struct kmqtt_scram *scram)
{
	struct kmqtt_str name = { .data = scram->user, .len = scram->user_len };
	struct kmqtt_realm *realm;
	int err;

	/* For everybody, so that the time doesn't tell who exists. */
	err = make_up_key(scram);
	rcu_read_lock();
	realm = kmqtt_port_realm(scram->auth.port);
	scram->known = kmqtt_user_get_scram(&realm->users, &name,
					    scram->auth.ops->id, &scram->key);
	rcu_read_unlock();
	return err;
}

/* Both nonces, the salt and the number of iterations. */
static void make_server_first(struct kmqtt_scram *scram,
			      const struct kmqtt_str *cnonce)
{
	char salt[DIV_ROUND_UP(KMQTT_SCRAM_KEY_MAX, 3) * 4];
	u8 *out = scram->text + scram->text_len + 1;
	int salt_len, len;

	salt_len = kmqtt_base64_encode(scram->key.salt, scram->key.salt_len,
				       salt);
	len = scnprintf(out, SERVER_FIRST_MAX, "r=%.*s%.*s,s=%.*s,i=%u",
			cnonce->len, cnonce->data, scram->snonce_len,
			scram->snonce, salt_len, salt, scram->key.iterations);
	out[-1] = ',';
	out[len] = ',';
	scram->nonce_off = scram->text_len + 1 + 2;
	scram->nonce_len = cnonce->len + scram->snonce_len;
	scram->text_len += 1 + len + 1;
	scram->auth.out = out;
	scram->auth.out_len = len;
}

static enum kmqtt_reason client_first(struct kmqtt_scram *scram,
				      const struct kmqtt_str *data)
{
	struct kmqtt_scram_first first;

	if (!kmqtt_scram_read_first(data, &first) ||
	    !kmqtt_scram_read_name(&first.name, scram->user,
				   sizeof(scram->user), &scram->user_len))
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (first.nonce.len > CLIENT_NONCE_MAX)
		return KMQTT_REASON_IMPLEMENTATION_SPECIFIC;
	/* Nobody can be somebody else. There is one way to escape a name. */
	if (first.authzid.data &&
	    (first.authzid.len != first.name.len ||
	     memcmp(first.authzid.data, first.name.data, first.name.len)))
		return KMQTT_REASON_NOT_AUTHORIZED;
	if (find_key(scram))
		return KMQTT_REASON_UNSPECIFIED;
	memcpy(scram->text, data->data, data->len);
	scram->text_len = data->len;
	scram->gs2_len = first.gs2_len;
	make_server_first(scram, &first.nonce);
	scram->state = SCRAM_FINAL;
	return KMQTT_REASON_CONTINUE_AUTHENTICATION;
}

/* Does the proof come from who knows the password (RFC 5802, 3)? */
static bool verify(struct kmqtt_scram *scram, struct bytes ours,
		   struct bytes theirs, const u8 *proof)
{
	u8 client_key[KMQTT_SCRAM_HASH_MAX], stored_key[KMQTT_SCRAM_HASH_MAX];
	struct scram_hash *h = scram->h;
	struct bytes key = { scram->key.stored_key, h->len };
	bool good;
	int err;

	/* ClientKey is the proof with the signature taken off. */
	err = hmac(h, key, ours, theirs, client_key);
	if (!err) {
		crypto_xor(client_key, proof, h->len);
		err = crypto_shash_tfm_digest(h->hash, client_key, h->len,
					      stored_key);
	}
	good = !err && !crypto_memneq(stored_key, scram->key.stored_key, h->len);
	memzero_explicit(client_key, sizeof(client_key));
	memzero_explicit(stored_key, sizeof(stored_key));
	return good && scram->known;
}

/* What shows the client that we know the password, too. */
static int make_server_final(struct kmqtt_scram *scram, struct bytes ours,
			     struct bytes theirs)
{
	struct bytes key = { scram->key.server_key, scram->h->len };
	u8 signature[KMQTT_SCRAM_HASH_MAX];
	int err;

	err = hmac(scram->h, key, ours, theirs, signature);
	if (err)
		return err;
	/* Nobody needs what was here any more, @ours included. */
	memcpy(scram->text, "v=", 2);
	scram->auth.out = scram->text;
	scram->auth.out_len = 2 + kmqtt_base64_encode(signature, scram->h->len,
						      scram->text + 2);
	return 0;
}

static enum kmqtt_reason client_final(struct kmqtt_scram *scram,
				      const struct kmqtt_str *data)
{
	struct bytes ours, theirs = { .data = data->data };
	struct kmqtt_scram_final final;
	u8 proof[KMQTT_SCRAM_HASH_MAX];

	if (!kmqtt_scram_read_final(data, &final) ||
	    !kmqtt_scram_read_bytes(&final.proof, proof, scram->h->len))
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (!kmqtt_scram_is_base64_of(&final.binding, scram->text,
				      scram->gs2_len) ||
	    final.nonce.len != scram->nonce_len ||
	    memcmp(final.nonce.data, scram->text + scram->nonce_off,
		   scram->nonce_len))
		return KMQTT_REASON_NOT_AUTHORIZED;
	ours.data = scram->text + scram->gs2_len;
	ours.len = scram->text_len - scram->gs2_len;
	theirs.len = final.signed_len;
	if (!verify(scram, ours, theirs, proof))
		return KMQTT_REASON_NOT_AUTHORIZED;
	if (make_server_final(scram, ours, theirs))
		return KMQTT_REASON_UNSPECIFIED;
	scram->auth.user = scram->user;
	scram->auth.user_len = scram->user_len;
	scram->auth.stamp =
		kmqtt_scram_key_stamp(&scram->key,
				      &scram->auth.port->access->stamp_secret);
	return KMQTT_REASON_SUCCESS;
}

static enum kmqtt_reason scram_step(struct kmqtt_auth *auth,
				    const struct kmqtt_str *data)
{
	struct kmqtt_scram *scram = scram_of(auth);
	enum scram_state state = scram->state;

	/* One mistake, and it is over. */
	scram->state = SCRAM_ENDED;
	switch (state) {
	case SCRAM_FIRST:
		return client_first(scram, data);
	case SCRAM_FINAL:
		return client_final(scram, data);
	default:
		return KMQTT_REASON_PROTOCOL_ERROR;
	}
}

const struct kmqtt_auth_ops kmqtt_scram_sha_256 = {
	.name = "SCRAM-SHA-256",
	.id = KMQTT_AUTH_METHOD_SCRAM_SHA_256,
	.create = scram_create,
	.step = scram_step,
	.destroy = scram_destroy,
};

const struct kmqtt_auth_ops kmqtt_scram_sha_512 = {
	.name = "SCRAM-SHA-512",
	.id = KMQTT_AUTH_METHOD_SCRAM_SHA_512,
	.create = scram_create,
	.step = scram_step,
	.destroy = scram_destroy,
};

/**
 * kmqtt_scram_module_uninit() - give the hash functions back
 *
 * Context: module exit; no exchange is under way.
 */
void kmqtt_scram_module_uninit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		if (!IS_ERR_OR_NULL(hashes[i].hash))
			crypto_free_shash(hashes[i].hash);
		if (!IS_ERR_OR_NULL(hashes[i].hmac))
			crypto_free_shash(hashes[i].hmac);
		hashes[i].hash = NULL;
		hashes[i].hmac = NULL;
	}
}

/**
 * kmqtt_scram_module_init() - get the hash functions
 *
 * Context: module initialization.
 * Return: 0 or a negative errno.
 */
int kmqtt_scram_module_init(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(hashes) && !err; i++) {
		hashes[i].hash = crypto_alloc_shash(hashes[i].name, 0, 0);
		hashes[i].hmac = crypto_alloc_shash(hashes[i].hmac_name, 0, 0);
		err = PTR_ERR_OR_ZERO(hashes[i].hash) ?:
		      PTR_ERR_OR_ZERO(hashes[i].hmac);
	}
	if (err)
		kmqtt_scram_module_uninit();
	return err;
}
