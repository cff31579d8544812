// SPDX-License-Identifier: GPL-2.0
/*
 * Access rules: what they mean, and the same from a reference that knows
 * nothing of order.
 */
#include "support_access.h"

#define TO_READ	KMQTT_ACL_ACCESS_READ
#define TO_WRITE	KMQTT_ACL_ACCESS_WRITE

#define ROUNDS	400
#define RULES	12
#define ASKS	60
/* A name for each of four levels. */
#define TEXT_MAX	(4 * KMQTT_TEST_NAME_MAX)

struct acl_case {
	const char *desc;
	const char *rules;
	const char *user;
	const char *id;
	const char *topic;
	bool read;
	bool write;
};

static const struct acl_case acl_cases[] = {
	{ "no rules", "", "u", "c", "a", false, false },
	{ "nobody: own", "topic a", "", "c", "a", true, true },
	{ "nobody: other topic", "topic a", "", "c", "b", false, false },
	{ "nobody: not a user's", "user u\ntopic a", "", "c", "a", false, false },
	{ "user: not nobody's", "topic a", "u", "c", "a", false, false },
	{ "user: not another's", "user v\ntopic a", "u", "c", "a", false, false },
	{ "user: begins alike", "user uu\ntopic a", "u", "c", "a", false, false },
	{ "user: read", "user u\ntopic read a", "u", "c", "a", true, false },
	{ "user: write", "user u\ntopic write a", "u", "c", "a", false, true },
	{ "user: readwrite", "user u\ntopic readwrite a", "u", "c", "a", true, true },
	{ "user: two rules", "user u\ntopic read a\ntopic write a", "u", "c", "a", true, true },
	{ "user: two places", "user u\ntopic read a\nuser v\ntopic b\nuser u\ntopic write a",
	  "u", "c", "a", true, true },
	{ "deny comes last", "user u\ntopic #\ntopic deny a/b", "u", "c", "a/b", false, false },
	{ "deny comes first", "user u\ntopic deny a/#\ntopic a/b", "u", "c", "a/b", false, false },
	{ "deny is elsewhere", "user u\ntopic #\ntopic deny a/b", "u", "c", "a", true, true },
	{ "deny of another", "user v\ntopic deny a\nuser u\ntopic a", "u", "c", "a", true, true },
	{ "deny alone", "user u\ntopic deny a", "u", "c", "b", false, false },
	{ "%u and %c are bytes", "user u\ntopic %u/%c", "u", "c", "%u/%c", true, true },
	{ "no expansion", "user u\ntopic %u/%c", "u", "c", "u/c", false, false },
	{ "pattern: user", "pattern %u/a", "u", "c", "u/a", true, true },
	{ "pattern: other user", "pattern %u/a", "v", "c", "u/a", false, false },
	{ "pattern: nobody", "pattern %u/a", "", "c", "/a", false, false },
	{ "pattern: nobody, %c", "pattern %c/a", "", "c", "c/a", true, true },
	{ "pattern: nobody, both", "pattern %c/%u", "", "c", "c/", false, false },
	{ "pattern: neither", "pattern a", "u", "c", "a", true, true },
	{ "pattern: in a level", "pattern x%u-%cy", "u", "c", "xu-cy", true, true },
	{ "pattern: twice", "pattern %c/%c", "u", "c", "c/c", true, true },
	{ "pattern: percent", "pattern 100%/%%u/%", "u", "c", "100%/%u/%", true, true },
	{ "pattern: levels in a name", "pattern %u/x", "a/b", "c", "a/b/x", true, true },
	{ "pattern: wildcards", "pattern read +/%u/#", "u", "c", "a/u/b/c", true, false },
	{ "pattern: parent", "pattern %u/#", "u", "c", "u", true, true },
	{ "pattern: name is longer", "pattern %u", "u", "c", "uu", false, false },
	{ "pattern: name is shorter", "pattern %u/a", "u", "c", "u", false, false },
	{ "pattern: deny", "pattern #\npattern deny %u/#", "u", "c", "u/a", false, false },
	{ "own before pattern: allowed", "pattern deny #\nuser u\ntopic read a", "u", "c", "a",
	  true, false },
	{ "own before pattern: denied", "pattern #\nuser u\ntopic deny a", "u", "c", "a",
	  false, false },
	{ "own, then pattern", "pattern write a\nuser u\ntopic read a", "u", "c", "a", true, true },
	{ "bad user name", "pattern #", "a+", "c", "a", false, false },
	{ "bad client id", "pattern #", "u", "c#", "a", false, false },
	{ "bad name, own rule", "pattern #\nuser a+\ntopic read a", "a+", "c", "a", true, false },
	{ "bad name, no pattern", "user a#\ntopic a", "a#", "+", "a", true, true },
	{ "$: # is not for it", "user u\ntopic #", "u", "c", "$a", false, false },
	{ "$: + is not for it", "user u\ntopic +/b", "u", "c", "$a/b", false, false },
	{ "$: itself", "user u\ntopic read $a/#", "u", "c", "$a/b", true, false },
	{ "$: deny #", "user u\ntopic deny #\ntopic $a", "u", "c", "$a", true, true },
	{ "$: pattern #", "pattern #", "u", "c", "$a", false, false },
	{ "$: pattern itself", "pattern $a/%u", "u", "c", "$a/u", true, true },
	{ "$: from a client id", "pattern read %c/#", "u", "$SYS", "$SYS/a", true, false },
	{ "$: not for others", "pattern %c/#", "u", "$SYS", "SYS/a", false, false },
};

KUNIT_ARRAY_PARAM_DESC(acl, acl_cases, desc);

static void acl_meaning(struct kunit *test)
{
	const struct acl_case *c = test->param_value;
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct kmqtt_acl *acl = kmqtt_test_acl(test, memory, c->rules);
	struct kmqtt_acl_query query = {
		.user = kmqtt_test_str(c->user),
		.client_id = kmqtt_test_str(c->id),
		.topic.len = strlen(c->topic),
		.access = TO_READ,
	};

	query.topic.data = kmqtt_test_exact(test, c->topic, query.topic.len);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_allows(acl, &query), c->read);
	query.access = TO_WRITE;
	KUNIT_EXPECT_EQ(test, kmqtt_acl_allows(acl, &query), c->write);
	kmqtt_acl_destroy(acl);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

static int add(struct kmqtt_acl *acl, enum kmqtt_acl_kind kind,
	       const char *user, const char *topic)
{
	struct kmqtt_str name = kmqtt_test_str(user);
	struct kmqtt_str filter = kmqtt_test_str(topic);

	return kmqtt_acl_add(acl, kind, &name, TO_READ, &filter);
}

static void acl_refuses(struct kunit *test)
{
	char *text = kunit_kzalloc(test, KMQTT_RULE_TOPIC_MAX + 2, GFP_KERNEL);
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct kmqtt_acl *acl = kmqtt_acl_create(memory);

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_NOT_NULL(test, acl);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_PATTERN, "", "a/#/b"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_ANONYMOUS, "", ""),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_PATTERN, "", "%u+"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_USER, "", "a"), -EINVAL);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_PATTERN, "u", "a"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_ANONYMOUS, "u", "a"),
			-EINVAL);
	memset(text, 'x', KMQTT_RULE_TOPIC_MAX + 1);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_PATTERN, "", text),
			-EINVAL);
	text[KMQTT_IDENTITY_USER_MAX + 1] = '\0';
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_USER, text, "a"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, acl->nr, 0);
	text[KMQTT_IDENTITY_USER_MAX] = '\0';
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_USER, text, text), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_seal(acl), 0);
	kmqtt_acl_destroy(acl);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

/* There are bounds, and what doesn't fit leaves no trace. */
static void acl_bounds(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct kmqtt_acl *acl = kmqtt_acl_create(memory);
	int i, err = 0;

	KUNIT_ASSERT_NOT_NULL(test, acl);
	for (i = 0; !err && i < KMQTT_NR_RULES_MAX; i++)
		err = add(acl, KMQTT_ACL_KIND_ANONYMOUS, "", "a");
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, add(acl, KMQTT_ACL_KIND_ANONYMOUS, "", "a"),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_seal(acl), 0);
	KUNIT_EXPECT_EQ(test, acl->scan_max, KMQTT_NR_RULES_MAX);
	kmqtt_acl_destroy(acl);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);

	/* A new account: what an old one has used, it knows not quite. */
	memory = kmqtt_test_memory(test, 4096);
	acl = kmqtt_acl_create(memory);
	KUNIT_ASSERT_NOT_NULL(test, acl);
	while (!(err = add(acl, KMQTT_ACL_KIND_ANONYMOUS, "", "a/b/c")))
		;
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_GT(test, acl->nr, 10);
	kmqtt_acl_destroy(acl);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

/* How much a decision takes, and that the order of the file is kept. */
static void acl_order(struct kunit *test)
{
	static const char text[] = "pattern a\ntopic b\nuser v\ntopic deny c\n"
				   "user u\ntopic d\ntopic e\nuser v\ntopic f\n"
				   "topic g\npattern deny h";
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct kmqtt_acl *acl = kmqtt_test_acl(test, memory, text);
	struct kmqtt_str u = kmqtt_test_str("u"), v = kmqtt_test_str("v");
	struct kmqtt_str w = kmqtt_test_str("w"), nobody = {};
	int i;

	KUNIT_ASSERT_EQ(test, acl->nr, 8);
	for (i = 0; i < acl->nr; i++) {
		KUNIT_EXPECT_EQ(test, acl->rules[i]->number, i);
		KUNIT_EXPECT_EQ(test, acl->rules[i]->text[0], 'a' + i);
	}
	KUNIT_EXPECT_EQ(test, kmqtt_acl_work(acl, &u), 4);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_work(acl, &v), 5);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_work(acl, &w), 2);
	KUNIT_EXPECT_EQ(test, kmqtt_acl_work(acl, &nobody), 3);
	KUNIT_EXPECT_EQ(test, acl->scan_max, 5);
	kmqtt_acl_destroy(acl);
}

/* A rule of the reference. */
struct model_rule {
	enum kmqtt_acl_kind kind;
	const char *user;
	enum kmqtt_acl_access access;
	char topic[2 * KMQTT_TEST_NAME_MAX];
};

static const char *const users[] = { "", "a", "b", "ab", "$s", "a/b", "a+" };
static const char *const ids[] = { "a", "b", "$s", "b/", "#" };

static void expand(const struct model_rule *rule, const char *user,
		   const char *id, char *to)
{
	const char *p = rule->topic;

	for (; *p; p++) {
		if (rule->kind != KMQTT_ACL_KIND_PATTERN || *p != '%')
			*to++ = *p;
		else if (*++p == 'u')
			to += sprintf(to, "%s", user);
		else
			to += sprintf(to, "%s", id);
	}
	*to = '\0';
}

static bool model_applies(const struct model_rule *rule, const char *user,
			  const char *id, const char *topic)
{
	char filter[TEXT_MAX];

	if (!*user && rule->kind == KMQTT_ACL_KIND_PATTERN &&
	    strstr(rule->topic, "%u"))
		return false;
	expand(rule, user, id, filter);
	return kmqtt_test_matches(filter, topic);
}

/* What rules of one kind say: 1, 0, or -1 if nothing. */
static int model_says(const struct model_rule *rules, bool patterns,
		      const char *user, const char *id, const char *topic,
		      enum kmqtt_acl_access access)
{
	int ret = -1, i;

	for (i = 0; i < RULES; i++) {
		bool pattern = rules[i].kind == KMQTT_ACL_KIND_PATTERN;

		if (pattern != patterns ||
		    (!pattern && strcmp(rules[i].user, user)) ||
		    !model_applies(&rules[i], user, id, topic))
			continue;
		if (rules[i].access == KMQTT_ACL_ACCESS_DENY)
			return 0;
		if (rules[i].access & access)
			ret = 1;
	}
	return ret;
}

static bool model_allows(const struct model_rule *rules, const char *user,
			 const char *id, const char *topic,
			 enum kmqtt_acl_access access)
{
	int ret = model_says(rules, false, user, id, topic, access);

	if (ret >= 0)
		return ret;
	if (strpbrk(user, "+#") || strpbrk(id, "+#"))
		return false;
	return model_says(rules, true, user, id, topic, access) > 0;
}

/* Some levels of a filter become what stands for somebody. */
static void random_rule(struct rnd_state *rnd, struct model_rule *rule)
{
	char filter[KMQTT_TEST_NAME_MAX], *to = rule->topic;
	const char *p;

	rule->kind = kmqtt_test_below(rnd, 3);
	rule->access = kmqtt_test_below(rnd, 4);
	rule->user = "";
	if (rule->kind == KMQTT_ACL_KIND_USER)
		rule->user = users[1 + kmqtt_test_below(rnd,
							ARRAY_SIZE(users) - 1)];
	kmqtt_test_random_filter(rnd, filter);
	for (p = filter; *p; p++) {
		if ((*p == 'a' || *p == 'b') && !kmqtt_test_below(rnd, 3))
			to += sprintf(to, "%%%c", *p == 'a' ? 'u' : 'c');
		else
			*to++ = *p;
	}
	*to = '\0';
}

static struct kmqtt_acl *random_rules(struct kunit *test,
				      struct kmqtt_memory *memory,
				      struct rnd_state *rnd,
				      struct model_rule *rules)
{
	struct kmqtt_acl *acl = kmqtt_acl_create(memory);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, acl);
	for (i = 0; i < RULES; i++) {
		struct kmqtt_str user, topic;

		random_rule(rnd, &rules[i]);
		user = kmqtt_test_str(rules[i].user);
		topic = kmqtt_test_str(rules[i].topic);
		KUNIT_ASSERT_EQ(test,
				kmqtt_acl_add(acl, rules[i].kind, &user,
					      rules[i].access, &topic), 0);
	}
	KUNIT_ASSERT_EQ(test, kmqtt_acl_seal(acl), 0);
	return acl;
}

static void random_ask(struct kunit *test, const struct kmqtt_acl *acl,
		       struct rnd_state *rnd, const struct model_rule *rules)
{
	const char *user = users[kmqtt_test_below(rnd, ARRAY_SIZE(users))];
	const char *id = ids[kmqtt_test_below(rnd, ARRAY_SIZE(ids))];
	char topic[KMQTT_TEST_NAME_MAX];
	struct kmqtt_acl_query query = {
		.user = kmqtt_test_str(user),
		.client_id = kmqtt_test_str(id),
		.access = TO_READ + kmqtt_test_below(rnd, 2),
	};

	kmqtt_test_random_name(rnd, topic);
	query.topic = kmqtt_test_str(topic);
	KUNIT_EXPECT_EQ_MSG(test, kmqtt_acl_allows(acl, &query),
			    model_allows(rules, user, id, topic, query.access),
			    "user '%s' id '%s' topic '%s' access %d", user, id,
			    topic, query.access);
}

static void acl_model(struct kunit *test)
{
	struct kmqtt_memory *memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	struct model_rule *rules;
	struct rnd_state rnd;
	int round, i;

	rules = kunit_kcalloc(test, RULES, sizeof(*rules), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rules);
	prandom_seed_state(&rnd, 17);
	for (round = 0; round < ROUNDS; round++) {
		struct kmqtt_acl *acl = random_rules(test, memory, &rnd, rules);

		for (i = 0; i < ASKS; i++)
			random_ask(test, acl, &rnd, rules);
		kmqtt_acl_destroy(acl);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(memory), 0);
}

static struct kunit_case acl_suite_cases[] = {
	KUNIT_CASE_PARAM(acl_meaning, acl_gen_params),
	KUNIT_CASE(acl_refuses),
	KUNIT_CASE(acl_bounds),
	KUNIT_CASE(acl_order),
	KUNIT_CASE(acl_model),
	{}
};

static struct kunit_suite acl_suite = {
	.name = "kmqtt_access_acl",
	.test_cases = acl_suite_cases,
};

kunit_test_suites(&acl_suite);
