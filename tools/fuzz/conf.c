// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files of kmqttctl load. The input is three files, with bytes of
 * 0x01 between them: the main one, a password file and an ACL file. Which of
 * them a name stands for is decided by its last letter.
 *
 * What is accepted is written and read again, and has to come out the same.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kmqttctl/conf/acl.h"
#include "../kmqttctl/conf/outside.h"
#include "../kmqttctl/conf/passwd.h"
#include "../kmqttctl/conf/read.h"
#include "../kmqttctl/conf/show.h"
#include "../kmqttctl/conf/write.h"
#include "claim.h"

/* More realms than this are not written. */
#define FILES_MAX	32

/* A file that the reader may ask for. */
struct file {
	char *name;
	char *text;
	size_t len;
};

/* As a configuration was written. */
struct set {
	struct file files[FILES_MAX];
	size_t nr;
};

/* What is read: the input, or else what was made of it. */
static const char *input[3];
static size_t input_len[3];
static const struct set *written;

static char *copy_of(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	CLAIM(copy);
	if (len)
		memcpy(copy, text, len);
	return copy;
}

static char *read_written(const char *path, size_t *len)
{
	size_t i;

	for (i = 0; i < written->nr; i++) {
		if (!strcmp(written->files[i].name, path)) {
			*len = written->files[i].len;
			return copy_of(written->files[i].text, *len);
		}
	}
	return NULL;
}

/* In place of the one in tools/kmqttctl. */
char *outside_read(const char *path, size_t *len, const char **why)
{
	size_t which = path[strlen(path) - 1] % 3;

	*why = "there is none";
	if (written)
		return read_written(path, len);
	*len = input_len[which];
	return input[which] ? copy_of(input[which], *len) : NULL;
}

char *outside_whole(const char *path, const char **why)
{
	char *whole;

	CLAIM(asprintf(&whole, "%s%s", *path == '/' ? "" : "/", path) >= 0);
	return whole;
}

bool outside_probe(const char *path, bool directory, const char **why)
{
	*why = "there is none";
	return path[strlen(path) - 1] != 'x';
}

char **outside_list(const char *path, size_t *nr, const char **why)
{
	char **paths = calloc(2, sizeof(*paths));

	CLAIM(paths);
	paths[0] = strdup("0.conf0");
	CLAIM(paths[0]);
	*nr = 1;
	return paths;
}

char *outside_agent(const char *text)
{
	return NULL;
}

size_t outside_resolve(const char *host, int family,
		       struct address addresses[OUTSIDE_ADDRESSES_MAX],
		       const char **why)
{
	struct address *address = &addresses[0];

	*address = (struct address){ .len = 4 };
	if (family != AF_INET6 && inet_pton(AF_INET, host, address->bytes) == 1)
		return 1;
	address->len = 16;
	if (family != AF_INET && inet_pton(AF_INET6, host, address->bytes) == 1)
		return 1;
	*why = "this is no address";
	return 0;
}

/* Some lack a family, some are not there. */
size_t outside_interface(const char *name, int family,
			 struct address addresses[OUTSIDE_ADDRESSES_MAX],
			 const char **why)
{
	size_t which = name[strlen(name) - 1] % 4, nr = 0;

	if (which & 1 && family != AF_INET6)
		addresses[nr++] = (struct address){
			.bytes = { 127, 0, 0, 1 },
			.len = 4,
		};
	if (which & 2 && family != AF_INET)
		addresses[nr++] = (struct address){
			.bytes = { 0xfd },
			.len = 16,
		};
	*why = "it has no address";
	return nr;
}

static FILE *new_file(struct set *set, const char *name)
{
	struct file *file = &set->files[set->nr++];
	FILE *to;

	file->name = strdup(name);
	CLAIM(file->name);
	to = open_memstream(&file->text, &file->len);
	CLAIM(to);
	return to;
}

static void write_realm(struct set *set, const struct conf *conf,
			const struct conf_realm *realm)
{
	struct write_names names = write_names(conf, realm, "main");
	size_t i;
	FILE *to;

	if (names.password_file) {
		to = new_file(set, names.password_file);
		for (i = 0; i < realm->nr_users; i++) {
			CLAIM(!passwd_unwritable(realm->users[i].name));
			passwd_write(to, &realm->users[i]);
		}
		fclose(to);
	}
	if (names.acl_file) {
		to = new_file(set, names.acl_file);
		for (i = 0; i < realm->nr_rules; i++)
			CLAIM(!acl_unwritable(&realm->rules[i]));
		acl_write(to, realm);
		fclose(to);
	}
	free(names.password_file);
	free(names.acl_file);
}

static void write_set(struct set *set, const struct conf *conf)
{
	size_t i;
	FILE *to;

	*set = (struct set){ .nr = 0 };
	to = new_file(set, "main");
	CLAIM(write_conf(to, conf, "main"));
	fclose(to);
	for (i = 0; i < conf->nr_realms; i++)
		write_realm(set, conf, &conf->realms[i]);
}

static void free_set(struct set *set)
{
	while (set->nr--) {
		free(set->files[set->nr].name);
		free(set->files[set->nr].text);
	}
}

static void compare(const struct set *a, const struct set *b)
{
	size_t i;

	CLAIM(a->nr == b->nr);
	for (i = 0; i < a->nr; i++) {
		CLAIM(!strcmp(a->files[i].name, b->files[i].name));
		CLAIM(a->files[i].len == b->files[i].len);
		CLAIM(!memcmp(a->files[i].text, b->files[i].text,
			      a->files[i].len));
	}
}

/* Write what was read, and read what was written. */
static void round_trip(const struct conf *conf)
{
	struct report report = { .to = NULL };
	struct conf again = { .nr_realms = 0 };
	struct set first, second;

	write_set(&first, conf);
	written = &first;
	CLAIM(read_conf(&again, &report, "main"));
	written = NULL;
	CLAIM(again.nr_listeners == conf->nr_listeners);
	CLAIM(again.nr_settings == conf->nr_settings);
	write_set(&second, &again);
	compare(&first, &second);
	conf_free(&again);
	free_set(&first);
	free_set(&second);
}

static void read_input(const char *text, size_t len)
{
	const char *end;
	size_t i;

	for (i = 0; i < 3; i++) {
		end = text && len ? memchr(text, 1, len) : NULL;
		input[i] = text;
		input_len[i] = end ? (size_t)(end - text) : len;
		len -= end ? input_len[i] + 1 : len;
		text = end ? end + 1 : NULL;
	}
}

/* For libFuzzer. */
int fuzz_one(const uint8_t *data, size_t size)
{
	struct report report = { .to = NULL };
	struct conf conf = { .nr_realms = 0 };
	json_t *shown;

	read_input((const char *)data, size);
	written = NULL;
	if (read_conf(&conf, &report, "main.0") && conf.nr_realms < 8) {
		shown = show_conf(&conf);
		json_decref(shown);
		round_trip(&conf);
	}
	conf_free(&conf);
	return 0;
}
