// SPDX-License-Identifier: GPL-2.0
/*
 * Pre-shared keys, from a file with lines of "identity:key", the key being in
 * hexadecimal.
 */
#include "psk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct entry {
	char *identity;
	unsigned char key[PSK_KEY_MAX];
	size_t key_len;
};

struct psk {
	struct entry *entries;		/* in the order of identities */
	size_t nr;
};

/* The file that is read. */
struct reading {
	struct psk *psk;
	unsigned int line;
	const char *path;
	char *error;
	size_t size;
};

static bool fail(const struct reading *reading, const char *why)
{
	if (reading->line)
		snprintf(reading->error, reading->size, "%s:%u: %s",
			 reading->path, reading->line, why);
	else
		snprintf(reading->error, reading->size, "%s: %s",
			 reading->path, why);
	return false;
}

static bool read_key(struct entry *entry, const char *hex)
{
	size_t len = strlen(hex);

	return len && len / 2 <= PSK_KEY_MAX &&
	       OPENSSL_hexstr2buf_ex(entry->key, sizeof(entry->key),
				     &entry->key_len, hex, '\0');
}

static bool add_entry(struct reading *reading, const char *identity,
		      const char *hex)
{
	struct psk *psk = reading->psk;
	struct entry *entry, *more;

	/* Doubled when it is full; keys that moved are not left behind. */
	if (!(psk->nr & (psk->nr + 1))) {
		more = OPENSSL_clear_realloc(psk->entries,
					     psk->nr * sizeof(*entry),
					     (2 * psk->nr + 1) * sizeof(*entry));
		if (!more)
			return fail(reading, "out of memory");
		psk->entries = more;
	}
	entry = &psk->entries[psk->nr];
	*entry = (struct entry){ .key_len = 0 };
	if (!read_key(entry, hex)) {
		OPENSSL_cleanse(entry, sizeof(*entry));
		return fail(reading, "the key is not hexadecimal or too long");
	}
	entry->identity = strdup(identity);
	if (!entry->identity) {
		OPENSSL_cleanse(entry, sizeof(*entry));
		return fail(reading, "out of memory");
	}
	psk->nr++;
	return true;
}

static bool read_line(struct reading *reading, char *line)
{
	char *hex;

	reading->line++;
	line[strcspn(line, "\r\n")] = '\0';
	if (!*line || *line == '#')
		return true;
	hex = strchr(line, ':');
	if (!hex || hex == line)
		return fail(reading, "not of the form identity:key");
	*hex++ = '\0';
	if (strlen(line) > PSK_IDENTITY_MAX)
		return fail(reading, "the identity is too long");
	return add_entry(reading, line, hex);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->identity,
		      ((const struct entry *)b)->identity);
}

/* Which of two keys would count? */
static bool check_unique(struct reading *reading)
{
	const struct psk *psk = reading->psk;
	size_t i;

	reading->line = 0;
	for (i = 1; i < psk->nr; i++)
		if (!compare(&psk->entries[i - 1], &psk->entries[i]))
			return fail(reading, "an identity is there twice");
	return true;
}

/**
 * psk_read() - read a file of pre-shared keys
 * @path: its name
 * @error: what is wrong with it, if anything is
 * @size: room for that
 *
 * Return: the keys for psk_free(), or NULL.
 */
struct psk *psk_read(const char *path, char *error, size_t size)
{
	struct reading reading = {
		.path = path, .error = error, .size = size,
	};
	char buffer[BUFSIZ];
	char *line = NULL;
	bool good = true;
	size_t len = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file) {
		fail(&reading, strerror(errno));
		return NULL;
	}
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	reading.psk = calloc(1, sizeof(*reading.psk));
	if (!reading.psk)
		good = fail(&reading, "out of memory");
	while (good && getline(&line, &len, file) >= 0)
		good = read_line(&reading, line);
	if (good && ferror(file))
		good = fail(&reading, strerror(errno));
	fclose(file);
	/* No copy of what is in there stays behind. */
	OPENSSL_cleanse(buffer, sizeof(buffer));
	if (line)
		OPENSSL_cleanse(line, len);
	free(line);
	if (good && reading.psk->nr)
		qsort(reading.psk->entries, reading.psk->nr,
		      sizeof(struct entry), compare);
	good = good && check_unique(&reading);
	if (good)
		return reading.psk;
	psk_free(reading.psk);
	return NULL;
}

/**
 * psk_find() - find somebody's key
 * @psk: the keys
 * @identity: who it is
 * @key: where to
 * @size: room for it
 *
 * Return: the key's length, or 0 if there is none.
 */
size_t psk_find(const struct psk *psk, const char *identity,
		unsigned char *key, size_t size)
{
	struct entry sought = { .identity = (char *)identity }, *entry;

	if (!psk->nr)
		return 0;
	entry = bsearch(&sought, psk->entries, psk->nr, sizeof(sought),
			compare);
	if (!entry || entry->key_len > size)
		return 0;
	memcpy(key, entry->key, entry->key_len);
	return entry->key_len;
}

/**
 * psk_free() - forget keys
 * @psk: the keys, or NULL
 */
void psk_free(struct psk *psk)
{
	size_t i;

	if (!psk)
		return;
	for (i = 0; i < psk->nr; i++)
		free(psk->entries[i].identity);
	OPENSSL_clear_free(psk->entries, psk->nr * sizeof(*psk->entries));
	free(psk);
}
