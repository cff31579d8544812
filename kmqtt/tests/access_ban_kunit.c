// SPDX-License-Identifier: GPL-2.0
/*
 * Bans: whom they are about, for how long, how many there may be; and when
 * somebody connects too often.
 */
#include "support_access.h"

#include <linux/delay.h>
#include "../access/ban.h"
#include "../access/flapping.h"
#include "../broker.h"

static void bans_exit(void *bans)
{
	kmqtt_bans_uninit(bans);
}

static struct kmqtt_bans *bans_create(struct kunit *test, u32 max)
{
	struct kmqtt_bans *bans = kunit_kzalloc(test, sizeof(*bans), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bans);
	KUNIT_ASSERT_EQ(test,
			kmqtt_bans_init(bans,
					kmqtt_test_memory(test,
							  KMQTT_TEST_MEMORY),
					kmqtt_wq.ctl), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, bans_exit, bans),
			0);
	bans->max = max;
	return bans;
}

static struct kmqtt_ban_key name_of(enum kmqtt_ban_kind kind, const char *name)
{
	return (struct kmqtt_ban_key) {
		.kind = kind,
		.value = kmqtt_test_str(name),
	};
}

/* Words of 16 bits that an address begins with, the last of them at its end. */
static struct in6_addr ipv6(u16 a, u16 b, u16 c, u16 last)
{
	return (struct in6_addr) {
		.s6_addr16 = {
			htons(a), htons(b), htons(c), 0, 0, 0, 0, htons(last),
		},
	};
}

static struct in6_addr ipv4(u8 a, u8 b, u8 c, u8 d)
{
	return (struct in6_addr) {
		.s6_addr = {
			[10] = 0xff, [11] = 0xff, [12] = a, b, c, d,
		},
	};
}

static struct kmqtt_ban_key network(const struct in6_addr *addr, u8 prefix)
{
	return (struct kmqtt_ban_key) {
		.kind = KMQTT_BAN_ADDRESS,
		.prefix = prefix,
		.value = { .data = addr->s6_addr, .len = sizeof(*addr) },
	};
}

static int add(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key,
	       u32 seconds, const char *reason)
{
	struct kmqtt_str str = kmqtt_test_str(reason);

	return kmqtt_ban_add(bans, key, seconds, KMQTT_BAN_ORIGIN_OPERATOR,
			     &str, GFP_KERNEL);
}

static bool has(struct kmqtt_bans *bans, enum kmqtt_ban_kind kind,
		const char *name)
{
	struct kmqtt_str str = kmqtt_test_str(name);

	return kmqtt_ban_has_name(bans, kind, &str);
}

/* Names are of one kind, whole, and told apart. */
static void ban_names(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 10);
	struct kmqtt_ban_key client = name_of(KMQTT_BAN_CLIENT, "pump");
	struct kmqtt_ban_key user = name_of(KMQTT_BAN_USER, "anna");

	KUNIT_EXPECT_FALSE(test, kmqtt_bans_any(bans));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "pump"));
	KUNIT_ASSERT_EQ(test, add(bans, &client, 0, ""), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &user, 0, "left us"), 0);
	KUNIT_EXPECT_TRUE(test, kmqtt_bans_any(bans));
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "pump"));
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_USER, "anna"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_USER, "pump"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "anna"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "pum"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "pump1"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "Pump"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, ""));

	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &client), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &client), -ENOENT);
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "pump"));
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_USER, "anna"));
	KUNIT_EXPECT_EQ(test, bans->nr, 1);
}

/* Networks of both families, one in another, and their edges. */
static void ban_networks(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 10);
	struct in6_addr ten = ipv4(10, 0, 0, 0), host = ipv4(192, 0, 2, 7);
	struct in6_addr six = ipv6(0x2001, 0xdb8, 0xaa80, 0);
	struct kmqtt_ban_key k10 = network(&ten, 96 + 9);
	struct kmqtt_ban_key khost = network(&host, 128);
	struct kmqtt_ban_key k6 = network(&six, 41);
	struct in6_addr a;

#define BANNED(addr) ({ a = addr; kmqtt_ban_has_address(bans, &a); })
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(10, 0, 0, 1)));
	KUNIT_ASSERT_EQ(test, add(bans, &k10, 0, ""), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &khost, 0, ""), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &k6, 0, ""), 0);
	KUNIT_EXPECT_TRUE(test, BANNED(ipv4(10, 0, 0, 0)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv4(10, 127, 255, 255)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(10, 128, 0, 0)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(9, 255, 255, 255)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv4(192, 0, 2, 7)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(192, 0, 2, 6)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv6(0x2001, 0xdb8, 0xaaff, 1)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv6(0x2001, 0xdb8, 0xaa7f, 1)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv6(0x2001, 0xdb8, 0xab80, 1)));

	/* The same with another prefix is another ban. */
	k10.prefix++;
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &k10), -ENOENT);
	k10.prefix--;
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &k10), 0);
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(10, 0, 0, 0)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv4(192, 0, 2, 7)));
	KUNIT_EXPECT_EQ(test, bitmap_weight(bans->prefixes, 129), 2);
}

/* All of a family is not all of the other. */
static void ban_all(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 10);
	struct in6_addr all6 = {}, all4 = ipv4(0, 0, 0, 0), a;
	struct kmqtt_ban_key k6 = network(&all6, 0), k4 = network(&all4, 96);

	KUNIT_ASSERT_EQ(test, add(bans, &k6, 0, ""), 0);
	KUNIT_EXPECT_TRUE(test, BANNED(ipv6(0, 0, 0, 1)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv6(0xfe80, 0, 0, 1)));
	KUNIT_EXPECT_FALSE(test, BANNED(ipv4(10, 0, 0, 1)));
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &k6), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &k4, 0, ""), 0);
	KUNIT_EXPECT_FALSE(test, BANNED(ipv6(0, 0, 0, 1)));
	KUNIT_EXPECT_TRUE(test, BANNED(ipv4(255, 255, 255, 255)));
#undef BANNED
}

static void ban_mask(struct kunit *test)
{
	struct in6_addr addr = ipv6(0xffff, 0xffff, 0xffff, 0xffff), to;

	KUNIT_EXPECT_FALSE(test, kmqtt_ban_mask(&to, &addr, 0));
	KUNIT_EXPECT_EQ(test, to.s6_addr[0], 0);
	KUNIT_EXPECT_FALSE(test, kmqtt_ban_mask(&to, &addr, 11));
	KUNIT_EXPECT_EQ(test, to.s6_addr[0], 0xff);
	KUNIT_EXPECT_EQ(test, to.s6_addr[1], 0xe0);
	KUNIT_EXPECT_EQ(test, to.s6_addr[2], 0);
	KUNIT_EXPECT_FALSE(test, kmqtt_ban_mask(&to, &addr, 127));
	KUNIT_EXPECT_EQ(test, to.s6_addr[15], 0xfe);
	KUNIT_EXPECT_TRUE(test, kmqtt_ban_mask(&to, &addr, 128));
}

/* A ban of the same takes its place, and all there is to say goes along. */
static void ban_replace(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 2);
	struct kmqtt_ban_key one = name_of(KMQTT_BAN_CLIENT, "one");
	struct kmqtt_ban_key two = name_of(KMQTT_BAN_CLIENT, "two");
	const struct kmqtt_ban *ban;

	KUNIT_ASSERT_EQ(test, add(bans, &one, 0, "first"), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &two, 0, ""), 0);
	/* There is room, although there are as many as there may be. */
	KUNIT_ASSERT_EQ(test, add(bans, &one, 1000, "second"), 0);
	KUNIT_EXPECT_EQ(test, bans->nr, 2);
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "one"));

	rcu_read_lock();
	ban = kmqtt_bans_next(bans, 0);
	KUNIT_ASSERT_NOT_NULL(test, ban);
	KUNIT_EXPECT_EQ(test, kmqtt_ban_expires_in(ban), 0);
	KUNIT_EXPECT_EQ(test, memcmp(ban->data, "two", 3), 0);
	ban = kmqtt_bans_next(bans, ban->number);
	KUNIT_ASSERT_NOT_NULL(test, ban);
	KUNIT_EXPECT_EQ(test, memcmp(ban->data, "onesecond", 9), 0);
	KUNIT_EXPECT_EQ(test, ban->value_len, 3);
	KUNIT_EXPECT_EQ(test, ban->reason_len, 6);
	KUNIT_EXPECT_EQ(test, ban->origin, KMQTT_BAN_ORIGIN_OPERATOR);
	KUNIT_EXPECT_GE(test, kmqtt_ban_expires_in(ban), 990);
	KUNIT_EXPECT_LE(test, kmqtt_ban_expires_in(ban), 1000);
	KUNIT_EXPECT_NULL(test, kmqtt_bans_next(bans, ban->number));
	rcu_read_unlock();
}

/* What is over is over at once, and soon gone. */
static void ban_expiry(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 10);
	struct kmqtt_ban_key late = name_of(KMQTT_BAN_CLIENT, "late");
	struct kmqtt_ban_key soon = name_of(KMQTT_BAN_CLIENT, "soon");
	struct kmqtt_ban_key ever = name_of(KMQTT_BAN_USER, "ever");
	unsigned long end = jiffies + 20 * HZ;
	const struct kmqtt_ban *ban;

	KUNIT_ASSERT_EQ(test, add(bans, &late, 100000, ""), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &soon, 1, ""), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &ever, 0, ""), 0);
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "soon"));
	/* The sweep waits for the one that came second, and goes on after it. */
	while (READ_ONCE(bans->nr) > 2 && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, bans->nr, 2);
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "soon"));
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "late"));
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_USER, "ever"));
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&bans->sweep));

	/* Without the sweep: nobody sees it, it makes room, it can't be ended. */
	KUNIT_ASSERT_EQ(test, add(bans, &soon, 1, ""), 0);
	bans->max = 3;
	disable_delayed_work_sync(&bans->sweep);
	msleep(1200);
	KUNIT_EXPECT_EQ(test, bans->nr, 3);
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "soon"));
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &soon), -ENOENT);
	rcu_read_lock();
	ban = kmqtt_bans_next(bans, kmqtt_bans_next(bans, 0)->number);
	KUNIT_EXPECT_NULL(test, kmqtt_bans_next(bans, ban->number));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, add(bans, &soon, 0, ""), 0);
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "soon"));
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &soon), 0);
	KUNIT_ASSERT_EQ(test, add(bans, &soon, 1, ""), 0);
	msleep(1200);
	soon = name_of(KMQTT_BAN_CLIENT, "another");
	KUNIT_EXPECT_EQ(test, add(bans, &soon, 0, ""), 0);
	KUNIT_EXPECT_EQ(test, bans->nr, 3);
}

/* As many as there may be. */
static void ban_bound(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 1000);
	struct kmqtt_ban_key key;
	char name[8];
	int i;

	for (i = 0; i <= 1000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		key = name_of(KMQTT_BAN_CLIENT, name);
		KUNIT_ASSERT_EQ(test, add(bans, &key, i % 2 ? 1000 : 0, ""),
				i < 1000 ? 0 : -ENOSPC);
	}
	for (i = 0; i <= 1000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		KUNIT_ASSERT_EQ(test, has(bans, KMQTT_BAN_CLIENT, name),
				i < 1000);
	}
	key = name_of(KMQTT_BAN_CLIENT, "c500");
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &key), 0);
	key = name_of(KMQTT_BAN_CLIENT, "c1000");
	KUNIT_EXPECT_EQ(test, add(bans, &key, 0, ""), 0);
	KUNIT_EXPECT_EQ(test, bans->nr, 1000);
	/* Fewer from now on: those that are there stay. */
	bans->max = 10;
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "c1000"));
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &key), 0);
	KUNIT_EXPECT_EQ(test, add(bans, &key, 0, ""), -ENOSPC);
}

static int add_flapping(struct kmqtt_bans *bans,
			const struct kmqtt_ban_key *key)
{
	static const struct kmqtt_str none;

	return kmqtt_ban_add(bans, key, 1000, KMQTT_BAN_ORIGIN_FLAPPING, &none,
			     GFP_ATOMIC);
}

/* What clients bring about leaves room, and what operators said. */
static void ban_flapping(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 6);
	struct kmqtt_ban_key key = name_of(KMQTT_BAN_CLIENT, "one");
	const struct kmqtt_ban *ban;
	char name[8];
	int i;

	KUNIT_ASSERT_EQ(test, add(bans, &key, 0, ""), 0);
	KUNIT_EXPECT_EQ(test, add_flapping(bans, &key), -EEXIST);
	rcu_read_lock();
	ban = kmqtt_bans_next(bans, 0);
	KUNIT_EXPECT_EQ(test, ban->origin, KMQTT_BAN_ORIGIN_OPERATOR);
	KUNIT_EXPECT_EQ(test, kmqtt_ban_expires_in(ban), 0);
	rcu_read_unlock();
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		key = name_of(KMQTT_BAN_CLIENT, name);
		KUNIT_EXPECT_EQ(test, add_flapping(bans, &key),
				i < 3 ? 0 : -ENOSPC);
	}
	/* The operator may make it his own, which makes room again. */
	key = name_of(KMQTT_BAN_CLIENT, "c0");
	KUNIT_EXPECT_EQ(test, add(bans, &key, 0, ""), 0);
	key = name_of(KMQTT_BAN_CLIENT, "c3");
	KUNIT_EXPECT_EQ(test, add_flapping(bans, &key), 0);
	KUNIT_EXPECT_EQ(test, bans->nr, 5);
	KUNIT_EXPECT_EQ(test, bans->nr_flapping, 3);
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &key), 0);
	KUNIT_EXPECT_EQ(test, bans->nr_flapping, 2);
}

/* Without memory there is no ban, and the one before stays. */
static void ban_memory(struct kunit *test)
{
	struct kmqtt_bans *bans = bans_create(test, 10);
	struct kmqtt_ban_key one = name_of(KMQTT_BAN_CLIENT, "one");
	struct kmqtt_ban_key two = name_of(KMQTT_BAN_CLIENT, "two");
	u64 used;

	KUNIT_ASSERT_EQ(test, add(bans, &one, 0, ""), 0);
	used = kmqtt_memory_used(bans->memory);
	KUNIT_EXPECT_GT(test, used, sizeof(struct kmqtt_ban));
	bans->memory->limit = 0;
	KUNIT_EXPECT_EQ(test, add(bans, &two, 0, ""), -ENOMEM);
	KUNIT_EXPECT_EQ(test, add(bans, &one, 1000, "more"), -ENOMEM);
	bans->memory->limit = KMQTT_TEST_MEMORY;
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(bans->memory), used);
	KUNIT_EXPECT_EQ(test, bans->nr, 1);
	KUNIT_EXPECT_TRUE(test, has(bans, KMQTT_BAN_CLIENT, "one"));
	KUNIT_EXPECT_FALSE(test, has(bans, KMQTT_BAN_CLIENT, "two"));
	/* What is replaced or ended is given back. */
	KUNIT_EXPECT_EQ(test, add(bans, &one, 1000, "four"), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(bans->memory), used + 4);
	KUNIT_EXPECT_EQ(test, kmqtt_ban_del(bans, &one), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(bans->memory), 0);
}

static void flapping_exit(void *flapping)
{
	kmqtt_flapping_uninit(flapping);
}

static struct kmqtt_flapping *flapping_create(struct kunit *test, u32 max,
					      u32 window)
{
	struct kmqtt_flapping *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	kmqtt_flapping_init(f);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, flapping_exit, f),
			0);
	f->max = max;
	f->window = window;
	return f;
}

static bool count(struct kmqtt_flapping *flapping, const char *id)
{
	struct kmqtt_str str = kmqtt_test_str(id);

	return kmqtt_flapping_count(flapping, &str);
}

/* Once more than allowed, for each by itself, and then anew. */
static void flapping_count(struct kunit *test)
{
	struct kmqtt_flapping *f = flapping_create(test, 3, 3600);
	int round, i;

	/* Without room nothing is counted. */
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_FALSE(test, count(f, "a"));
	KUNIT_ASSERT_EQ(test, kmqtt_flapping_prepare(f), 0);
	KUNIT_ASSERT_EQ(test, kmqtt_flapping_prepare(f), 0);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 3; i++) {
			KUNIT_EXPECT_FALSE(test, count(f, "a"));
			KUNIT_EXPECT_FALSE(test, count(f, "b"));
		}
		KUNIT_EXPECT_TRUE(test, count(f, "a"));
		KUNIT_EXPECT_TRUE(test, count(f, "b"));
	}
	f->max = 0;
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_FALSE(test, count(f, "a"));
}

/* When the window is over it begins anew. */
static void flapping_window(struct kunit *test)
{
	struct kmqtt_flapping *f = flapping_create(test, 2, 1);
	int i;

	KUNIT_ASSERT_EQ(test, kmqtt_flapping_prepare(f), 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_FALSE(test, count(f, "a"));
		msleep(1100);
	}
	f->window = 3600;
	KUNIT_EXPECT_FALSE(test, count(f, "a"));
	KUNIT_EXPECT_TRUE(test, count(f, "a"));
}

/* The table is bounded: who has not been seen for longest goes. */
static void flapping_bounded(struct kunit *test)
{
	struct kmqtt_flapping *f = flapping_create(test, 2, 3600);
	const int slots = KMQTT_FLAPPING_SETS * KMQTT_FLAPPING_WAYS;
	int i, used = 0;
	char name[16];

	KUNIT_ASSERT_EQ(test, kmqtt_flapping_prepare(f), 0);
	KUNIT_EXPECT_FALSE(test, count(f, "old"));
	KUNIT_EXPECT_FALSE(test, count(f, "old"));
	msleep(1100);
	for (i = 0; i < 100 * slots; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		KUNIT_ASSERT_FALSE(test, count(f, name));
	}
	for (i = 0; i < slots; i++)
		used += f->slots[i].count > 0;
	KUNIT_EXPECT_EQ(test, used, slots);
	/* It is not known any more, and counts from one again. */
	KUNIT_EXPECT_FALSE(test, count(f, "old"));
	KUNIT_EXPECT_FALSE(test, count(f, "old"));
	KUNIT_EXPECT_TRUE(test, count(f, "old"));
}

static struct kunit_case ban_cases[] = {
	KUNIT_CASE(ban_names),
	KUNIT_CASE(ban_networks),
	KUNIT_CASE(ban_all),
	KUNIT_CASE(ban_mask),
	KUNIT_CASE(ban_replace),
	KUNIT_CASE_SLOW(ban_expiry),
	KUNIT_CASE(ban_bound),
	KUNIT_CASE(ban_flapping),
	KUNIT_CASE(ban_memory),
	KUNIT_CASE(flapping_count),
	KUNIT_CASE_SLOW(flapping_window),
	KUNIT_CASE_SLOW(flapping_bounded),
	{}
};

static struct kunit_suite ban_suite = {
	.name = "kmqtt_access_ban",
	.test_cases = ban_cases,
};

kunit_test_suites(&ban_suite);
