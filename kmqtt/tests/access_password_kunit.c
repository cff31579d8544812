// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords. The hashes were computed by OpenSSL.
 */
#include "support_access.h"

#include "../access/cost.h"
#include "../access/password.h"
#include "../compat.h"

/* A password of 200 bytes, and one as long as a block of the hash. */
#define DIGITS	"01234567890123456789012345678901234567890123456789"
#define LONG	(DIGITS DIGITS DIGITS DIGITS)
#define XES	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define BLOCK	(XES XES XES XES)

struct vector {
	enum kmqtt_password_method method;
	u32 iterations;
	const char *text;
	u16 text_len;
	const char *salt;
	u8 salt_len;
	const char *hash;
};

static const struct vector vectors[] = {
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 1,
	  "password", 8,
	  "salt", 4,
	  "hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 2,
	  "password", 8,
	  "salt", 4,
	  "4dnBaqaBcIpF9cfE4hXOtm4BGi6fAEBxPxiu/bhm1Tz3bKsoaKObn3hA7c5P71qCvmczXHemBo4EESdU8nzPTg=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 4096,
	  "password", 8,
	  "salt", 4,
	  "0Zexsz2wFD4BixLz0dFHnmzevcyXxcD4f2kC4HL0V7UUPzBgJkGz1VzTNZiMs2uEN2Bg7NUy4Dm3QqI5Q0ry1Q=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 4096,
	  "passwordPASSWORDpassword", 24,
	  "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36,
	  "jAUR9Mbll8asYxXY8DYuIl88UBSVuiO4aMAFF03E7nERW1n55gzZUy+jPg91rv4wIlxYOhhs2CvU2uqXJKPTuA=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 1,
	  "", 0,
	  "salt", 4,
	  "AO9Czb/JjSnbIJdmCORVVn/d3xQfbrA7WoWt3SWXT10jdb1QgrgD6PTPqIrhvSUlb8vd0jGGdlZv8nl3kjAq7g=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 257,
	  "", 0,
	  "salt", 4,
	  "3UaY4Z/gYkbbKr+lJDF7akJYmr5QwuA6Q9DMUzQ2DAid6FLL4hFeoBLS0lodXl4pW10Qe9yM4+95HR2Tgd9xiw=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 256,
	  "p\0w", 3,
	  "s\0t", 3,
	  "pPGfsZWps3j97dAHKucqBgTgLBf69clnfb8XMS7Q2fOO3f8OSGvHcS7OwUV8A6A6/clcXyHoFX3MLcAAxU11QQ=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 300,
	  LONG, 200,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64,
	  "JGD4hij/FppnOxGdcppYVohhsdUlmwZX6BJrgDbeIX8sX5QSfARb0AV28FduCGpcNwaoLu2yXfmD9bMLt900SQ=="
	},
	{ KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 10,
	  BLOCK, 128,
	  "salt", 4,
	  "2f49TANdAxFkGKeFElBDO4idWhDC+Mwkw2exzmYRg8AnlpbCWDCTzJWp5wpQdO0aax6fB5MjF4bzQkZL32PlLw=="
	},
	{ KMQTT_PASSWORD_METHOD_SHA512, 1,
	  "password", 8,
	  "salt", 4,
	  "+mohhbPgqahe9B/7Z+88H7b3SYD46/lw5OcuNT7ZU31ZMIPCAd/W5D4cinqsK8jbsRnH37fUuPExEROVvXDpfw=="
	},
	{ KMQTT_PASSWORD_METHOD_SHA512, 1,
	  "", 0,
	  "salt", 4,
	  "Lj/Od8+MTHR4qW0gfBw5cViSyshKGMvsm2NPS8IrOQtIzTCk3y5+u67mXDRqZixb4tEkQTIvekusgho4LErwkQ=="
	},
	{ KMQTT_PASSWORD_METHOD_SHA512, 1,
	  LONG, 200,
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64,
	  "FXGTv3BLz9ZOgBuVZbJDDt/Lu3LjLc5Jx9U+9yWZpg35yqTXzv2tJ6ooxUJf9LD3Ynei/0p4IFN6DZwws2LvpA=="
	},
};

static struct kmqtt_password password_of(struct kunit *test,
					 const struct vector *v)
{
	struct kmqtt_password p = {
		.iterations = v->iterations,
		.method = v->method,
		.salt_len = v->salt_len,
	};

	memcpy(p.salt, v->salt, v->salt_len);
	/* It has its padding: no more comes out than fits. */
	KUNIT_ASSERT_EQ(test,
			kmqtt_base64_decode(v->hash, strlen(v->hash), p.hash),
			sizeof(p.hash));
	return p;
}

/* Without a byte to spare. */
static int check(struct kunit *test, const struct kmqtt_password *p,
		 const char *text, u16 len)
{
	struct kmqtt_str str = { .len = len };
	bool stop = false;
	int ret;

	str.data = kmqtt_test_exact(test, text, len);
	ret = kmqtt_password_check(p, &str, &stop);
	kunit_kfree(test, str.data);
	return ret;
}

static void password_right(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct kmqtt_password p = password_of(test, &vectors[i]);

		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &p, vectors[i].text,
					  vectors[i].text_len), 0, "%d", i);
	}
}

/* One bit of anything. HMAC pads keys with zeroes: these are none of a password. */
static void password_wrong(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct kmqtt_password p = password_of(test, v), other;
		char text[256] = {};

		memcpy(text, v->text, v->text_len);
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &p, text, v->text_len + 1),
				    p.method == KMQTT_PASSWORD_METHOD_SHA512 ||
				    v->text_len >= 128 ? -EACCES : 0, "%d", i);
		text[v->text_len] = 1;
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &p, text, v->text_len + 1),
				    -EACCES, "%d", i);
		other = p;
		other.hash[63] ^= 0x80;
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &other, v->text, v->text_len),
				    -EACCES, "%d", i);
		other = p;
		other.salt[v->salt_len - 1] ^= 1;
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &other, v->text, v->text_len),
				    -EACCES, "%d", i);
		other = p;
		other.iterations++;
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &other, v->text, v->text_len),
				    p.method == KMQTT_PASSWORD_METHOD_SHA512 ?
				    0 : -EACCES, "%d", i);
		other = p;
		other.method = !p.method;
		KUNIT_EXPECT_EQ_MSG(test,
				    check(test, &other, v->text, v->text_len),
				    -EACCES, "%d", i);
	}
}

/* Nobody has to wait until it is over. */
static void password_stop(struct kunit *test)
{
	struct kmqtt_password p = password_of(test, &vectors[0]);
	struct kmqtt_str text = kmqtt_test_str("password");
	bool stop = true;

	p.iterations = KMQTT_PASSWORD_ITERATIONS_MAX;
	KUNIT_EXPECT_EQ(test, kmqtt_password_check(&p, &text, &stop),
			-ECANCELED);
}

static struct kmqtt_password of_cost(u32 iterations)
{
	return (struct kmqtt_password){
		.iterations = iterations ?: 1,
		.method = iterations ? KMQTT_PASSWORD_METHOD_PBKDF2_SHA512 :
				       KMQTT_PASSWORD_METHOD_SHA512,
	};
}

/* @more passwords of that cost; then most have @usual. */
static void change(struct kunit *test, struct kmqtt_costs *costs,
		   u32 iterations, int more, u32 usual)
{
	struct kmqtt_password p = of_cost(iterations), fake;

	for (; more > 0; more--)
		KUNIT_ASSERT_EQ(test, kmqtt_costs_add(costs, &p), 0);
	for (; more < 0; more++)
		kmqtt_costs_del(costs, &p);
	kmqtt_costs_make_up(costs, &fake);
	p = of_cost(usual);
	KUNIT_EXPECT_EQ(test, fake.method, p.method);
	KUNIT_EXPECT_EQ(test, fake.iterations, p.iterations);
	KUNIT_EXPECT_GT(test, fake.salt_len, 0);
}

/* Made-up passwords cost what most passwords do. */
static void password_costs(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct kmqtt_password p = of_cost(7);
	struct kmqtt_costs costs;

	kmqtt_costs_init(&costs, memory);
	change(test, &costs, 1, 0, 1000);
	change(test, &costs, 5, 1, 5);
	change(test, &costs, 0, 2, 0);
	change(test, &costs, 5, 3, 5);
	change(test, &costs, 101, 3, 5);
	KUNIT_EXPECT_EQ(test, costs.nr, 9);
	change(test, &costs, 5, -2, 101);
	change(test, &costs, 101, -3, 5);
	change(test, &costs, 5, -2, 0);
	/* Without memory nothing changes. */
	memory->limit = 0;
	KUNIT_EXPECT_EQ(test, kmqtt_costs_add(&costs, &p), -ENOMEM);
	memory->limit = KMQTT_TEST_MEMORY;
	change(test, &costs, 0, -2, 1000);
	KUNIT_EXPECT_EQ(test, costs.nr, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
	change(test, &costs, 9, 3, 9);
	kmqtt_costs_uninit(&costs);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

static struct kunit_case password_cases[] = {
	KUNIT_CASE(password_right),
	KUNIT_CASE(password_wrong),
	KUNIT_CASE(password_stop),
	KUNIT_CASE(password_costs),
	{}
};

static struct kunit_suite password_suite = {
	.name = "kmqtt_access_password",
	.test_cases = password_cases,
};

kunit_test_suites(&password_suite);
