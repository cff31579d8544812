// SPDX-License-Identifier: GPL-2.0
/*
 * SCRAM against the example of RFC 7677, and the same exchange with SHA-512,
 * computed with Python's hashlib from the same password, salt and nonces; and
 * each way in which a client can get it wrong.
 */
#include "support.h"
#include "../access/scram.h"

#define CLIENT_FIRST	"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE	"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCES		"rOprNGfwEbeRWgbNEkqO" SERVER_NONCE
#define FINAL		"c=biws,r=" NONCES ",p="
#define PROOF_512_1	"gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw"
#define PROOF_512_2	"+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ=="
#define SIGNATURE_512_1	"v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0v"
#define SIGNATURE_512_2	"SVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="
#define SERVER_FIRST	"r=" NONCES ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

struct scram_case {
	const char *desc;
	enum kmqtt_auth_method method;
	u8 stored_key[KMQTT_SCRAM_KEY_MAX];
	u8 server_key[KMQTT_SCRAM_KEY_MAX];
	const char *client_final;
	const char *server_final;
};

static const u8 salt[] = {
	0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e,
	0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81,
};

static const struct scram_case scram_cases[] = {
	{
		.desc = "SCRAM-SHA-256",
		.method = KMQTT_AUTH_METHOD_SCRAM_SHA_256,
		.stored_key = {
		0x58, 0x6e, 0x5d, 0xf2, 0x83, 0xe6, 0xdc, 0xeb,
		0x5c, 0x3e, 0x79, 0x1d, 0x8b, 0x85, 0x28, 0xec,
		0x19, 0x1e, 0x66, 0x40, 0x45, 0xce, 0x97, 0x17,
		0x92, 0xe2, 0xe6, 0xb5, 0xbb, 0x13, 0xe2, 0xa6,
		},
		.server_key = {
		0xc1, 0xf3, 0xcb, 0xc1, 0xc1, 0x3a, 0x9d, 0x35,
		0xa1, 0x4c, 0x09, 0x90, 0xee, 0xd9, 0x76, 0x29,
		0xea, 0x22, 0x58, 0x63, 0xe5, 0x66, 0xa4, 0x31,
		0x4a, 0xb9, 0x9f, 0x3f, 0x00, 0xe5, 0xd9, 0xd5,
		},
		.client_final = FINAL "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		.server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	},
	{
		.desc = "SCRAM-SHA-512",
		.method = KMQTT_AUTH_METHOD_SCRAM_SHA_512,
		.stored_key = {
		0xe8, 0x00, 0x2e, 0x6f, 0x7d, 0x3a, 0xe4, 0x46,
		0x11, 0x9b, 0x21, 0x69, 0x33, 0x64, 0x4d, 0xc2,
		0xa2, 0xbe, 0x78, 0x69, 0xeb, 0x91, 0x8b, 0x84,
		0x59, 0xb5, 0xe7, 0xd7, 0xd2, 0xec, 0x12, 0x60,
		0x6a, 0xce, 0xef, 0x10, 0x68, 0x25, 0xcd, 0x73,
		0x51, 0x70, 0xa6, 0x75, 0xfd, 0x36, 0x11, 0xf6,
		0x84, 0xaf, 0xfa, 0xd1, 0xdc, 0xe3, 0xf4, 0x3a,
		0x0e, 0xe4, 0x3b, 0xd5, 0x90, 0xe1, 0xdb, 0xbe,
		},
		.server_key = {
		0x8d, 0x91, 0xdb, 0x62, 0x30, 0xb5, 0x68, 0x78,
		0x74, 0xfe, 0x12, 0x9b, 0xc7, 0x20, 0x6e, 0x18,
		0x58, 0xc3, 0xae, 0x08, 0xe0, 0x29, 0x34, 0xf5,
		0x7a, 0xc0, 0x3b, 0x6b, 0x05, 0xa2, 0x29, 0xc4,
		0x59, 0xd2, 0x8f, 0xf4, 0x6f, 0x5c, 0x96, 0x11,
		0xe6, 0xc1, 0x79, 0x25, 0x64, 0x90, 0x21, 0x5e,
		0xc1, 0xff, 0x75, 0x9c, 0xb0, 0xdf, 0x28, 0x5d,
		0xb8, 0x9a, 0xf0, 0xf9, 0x9e, 0x61, 0x3a, 0xac,
		},
		.client_final = FINAL PROOF_512_1 PROOF_512_2,
		.server_final = SIGNATURE_512_1 SIGNATURE_512_2,
	},
};

KUNIT_ARRAY_PARAM_DESC(scram, scram_cases, desc);

struct scram_test {
	struct kunit *test;
	struct kmqtt_memory *memory;
	struct kmqtt_access access;
	struct kmqtt_auth *auth;
};

static struct kmqtt_scram_key key_of(const struct scram_case *c)
{
	struct kmqtt_scram_key key = { .iterations = 4096,
				       .salt_len = sizeof(salt) };

	memcpy(key.salt, salt, sizeof(salt));
	memcpy(key.stored_key, c->stored_key, sizeof(key.stored_key));
	memcpy(key.server_key, c->server_key, sizeof(key.server_key));
	return key;
}

static struct scram_test *scram_create(struct kunit *test,
				       const struct scram_case *c)
{
	struct scram_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct kmqtt_str user = kmqtt_test_str("user");
	struct kmqtt_scram_key key = key_of(c);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	KUNIT_ASSERT_EQ(test, kmqtt_access_init(&t->access, t->memory), 0);
	KUNIT_ASSERT_EQ(test, kmqtt_user_set_scram(&t->access.users, &user,
						   c->method, &key), 0);
	return t;
}

static void scram_destroy(struct scram_test *t)
{
	kmqtt_auth_destroy(t->auth);
	kmqtt_access_uninit(&t->access);
	KUNIT_EXPECT_EQ(t->test, kmqtt_memory_used(t->memory), 0);
}

static void begin(struct scram_test *t, const struct scram_case *c)
{
	struct kmqtt_str method = kmqtt_test_str(c->desc);

	kmqtt_auth_destroy(t->auth);
	t->auth = kmqtt_auth_create(&t->access, &method);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(t->test, t->auth);
	kmqtt_scram_set_nonce(t->auth, SERVER_NONCE);
}

static enum kmqtt_reason step(struct scram_test *t, const char *data)
{
	struct kmqtt_str str = kmqtt_test_str(data);

	str.data = kmqtt_test_exact(t->test, data, str.len);
	return kmqtt_auth_step(t->auth, &str);
}

static void expect_out(struct scram_test *t, const char *want)
{
	KUNIT_ASSERT_EQ(t->test, t->auth->out_len, strlen(want));
	KUNIT_EXPECT_MEMEQ(t->test, t->auth->out, want, strlen(want));
}

static void scram_exchange(struct kunit *test)
{
	const struct scram_case *c = test->param_value;
	struct scram_test *t = scram_create(test, c);

	begin(t, c);
	KUNIT_EXPECT_EQ(test, step(t, CLIENT_FIRST),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	expect_out(t, SERVER_FIRST);
	KUNIT_EXPECT_EQ(test, step(t, c->client_final), KMQTT_REASON_SUCCESS);
	expect_out(t, c->server_final);
	KUNIT_EXPECT_EQ(test, t->auth->user_len, 4);
	KUNIT_EXPECT_MEMEQ(test, t->auth->user, "user", 4);
	/* It is over. */
	KUNIT_EXPECT_EQ(test, step(t, c->client_final),
			KMQTT_REASON_PROTOCOL_ERROR);
	scram_destroy(t);
}

static const char * const first_errors[] = {
	"", "n", "n,", "n,,", "n,,n=user", "n,,r=x", "n,,n=,r=x", "n,,n=user,r=",
	"x,,n=user,r=x", "p=tls-unique,,n=user,r=x", "n,,m=x,n=user,r=x",
	"n,,n=us=2Xer,r=x", "n,,n=user=,r=x", "n,,n=user=2,r=x",
	"n,,n=\xff,r=x", "n,,n=user,r=a b", "n,b=user,n=user,r=x",
};

static void scram_first(struct kunit *test)
{
	const struct scram_case *c = test->param_value;
	struct scram_test *t = scram_create(test, c);
	int i;

	for (i = 0; i < ARRAY_SIZE(first_errors); i++) {
		begin(t, c);
		KUNIT_EXPECT_EQ_MSG(test, step(t, first_errors[i]),
				    KMQTT_REASON_PROTOCOL_ERROR, "%s",
				    first_errors[i]);
	}
	/* To be somebody else is well formed, but not allowed. */
	begin(t, c);
	KUNIT_EXPECT_EQ(test, step(t, "n,a=other,n=user,r=x"),
			KMQTT_REASON_NOT_AUTHORIZED);
	begin(t, c);
	KUNIT_EXPECT_EQ(test, step(t, "y,a=user,n=user,r=x,e=extension"),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	scram_destroy(t);
}

static enum kmqtt_reason final(struct scram_test *t, const struct scram_case *c,
			       const char *data)
{
	begin(t, c);
	KUNIT_EXPECT_EQ(t->test, step(t, CLIENT_FIRST),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	return step(t, data);
}

static void scram_final(struct kunit *test)
{
	const struct scram_case *c = test->param_value;
	u32 hash_len = kmqtt_scram_hash_len(c->method);
	u32 proof_len = DIV_ROUND_UP(hash_len, 3) * 4;
	struct scram_test *t = scram_create(test, c);
	char data[256];
	char *p;

	KUNIT_EXPECT_EQ(test, final(t, c, ""), KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, final(t, c, "c=biws,r=" NONCES),
			KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, final(t, c, "c=biws,r=" NONCES ",p=AAAA"),
			KMQTT_REASON_PROTOCOL_ERROR);
	/* As long as a proof in base64, but more bytes without padding. */
	strscpy(data, FINAL, sizeof(data));
	p = data + strlen(data);
	memset(p, 'A', proof_len);
	p[proof_len] = '\0';
	KUNIT_EXPECT_EQ(test, final(t, c, data), KMQTT_REASON_PROTOCOL_ERROR);
	/* Another proof, another nonce, another beginning. */
	strscpy(data, c->client_final, sizeof(data));
	p = strstr(data, ",p=") + 3;
	*p = *p == 'A' ? 'B' : 'A';
	KUNIT_EXPECT_EQ(test, final(t, c, data), KMQTT_REASON_NOT_AUTHORIZED);
	strscpy(data, c->client_final, sizeof(data));
	strstr(data, "r=")[2] = 'x';
	KUNIT_EXPECT_EQ(test, final(t, c, data), KMQTT_REASON_NOT_AUTHORIZED);
	strscpy(data, c->client_final, sizeof(data));
	memcpy(data, "c=eSws", 6);
	KUNIT_EXPECT_EQ(test, final(t, c, data), KMQTT_REASON_NOT_AUTHORIZED);
	scram_destroy(t);
}

/* Who is no user is told the same salt each time, and fails at the end. */
static void scram_unknown(struct kunit *test)
{
	const struct scram_case *c = test->param_value;
	struct scram_test *t = scram_create(test, c);
	u8 told[256];
	u32 len;

	begin(t, c);
	KUNIT_EXPECT_EQ(test, step(t, "n,,n=nobody,r=x"),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	len = t->auth->out_len;
	KUNIT_ASSERT_LT(test, len, sizeof(told));
	memcpy(told, t->auth->out, len);
	begin(t, c);
	step(t, "n,,n=nobody,r=x");
	KUNIT_ASSERT_EQ(test, t->auth->out_len, len);
	KUNIT_EXPECT_MEMEQ(test, t->auth->out, told, len);
	begin(t, c);
	step(t, "n,,n=nobodx,r=x");
	KUNIT_ASSERT_EQ(test, t->auth->out_len, len);
	KUNIT_EXPECT_MEMNEQ(test, t->auth->out, told, len);
	begin(t, c);
	step(t, "n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO");
	KUNIT_EXPECT_EQ(test, step(t, c->client_final),
			KMQTT_REASON_NOT_AUTHORIZED);
	scram_destroy(t);
}

static void users(struct kunit *test)
{
	const struct scram_case *c = &scram_cases[0];
	struct scram_test *t = scram_create(test, c);
	struct kmqtt_users *all = &t->access.users;
	struct kmqtt_str user = kmqtt_test_str("user");
	struct kmqtt_str other = kmqtt_test_str("other");
	struct kmqtt_scram_key key = key_of(c), got;
	u32 sha_512 = KMQTT_AUTH_METHOD_SCRAM_SHA_512;

	KUNIT_EXPECT_FALSE(test, kmqtt_user_get_scram(all, &other, c->method,
						      &got));
	KUNIT_EXPECT_FALSE(test, kmqtt_user_get_scram(all, &user, sha_512,
						      &got));
	key.iterations = 5000;
	KUNIT_EXPECT_EQ(test, kmqtt_user_set_scram(all, &user, sha_512, &key),
			0);
	KUNIT_EXPECT_TRUE(test, kmqtt_user_get_scram(all, &user, c->method,
						     &got));
	KUNIT_EXPECT_EQ(test, got.iterations, 4096);
	KUNIT_EXPECT_TRUE(test, kmqtt_user_get_scram(all, &user, sha_512,
						     &got));
	KUNIT_EXPECT_EQ(test, got.iterations, 5000);
	KUNIT_EXPECT_EQ(test, all->nr, 1);
	KUNIT_EXPECT_EQ(test, kmqtt_user_del(all, &other), -ENOENT);
	KUNIT_EXPECT_EQ(test, kmqtt_user_del(all, &user), 0);
	KUNIT_EXPECT_FALSE(test, kmqtt_user_get_scram(all, &user, c->method,
						      &got));
	KUNIT_EXPECT_EQ(test, all->nr, 0);
	scram_destroy(t);
}

static struct kunit_case access_scram_cases[] = {
	KUNIT_CASE_PARAM(scram_exchange, scram_gen_params),
	KUNIT_CASE_PARAM(scram_first, scram_gen_params),
	KUNIT_CASE_PARAM(scram_final, scram_gen_params),
	KUNIT_CASE_PARAM(scram_unknown, scram_gen_params),
	KUNIT_CASE(users),
	{}
};

static struct kunit_suite access_scram_suite = {
	.name = "kmqtt_access_scram",
	.test_cases = access_scram_cases,
};

kunit_test_suite(access_scram_suite);
