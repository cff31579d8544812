// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of SCRAM that are none, and those that are as long as they may be.
 */
#include "support_access.h"
#include "../access/scram.h"
#include "../access/scram_text.h"

/* Nothing of the kind is accepted, and it is told apart from a wrong proof. */
static const char *const wrong_first[] = {
	"", "x", "n", "n,", "n,,", "n,,n=user", "n,,r=abc", "n,,r=abc,n=user",
	"n,,n=,r=abc", "n,,n=user,r=", "n,,n=user,r=,x=1", "n,,n=user,,r=abc",
	"n,,n=user,r=abc,", "n,,,n=user,r=abc", ",,n=user,r=abc",
	"n,n=user,r=abc", "n,a=,n=user,r=abc", "n,a=user", "n,a=user,",
	"n,b=user,n=user,r=abc", "N,,n=user,r=abc", "x,,n=user,r=abc",
	/* channel binding */
	"p=tls-unique,,n=user,r=abc", "p=tls-exporter,,n=user,r=abc", "p,,n=u,r=a",
	/* escapes */
	"n,,n==,r=abc", "n,,n=us=er,r=abc", "n,,n=user=2,r=abc",
	"n,,n=user=2c,r=abc", "n,,n=user=3d,r=abc", "n,,n=us=2Xer,r=abc",
	"n,,n=user=3,r=abc", "n,,n=us==2Cer,r=abc",
	/* nonces */
	"n,,n=user,r=a bc", "n,,n=user,r=abc\x7f", "n,,n=user,r=\xc3\xa9",
	"n,,n=user,r=ab\tc",
	/* UTF-8 */
	"n,,n=\xff,r=abc", "n,,n=\xc0\x80,r=abc", "n,,n=user,r=abc,x=\xff",
	/* extensions */
	"n,,m=ext,n=user,r=abc", "n,,n=user,m=ext,r=abc",
	"n,,n=user,r=abc,m=ext", "n,,n=user,r=abc,x=1,m=ext",
	"n,,n=user,r=abc,x", "n,,n=user,r=abc,x=", "n,,n=user,r=abc,1=x",
	"n,,n=user,r=abc,xy=1", "n,,n=user,r=abc,=1", "n,,n=user,r=abc,x=1,,y=2",
	"n,,n=user,r=abc,\xc3\xa9=1",
};

#define NONCE	"r=abcours"
#define PROOF	"p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char *const wrong_final[] = {
	"", "x", "c", "c=biws", "c=biws," NONCE, "c=biws," NONCE ",",
	NONCE "," PROOF, "c=biws," PROOF, NONCE ",c=biws," PROOF,
	"c=," NONCE "," PROOF, "c=biws,r=," PROOF, "c=biws,," NONCE "," PROOF,
	"c=biws," NONCE "," PROOF ",", "c=biws," NONCE "," PROOF ",x=1",
	"c=biws," NONCE "," PROOF "," PROOF, "x=1,c=biws," NONCE "," PROOF,
	"c=biws,x=1," NONCE "," PROOF,
	/* proofs */
	"c=biws," NONCE ",p=", "c=biws," NONCE ",p=AAAA", "c=biws," NONCE ",p=!",
	"c=biws," NONCE ",p",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAA=AAAAAAAAAAAAAAAAAAAAAA=",
	"c=biws," NONCE ",p====AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA=",
	"c=biws," NONCE ",p=AAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAAA=",
	/* extensions */
	"c=biws," NONCE ",m=ext," PROOF, "c=biws," NONCE ",x=1,m=ext," PROOF,
	"c=biws," NONCE ",x=," PROOF, "c=biws," NONCE ",x," PROOF,
	"c=biws," NONCE ",1=x," PROOF, "c=biws," NONCE ",," PROOF,
	"c=biws," NONCE ",x=\xff," PROOF,
};

/* An exchange where the client's nonce is "abc". */
static struct kmqtt_auth *begin(struct kunit *test, struct kmqtt_port *port,
				enum kmqtt_auth_method method)
{
	struct kmqtt_auth *auth = kmqtt_test_auth(test, port, method);

	kmqtt_scram_set_nonce(auth, "ours");
	KUNIT_EXPECT_EQ(test, kmqtt_test_step(test, auth, "n,,n=user,r=abc"),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	return auth;
}

static void scram_wrong_first(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	static const char nul[] = "n,,n=us\0er,r=abc";
	struct kmqtt_auth *auth;
	size_t i;

	kmqtt_test_user(test, port, "user", SHA_256);
	for (i = 0; i < ARRAY_SIZE(wrong_first); i++) {
		auth = kmqtt_test_auth(test, port, SHA_256);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_test_step(test, auth, wrong_first[i]),
				    KMQTT_REASON_PROTOCOL_ERROR, "%s",
				    wrong_first[i]);
		KUNIT_EXPECT_EQ(test, auth->out_len, 0);
		/* There is no second try. */
		KUNIT_EXPECT_EQ(test,
				kmqtt_test_step(test, auth, "n,,n=user,r=abc"),
				KMQTT_REASON_PROTOCOL_ERROR);
		kmqtt_auth_destroy(auth);
	}
	auth = kmqtt_test_auth(test, port, SHA_256);
	KUNIT_EXPECT_EQ(test,
			kmqtt_test_step_bytes(test, auth, nul, sizeof(nul) - 1),
			KMQTT_REASON_PROTOCOL_ERROR);
	kmqtt_auth_destroy(auth);
}

static void scram_wrong_final(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_auth *auth;
	size_t i;

	kmqtt_test_user(test, port, "user", SHA_256);
	for (i = 0; i < ARRAY_SIZE(wrong_final); i++) {
		auth = begin(test, port, SHA_256);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_test_step(test, auth, wrong_final[i]),
				    KMQTT_REASON_PROTOCOL_ERROR, "%s",
				    wrong_final[i]);
		KUNIT_EXPECT_EQ(test, auth->out_len, 0);
		kmqtt_auth_destroy(auth);
	}
	/* What all of them were made from gets as far as its proof. */
	auth = begin(test, port, SHA_256);
	KUNIT_EXPECT_EQ(test,
			kmqtt_test_step(test, auth,
					"c=biws," NONCE ",x=1," PROOF),
			KMQTT_REASON_NOT_AUTHORIZED);
	kmqtt_auth_destroy(auth);
}

/* 88 digits are 66 bytes, unless the last two are padding. */
static void scram_long_proof(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	char final[128] = "c=biws," NONCE ",p=";
	size_t len = strlen(final) + 88, padding;

	memset(final + len - 88, 'A', 88);
	kmqtt_test_user(test, port, "user", SHA_512);
	for (padding = 0; padding <= 4; padding++) {
		struct kmqtt_auth *auth = begin(test, port, SHA_512);

		memset(final + len - padding, '=', padding);
		KUNIT_EXPECT_EQ_MSG(test, kmqtt_test_step(test, auth, final),
				    padding == 2 ? KMQTT_REASON_NOT_AUTHORIZED :
						   KMQTT_REASON_PROTOCOL_ERROR,
				    "padding of %zu", padding);
		kmqtt_auth_destroy(auth);
	}
}

/* Messages that end anywhere: nothing is read behind their end. */
static void scram_cut(struct kunit *test)
{
	static const char first[] = "n,a=user,n=user,r=abc,x=yz";
	static const char final[] = "c=biws," NONCE ",x=y," PROOF;
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_auth *auth;
	size_t len;

	kmqtt_test_user(test, port, "user", SHA_256);
	for (len = 0; len < sizeof(first); len++) {
		/* "r=a" to "r=abc", "x=y" to "x=yz" */
		bool whole = (len >= 19 && len <= 21) || len >= 25;

		auth = kmqtt_test_auth(test, port, SHA_256);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_test_step_bytes(test, auth, first, len),
				    whole ? KMQTT_REASON_CONTINUE_AUTHENTICATION :
					    KMQTT_REASON_PROTOCOL_ERROR,
				    "%.*s", (int)len, first);
		kmqtt_auth_destroy(auth);
	}
	for (len = 0; len < sizeof(final) - 1; len++) {
		auth = begin(test, port, SHA_256);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_test_step_bytes(test, auth, final, len),
				    KMQTT_REASON_PROTOCOL_ERROR, "%.*s",
				    (int)len, final);
		kmqtt_auth_destroy(auth);
	}
}

static void scram_authzid(struct kunit *test)
{
	static const struct {
		const char *first;
		enum kmqtt_reason reason;
	} cases[] = {
		{ "n,a=user,n=user,r=a", KMQTT_REASON_CONTINUE_AUTHENTICATION },
		{ "y,a=user,n=user,r=a", KMQTT_REASON_CONTINUE_AUTHENTICATION },
		{ "n,a==2C=3D,n==2C=3D,r=a",
		  KMQTT_REASON_CONTINUE_AUTHENTICATION },
		{ "n,a=root,n=user,r=a", KMQTT_REASON_NOT_AUTHORIZED },
		{ "n,a=use,n=user,r=a", KMQTT_REASON_NOT_AUTHORIZED },
		{ "n,a=users,n=user,r=a", KMQTT_REASON_NOT_AUTHORIZED },
	};
	struct kmqtt_port *port = kmqtt_test_port(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmqtt_auth *auth = kmqtt_test_auth(test, port, SHA_256);

		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_test_step(test, auth, cases[i].first),
				    cases[i].reason, "%s", cases[i].first);
		kmqtt_auth_destroy(auth);
	}
}

/* "n,a=NAME,n=NAME,r=NONCE,x=FILL" with as many bytes of each. */
static enum kmqtt_reason step_long(struct kunit *test,
				   struct kmqtt_port *port, size_t name,
				   size_t nonce, size_t fill, size_t *out_len)
{
	char *data = kunit_kzalloc(test, 2048, GFP_KERNEL), *p = data;
	struct kmqtt_auth *auth = kmqtt_test_auth(test, port, SHA_512);
	enum kmqtt_reason reason;

	KUNIT_ASSERT_NOT_NULL(test, data);
	p += sprintf(p, "n,a=");
	p = memset(p, 'u', name) + name;
	p += sprintf(p, ",n=");
	p = memset(p, 'u', name) + name;
	p += sprintf(p, ",r=");
	p = memset(p, 'r', nonce) + nonce;
	if (fill) {
		p += sprintf(p, ",x=");
		p = memset(p, 'x', fill) + fill;
	}
	reason = kmqtt_test_step_bytes(test, auth, data, p - data);
	*out_len = auth->out_len;
	kmqtt_auth_destroy(auth);
	kunit_kfree(test, data);
	return reason;
}

static void scram_lengths(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_scram_key key = { .iterations = U32_MAX, .salt_len = 64 };
	/* Of the longest of the messages, names and nonces come to 778. */
	size_t fill = KMQTT_AUTH_MESSAGE_MAX - 778 - 3, out_len;
	struct kmqtt_str name = { .len = KMQTT_USER_MAX };
	char *u = kunit_kzalloc(test, KMQTT_USER_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, u);
	name.data = memset(u, 'u', KMQTT_USER_MAX);
	KUNIT_ASSERT_EQ(test,
			kmqtt_user_set_scram(kmqtt_test_users(port), &name, SHA_512,
					     &key), 0);
	KUNIT_EXPECT_EQ(test, step_long(test, port, 256, 256, fill, &out_len),
			KMQTT_REASON_CONTINUE_AUTHENTICATION);
	/* "r=", nonces, ",s=", 88 digits, ",i=4294967295" */
	KUNIT_EXPECT_EQ(test, out_len, 2 + 256 + 24 + 3 + 88 + 13);
	KUNIT_EXPECT_EQ(test,
			step_long(test, port, 256, 256, fill + 1, &out_len),
			KMQTT_REASON_IMPLEMENTATION_SPECIFIC);
	KUNIT_EXPECT_EQ(test, step_long(test, port, 257, 256, 0, &out_len),
			KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, step_long(test, port, 256, 257, 0, &out_len),
			KMQTT_REASON_IMPLEMENTATION_SPECIFIC);
	KUNIT_EXPECT_EQ(test, out_len, 0);
}

/* What a client repeats of its beginning, whatever its length modulo 3. */
static void scram_base64(struct kunit *test)
{
	static const char *const texts[] = {
		"", "bg==", "biw=", "biws", "bixhPQ==", "bixhPXU=",
	};
	static const char *const data[] = {
		"", "n", "n,", "n,,", "n,a=", "n,a=u",
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct kmqtt_str text = kmqtt_test_str(texts[i]);

		for (j = 0; j < ARRAY_SIZE(data); j++)
			KUNIT_EXPECT_EQ_MSG(test,
					    kmqtt_scram_is_base64_of(&text,
								     data[j],
								     strlen(data[j])),
					    i == j, "%s of %s", texts[i],
					    data[j]);
	}
}

static struct kunit_case text_cases[] = {
	KUNIT_CASE(scram_wrong_first),
	KUNIT_CASE(scram_wrong_final),
	KUNIT_CASE(scram_long_proof),
	KUNIT_CASE(scram_cut),
	KUNIT_CASE(scram_authzid),
	KUNIT_CASE(scram_lengths),
	KUNIT_CASE(scram_base64),
	{}
};

static struct kunit_suite text_suite = {
	.name = "kmqtt_access_scram_text",
	.test_cases = text_cases,
};

kunit_test_suites(&text_suite);
