// SPDX-License-Identifier: GPL-2.0
/*
 * The server's side of SCRAM (RFC 5802, RFC 7677), without channel binding.
 *
 *	client-first	n,,n=user,r=cnonce
 *	server-first	r=cnonce snonce,s=salt,i=iterations
 *	client-final	c=biws,r=cnonce snonce,p=proof
 *	server-final	v=signature
 */
#include "scram.h"

#include <crypto/hash.h>
#include <crypto/utils.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "../compat.h"

/* What users who don't exist are told, so that nobody can tell. */
#define FAKE_ITERATIONS	210000
#define FAKE_SALT_LEN	16

/* Beside the client's own bytes in server-first. */
#define SERVER_FIRST_MAX	(KMQTT_AUTH_MESSAGE_MAX + \
				 KMQTT_SCRAM_NONCE_MAX + 128)
/* client-first-bare, server-first, client-final without its proof. */
#define TRANSCRIPT_MAX	(2 * KMQTT_AUTH_MESSAGE_MAX + SERVER_FIRST_MAX + 2)

/**
 * struct scram_hash - a hash function
 * @name: of the hash
 * @hmac_name: of the message authentication code with it
 * @len: bytes of both
 * @hash: got when the module is loaded
 * @hmac: likewise; has one key at a time, under scram_mutex
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
	SCRAM_DONE,
};

/**
 * struct kmqtt_scram - an exchange
 * @auth: what others see of it
 * @h: hash of the method
 * @state: what the client has to send
 * @known: there is such a user; without, @key is made up
 * @key: of the user
 * @snonce: our part of the nonce, terminated
 * @gs2_len: bytes of @gs2
 * @gs2: what client-first began with
 * @nonce_off: where both nonces stand in @transcript
 * @nonce_len: bytes of them
 * @transcript_len: bytes of @transcript
 * @transcript: what is signed
 * @out: room for the next message
 * @user: name of the user
 */
struct kmqtt_scram {
	struct kmqtt_auth auth;
	struct scram_hash *h;
	enum scram_state state;
	bool known;
	struct kmqtt_scram_key key;
	char snonce[KMQTT_SCRAM_NONCE_MAX + 1];
	u32 gs2_len;
	u8 gs2[KMQTT_USER_MAX + 8];
	u32 nonce_off;
	u32 nonce_len;
	u32 transcript_len;
	u8 transcript[TRANSCRIPT_MAX];
	u8 out[SERVER_FIRST_MAX];
	u8 user[KMQTT_USER_MAX];
};

/* The text of a message that is being taken apart. */
struct text {
	const u8 *pos;
	const u8 *end;
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

static int hmac(struct scram_hash *h, const u8 *key, u32 key_len,
		const u8 *data, u32 len, u8 *out)
{
	int err;

	mutex_lock(&scram_mutex);
	err = crypto_shash_setkey(h->hmac, key, key_len);
	if (!err)
		err = crypto_shash_tfm_digest(h->hmac, data, len, out);
	mutex_unlock(&scram_mutex);
	return err;
}

static struct kmqtt_scram *scram_of(struct kmqtt_auth *auth)
{
	return container_of(auth, struct kmqtt_scram, auth);
}

static struct kmqtt_auth *
scram_create(const struct kmqtt_auth_ops *ops, struct kmqtt_access *access)
{
	u8 random[KMQTT_SCRAM_NONCE_LEN / 4 * 3];
	struct kmqtt_scram *scram;

	scram = kvzalloc(sizeof(*scram), GFP_KERNEL);
	if (!scram)
		return NULL;
	scram->h = &hashes[ops->id];
	get_random_bytes(random, sizeof(random));
	kmqtt_base64_encode(random, sizeof(random), scram->snonce);
	return &scram->auth;
}

/**
 * kmqtt_scram_set_nonce() - choose the broker's nonce, for tests alone
 * @auth: an exchange that has not begun
 * @nonce: up to KMQTT_SCRAM_NONCE_MAX characters
 *
 * Context: any.
 */
void kmqtt_scram_set_nonce(struct kmqtt_auth *auth, const char *nonce)
{
	strscpy(scram_of(auth)->snonce, nonce);
}

static void scram_destroy(struct kmqtt_auth *auth)
{
	kvfree_sensitive(scram_of(auth), sizeof(struct kmqtt_scram));
}

/* The next attribute "x=value" up to a comma. Returns false if there is none. */
static bool next_attr(struct text *t, char name, struct kmqtt_str *value)
{
	const u8 *comma;

	if (t->end - t->pos < 2 || t->pos[0] != name || t->pos[1] != '=')
		return false;
	t->pos += 2;
	comma = memchr(t->pos, ',', t->end - t->pos);
	value->data = t->pos;
	value->len = (comma ?: t->end) - t->pos;
	t->pos = comma ? comma + 1 : t->end;
	return true;
}

/* saslname: a name with "=2C" for a comma and "=3D" for an equals sign. */
static bool read_name(const struct kmqtt_str *s, u8 *to, u16 *len)
{
	u32 n = 0, i = 0;

	while (i < s->len) {
		u8 c = s->data[i++];

		if (c == '=') {
			if (s->len - i < 2)
				return false;
			if (!memcmp(s->data + i, "2C", 2))
				c = ',';
			else if (memcmp(s->data + i, "3D", 2))
				return false;
			i += 2;
		}
		if (n == KMQTT_USER_MAX)
			return false;
		to[n++] = c;
	}
	*len = n;
	return n && kmqtt_utf8_valid(to, n);
}

static bool is_printable(const struct kmqtt_str *s)
{
	u32 i;

	for (i = 0; i < s->len; i++) {
		if (s->data[i] < 0x21 || s->data[i] > 0x7e)
			return false;
	}
	return s->len;
}

/* "n,," or "y,,", maybe with an identity that has to be the user's own. */
static bool read_gs2(struct kmqtt_scram *scram, struct text *t,
		     struct kmqtt_str *authzid)
{
	const u8 *start = t->pos;

	if (t->end - t->pos < 3 || (*t->pos != 'n' && *t->pos != 'y') ||
	    t->pos[1] != ',')
		return false;
	t->pos += 2;
	if (*t->pos == ',')
		t->pos++;
	else if (!next_attr(t, 'a', authzid))
		return false;
	scram->gs2_len = t->pos - start;
	if (scram->gs2_len > sizeof(scram->gs2))
		return false;
	memcpy(scram->gs2, start, scram->gs2_len);
	return true;
}

/* A key for a user who doesn't exist, always the same for the same name. */
static int make_up_key(struct kmqtt_scram *scram)
{
	struct kmqtt_access *access = scram->auth.access;
	u8 digest[KMQTT_SCRAM_HASH_MAX];
	int err;

	err = hmac(scram->h, access->probe_key, sizeof(access->probe_key),
		   scram->user, scram->auth.user_len, digest);
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
	struct kmqtt_str name = {
		.data = scram->user,
		.len = scram->auth.user_len,
	};

	scram->known = kmqtt_user_get_scram(&scram->auth.access->users, &name,
					    scram->auth.ops->id,
					    &scram->key);
	return scram->known ? 0 : make_up_key(scram);
}

static void add_transcript(struct kmqtt_scram *scram, const u8 *data, u32 len)
{
	memcpy(scram->transcript + scram->transcript_len, data, len);
	scram->transcript_len += len;
}

/* Both nonces, the salt and the number of iterations. */
static void make_server_first(struct kmqtt_scram *scram,
			      const struct kmqtt_str *cnonce)
{
	char salt[KMQTT_SCRAM_KEY_MAX * 4 / 3 + 4];
	int salt_len;
	u32 len;

	salt_len = kmqtt_base64_encode(scram->key.salt, scram->key.salt_len,
				       salt);
	len = scnprintf(scram->out, sizeof(scram->out), "r=%.*s%s,s=%.*s,i=%u",
			cnonce->len, cnonce->data, scram->snonce, salt_len,
			salt, scram->key.iterations);
	scram->auth.out = scram->out;
	scram->auth.out_len = len;
	add_transcript(scram, ",", 1);
	scram->nonce_off = scram->transcript_len + 2;
	scram->nonce_len = cnonce->len + strlen(scram->snonce);
	add_transcript(scram, scram->out, len);
}

static enum kmqtt_reason client_first(struct kmqtt_scram *scram,
				      const struct kmqtt_str *data)
{
	struct text t = { .pos = data->data, .end = data->data + data->len };
	struct kmqtt_str authzid = {}, name, cnonce;

	if (!read_gs2(scram, &t, &authzid))
		return KMQTT_REASON_PROTOCOL_ERROR;
	add_transcript(scram, t.pos, t.end - t.pos);
	/* An extension that must be understood (m=) stands in front. */
	if (!next_attr(&t, 'n', &name) || !next_attr(&t, 'r', &cnonce) ||
	    !is_printable(&cnonce) ||
	    !read_name(&name, scram->user, &scram->auth.user_len))
		return KMQTT_REASON_PROTOCOL_ERROR;
	scram->auth.user = scram->user;
	/* Nobody can be somebody else. */
	if (authzid.data && (authzid.len != name.len ||
			     memcmp(authzid.data, name.data, name.len)))
		return KMQTT_REASON_NOT_AUTHORIZED;
	if (find_key(scram))
		return KMQTT_REASON_UNSPECIFIED;
	make_server_first(scram, &cnonce);
	scram->state = SCRAM_FINAL;
	return KMQTT_REASON_CONTINUE_AUTHENTICATION;
}

/* Is "c=" the beginning of client-first, in base64? */
static bool is_binding(const struct kmqtt_scram *scram,
		       const struct kmqtt_str *c)
{
	char want[(sizeof(scram->gs2) + 2) / 3 * 4];
	u32 len = kmqtt_base64_encode(scram->gs2, scram->gs2_len, want);

	return c->len == len && !memcmp(c->data, want, len);
}

/* What base64 of a proof may decode to before its length is known. */
#define PROOF_MAX	(DIV_ROUND_UP(KMQTT_SCRAM_HASH_MAX, 3) * 3)

/* The proof is the last attribute; those before it that we don't know pass. */
static bool read_proof(struct text *t, u8 *proof, u32 len, const u8 **start)
{
	struct kmqtt_str value;

	while (t->end - t->pos >= 2 && *t->pos != 'p') {
		if (!next_attr(t, *t->pos, &value))
			return false;
	}
	*start = t->pos;
	if (!next_attr(t, 'p', &value) || t->pos != t->end ||
	    value.len != DIV_ROUND_UP(len, 3) * 4)
		return false;
	return kmqtt_base64_decode(value.data, value.len, proof) == len;
}

/* Does the proof come from who knows the password (RFC 5802, 3)? */
static bool verify(struct kmqtt_scram *scram, const u8 *proof)
{
	u8 client_key[KMQTT_SCRAM_HASH_MAX], stored_key[KMQTT_SCRAM_HASH_MAX];
	struct scram_hash *h = scram->h;
	bool good;
	int err;

	/* ClientKey is the proof with the signature taken off. */
	err = hmac(h, scram->key.stored_key, h->len, scram->transcript,
		   scram->transcript_len, client_key);
	crypto_xor(client_key, proof, h->len);
	if (!err)
		err = crypto_shash_tfm_digest(h->hash, client_key, h->len,
					      stored_key);
	good = !err && !crypto_memneq(stored_key, scram->key.stored_key, h->len);
	memzero_explicit(client_key, sizeof(client_key));
	memzero_explicit(stored_key, sizeof(stored_key));
	return good && scram->known;
}

static int make_server_final(struct kmqtt_scram *scram)
{
	u8 signature[KMQTT_SCRAM_HASH_MAX];
	struct scram_hash *h = scram->h;
	int err;

	err = hmac(h, scram->key.server_key, h->len, scram->transcript,
		   scram->transcript_len, signature);
	if (err)
		return err;
	memcpy(scram->out, "v=", 2);
	scram->auth.out = scram->out;
	scram->auth.out_len = 2 + kmqtt_base64_encode(signature, h->len,
						      scram->out + 2);
	return 0;
}

static enum kmqtt_reason client_final(struct kmqtt_scram *scram,
				      const struct kmqtt_str *data)
{
	struct text t = { .pos = data->data, .end = data->data + data->len };
	struct kmqtt_str c, nonce;
	u8 proof[PROOF_MAX];
	const u8 *end;

	if (!next_attr(&t, 'c', &c) || !next_attr(&t, 'r', &nonce) ||
	    !read_proof(&t, proof, scram->h->len, &end))
		return KMQTT_REASON_PROTOCOL_ERROR;
	if (!is_binding(scram, &c) || nonce.len != scram->nonce_len ||
	    memcmp(nonce.data, scram->transcript + scram->nonce_off, nonce.len))
		return KMQTT_REASON_NOT_AUTHORIZED;
	add_transcript(scram, ",", 1);
	add_transcript(scram, data->data, end - 1 - data->data);
	if (!verify(scram, proof))
		return KMQTT_REASON_NOT_AUTHORIZED;
	if (make_server_final(scram))
		return KMQTT_REASON_UNSPECIFIED;
	scram->state = SCRAM_DONE;
	return KMQTT_REASON_SUCCESS;
}

static enum kmqtt_reason scram_step(struct kmqtt_auth *auth,
				    const struct kmqtt_str *data)
{
	struct kmqtt_scram *scram = scram_of(auth);

	switch (scram->state) {
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
