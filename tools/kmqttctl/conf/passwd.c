// SPDX-License-Identifier: GPL-2.0
/*
 * Password files: those of mosquitto_passwd, and a form of our own for the keys
 * of SCRAM. A line is NAME:$METHOD$[ITERATIONS$]SALT$HASH[$SERVERKEY], with
 * salt, hash and key in base64.
 */
#include "passwd.h"

#include <stdlib.h>
#include <string.h>
#include <linux/kmqtt.h>

#include "../password.h"
#include "../text.h"
#include "lines.h"

static const struct method {
	const char *prefix;
	size_t hash_len;
	bool iterates;
	uint32_t iterations_min;
	uint32_t iterations_max;
	bool has_server_key;
} methods[CONF_NR_METHODS] = {
	[CONF_PBKDF2_SHA512] = { "$7$", 64, true, 1, 10000000, false },
	[CONF_SHA512] = { "$6$", 64, false, 0, 0, false },
	[CONF_SCRAM_SHA_256] = { "$scram-sha-256$", 32, true, 4096, 10000000,
				 true },
	[CONF_SCRAM_SHA_512] = { "$scram-sha-512$", 64, true, 4096, 10000000,
				 true },
};

static const struct method *find_method(const char *text,
					enum conf_method *method)
{
	size_t i;

	for (i = 0; i < CONF_NR_METHODS; i++) {
		if (!strncmp(text, methods[i].prefix,
			     strlen(methods[i].prefix))) {
			*method = i;
			return &methods[i];
		}
	}
	return NULL;
}

/* Returns what is wrong with the iterations at *@text, or NULL. */
static const char *read_iterations(const struct method *method,
				   const char **text, uint32_t *iterations)
{
	size_t len = strcspn(*text, "$");
	char number[TEXT_NUMBER_MAX];
	uint64_t value;

	if (!(*text)[len])
		return "there is no '$' behind the number of iterations";
	if (len >= sizeof(number))
		return "this is no number of iterations";
	memcpy(number, *text, len);
	number[len] = '\0';
	*text += len + 1;
	if (!text_to_number(number, UINT32_MAX, &value))
		return "this is no number of iterations";
	if (value < method->iterations_min)
		return "too few iterations";
	if (value > method->iterations_max)
		return "more than 10000000 iterations";
	*iterations = value;
	return NULL;
}

/* Returns what is wrong with a password, or NULL. */
static const char *read_password(struct conf_user *user, const char *text)
{
	const struct method *method;
	const char *wrong;
	size_t len;

	if (*text != '$')
		return "a password in plain text: run mosquitto_passwd -U on the file";
	wrong = password_unsupported(text);
	if (wrong)
		return wrong;
	method = find_method(text, &user->method);
	if (!method)
		return "nothing that mosquitto_passwd makes";
	text += strlen(method->prefix);
	if (method->iterates) {
		wrong = read_iterations(method, &text, &user->iterations);
		if (wrong)
			return wrong;
	}
	text = base64_read(text, "$", user->salt, &user->salt_len);
	if (!text)
		return "the salt is not 1 to 64 bytes in base64";
	text = base64_read(text, method->has_server_key ? "$" : "", user->hash,
			   &user->hash_len);
	if (!text || user->hash_len != method->hash_len)
		return "the hash is not as long as one, in base64";
	if (!method->has_server_key)
		return NULL;
	text = base64_read(text, "", user->server_key, &len);
	if (!text || len != method->hash_len)
		return "the second key is not as long as a hash, in base64";
	return NULL;
}

/* Returns what is wrong with the line, or NULL. */
static const char *read_user(struct conf_user *user, char *line)
{
	char *colon = strchr(line, ':');
	char *name, *password;

	if (!colon)
		return "there is no ':' behind the user name";
	*colon++ = '\0';
	name = line_rest(&line);
	password = line_rest(&colon);
	if (!name)
		return "there is no user name";
	if (strlen(name) > KMQTT_USER_MAX)
		return "the user name has more than 256 bytes";
	user->name = name;
	return password ? read_password(user, password) : "there is no password";
}

static int compare(const void *a, const void *b)
{
	const struct conf_user *x = a, *y = b;

	return strcmp(x->name, y->name) ?:
	       (x->method >= CONF_SCRAM_SHA_256 ? (int)x->method : 0) -
	       (y->method >= CONF_SCRAM_SHA_256 ? (int)y->method : 0);
}

/* Of two lines that are about the same, the latter is one too many. */
static int compare_lines(const void *a, const void *b)
{
	const struct conf_user *x = *(const struct conf_user *const *)a;
	const struct conf_user *y = *(const struct conf_user *const *)b;

	return compare(x, y) ?: (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

static void check_duplicates(const struct conf_realm *realm,
			     struct report *report)
{
	const struct conf_user **sorted;
	size_t i, nr = realm->nr_users;

	sorted = conf_check(calloc(nr + 1, sizeof(*sorted)));
	for (i = 0; i < nr; i++)
		sorted[i] = &realm->users[i];
	qsort(sorted, nr, sizeof(*sorted), compare_lines);
	for (i = 1; i < nr; i++)
		if (!compare(sorted[i - 1], sorted[i]))
			report_error(report, &sorted[i]->at,
				     "user '%s' was in line %u already",
				     sorted[i]->name, sorted[i - 1]->at.line);
	free(sorted);
}

/**
 * passwd_read() - read a password file
 * @realm: gets its users, and has none yet
 * @report: where it is told what is wrong
 * @file: name of the file, which stays
 * @text: its content, which is taken apart, and room for one byte behind it
 * @len: its length
 */
void passwd_read(struct conf_realm *realm, struct report *report,
		 const char *file, char *text, size_t len)
{
	struct conf_user user;
	struct lines lines;
	const char *wrong;
	char *line;

	lines_begin(&lines, report, file, text, len);
	while ((line = lines_next(&lines))) {
		user = (struct conf_user){ .at = lines.at };
		wrong = read_user(&user, line);
		if (wrong) {
			if (user.name)
				report_error(report, &lines.at, "user '%s': %s",
					     user.name, wrong);
			else
				report_error(report, &lines.at, "%s", wrong);
			continue;
		}
		user.name = conf_strdup(user.name);
		realm->users = conf_grow(realm->users, realm->nr_users,
					 sizeof(*realm->users));
		realm->users[realm->nr_users++] = user;
	}
	explicit_bzero(&user, sizeof(user));
	check_duplicates(realm, report);
}

/**
 * passwd_unwritable() - can a password file have this user?
 * @name: the user's name
 *
 * Return: why not, or NULL.
 */
const char *passwd_unwritable(const char *name)
{
	static const char white[] = " \t\n\v\f\r";

	if (strpbrk(name, ":\n"))
		return "it has a colon or a line's end in it";
	if (!*name || strchr(white, *name) ||
	    strchr(white, name[strlen(name) - 1]))
		return "it begins or ends with white space";
	return NULL;
}

/**
 * passwd_write() - write a line of a password file
 * @to: where to
 * @user: what it is about; passwd_unwritable() has nothing against it
 */
void passwd_write(FILE *to, const struct conf_user *user)
{
	const struct method *method = &methods[user->method];
	char text[BASE64_TEXT_MAX];

	/* Behind a blank, a # is no comment. */
	fprintf(to, "%s%s:%s", *user->name == '#' ? " " : "", user->name,
		method->prefix);
	if (method->iterates)
		fprintf(to, "%u$", user->iterations);
	base64_write(text, user->salt, user->salt_len);
	fprintf(to, "%s$", text);
	base64_write(text, user->hash, user->hash_len);
	fputs(text, to);
	if (method->has_server_key) {
		base64_write(text, user->server_key, user->hash_len);
		fprintf(to, "$%s", text);
	}
	fputc('\n', to);
	explicit_bzero(text, sizeof(text));
}
