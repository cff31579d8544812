// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of passwords: in which order they are done, how many may wait, and
 * what becomes of those that nobody wants any more. All runs on a workqueue
 * that does one work at a time.
 */
#include "support_access.h"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include "../access/check.h"
#include "../compat.h"

/* Takes minutes: what is behind it waits for as long as it has to. */
#define SLOW	KMQTT_PASSWORD_ITERATIONS_MAX

/* Of the password "x", with one iteration and the salt "s". */
static const char hash[] =
	"cB2BVg5T2fv2/218qES5+cayEeSNmchx4oyTXtnpCiNY4djOW6b5FSNN1/MkYxZ0aMyItuG79MUhwtpMv9K5Vw==";

struct bench {
	struct kunit *test;
	struct kmqtt_port *port;
	struct workqueue_struct *wq;
	struct kmqtt_checks checks;
	struct completion ended;
	int nr_ended;
};

struct one {
	struct kmqtt_check check;
	struct bench *bench;
	int place;	/* when it has ended: as the how-many-eth; else 0 */
};

static void wq_exit(void *wq)
{
	destroy_workqueue(wq);
}

static void checks_exit(void *checks)
{
	kmqtt_checks_uninit(checks);
}

static void add_user(struct bench *bench, const char *name, u32 iterations)
{
	struct kmqtt_password p = {
		.iterations = iterations,
		.method = KMQTT_PASSWORD_METHOD_PBKDF2_SHA512,
		.salt_len = 1,
		.salt = "s",
	};
	struct kmqtt_str str = kmqtt_test_str(name);

	KUNIT_ASSERT_EQ(bench->test,
			kmqtt_base64_decode(hash, strlen(hash), p.hash),
			sizeof(p.hash));
	KUNIT_ASSERT_EQ(bench->test,
			kmqtt_user_set_password(kmqtt_test_users(bench->port),
						&str, &p), 0);
}

static struct bench *bench_create(struct kunit *test)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bench);
	bench->test = test;
	bench->port = kmqtt_test_port(test);
	bench->wq = alloc_workqueue("kmqtt_test", WQ_UNBOUND, 1);
	KUNIT_ASSERT_NOT_NULL(test, bench->wq);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, wq_exit, bench->wq), 0);
	init_completion(&bench->ended);
	kmqtt_checks_init(&bench->checks, bench->wq);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, checks_exit,
						  &bench->checks), 0);
	add_user(bench, "fast", 1);
	add_user(bench, "slow", SLOW);
	return bench;
}

static void one_done(struct kmqtt_check *check)
{
	struct one *one = container_of(check, struct one, check);
	struct bench *bench = one->bench;

	WRITE_ONCE(one->place, ++bench->nr_ended);
	complete(&bench->ended);
}

/* An address of IPv4, or of IPv6 in a network of its own. */
static struct in6_addr addr_of(u8 nr, bool v6, u8 host)
{
	struct in6_addr addr = {};

	addr.s6_addr[15] = host;
	if (v6) {
		addr.s6_addr[0] = 0x20;
		addr.s6_addr[7] = nr;
		return addr;
	}
	addr.s6_addr[10] = 0xff;
	addr.s6_addr[11] = 0xff;
	addr.s6_addr[14] = nr;
	return addr;
}

static int begin(struct bench *bench, struct one *one, const char *user,
		 const char *password, const struct in6_addr *addr)
{
	memset(one, 0, sizeof(*one));
	one->bench = bench;
	one->check.port = bench->port;
	one->check.user = kmqtt_test_str(user);
	one->check.password = kmqtt_test_str(password);
	one->check.done = one_done;
	return kmqtt_check_begin(&bench->checks, &one->check, addr, GFP_KERNEL);
}

static struct one *ones(struct kunit *test, int nr)
{
	struct one *one = kunit_kcalloc(test, nr, sizeof(*one), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, one);
	return one;
}

static void wait_for(struct bench *bench, int nr)
{
	while (nr--)
		KUNIT_ASSERT_GT(bench->test,
				wait_for_completion_timeout(&bench->ended,
							    60 * HZ), 0);
}

/* Until the first check of all is being done: the others are behind it. */
static void wait_running(struct bench *bench, struct one *one)
{
	unsigned long end = jiffies + 60 * HZ;

	while (!list_empty(&one->check.list) && time_before(jiffies, end))
		msleep(20);
	KUNIT_ASSERT_TRUE(bench->test, list_empty(&one->check.list));
}

/* Addresses take turns, and each has its own order. */
static void check_turns(struct kunit *test)
{
	struct bench *bench = bench_create(test);
	struct in6_addr greedy = addr_of(1, false, 1), addr;
	struct one *holder = ones(test, 1), *many = ones(test, 20);
	struct one *few = ones(test, 4);
	int i;

	KUNIT_ASSERT_EQ(test, begin(bench, holder, "slow", "y", &greedy), 0);
	wait_running(bench, holder);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test,
				begin(bench, &many[i], "fast", "x", &greedy), 0);
	for (i = 0; i < 4; i++) {
		addr = addr_of(2 + i, false, 1);
		KUNIT_ASSERT_EQ(test, begin(bench, &few[i], "fast", "x", &addr),
				0);
	}
	KUNIT_EXPECT_EQ(test, bench->checks.waiting, 25);
	KUNIT_EXPECT_EQ(test, bench->nr_ended, 0);
	KUNIT_EXPECT_FALSE(test,
			   kmqtt_check_cancel(&bench->checks, &holder->check));
	wait_for(bench, 25);
	KUNIT_EXPECT_EQ(test, holder->check.result, -ECANCELED);
	KUNIT_EXPECT_EQ(test, holder->place, 1);
	/* CPUs have their own queues: between two others one may get in. */
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_LE(test, few[i].place, 3 + 2 * i);
	for (i = 1; i < 20; i++)
		KUNIT_EXPECT_GT(test, many[i].place, many[i - 1].place);
	KUNIT_EXPECT_EQ(test, bench->checks.waiting, 0);
	KUNIT_EXPECT_EQ(test, bench->checks.done, 24);
}

/* What comes out, and what is counted. */
static void check_result(struct kunit *test)
{
	struct bench *bench = bench_create(test);
	struct one *one = ones(test, 1);
	struct in6_addr addr = addr_of(1, false, 1);

	KUNIT_ASSERT_EQ(test, begin(bench, one, "fast", "x", &addr), 0);
	wait_for(bench, 1);
	KUNIT_EXPECT_EQ(test, one->check.result, 0);
	KUNIT_EXPECT_TRUE(test,
			  kmqtt_port_admits(bench->port, KMQTT_TRUST_PASSWORD,
					    &one->check.user, one->check.stamp));
	KUNIT_ASSERT_EQ(test, begin(bench, one, "fast", "y", &addr), 0);
	wait_for(bench, 1);
	KUNIT_EXPECT_EQ(test, one->check.result, -EACCES);
	kmqtt_users_clear(kmqtt_test_users(bench->port));
	KUNIT_ASSERT_EQ(test, begin(bench, one, "fast", "x", &addr), 0);
	wait_for(bench, 1);
	KUNIT_EXPECT_EQ(test, one->check.result, -EACCES);
	KUNIT_EXPECT_EQ(test, bench->checks.done, 3);
	KUNIT_EXPECT_EQ(test, bench->checks.failed, 2);
}

/* Who fails waits: 50 ms, 100 ms, 200 ms; others don't. */
static void check_delay(struct kunit *test)
{
	struct bench *bench = bench_create(test);
	struct in6_addr bad = addr_of(1, false, 1), good = addr_of(2, false, 1);
	struct one *guess = ones(test, 4), *right = ones(test, 3);
	unsigned long start = jiffies;
	int i;

	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, begin(bench, &guess[i], "fast", "y", &bad),
				0);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test,
				begin(bench, &right[i], "fast", "x", &good), 0);
	wait_for(bench, 7);
	KUNIT_EXPECT_GE(test, jiffies_to_msecs(jiffies - start), 350 - 10);
	KUNIT_EXPECT_EQ(test, guess[3].place, 7);
	KUNIT_EXPECT_EQ(test, bench->checks.nr_idle, 1);
}

/* Who doesn't wait for the answer waits all the same, unless it was for its turn. */
static void check_stopped(struct kunit *test)
{
	struct bench *bench = bench_create(test);
	struct one *stopped = ones(test, 2), *next = ones(test, 1);
	struct in6_addr addr = addr_of(1, false, 1);
	unsigned long start;

	KUNIT_ASSERT_EQ(test, begin(bench, &stopped[0], "slow", "y", &addr), 0);
	wait_running(bench, &stopped[0]);
	KUNIT_ASSERT_EQ(test, begin(bench, &stopped[1], "slow", "y", &addr), 0);
	KUNIT_ASSERT_EQ(test, begin(bench, next, "fast", "x", &addr), 0);
	KUNIT_EXPECT_TRUE(test, kmqtt_check_cancel(&bench->checks,
						   &stopped[1].check));
	start = jiffies;
	KUNIT_EXPECT_FALSE(test, kmqtt_check_cancel(&bench->checks,
						    &stopped[0].check));
	wait_for(bench, 2);
	KUNIT_EXPECT_EQ(test, stopped[0].check.result, -ECANCELED);
	KUNIT_EXPECT_EQ(test, next->check.result, 0);
	KUNIT_EXPECT_GE(test, jiffies_to_msecs(jiffies - start), 50 - 10);
	KUNIT_EXPECT_EQ(test, bench->checks.done, 1);
	KUNIT_EXPECT_EQ(test, bench->checks.failed, 0);
	KUNIT_EXPECT_EQ(test, bench->checks.nr_idle, 1);
}

/* How many may wait, of an address and in all. */
static void check_limits(struct kunit *test)
{
	const int per_source = KMQTT_CHECKS_PER_SOURCE_MAX;
	struct bench *bench = bench_create(test);
	struct one *one = ones(test, KMQTT_CHECKS_MAX + 1);
	struct in6_addr addr;
	int nr = 0, i, host;

	for (i = 0; nr < KMQTT_CHECKS_MAX; i++) {
		/* All of a network of IPv6 is one. */
		for (host = 0; host < per_source; host++, nr++) {
			addr = addr_of(i, i % 2, i % 2 ? host : 1);
			KUNIT_ASSERT_EQ(test,
					begin(bench, &one[nr], nr ? "fast" : "slow",
					      "x", &addr), 0);
			if (!nr)
				wait_running(bench, one);
		}
		if (nr == KMQTT_CHECKS_MAX)
			break;
		KUNIT_EXPECT_EQ(test,
				begin(bench, &one[nr], "fast", "x", &addr),
				-EBUSY);
	}
	addr = addr_of(200, false, 1);
	KUNIT_EXPECT_EQ(test, begin(bench, &one[nr], "fast", "x", &addr),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, bench->checks.waiting, KMQTT_CHECKS_MAX);
	KUNIT_EXPECT_EQ(test, bench->checks.refused,
			KMQTT_CHECKS_MAX / per_source);
	/* One that goes makes room. */
	KUNIT_EXPECT_TRUE(test, kmqtt_check_cancel(&bench->checks,
						   &one[1].check));
	KUNIT_EXPECT_EQ(test, begin(bench, &one[1], "fast", "x", &addr), 0);
	for (i = KMQTT_CHECKS_MAX - 1; i > 0; i--)
		KUNIT_EXPECT_TRUE(test, kmqtt_check_cancel(&bench->checks,
							   &one[i].check));
	KUNIT_EXPECT_FALSE(test, kmqtt_check_cancel(&bench->checks,
						    &one[0].check));
	wait_for(bench, 1);
	KUNIT_EXPECT_EQ(test, bench->checks.waiting, 0);
	KUNIT_EXPECT_EQ(test, bench->nr_ended, 1);
}

/* Failures of some addresses are remembered, not of as many as there are. */
static void check_memory(struct kunit *test)
{
	struct bench *bench = bench_create(test);
	const int nr = KMQTT_CHECK_SOURCES_MAX + 100;
	struct one *one = ones(test, nr);
	struct in6_addr addr;
	int i;

	for (i = 0; i < nr; i++) {
		addr = addr_of(i >> 8, false, i);
		KUNIT_ASSERT_EQ(test, begin(bench, &one[i], "fast", "y", &addr),
				0);
	}
	wait_for(bench, nr);
	KUNIT_EXPECT_EQ(test, bench->checks.nr_idle, KMQTT_CHECK_SOURCES_MAX);
	KUNIT_EXPECT_EQ(test, list_count_nodes(&bench->checks.idle),
			KMQTT_CHECK_SOURCES_MAX);
}

static struct kunit_case check_cases[] = {
	KUNIT_CASE(check_turns),
	KUNIT_CASE(check_result),
	KUNIT_CASE(check_delay),
	KUNIT_CASE(check_stopped),
	KUNIT_CASE_SLOW(check_limits),
	KUNIT_CASE_SLOW(check_memory),
	{}
};

static struct kunit_suite check_suite = {
	.name = "kmqtt_access_check",
	.test_cases = check_cases,
};

kunit_test_suites(&check_suite);
