// SPDX-License-Identifier: GPL-2.0
/*
 * Access rules, with the meaning that they have in Mosquitto's acl_file: what a
 * rule for the client itself says counts before what a pattern says; of either,
 * what is denied counts before what is allowed; what no rule allows is denied.
 */
#include "acl.h"

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "../topic/name.h"
#include "identity.h"

/* Room for so many rules at first. */
#define RULES_FIRST	16
/* Rules that are freed before others get to run. */
#define FREE_STEPS	1024

/* What next_byte() returns behind the last one. */
#define NO_BYTE		(-1)

/**
 * struct expansion - a pattern, byte by byte, with what %c and %u stand for
 * @query: who asks
 * @pos: the rest of the pattern
 * @end: its end
 * @in: the rest of what stands for the last %c or %u
 * @in_end: its end
 */
struct expansion {
	const struct kmqtt_acl_query *query;
	const u8 *pos;
	const u8 *end;
	const u8 *in;
	const u8 *in_end;
};

static size_t rule_size(u16 topic_len, u16 user_len)
{
	return struct_size_t(struct kmqtt_rule, text, topic_len + user_len);
}

/* Slots of both arrays. */
static size_t slots_size(u32 max)
{
	return 2 * max * sizeof(struct kmqtt_rule *);
}

/**
 * kmqtt_acl_create() - begin to have rules
 * @memory: account to charge
 *
 * Context: process, may sleep.
 * Return: no rules yet, which deny everything, or NULL.
 */
struct kmqtt_acl *kmqtt_acl_create(struct kmqtt_memory *memory)
{
	struct kmqtt_acl *acl;

	if (!kmqtt_memory_charge(memory, sizeof(*acl)))
		return NULL;
	acl = kzalloc(sizeof(*acl), GFP_KERNEL);
	if (!acl) {
		kmqtt_memory_uncharge(memory, sizeof(*acl));
		return NULL;
	}
	acl->memory = memory;
	return acl;
}

static void free_slots(struct kmqtt_acl *acl)
{
	kvfree(acl->rules);
	kvfree(acl->sorted);
	kmqtt_memory_uncharge(acl->memory, slots_size(acl->max));
}

/**
 * kmqtt_acl_destroy() - forget rules
 * @acl: rules that nobody looks at any more, or NULL
 *
 * Context: process, may sleep.
 */
void kmqtt_acl_destroy(struct kmqtt_acl *acl)
{
	u32 i;

	if (!acl)
		return;
	for (i = 0; i < acl->nr; i++) {
		const struct kmqtt_rule *rule = acl->rules[i];

		kmqtt_memory_uncharge(acl->memory, rule_size(rule->topic_len,
							     rule->user_len));
		kfree(rule);
		if (!(i % FREE_STEPS))
			cond_resched();
	}
	free_slots(acl);
	kmqtt_memory_uncharge(acl->memory, sizeof(*acl));
	kfree(acl);
}

static int grow(struct kmqtt_acl *acl)
{
	u32 max = max_t(u32, 2 * acl->max, RULES_FIRST);
	const struct kmqtt_rule **rules;

	if (acl->nr < acl->max)
		return 0;
	if (!kmqtt_memory_charge(acl->memory, slots_size(max)))
		return -ENOMEM;
	rules = kvmalloc_array(max, sizeof(*rules), GFP_KERNEL);
	if (!rules) {
		kmqtt_memory_uncharge(acl->memory, slots_size(max));
		return -ENOMEM;
	}
	if (acl->nr)
		memcpy(rules, acl->rules, acl->nr * sizeof(*rules));
	free_slots(acl);
	acl->rules = rules;
	acl->max = max;
	return 0;
}

/* May a rule of this kind have this user, and this topic? */
static bool is_valid(enum kmqtt_acl_kind kind, const struct kmqtt_str *user,
		     const struct kmqtt_str *topic)
{
	bool named = kind == KMQTT_ACL_KIND_USER;

	if (named != !!user->len || user->len > KMQTT_IDENTITY_USER_MAX ||
	    topic->len > KMQTT_RULE_TOPIC_MAX)
		return false;
	return kmqtt_topic_filter_valid(topic->data, topic->len);
}

/**
 * kmqtt_acl_add() - add a rule
 * @acl: rules that are not sealed
 * @kind: whom it is for
 * @user: name of the user that it is for; empty unless it is for one
 * @access: what it allows or denies
 * @topic: filter or pattern, UTF-8
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if @topic is no filter, or @user not what @kind needs;
 * -ENOSPC if there are too many; -ENOMEM.
 */
int kmqtt_acl_add(struct kmqtt_acl *acl, enum kmqtt_acl_kind kind,
		  const struct kmqtt_str *user, enum kmqtt_acl_access access,
		  const struct kmqtt_str *topic)
{
	size_t size = rule_size(topic->len, user->len);
	struct kmqtt_rule *rule;

	if (!is_valid(kind, user, topic))
		return -EINVAL;
	if (acl->nr == KMQTT_NR_RULES_MAX)
		return -ENOSPC;
	if (grow(acl) || !kmqtt_memory_charge(acl->memory, size))
		return -ENOMEM;
	rule = kmalloc(size, GFP_KERNEL);
	if (!rule) {
		kmqtt_memory_uncharge(acl->memory, size);
		return -ENOMEM;
	}
	rule->number = acl->nr;
	rule->kind = kind;
	rule->access = access;
	rule->user_len = user->len;
	rule->topic_len = topic->len;
	memcpy(rule->text, topic->data, topic->len);
	memcpy(rule->text + topic->len, user->data, user->len);
	acl->rules[acl->nr++] = rule;
	return 0;
}

static int cmp_names(const struct kmqtt_str *a, const struct kmqtt_str *b)
{
	return memcmp(a->data, b->data, min(a->len, b->len)) ?:
	       (int)a->len - (int)b->len;
}

static int cmp_users(const struct kmqtt_rule *a, const struct kmqtt_rule *b)
{
	struct kmqtt_str x = kmqtt_rule_user(a), y = kmqtt_rule_user(b);

	return cmp_names(&x, &y);
}

/* For sort(). */
static int cmp_rules(const void *left, const void *right)
{
	const struct kmqtt_rule *a = *(const struct kmqtt_rule **)left;
	const struct kmqtt_rule *b = *(const struct kmqtt_rule **)right;
	int ret = (a->kind - b->kind) ?: cmp_users(a, b);

	if (ret)
		return ret;
	/* Beyond that the order says nothing, but is always the same. */
	if (!a->access != !b->access)
		return a->access ? 1 : -1;
	return a->number < b->number ? -1 : 1;
}

/* Count the rules of each kind, and the most that one client has. */
static void count(struct kmqtt_acl *acl)
{
	u32 i, run = 0, most = 0;

	for (i = 0; i < acl->nr; i++) {
		const struct kmqtt_rule *rule = acl->sorted[i];

		acl->nr_anonymous += rule->kind == KMQTT_ACL_KIND_ANONYMOUS;
		acl->nr_patterns += rule->kind == KMQTT_ACL_KIND_PATTERN;
		if (rule->kind == KMQTT_ACL_KIND_PATTERN)
			continue;
		run = i && !cmp_users(acl->sorted[i - 1], rule) ? run + 1 : 1;
		most = max(most, run);
	}
	acl->scan_max = most + acl->nr_patterns;
}

/**
 * kmqtt_acl_seal() - there are no more rules to come
 * @acl: the rules
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_acl_seal(struct kmqtt_acl *acl)
{
	if (WARN_ON_ONCE(acl->sorted))
		return -EINVAL;
	if (!acl->nr)
		return 0;
	/* What it takes has been charged by grow(). */
	acl->sorted = kvmalloc_array(acl->max, sizeof(*acl->sorted),
				     GFP_KERNEL);
	if (!acl->sorted)
		return -ENOMEM;
	memcpy(acl->sorted, acl->rules, acl->nr * sizeof(*acl->sorted));
	sort(acl->sorted, acl->nr, sizeof(*acl->sorted), cmp_rules, NULL);
	count(acl);
	return 0;
}

/* The first rule of a user, or that of a later one if @behind. */
static u32 user_bound(const struct kmqtt_acl *acl, const struct kmqtt_str *user,
		      bool behind)
{
	u32 low = acl->nr_anonymous, high = acl->nr - acl->nr_patterns;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		struct kmqtt_str name = kmqtt_rule_user(acl->sorted[middle]);
		int cmp = cmp_names(&name, user);

		if (cmp < 0 || (!cmp && behind))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The rules for a client itself, patterns left aside. */
static u32 own_rules(const struct kmqtt_acl *acl, const struct kmqtt_str *user,
		     u32 *first)
{
	*first = user->len ? user_bound(acl, user, false) : 0;
	return user->len ? user_bound(acl, user, true) - *first :
			   acl->nr_anonymous;
}

/**
 * kmqtt_acl_work() - what a decision takes
 * @acl: the rules, sealed
 * @user: name of the client's user, empty for none
 *
 * Context: any.
 * Return: how many rules kmqtt_acl_allows() looks at, at most.
 */
u32 kmqtt_acl_work(const struct kmqtt_acl *acl, const struct kmqtt_str *user)
{
	u32 first;

	return own_rules(acl, user, &first) + acl->nr_patterns;
}

/* The next byte of a pattern, or NO_BYTE. */
static int next_byte(struct expansion *e)
{
	const struct kmqtt_str *name;

	while (e->in == e->in_end) {
		if (e->pos == e->end)
			return NO_BYTE;
		name = NULL;
		if (*e->pos == '%' && e->end - e->pos > 1) {
			if (e->pos[1] == 'c')
				name = &e->query->client_id;
			else if (e->pos[1] == 'u')
				name = &e->query->user;
		}
		if (!name)
			return *e->pos++;
		e->pos += 2;
		e->in = name->data;
		e->in_end = name->data + name->len;
	}
	return *e->in++;
}

/* Is it a pattern for users, and this client is none? */
static bool lacks_user(const struct kmqtt_str *pattern,
		       const struct kmqtt_acl_query *query)
{
	u16 i;

	if (query->user.len)
		return false;
	for (i = 0; i + 1 < pattern->len; i++)
		if (pattern->data[i] == '%' && pattern->data[i + 1] == 'u')
			return true;
	return false;
}

/*
 * Like kmqtt_topic_matches(). Wildcards come from the pattern itself, where
 * each is a level of its own: who has some in a name doesn't get here.
 */
static bool pattern_matches(const struct kmqtt_str *pattern,
			    const struct kmqtt_acl_query *query)
{
	struct expansion e = {
		.query = query,
		.pos = pattern->data,
		.end = pattern->data + pattern->len,
	};
	const u8 *name = query->topic.data, *end = name + query->topic.len;
	int byte;

	if (lacks_user(pattern, query))
		return false;
	byte = next_byte(&e);
	if ((*name == '$') != (byte == '$'))
		return false;
	for (; byte != NO_BYTE; byte = next_byte(&e)) {
		if (byte == '#')
			return true;
		if (byte == '+') {
			while (name != end && *name != '/')
				name++;
			continue;
		}
		/* "a/#" is also for "a" itself. */
		if (name == end)
			return byte == '/' && next_byte(&e) == '#';
		if (byte != *name++)
			return false;
	}
	return name == end;
}

static bool applies(const struct kmqtt_rule *rule,
		    const struct kmqtt_acl_query *query)
{
	struct kmqtt_str topic = kmqtt_rule_topic(rule);

	if (rule->access && !(rule->access & query->access))
		return false;
	if (rule->kind == KMQTT_ACL_KIND_PATTERN)
		return pattern_matches(&topic, query);
	return kmqtt_topic_matches(topic.data, topic.len, query->topic.data,
				   query->topic.len);
}

/* The first of some rules that says something, or NULL. */
static const struct kmqtt_rule *find(const struct kmqtt_acl *acl, u32 first,
				     u32 nr,
				     const struct kmqtt_acl_query *query)
{
	u32 i;

	for (i = first; i < first + nr; i++)
		if (applies(acl->sorted[i], query))
			return acl->sorted[i];
	return NULL;
}

/**
 * kmqtt_acl_allows() - may this client do that?
 * @acl: the rules, sealed
 * @query: who wants what
 *
 * Context: any; looks at kmqtt_acl_work() rules at most.
 * Return: true if so.
 */
bool kmqtt_acl_allows(const struct kmqtt_acl *acl,
		      const struct kmqtt_acl_query *query)
{
	const struct kmqtt_rule *rule;
	u32 first, nr;

	nr = own_rules(acl, &query->user, &first);
	rule = find(acl, first, nr, query);
	if (rule || !acl->nr_patterns)
		return rule && rule->access;
	/* They could be anybody, or make a pattern match what it should not. */
	if (kmqtt_topic_has_wildcard(query->user.data, query->user.len) ||
	    kmqtt_topic_has_wildcard(query->client_id.data,
				     query->client_id.len))
		return false;
	rule = find(acl, acl->nr - acl->nr_patterns, acl->nr_patterns, query);
	return rule && rule->access;
}
