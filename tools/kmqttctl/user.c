// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl user: those who can prove who they are.
 */
#include <linux/kmqtt.h>
#include <err.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl.h"
#include "password.h"
#include "scram.h"
#include "text.h"

#define FIELD(_kind, _size, _attr, _name, _title)		\
	{							\
		.kind = FIELD_ ## _kind,			\
		.attr = KMQTT_A_USER_ ## _attr,			\
		.size = _size,					\
		.name = _name,					\
		.title = _title,				\
	}

static const char *const methods[] = {
	[KMQTT_AUTH_METHOD_SCRAM_SHA_256] = "scram-sha-256",
	[KMQTT_AUTH_METHOD_SCRAM_SHA_512] = "scram-sha-512",
	NULL
};

static const char *const hashes[] = {
	[KMQTT_PASSWORD_METHOD_PBKDF2_SHA512] = "pbkdf2-sha512",
	[KMQTT_PASSWORD_METHOD_SHA512] = "sha512",
	NULL
};

static const struct field fields[] = {
	FIELD(STRING, 0, NAME, "name", "NAME"),
	FIELD(NUMBER, 4, REALM, "realm", NULL),
	FIELD(NUMBER, 4, SCRAM_SHA_256, "scram-sha-256", "SCRAM-SHA-256"),
	FIELD(NUMBER, 4, SCRAM_SHA_512, "scram-sha-512", "SCRAM-SHA-512"),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_USER_PASSWORD_METHOD, .size = 4,
	  .name = "password-method", .title = "PASSWORD", .names = hashes },
	FIELD(NUMBER, 4, PASSWORD_ITERATIONS, "password-iterations",
	      "ITERATIONS"),
	FIELD(STRING, 0, PASSWORD_SALT, "password-salt", NULL),
	FIELD(STRING, 0, PASSWORD_HASH, "password-hash", NULL),
	FIELD(NUMBER, 4, ITERATIONS, "iterations", NULL),
	FIELD(STRING, 0, SALT, "salt", NULL),
	FIELD(STRING, 0, STORED_KEY, "stored-key", NULL),
	FIELD(STRING, 0, SERVER_KEY, "server-key", NULL),
	FIELD(FLAG, 0, ALL, "all", NULL),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_USER_METHOD, .size = 4,
	  .name = "method", .names = methods },
	{ .kind = FIELD_END }
};

static enum exit_code user_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_USER_GET);
	return ctl_get_table(ctl);
}

static void forget(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

/* A line of standard input, or NULL if there is none with anything in it. */
static char *read_line(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	len = getline(&line, &size, stdin);
	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len > 0 && strlen(line) == (size_t)len)
		return line;
	if (line)
		explicit_bzero(line, size);
	free(line);
	return NULL;
}

/* Written by a handler; without a lock, as int is. */
static atomic_int caught;

static void catch(int signal)
{
	caught = signal;
}

/* A line of the terminal, whose echo comes back whatever happens. */
static char *read_quietly(const char *prompt, const struct termios *old)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
	struct sigaction saved[sizeof(signals) / sizeof(*signals)];
	const size_t nr = sizeof(signals) / sizeof(*signals);
	struct sigaction action = { .sa_handler = catch };
	struct termios quiet = *old;
	char *line;
	size_t i;

	/* Not restarted: reading ends when one of them comes. */
	for (i = 0; i < nr; i++)
		sigaction(signals[i], &action, &saved[i]);
	fputs(prompt, stderr);
	quiet.c_lflag &= ~ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	line = read_line();
	tcsetattr(STDIN_FILENO, TCSAFLUSH, old);
	fputc('\n', stderr);
	for (i = 0; i < nr; i++)
		sigaction(signals[i], &saved[i], NULL);
	if (!caught)
		return line;
	forget(line);
	raise(caught);
	exit(EXIT_FAILED);
}

/* Twice from a terminal, where nobody sees what is typed; else the first line. */
static char *read_password(struct ctl *ctl)
{
	struct termios old;
	char *first, *second;
	bool same;

	if (tcgetattr(STDIN_FILENO, &old)) {
		first = read_line();
		if (!first)
			ctl_usage(ctl, "there is no password on standard input");
		return first;
	}
	first = read_quietly("Password: ", &old);
	if (!first) {
		ctl_usage(ctl, "a password can't be empty");
		return NULL;
	}
	second = read_quietly("Once more: ", &old);
	same = second && !strcmp(first, second);
	forget(second);
	if (same)
		return first;
	forget(first);
	ctl_usage(ctl, "these were two passwords");
	return NULL;
}

/* What may be said of iterations, which is all that there may be. */
static enum exit_code get_iterations(struct ctl *ctl, uint64_t min,
				     uint64_t max, uint64_t *iterations)
{
	const char *arg;
	char text[80];

	if (ctl_next_is(ctl, "iterations")) {
		arg = ctl_next_arg(ctl);
		if (!arg || !text_to_number(arg, max, iterations) ||
		    *iterations < min) {
			snprintf(text, sizeof(text),
				 "iterations are a number from %ju to %ju",
				 (uintmax_t)min, (uintmax_t)max);
			return ctl_usage(ctl, text);
		}
	}
	return ctl_end_args(ctl);
}

static enum exit_code derived(bool ok)
{
	if (ok)
		return EXIT_DONE;
	warnx("OpenSSL can't derive keys");
	return EXIT_FAILED;
}

static enum exit_code derive_keys(struct ctl *ctl, bool sha_512,
				  struct scram *scram)
{
	uint64_t iterations = SCRAM_ITERATIONS;
	char *password;
	bool ok;

	if (get_iterations(ctl, 4096, 10000000, &iterations))
		return EXIT_USAGE;
	password = read_password(ctl);
	if (!password)
		return EXIT_USAGE;
	ok = scram_derive(scram, sha_512, password, iterations);
	forget(password);
	return derived(ok);
}

static enum exit_code get_keys(struct ctl *ctl, bool sha_512,
			       struct scram *scram)
{
	const char *arg;

	if (!ctl_next_is(ctl, "keys"))
		return derive_keys(ctl, sha_512, scram);
	arg = ctl_next_arg(ctl);
	if (!arg)
		return ctl_usage(ctl, "which keys?");
	if (!scram_read(scram, sha_512, arg))
		return ctl_usage(ctl,
				 "keys are ITERATIONS:SALT:STOREDKEY:SERVERKEY of this method");
	return EXIT_DONE;
}

static enum exit_code set_keys(struct ctl *ctl, uint32_t method)
{
	struct scram scram;
	enum exit_code ret;

	ret = get_keys(ctl, method == KMQTT_AUTH_METHOD_SCRAM_SHA_512, &scram);
	if (ret)
		return ret;
	nl_put_uint(&ctl->nl, KMQTT_A_USER_METHOD, method, sizeof(method));
	nl_put_uint(&ctl->nl, KMQTT_A_USER_ITERATIONS, scram.iterations,
		    sizeof(scram.iterations));
	nl_put(&ctl->nl, KMQTT_A_USER_SALT, scram.salt, scram.salt_len);
	nl_put(&ctl->nl, KMQTT_A_USER_STORED_KEY, scram.stored_key,
	       scram.key_len);
	nl_put(&ctl->nl, KMQTT_A_USER_SERVER_KEY, scram.server_key,
	       scram.key_len);
	explicit_bzero(&scram, sizeof(scram));
	return ctl_act(ctl);
}

static enum exit_code derive_hash(struct ctl *ctl, struct password *password)
{
	uint64_t iterations = PASSWORD_ITERATIONS;
	char *text;
	bool ok;

	if (get_iterations(ctl, 1, PASSWORD_ITERATIONS_MAX, &iterations))
		return EXIT_USAGE;
	text = read_password(ctl);
	if (!text)
		return EXIT_USAGE;
	ok = password_derive(password, text, iterations);
	forget(text);
	return derived(ok);
}

static enum exit_code get_hash(struct ctl *ctl, struct password *password)
{
	const char *arg;

	if (!ctl_next_is(ctl, "hash"))
		return derive_hash(ctl, password);
	arg = ctl_next_arg(ctl);
	if (!arg)
		return ctl_usage(ctl, "which hash?");
	if (password_unsupported(arg))
		return ctl_usage(ctl, password_unsupported(arg));
	if (!password_read(password, arg))
		return ctl_usage(ctl,
				 "a hash is $7$ITERATIONS$SALT$HASH or $6$SALT$HASH");
	return EXIT_DONE;
}

static enum exit_code set_hash(struct ctl *ctl)
{
	uint32_t method = KMQTT_PASSWORD_METHOD_PBKDF2_SHA512;
	struct password password;
	enum exit_code ret;

	ret = get_hash(ctl, &password);
	if (ret)
		return ret;
	if (!password.iterations)
		method = KMQTT_PASSWORD_METHOD_SHA512;
	nl_put_uint(&ctl->nl, KMQTT_A_USER_PASSWORD_METHOD, method,
		    sizeof(method));
	if (password.iterations)
		nl_put_uint(&ctl->nl, KMQTT_A_USER_PASSWORD_ITERATIONS,
			    password.iterations, sizeof(password.iterations));
	nl_put(&ctl->nl, KMQTT_A_USER_PASSWORD_SALT, password.salt,
	       password.salt_len);
	nl_put(&ctl->nl, KMQTT_A_USER_PASSWORD_HASH, password.hash,
	       sizeof(password.hash));
	explicit_bzero(&password, sizeof(password));
	return ctl_act(ctl);
}

static enum exit_code user_set(struct ctl *ctl)
{
	const char *method;
	uint32_t id;

	nl_begin(&ctl->nl, KMQTT_CMD_USER_SET);
	ctl_next_is(ctl, "name");
	if (ctl_put(ctl, "name"))
		return EXIT_USAGE;
	if (ctl_next_is(ctl, "password"))
		return set_hash(ctl);
	ctl_next_is(ctl, "method");
	method = ctl_next_arg(ctl);
	if (!method)
		return ctl_usage(ctl, "which method?");
	for (id = 0; methods[id] && strcmp(methods[id], method); id++)
		;
	if (!methods[id])
		return ctl_not(ctl, method, "a method");
	return set_keys(ctl, id);
}

static enum exit_code user_del(struct ctl *ctl)
{
	const char *by = "name";

	nl_begin(&ctl->nl, KMQTT_CMD_USER_DEL);
	if (ctl_next_is(ctl, "all"))
		by = "all";
	else
		ctl_next_is(ctl, "name");
	if (ctl_put(ctl, by))
		return EXIT_USAGE;
	return ctl_act(ctl);
}

static const struct verb verbs[] = {
	{ "get", user_get },
	{ "set", user_set },
	{ "del", user_del },
	{ NULL, NULL }
};

const struct noun user_noun = {
	.name = "user",
	.summary = "who can prove who they are",
	.usage =
"Usage: kmqttctl user [get]\n"
"       kmqttctl user set [name] NAME password [iterations NUMBER]\n"
"       kmqttctl user set [name] NAME password hash HASH\n"
"       kmqttctl user set [name] NAME METHOD [iterations NUMBER]\n"
"       kmqttctl user set [name] NAME METHOD keys KEYS\n"
"       kmqttctl user del {[name] NAME | all}\n\n"
"With password it is a password that the user gives in CONNECT; METHOD is\n"
"scram-sha-256 or scram-sha-512 for enhanced authentication. The password is read\n"
"from the terminal or, if it isn't one, is the first line of standard input; only\n"
"what is derived from it, by 1000 or 210000 iterations if nothing else is said,\n"
"goes to the broker. HASH was made by mosquitto_passwd: $7$... or $6$... KEYS were\n"
"derived elsewhere: ITERATIONS:SALT:STOREDKEY:SERVERKEY in base64, or\n"
"SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY as PostgreSQL writes them.\n",
	.fields = fields,
	.verbs = verbs,
};
