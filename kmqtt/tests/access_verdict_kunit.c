// SPDX-License-Identifier: GPL-2.0
/*
 * Identities, and what is remembered of decisions about them. What was decided
 * without a look at the rules was remembered.
 */
#include "support_access.h"

struct verdict_test {
	struct kunit *test;
	struct kmqtt_port *port;
	struct kmqtt_verdicts memo;
	struct kmqtt_ask ask;
	char topic[KMQTT_VERDICT_TOPIC_MAX + 2];
};

static void be(struct verdict_test *t, const char *user)
{
	if (t->ask.identity)
		kmqtt_identity_put((struct kmqtt_identity *)t->ask.identity);
	t->ask.identity = kmqtt_test_identity(t->test, t->port, user);
}

static void about(struct verdict_test *t, const char *topic)
{
	strscpy(t->topic, topic);
	t->ask.topic = kmqtt_test_str(t->topic);
}

static struct verdict_test *verdict_create(struct kunit *test,
					   const char *rules)
{
	struct verdict_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->port = kmqtt_test_port(test);
	kmqtt_test_rules(test, t->port, rules);
	t->ask.client_id = kmqtt_test_str("c");
	t->ask.origin = 1;
	t->ask.access = KMQTT_ACL_ACCESS_READ;
	be(t, "u");
	about(t, "a");
	return t;
}

static void verdict_destroy(struct verdict_test *t)
{
	kmqtt_identity_put((struct kmqtt_identity *)t->ask.identity);
}

/* Returns the decision, and whether it took a look at the rules. */
static int decide(struct verdict_test *t, bool *looked)
{
	u32 rules;
	int ret;

	rcu_read_lock();
	ret = kmqtt_verdict(&t->memo, &t->ask, U32_MAX, &rules);
	rcu_read_unlock();
	*looked = rules;
	return ret;
}

static void expect(struct verdict_test *t, int want, bool remembered)
{
	bool looked;

	KUNIT_EXPECT_EQ(t->test, decide(t, &looked), want);
	KUNIT_EXPECT_EQ(t->test, looked, !remembered);
}

/* Each time it is decided once. */
static void expect_new(struct verdict_test *t, int want)
{
	expect(t, want, false);
	expect(t, want, true);
}

/* What differs in anything is another decision. */
static void verdict_keys(struct kunit *test)
{
	struct verdict_test *t = verdict_create(test, "topic x\nuser u\n"
						"topic read a\npattern %c/x");
	expect_new(t, 1);
	t->ask.access = KMQTT_ACL_ACCESS_WRITE;
	expect_new(t, 0);
	t->ask.access = KMQTT_ACL_ACCESS_READ;
	expect(t, 1, true);
	about(t, "b");
	expect_new(t, 0);
	about(t, "d/x");
	expect_new(t, 0);
	t->ask.client_id = kmqtt_test_str("d");
	t->ask.origin = 2;
	expect_new(t, 1);
	be(t, "");
	expect_new(t, 1);
	/* Nobody is the same, however often. */
	be(t, "");
	expect(t, 1, true);
	/* A user who comes again may have another name in the same place. */
	be(t, "u");
	expect_new(t, 1);
	verdict_destroy(t);
}

static void verdict_forgets(struct kunit *test)
{
	struct verdict_test *t = verdict_create(test, "user u\ntopic read a");

	expect_new(t, 1);
	kmqtt_test_rules(test, t->port, "user u\ntopic write a");
	expect_new(t, 0);
	kmqtt_test_rules(test, t->port, "user u\ntopic read a\ntopic b");
	expect_new(t, 1);
	kmqtt_test_rules(test, t->port, NULL);
	about(t, "anything");
	expect(t, 1, true);
	kmqtt_test_rules(test, t->port, "user u\ntopic a");
	expect_new(t, 0);
	verdict_destroy(t);
}

/* A realm of all, and what they know before who has rules at all. */
static void verdict_replace(struct kunit *test)
{
	struct verdict_test *t = verdict_create(test, NULL);
	struct kmqtt_access *access = t->port->access;
	struct kmqtt_realm *realm;
	LIST_HEAD(realms);
	u64 generation;
	u32 i;

	KUNIT_EXPECT_EQ(test, kmqtt_access_scan_max(access), 0);
	mutex_lock(&access->mutex);
	kmqtt_realm_put(kmqtt_port_set_realm(t->port, NULL));
	mutex_unlock(&access->mutex);
	for (i = 0; i < 2; i++) {
		realm = kmqtt_realm_create(access, 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, realm);
		if (!i)
			realm->acl = kmqtt_test_acl(test, access->memory,
						    "user u\ntopic b\ntopic c");
		list_add(&realm->list, &realms);
		generation = atomic64_read(&access->generation);
		mutex_lock(&access->mutex);
		kmqtt_access_replace(access, &realms);
		mutex_unlock(&access->mutex);
		KUNIT_EXPECT_NE(test, atomic64_read(&access->generation),
				generation);
		realm = list_first_entry(&realms, struct kmqtt_realm, list);
		list_del_init(&realm->list);
		kmqtt_realm_put(realm);
		KUNIT_EXPECT_EQ(test, kmqtt_access_scan_max(access), i ? 0 : 3);
		expect(t, i, i);
	}
	verdict_destroy(t);
}

static void verdict_limits(struct kunit *test)
{
	struct verdict_test *t = verdict_create(test, "user u\ntopic a\ntopic b\n"
						"pattern #");
	u32 rules;

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, kmqtt_verdict(&t->memo, &t->ask, 2, &rules),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, kmqtt_verdict(&t->memo, &t->ask, 3, &rules), 1);
	KUNIT_EXPECT_EQ(test, rules, 3);
	/* What is remembered takes none. */
	KUNIT_EXPECT_EQ(test, kmqtt_verdict(&t->memo, &t->ask, 0, &rules), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_verdict(NULL, &t->ask, 3, &rules), 1);
	KUNIT_EXPECT_EQ(test, rules, 3);
	rcu_read_unlock();
	memset(t->topic, 'x', KMQTT_VERDICT_TOPIC_MAX);
	t->ask.topic.len = KMQTT_VERDICT_TOPIC_MAX;
	expect_new(t, 1);
	t->topic[KMQTT_VERDICT_TOPIC_MAX] = 'x';
	t->ask.topic.len++;
	expect(t, 1, false);
	expect(t, 1, false);
	verdict_destroy(t);
}

/* More than there is room for: each is right, whoever was there before. */
static void verdict_collisions(struct kunit *test)
{
	struct verdict_test *t = verdict_create(test, "user u\ntopic read +/1\n"
						"topic write 2/+");
	char topic[KMQTT_TEST_NAME_MAX];
	bool looked;
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 4 * KMQTT_VERDICT_SLOTS; i++) {
			bool read = i / 3 % 2;

			snprintf(topic, sizeof(topic), "%d/%d", i % 3, i / 3 % 97);
			about(t, topic);
			t->ask.access = read ? KMQTT_ACL_ACCESS_READ :
					       KMQTT_ACL_ACCESS_WRITE;
			KUNIT_EXPECT_EQ(test, decide(t, &looked),
					read ? i / 3 % 97 == 1 : i % 3 == 2);
		}
	}
	verdict_destroy(t);
}

static void identity_references(struct kunit *test)
{
	struct kmqtt_port *port = kmqtt_test_port(test);
	struct kmqtt_memory *memory = port->access->memory;
	struct kmqtt_identity *u, *v, *nobody;
	u64 used = kmqtt_memory_used(memory);

	u = kmqtt_test_identity(test, port, "u");
	v = kmqtt_test_identity(test, port, "u");
	KUNIT_EXPECT_NE(test, u->number, v->number);
	KUNIT_EXPECT_PTR_EQ(test, u->port, port);
	KUNIT_EXPECT_EQ(test, kref_read(&port->ref), 3);
	KUNIT_EXPECT_GT(test, kmqtt_memory_used(memory), used);
	nobody = kmqtt_test_identity(test, port, "");
	KUNIT_EXPECT_PTR_EQ(test, nobody, &port->nobody);
	KUNIT_EXPECT_PTR_EQ(test, kmqtt_identity_get(nobody), nobody);
	KUNIT_EXPECT_EQ(test, kref_read(&port->ref), 5);
	kmqtt_identity_put(nobody);
	kmqtt_identity_put(nobody);
	kmqtt_identity_get(v);
	kmqtt_identity_put(v);
	kmqtt_identity_put(v);
	KUNIT_EXPECT_EQ(test, kref_read(&port->ref), 2);
	kmqtt_identity_put(u);
	kmqtt_identity_put(NULL);
	KUNIT_EXPECT_EQ(test, kref_read(&port->ref), 1);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), used);

	memory->limit = used;
	KUNIT_EXPECT_NULL(test, kmqtt_identity_create(port, &(struct kmqtt_str) {
		.data = "u", .len = 1 }, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, kref_read(&port->ref), 1);
}

static struct kunit_case verdict_cases[] = {
	KUNIT_CASE(verdict_keys),
	KUNIT_CASE(verdict_forgets),
	KUNIT_CASE(verdict_replace),
	KUNIT_CASE(verdict_limits),
	KUNIT_CASE(verdict_collisions),
	KUNIT_CASE(identity_references),
	{}
};

static struct kunit_suite verdict_suite = {
	.name = "kmqtt_access_verdict",
	.test_cases = verdict_cases,
};

kunit_test_suites(&verdict_suite);
