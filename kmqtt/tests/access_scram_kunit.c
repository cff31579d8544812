// SPDX-License-Identifier: GPL-2.0
/*
 * Exchanges of SCRAM, whole ones and those that fail: the example of RFC 7677,
 * and more that were computed from the same password by another implementation,
 * Python's hashlib.pbkdf2_hmac() and hmac.new(), step by step as RFC 5802 has
 * it in section 3. Where the client lies, its proof agrees with the lie, so
 * that nothing else can be what it fails for.
 */
#include "support_access.h"
#include "../access/scram.h"

/* More than any answer to these. */
#define ANSWER_MAX	512

/**
 * struct exchange - what is said, and what comes of it
 * @desc: name of the case
 * @method: enum kmqtt_auth_method
 * @first: from the client
 * @snonce: the broker's part of the nonce
 * @answer: upon @first
 * @final: from the client
 * @farewell: upon @final, or NULL
 * @reason: upon @final
 */
struct exchange {
	const char *desc;
	enum kmqtt_auth_method method;
	const char *first;
	const char *snonce;
	const char *answer;
	const char *final;
	const char *farewell;
	enum kmqtt_reason reason;
};

static const struct exchange exchanges[] = {
	{
		.desc = "the example of RFC 7677",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		.farewell =
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		.reason = KMQTT_REASON_SUCCESS,
	},
	{
		.desc = "SHA-512",
		.method = SHA_512,
		.first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		.snonce = "3rfcNHYJY1ZVvWVs7j",
		.answer =
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=AAECAwQFBgcICQoLDA0ODw==,i=4096",
		.final =
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=sczPDWz55v7uD/UgbCbYve2NGcPfTta81NlZ2D8RHfUomEA4mWDhKNLAeMj0b+VY4jiijtTirlPA4lL2+uBCYw==",
		.farewell =
			"v=IjZlPJPD3YUHkwZ7B1RIGQ+oWq0m+rajQGj7xs6bOhKfd/gSAFz4EY1bBliuPZh2pvrC92S5ZLQoWGjdDj8m6g==",
		.reason = KMQTT_REASON_SUCCESS,
	},
	{
		.desc = "a name with escapes, twice",
		.method = SHA_512,
		.first = "y,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=fyko+d2lbbFgONRv9qkxdawL",
		.snonce = "3rfcNHYJY1ZVvWVs7j",
		.answer =
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=AAECAwQFBgcICQoLDA0ODw==,i=4096",
		.final =
			"c=eSxhPWE9MkNiPTNEYyw=,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=SyzBFzcqNcZqwex9dxRnIaEn4p+OP8HYHr9scP8G088tXrFzXdgWMg7gprCjP2sXE3w8EanCCBpudreEDnIR+A==",
		.farewell =
			"v=bvaTgcLv7cYzZVl07W9a72ND8mvfxnuQYBPOZ3+qjlQTVKyXKdFGqO7ySVkw2TEMYlf5YO5/5FcMsRyDsgULOg==",
		.reason = KMQTT_REASON_SUCCESS,
	},
	{
		.desc = "extensions that nobody knows",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=1,Y=a=b",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,z=2,p=xTAtpHITsygbLM6THiGZNhfP1M8e5JFzt4U6/b4ImIE=",
		.farewell =
			"v=PCF3WhQnomH205h8dBxp/wDv1RSWtVv7zlNXD1r9kQg=",
		.reason = KMQTT_REASON_SUCCESS,
	},
	{
		.desc = "another beginning",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=FoqiHTtQEDE8lz1CdaEe3tK4mS+iMDTl77SPyDS53DY=",
		.reason = KMQTT_REASON_NOT_AUTHORIZED,
	},
	{
		.desc = "the beginning and more",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biwsbiws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=+gP2K66OOwxwUWALI0u+NNKw9kjXpUYoSEl9NnLgQ78=",
		.reason = KMQTT_REASON_NOT_AUTHORIZED,
	},
	{
		.desc = "the client's nonce alone",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=O9uzSubb+3i48FupGqpwHCRwCzqSP7Ka+/+aEQLF0vQ=",
		.reason = KMQTT_REASON_NOT_AUTHORIZED,
	},
	{
		.desc = "another nonce",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0x,p=jIAulLel2yOSdws13QeDb+EjnVISOeTduGuUvrR3ZJA=",
		.reason = KMQTT_REASON_NOT_AUTHORIZED,
	},
	{
		.desc = "an extension that matters",
		.method = SHA_256,
		.first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		.snonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		.answer =
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		.final =
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,m=x,p=jHjh5Fm0vF98FpJ+s+06tEg0Ii69hzVgTbdsskOT0qU=",
		.reason = KMQTT_REASON_PROTOCOL_ERROR,
	},
};

KUNIT_ARRAY_PARAM_DESC(exchange, exchanges, desc);

/* A broker with two users, one of whom has commas and equals signs. */
static struct kmqtt_port *port_of_two(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);

	kmqtt_test_user(test, port, "user", SHA_256);
	kmqtt_test_user(test, port, "user", SHA_512);
	kmqtt_test_user(test, port, "a,b=c", SHA_512);
	return port;
}

static void expect_out(struct kunit *test, const struct kmqtt_auth *auth,
		       const char *want)
{
	KUNIT_EXPECT_EQ(test, auth->out_len, strlen(want));
	KUNIT_EXPECT_MEMEQ(test, auth->out, want,
			   min_t(size_t, auth->out_len, strlen(want)));
}

/* Begin as @e does, up to the broker's first answer. */
static struct kmqtt_auth *begin_as(struct kunit *test,
				   struct kmqtt_port *port,
				   const struct exchange *e)
{
	struct kmqtt_auth *auth = kmqtt_test_auth(test, port, e->method);

	kmqtt_scram_set_nonce(auth, e->snonce);
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->first),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	expect_out(test, auth, e->answer);
	KUNIT_EXPECT_EQ(test, auth->user_len, 0);
	return auth;
}

static void scram_exchange(struct kunit *test)
{
	const struct exchange *e = test->param_value;
	struct kmqtt_auth *auth = begin_as(test, port_of_two(test), e);
	const char *user = strstr(e->first, "a=2C") ? "a,b=c" : "user";

	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->final), e->reason);
	if (e->farewell) {
		expect_out(test, auth, e->farewell);
		KUNIT_ASSERT_EQ(test, auth->user_len, strlen(user));
		KUNIT_EXPECT_MEMEQ(test, auth->user, user, strlen(user));
	} else {
		KUNIT_EXPECT_EQ(test, auth->out_len, 0);
		KUNIT_EXPECT_EQ(test, auth->user_len, 0);
	}
	/* Well or not, that was it. */
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->final),
			KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->first),
			KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, auth->out_len, 0);
	kmqtt_auth_destroy(auth);
}

static void scram_methods(struct kunit *test)
{
	static const char *const wrong[] = {
		"", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-25", "SCRAM-SHA-2567",
		"SCRAM-SHA-256-PLUS", "scram-sha-256",
	};
	struct kmqtt_port *port = kmqtt_test_port(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct kmqtt_str name = kmqtt_test_str(wrong[i]);

		KUNIT_EXPECT_EQ_MSG(test,
				    PTR_ERR(kmqtt_auth_create(port, &name)),
				    -ENOENT, "%s", wrong[i]);
	}
	/* Without a message. */
	kmqtt_auth_destroy(kmqtt_test_auth(test, port, SHA_512));
	kmqtt_auth_destroy(NULL);
}

/* One bit of the proof, wherever it is, is enough to fail. */
static void scram_wrong_proof(struct kunit *test)
{
	struct kmqtt_port *port = port_of_two(test);
	const struct exchange *e = &exchanges[0];
	size_t proof = strstr(e->final, ",p=") + 3 - e->final, i;

	for (i = proof; e->final[i] != '='; i++) {
		struct kmqtt_auth *auth = begin_as(test, port, e);
		char final[256];

		strscpy(final, e->final);
		/* Four digits apart: the last one has two bits that are 0. */
		final[i] = final[i] == 'A' ? 'E' : 'A';
		KUNIT_EXPECT_EQ_MSG(test, kmqtt_test_step(test, auth, final),
				    KMQTT_REASON_NOT_AUTHORIZED, "digit %zu",
				    i - proof);
		KUNIT_EXPECT_EQ(test, auth->out_len, 0);
		KUNIT_EXPECT_EQ(test, auth->user_len, 0);
		kmqtt_auth_destroy(auth);
	}
}

/* A proof of one exchange is none in another, whose nonce is random. */
static void scram_replay(struct kunit *test)
{
	struct kmqtt_port *port = port_of_two(test);
	const struct exchange *e = &exchanges[0];
	struct kmqtt_auth *auth = kmqtt_test_auth(test, port, e->method);
	char first[ANSWER_MAX];

	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->first),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	/* "r=", the client's 20, 24 of ours. */
	KUNIT_ASSERT_GT(test, auth->out_len, 46);
	memcpy(first, auth->out, 46);
	KUNIT_EXPECT_EQ(test, auth->out[46], ',');
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->final),
			KMQTT_REASON_NOT_AUTHORIZED);
	kmqtt_auth_destroy(auth);

	auth = kmqtt_test_auth(test, port, e->method);
	kmqtt_test_step(test, auth, e->first);
	KUNIT_EXPECT_EQ(test, memcmp(first, auth->out, 22), 0);
	KUNIT_EXPECT_NE(test, memcmp(first, auth->out, 46), 0);
	kmqtt_auth_destroy(auth);
}

/* Keys that are replaced in the middle are for the next exchange. */
static void scram_changes_meanwhile(struct kunit *test)
{
	struct kmqtt_port *port = port_of_two(test);
	const struct exchange *e = &exchanges[0];
	struct kmqtt_auth *auth = begin_as(test, port, e);
	struct kmqtt_str name = kmqtt_test_str("user");

	KUNIT_EXPECT_EQ(test, kmqtt_user_del(kmqtt_test_users(port), &name), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, e->final), KMQTT_REASON_SUCCESS);
	expect_out(test, auth, e->farewell);
	kmqtt_auth_destroy(auth);
}

/* Well formed, and as wrong as can be. */
static const char *const finals[] = {
	[SHA_256] =
		"c=biws,r=abcours,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	[SHA_512] =
		"c=biws,r=abcours,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
};

/* What the broker answers upon @first. */
static void answer(struct kunit *test, struct kmqtt_port *port,
		   enum kmqtt_auth_method method, const char *first, char *to)
{
	struct kmqtt_auth *auth = kmqtt_test_auth(test, port, method);

	kmqtt_scram_set_nonce(auth, "ours");
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, first),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	KUNIT_ASSERT_LT(test, auth->out_len, ANSWER_MAX);
	memcpy(to, auth->out, auth->out_len);
	to[auth->out_len] = '\0';
	/* Whatever the proof is. */
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, finals[method]),
			KMQTT_REASON_NOT_AUTHORIZED);
	kmqtt_auth_destroy(auth);
}

/* Who doesn't exist has a salt, too, and it is always the same. */
static void scram_unknown_user(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_port *other = kmqtt_test_port(test);
	char *want = kunit_kzalloc(test, 2 * ANSWER_MAX, GFP_KERNEL), *got;

	KUNIT_ASSERT_NOT_NULL(test, want);
	got = want + ANSWER_MAX;
	kmqtt_test_user(test, port, "half", SHA_512);
	answer(test, port, SHA_256, "n,,n=nobody,r=abc", want);
	/* 16 bytes, as those that the tool makes. */
	KUNIT_EXPECT_EQ(test, strlen(want), strlen("r=abcours,s=,i=210000") + 24);
	KUNIT_EXPECT_NOT_NULL(test, strstr(want, "==,i=210000"));
	answer(test, port, SHA_256, "n,,n=nobody,r=abc", got);
	KUNIT_EXPECT_STREQ(test, got, want);
	answer(test, port, SHA_512, "n,,n=nobody,r=abc", got);
	KUNIT_EXPECT_STRNEQ(test, got, want);
	answer(test, port, SHA_256, "n,,n=nobod,r=abc", got);
	KUNIT_EXPECT_STRNEQ(test, got, want);
	answer(test, other, SHA_256, "n,,n=nobody,r=abc", got);
	KUNIT_EXPECT_STRNEQ(test, got, want);
	/* Nor has who has keys for something else. */
	answer(test, port, SHA_256, "n,,n=half,r=abc", want);
	KUNIT_EXPECT_NOT_NULL(test, strstr(want, "==,i=210000"));
	answer(test, port, SHA_256, "n,,n=half,r=abc", got);
	KUNIT_EXPECT_STREQ(test, got, want);
	answer(test, port, SHA_512, "n,,n=half,r=abc", got);
	KUNIT_EXPECT_STREQ(test, got,
			   "r=abcours,s=AAECAwQFBgcICQoLDA0ODw==,i=4096");
}

static struct kunit_case scram_cases[] = {
	KUNIT_CASE_PARAM(scram_exchange, exchange_gen_params),
	KUNIT_CASE(scram_methods),
	KUNIT_CASE(scram_wrong_proof),
	KUNIT_CASE(scram_replay),
	KUNIT_CASE(scram_changes_meanwhile),
	KUNIT_CASE(scram_unknown_user),
	{}
};

static struct kunit_suite scram_suite = {
	.name = "kmqtt_access_scram",
	.test_cases = scram_cases,
};

kunit_test_suites(&scram_suite);
