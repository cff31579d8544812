// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl user: those who can prove who they are.
 */
#include <linux/kmqtt.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl.h"
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

static const struct field fields[] = {
	FIELD(STRING, 0, NAME, "name", "NAME"),
	FIELD(NUMBER, 4, SCRAM_SHA_256, "scram-sha-256", "SCRAM-SHA-256"),
	FIELD(NUMBER, 4, SCRAM_SHA_512, "scram-sha-512", "SCRAM-SHA-512"),
	FIELD(NUMBER, 4, ITERATIONS, "iterations", NULL),
	{ .kind = FIELD_CHOICE, .attr = KMQTT_A_USER_METHOD, .size = 4,
	  .name = "method", .names = methods },
	{ .kind = FIELD_END }
};

static enum exit_code user_get(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_USER_GET);
	return ctl_get_table(ctl);
}

/* A line of standard input, without echo if that is a terminal. */
static char *read_password(void)
{
	struct termios old, quiet;
	bool terminal = !tcgetattr(STDIN_FILENO, &old);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (terminal) {
		fputs("Password: ", stderr);
		quiet = old;
		quiet.c_lflag &= ~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	len = getline(&line, &size, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len > 0 && strlen(line) == (size_t)len)
		return line;
	free(line);
	return NULL;
}

static enum exit_code ask_password(struct ctl *ctl, bool sha_512,
				   struct scram *scram)
{
	uint64_t iterations = SCRAM_ITERATIONS;
	const char *arg;
	char *password;
	bool ok;

	if (ctl_next_is(ctl, "iterations")) {
		arg = ctl_next_arg(ctl);
		if (!arg || !text_to_number(arg, 10000000, &iterations) ||
		    iterations < 4096)
			return ctl_usage(ctl, "iterations are a number from 4096 to 10000000");
	}
	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	password = read_password();
	if (!password)
		return ctl_usage(ctl, "there is no password on standard input");
	ok = scram_derive(scram, sha_512, password, iterations);
	explicit_bzero(password, strlen(password));
	free(password);
	if (ok)
		return EXIT_DONE;
	warnx("OpenSSL can't derive keys");
	return EXIT_FAILED;
}

static enum exit_code get_keys(struct ctl *ctl, bool sha_512,
			       struct scram *scram)
{
	const char *arg;

	if (!ctl_next_is(ctl, "keys"))
		return ask_password(ctl, sha_512, scram);
	arg = ctl_next_arg(ctl);
	if (!arg)
		return ctl_usage(ctl, "which keys?");
	if (!scram_read(scram, sha_512, arg))
		return ctl_usage(ctl, "keys are ITERATIONS:SALT$STOREDKEY:SERVERKEY, in base64");
	return EXIT_DONE;
}

static enum exit_code user_set(struct ctl *ctl)
{
	const char *method;
	struct scram scram;
	enum exit_code ret;
	uint32_t id;

	nl_begin(&ctl->nl, KMQTT_CMD_USER_SET);
	ctl_next_is(ctl, "name");
	if (ctl_put(ctl, "name"))
		return EXIT_USAGE;
	ctl_next_is(ctl, "method");
	method = ctl_next_arg(ctl);
	if (!method)
		return ctl_usage(ctl, "which method?");
	for (id = 0; methods[id] && strcmp(methods[id], method); id++)
		;
	if (!methods[id])
		return ctl_not(ctl, method, "a method");
	ret = get_keys(ctl, id == KMQTT_AUTH_METHOD_SCRAM_SHA_512, &scram);
	if (ret)
		return ret;
	nl_put_uint(&ctl->nl, KMQTT_A_USER_METHOD, id, sizeof(id));
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

static enum exit_code user_del(struct ctl *ctl)
{
	nl_begin(&ctl->nl, KMQTT_CMD_USER_DEL);
	ctl_next_is(ctl, "name");
	if (ctl_put(ctl, "name"))
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
"       kmqttctl user set [name] NAME METHOD [iterations NUMBER]\n"
"       kmqttctl user set [name] NAME METHOD keys KEYS\n"
"       kmqttctl user del [name] NAME\n\n"
"METHOD is scram-sha-256 or scram-sha-512. The password is read from the\n"
"terminal or, if it isn't one, is the first line of standard input; only keys\n"
"that are derived from it go to the broker. KEYS were derived elsewhere:\n"
"ITERATIONS:SALT$STOREDKEY:SERVERKEY in base64, as PostgreSQL writes them.\n",
	.fields = fields,
	.verbs = verbs,
};
