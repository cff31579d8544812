// SPDX-License-Identifier: GPL-2.0
/*
 * The table of users.
 */
#include "support_access.h"

/* Enough to make the table grow and shrink, and for more than one pass. */
#define MANY	3000

static struct kmqtt_scram_key key_of(u32 iterations)
{
	struct kmqtt_scram_key key = {
		.iterations = iterations,
		.salt_len = 1 + iterations % 64,
	};

	memset(key.salt, iterations, key.salt_len);
	memset(key.stored_key, iterations + 1, sizeof(key.stored_key));
	memset(key.server_key, iterations + 2, sizeof(key.server_key));
	return key;
}

static int set(struct kmqtt_port *port, const char *name,
	       enum kmqtt_auth_method method, u32 iterations)
{
	struct kmqtt_scram_key key = key_of(iterations);
	struct kmqtt_str str = kmqtt_test_str(name);

	return kmqtt_user_set_scram(kmqtt_test_users(port), &str, method, &key);
}

static int del(struct kmqtt_port *port, const char *name)
{
	struct kmqtt_str str = kmqtt_test_str(name);

	return kmqtt_user_del(kmqtt_test_users(port), &str);
}

/* The user has these keys; with 0 iterations, none. */
static void expect_key(struct kunit *test, struct kmqtt_port *port,
		       const char *name, enum kmqtt_auth_method method,
		       u32 iterations)
{
	struct kmqtt_scram_key key = {}, want = {};
	struct kmqtt_str str = kmqtt_test_str(name);
	bool found;

	if (iterations)
		want = key_of(iterations);
	found = kmqtt_user_get_scram(kmqtt_test_users(port), &str, method, &key);
	KUNIT_EXPECT_EQ_MSG(test, found, !!iterations, "%s", name);
	KUNIT_EXPECT_MEMEQ(test, &key, &want, sizeof(key));
}

static void user_set(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_memory *memory = kmqtt_test_users(port)->memory;
	u64 one;

	expect_key(test, port, "a", SHA_256, 0);
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_256, 4096), 0);
	one = kmqtt_memory_used(memory);
	KUNIT_EXPECT_GE(test, one, sizeof(struct kmqtt_user) + 1);
	expect_key(test, port, "a", SHA_256, 4096);
	expect_key(test, port, "a", SHA_512, 0);
	/* One method doesn't touch the other. */
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_512, 5000), 0);
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_256, 6000), 0);
	expect_key(test, port, "a", SHA_256, 6000);
	expect_key(test, port, "a", SHA_512, 5000);
	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->nr, 1);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), one);
	/* Names are bytes, all of them. */
	KUNIT_EXPECT_EQ(test, set(port, "A", SHA_256, 7000), 0);
	KUNIT_EXPECT_EQ(test, set(port, "a ", SHA_256, 8000), 0);
	expect_key(test, port, "a", SHA_256, 6000);
	expect_key(test, port, "A", SHA_256, 7000);
	expect_key(test, port, "a ", SHA_256, 8000);
	expect_key(test, port, "", SHA_256, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->nr, 3);
	/* What is left is forgotten with the rules. */
}

static void user_del(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);

	KUNIT_EXPECT_EQ(test, del(port, "a"), -ENOENT);
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_256, 4096), 0);
	KUNIT_EXPECT_EQ(test, set(port, "b", SHA_256, 4097), 0);
	KUNIT_EXPECT_EQ(test, del(port, "a"), 0);
	KUNIT_EXPECT_EQ(test, del(port, "a"), -ENOENT);
	expect_key(test, port, "a", SHA_256, 0);
	expect_key(test, port, "b", SHA_256, 4097);
	/* A new user of that name has nothing of the old one. */
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_512, 4098), 0);
	expect_key(test, port, "a", SHA_256, 0);
	KUNIT_EXPECT_EQ(test, del(port, "a"), 0);
	KUNIT_EXPECT_EQ(test, del(port, "b"), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->nr, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(kmqtt_test_users(port)->memory), 0);
}

static void user_limits(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_memory *memory = kmqtt_test_users(port)->memory;
	u64 used;

	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->max, KMQTT_NR_USERS_MAX);
	kmqtt_test_users(port)->max = 2;
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_256, 4096), 0);
	KUNIT_EXPECT_EQ(test, set(port, "b", SHA_256, 4096), 0);
	used = kmqtt_memory_used(memory);
	KUNIT_EXPECT_EQ(test, set(port, "c", SHA_256, 4096), -ENOSPC);
	expect_key(test, port, "c", SHA_256, 0);
	KUNIT_EXPECT_EQ(test, set(port, "b", SHA_512, 5000), 0);
	expect_key(test, port, "b", SHA_512, 5000);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), used);
	/* Without memory all stays as it was. */
	memory->limit = 0;
	KUNIT_EXPECT_EQ(test, set(port, "b", SHA_512, 6000), -ENOMEM);
	expect_key(test, port, "b", SHA_512, 5000);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), used);
	memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, del(port, "a"), 0);
	KUNIT_EXPECT_EQ(test, set(port, "c", SHA_256, 4096), 0);
}

static void user_many(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	char name[8];
	u32 i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		KUNIT_ASSERT_EQ(test, set(port, name, i % 2, 4096 + i), 0);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->nr, MANY);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		expect_key(test, port, name, i % 2, 4096 + i);
	}
	kmqtt_users_clear(kmqtt_test_users(port));
	KUNIT_EXPECT_EQ(test, kmqtt_test_users(port)->nr, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(kmqtt_test_users(port)->memory), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kmqtt_test_users(port)->table.nelems), 0);
	expect_key(test, port, "7", 1, 0);
	kmqtt_users_clear(kmqtt_test_users(port));
	KUNIT_EXPECT_EQ(test, set(port, "7", SHA_256, 4096), 0);
	expect_key(test, port, "7", SHA_256, 4096);
}

static void user_walk(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_user_info *info;
	struct rhashtable_iter iter;
	u32 seen = 0, want = 0, i;
	bool again = false;

	info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info);
	for (i = 0; i < 20; i++) {
		char name[2] = { 'a' + i };

		KUNIT_ASSERT_EQ(test, set(port, name, i % 2, 5000 + i), 0);
		want |= BIT(i);
	}
	rhashtable_walk_enter(&kmqtt_test_users(port)->table, &iter);
	while (kmqtt_users_walk(&iter, info, &again)) {
		KUNIT_ASSERT_EQ(test, info->name_len, 1);
		i = info->name[0] - 'a';
		KUNIT_ASSERT_LT(test, i, 20);
		KUNIT_EXPECT_EQ(test, info->scram[i % 2].iterations, 5000 + i);
		KUNIT_EXPECT_EQ(test, info->scram[1 - i % 2].iterations, 0);
		seen |= BIT(i);
	}
	rhashtable_walk_exit(&iter);
	/* Whoever is told that the table changed has to look again. */
	if (!again)
		KUNIT_EXPECT_EQ(test, seen, want);
}

static struct kmqtt_password password_of(u32 iterations)
{
	struct kmqtt_password password = {
		.iterations = iterations,
		.method = KMQTT_PASSWORD_METHOD_PBKDF2_SHA512,
		.salt_len = 1 + iterations % 64,
	};

	memset(password.salt, iterations, password.salt_len);
	memset(password.hash, iterations + 1, sizeof(password.hash));
	return password;
}

static int set_password(struct kmqtt_port *port, const char *name,
			u32 iterations)
{
	struct kmqtt_password password = password_of(iterations);
	struct kmqtt_str str = kmqtt_test_str(name);

	return kmqtt_user_set_password(kmqtt_test_users(port), &str, &password);
}

/* The user has this password; with 0 iterations, none. */
static void expect_password(struct kunit *test, struct kmqtt_port *port,
			    const char *name, u32 iterations)
{
	struct kmqtt_password password = {}, want = password_of(iterations);
	struct kmqtt_str str = kmqtt_test_str(name);
	bool found;

	found = kmqtt_user_get_password(kmqtt_test_users(port), &str, &password);
	KUNIT_EXPECT_EQ_MSG(test, found, !!iterations, "%s", name);
	if (iterations)
		KUNIT_EXPECT_MEMEQ(test, &password, &want, sizeof(want));
	else
		KUNIT_EXPECT_NE(test, password.iterations, 0);
}

static void user_password(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_users *users = kmqtt_test_users(port);
	u64 used;

	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_256, 4096), 0);
	expect_password(test, port, "a", 0);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 0);
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 100), 0);
	KUNIT_EXPECT_EQ(test, set_password(port, "b", 200), 0);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 2);
	KUNIT_EXPECT_EQ(test, users->nr, 2);
	expect_password(test, port, "a", 100);
	expect_password(test, port, "b", 200);
	expect_password(test, port, "c", 0);
	/* Neither kind of credentials touches the other. */
	expect_key(test, port, "a", SHA_256, 4096);
	expect_key(test, port, "b", SHA_256, 0);
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 300), 0);
	KUNIT_EXPECT_EQ(test, set(port, "b", SHA_512, 5000), 0);
	expect_password(test, port, "a", 300);
	expect_password(test, port, "b", 200);
	expect_key(test, port, "a", SHA_256, 4096);
	expect_key(test, port, "b", SHA_512, 5000);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 2);
	/* What fails changes nothing. */
	used = kmqtt_memory_used(users->memory);
	users->max = 2;
	KUNIT_EXPECT_EQ(test, set_password(port, "c", 300), -ENOSPC);
	users->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 400), -ENOMEM);
	users->memory->limit = KMQTT_TEST_MEMORY;
	expect_password(test, port, "a", 300);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 2);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(users->memory), used);
	KUNIT_EXPECT_EQ(test, del(port, "a"), 0);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 1);
	kmqtt_users_clear(users);
	KUNIT_EXPECT_EQ(test, users->costs.nr, 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(users->memory), 0);
}

/* Is who came in as @name by this stamp still welcome? */
static bool admits(struct kmqtt_port *port, enum kmqtt_trust trust,
		   const char *name, u64 stamp)
{
	struct kmqtt_str str = kmqtt_test_str(name);

	return kmqtt_port_admits(port, trust, &str, stamp);
}

static u64 password_stamp(struct kmqtt_port *port, u32 iterations)
{
	struct kmqtt_password password = password_of(iterations);

	return kmqtt_password_stamp(&password, &port->access->stamp_secret);
}

static void user_admits(struct kunit *test)
{
	const enum kmqtt_trust by_password = KMQTT_TRUST_PASSWORD;
	const enum kmqtt_trust unproven = KMQTT_TRUST_UNPROVEN;
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_scram_key key = key_of(4096);
	u64 one = password_stamp(port, 1), scram;

	scram = kmqtt_scram_key_stamp(&key, &port->access->stamp_secret);
	KUNIT_EXPECT_NE(test, one, password_stamp(port, 2));
	KUNIT_EXPECT_FALSE(test, admits(port, by_password, "a", one));
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 1), 0);
	KUNIT_EXPECT_EQ(test, set_password(port, "b", 2), 0);
	KUNIT_EXPECT_EQ(test, set(port, "a", SHA_512, 4096), 0);
	KUNIT_EXPECT_TRUE(test, admits(port, by_password, "a", one));
	KUNIT_EXPECT_FALSE(test, admits(port, by_password, "b", one));
	KUNIT_EXPECT_TRUE(test, admits(port, KMQTT_TRUST_SCRAM, "a", scram));
	KUNIT_EXPECT_FALSE(test, admits(port, KMQTT_TRUST_SCRAM, "b", scram));
	/* The same is the same, even if it was set once more. */
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 1), 0);
	KUNIT_EXPECT_TRUE(test, admits(port, by_password, "a", one));
	KUNIT_EXPECT_EQ(test, set_password(port, "a", 3), 0);
	KUNIT_EXPECT_FALSE(test, admits(port, by_password, "a", one));
	/* Without a proof the terms decide, and whether one is asked for. */
	KUNIT_EXPECT_FALSE(test, admits(port, KMQTT_TRUST_ANONYMOUS, "", 0));
	port->terms.anonymous = true;
	KUNIT_EXPECT_TRUE(test, admits(port, KMQTT_TRUST_ANONYMOUS, "", 0));
	KUNIT_EXPECT_FALSE(test, admits(port, unproven, "a", 0));
	kmqtt_users_clear(kmqtt_test_users(port));
	KUNIT_EXPECT_TRUE(test, admits(port, unproven, "a", 0));
	KUNIT_EXPECT_FALSE(test, admits(port, KMQTT_TRUST_SCRAM, "a", scram));
}

static struct kunit_case user_cases[] = {
	KUNIT_CASE(user_set),
	KUNIT_CASE(user_del),
	KUNIT_CASE(user_limits),
	KUNIT_CASE(user_many),
	KUNIT_CASE(user_walk),
	KUNIT_CASE(user_password),
	KUNIT_CASE(user_admits),
	{}
};

static struct kunit_suite user_suite = {
	.name = "kmqtt_access_user",
	.test_cases = user_cases,
};

kunit_test_suites(&user_suite);
