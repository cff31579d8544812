// SPDX-License-Identifier: GPL-2.0
/*
 * ACL files, as Mosquitto's: "user NAME", "topic [ACCESS] FILTER" for that user
 * or, in front of the first of them, for clients without a name, and "pattern
 * [ACCESS] FILTER" for all. A filter with a space in it needs an access in
 * front, since that is how Mosquitto tells the two apart.
 */
#include "acl.h"

#include <stdlib.h>
#include <string.h>
#include <linux/kmqtt.h>

#include "lines.h"

/* As much as the broker takes. */
#define FILTER_MAX	8192

static const char white[] = " \t\n\v\f\r";

struct acl_reader {
	struct conf_realm *realm;
	struct report *report;
	struct place at;
	char *user;		/* whom topics are for, or NULL */
	bool lost;		/* whom they are for nobody knows */
};

/* Returns what is wrong with a topic filter, or NULL. */
static const char *check_filter(const char *filter)
{
	const char *p;

	if (strlen(filter) > FILTER_MAX)
		return "has more than 8192 bytes";
	for (p = filter; *p; p++) {
		if (*p != '+' && *p != '#')
			continue;
		if ((p > filter && p[-1] != '/') || (p[1] && p[1] != '/'))
			return "has a wildcard that isn't a whole level";
		if (*p == '#' && p[1])
			return "has a # that isn't its end";
	}
	return NULL;
}

/* Does @what stand in @pattern where it is not a whole level? */
static bool has_partly(const char *pattern, const char *what)
{
	const char *p = pattern;

	while ((p = strstr(p, what))) {
		if ((p > pattern && p[-1] != '/') || (p[2] && p[2] != '/'))
			return true;
		p += 2;
	}
	return false;
}

static bool read_access(struct acl_reader *reader, const char *word,
			enum conf_access *access)
{
	for (*access = 0; conf_accesses[*access]; ++*access)
		if (!strcmp(word, conf_accesses[*access]))
			return true;
	report_error(reader->report, &reader->at,
		     "'%s' is not read, write, readwrite or deny", word);
	return false;
}

static void add_rule(struct acl_reader *reader, enum conf_kind kind,
		     enum conf_access access, const char *topic)
{
	struct conf_realm *realm = reader->realm;
	struct conf_rule *rule;

	realm->rules = conf_grow(realm->rules, realm->nr_rules,
				 sizeof(*realm->rules));
	rule = &realm->rules[realm->nr_rules++];
	rule->at = reader->at;
	rule->kind = kind;
	rule->access = access;
	rule->topic = conf_strdup(topic);
	if (kind == CONF_FOR_USER)
		rule->user = conf_strdup(reader->user);
}

/* "topic" or "pattern", and what follows it. */
static void read_rule(struct acl_reader *reader, const char *word, char *rest)
{
	bool pattern = *word == 'p';
	enum conf_kind kind = pattern ? CONF_FOR_ALL :
			      reader->user ? CONF_FOR_USER : CONF_FOR_ANONYMOUS;
	enum conf_access access = CONF_READWRITE;
	char *first = line_word(&rest);
	char *topic = line_rest(&rest);
	const char *wrong;

	if (!first) {
		report_error(reader->report, &reader->at,
			     "there is no topic behind '%s'", word);
		return;
	}
	/* A single word is the topic, whatever it is. */
	if (!topic)
		topic = first;
	else if (!read_access(reader, first, &access))
		return;
	wrong = check_filter(topic);
	if (wrong) {
		report_error(reader->report, &reader->at, "'%.80s' %s", topic,
			     wrong);
		return;
	}
	if (pattern && (has_partly(topic, "%u") || has_partly(topic, "%c")))
		report_note(reader->report, &reader->at,
			    "%%u and %%c stand for a user or client only as a whole level");
	if (pattern || !reader->lost)
		add_rule(reader, kind, access, topic);
}

static void read_user(struct acl_reader *reader, char *rest)
{
	char *name = line_rest(&rest);

	reader->lost = !name || strlen(name) > KMQTT_USER_MAX;
	if (!name) {
		report_error(reader->report, &reader->at,
			     "there is no name behind 'user'");
	} else if (reader->lost) {
		report_error(reader->report, &reader->at,
			     "the user name has more than 256 bytes");
	} else {
		free(reader->user);
		reader->user = conf_strdup(name);
	}
}

static void read_line(struct acl_reader *reader, char *line)
{
	char *word = line_word(&line);

	if (!word)
		return;
	if (!strcmp(word, "user"))
		read_user(reader, line);
	else if (!strcmp(word, "topic") || !strcmp(word, "pattern"))
		read_rule(reader, word, line);
	else
		report_error(reader->report, &reader->at,
			     "'%.80s' is not user, topic or pattern%s", word,
			     strchr(word, '\t') ?
			     " (tabs don't separate words)" : "");
}

/**
 * acl_read() - read an ACL file
 * @realm: gets its rules, and has none yet
 * @report: where it is told what is wrong
 * @file: name of the file, which stays
 * @text: its content, which is taken apart, and room for one byte behind it
 * @len: its length
 */
void acl_read(struct conf_realm *realm, struct report *report,
	      const char *file, char *text, size_t len)
{
	struct acl_reader reader = { .realm = realm, .report = report };
	struct lines lines;
	char *line;

	lines_begin(&lines, report, file, text, len);
	while ((line = lines_next(&lines))) {
		reader.at = lines.at;
		read_line(&reader, line);
	}
	free(reader.user);
}

static bool has_white_ends(const char *text)
{
	return !*text || strchr(white, *text) ||
	       strchr(white, text[strlen(text) - 1]);
}

/**
 * acl_unwritable() - can an ACL file have this rule?
 * @rule: the rule
 *
 * Return: why not, or NULL.
 */
const char *acl_unwritable(const struct conf_rule *rule)
{
	if (strchr(rule->topic, '\n') ||
	    (rule->user && strchr(rule->user, '\n')))
		return "it has a line's end in it";
	if (has_white_ends(rule->topic) ||
	    (rule->user && has_white_ends(rule->user)))
		return "a name in it begins or ends with white space";
	return NULL;
}

static void write_rules(FILE *to, const struct conf_realm *realm,
			enum conf_kind kind, const char *word)
{
	const struct conf_rule *rule;
	const char *user = NULL;
	size_t i;

	for (i = 0; i < realm->nr_rules; i++) {
		rule = &realm->rules[i];
		if (rule->kind != kind)
			continue;
		if (rule->user && (!user || strcmp(user, rule->user))) {
			user = rule->user;
			fprintf(to, "\nuser %s\n", user);
		}
		fprintf(to, "%s %s %s\n", word, conf_accesses[rule->access],
			rule->topic);
	}
}

/**
 * acl_write() - write an ACL file
 * @to: where to
 * @realm: whose rules; acl_unwritable() has nothing against any of them
 */
void acl_write(FILE *to, const struct conf_realm *realm)
{
	write_rules(to, realm, CONF_FOR_ANONYMOUS, "topic");
	write_rules(to, realm, CONF_FOR_ALL, "pattern");
	write_rules(to, realm, CONF_FOR_USER, "topic");
}
