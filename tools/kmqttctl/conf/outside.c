// SPDX-License-Identifier: GPL-2.0
/*
 * What configuration files ask of the system: other files, directories, and
 * addresses of hosts; and whether the agent could work with what it finds. A
 * fuzzer has its own of these.
 */
#include "outside.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "../text.h"
#include "conf.h"
#include "context.h"
#include "settings.h"

/* More than any configuration, and less than what hurts. */
#define FILE_MAX	(64 * 1024 * 1024)
#define CHUNK		(64 * 1024)

static char *read_all(FILE *file, size_t *len, const char **why)
{
	size_t size = CHUNK, n;
	char *text = NULL;

	*len = 0;
	do {
		if (!text || *len == size) {
			size *= 2;
			text = conf_check(realloc(text, size + 1));
		}
		n = fread(text + *len, 1, size - *len, file);
		*len += n;
	} while (n && *len <= FILE_MAX);
	if (ferror(file))
		*why = strerror(errno);
	else if (*len > FILE_MAX)
		*why = "larger than 64 MiB";
	else
		return text;
	free(text);
	return NULL;
}

/**
 * outside_read() - read a file
 * @path: its name
 * @len: bytes that it has
 * @why: what went wrong, if it did
 *
 * Return: its content to free, with room for a byte more, or NULL.
 */
char *outside_read(const char *path, size_t *len, const char **why)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	struct stat stat;

	if (!file) {
		*why = strerror(errno);
		return NULL;
	}
	if (!fstat(fileno(file), &stat) && S_ISDIR(stat.st_mode))
		*why = "this is a directory";
	else
		text = read_all(file, len, why);
	fclose(file);
	return text;
}

/**
 * outside_whole() - make a path one that is the same everywhere
 * @path: the path
 * @why: what went wrong, if it did
 *
 * Links stay: what they lead to is made anew when certificates are.
 *
 * Return: the whole path, to free, or NULL.
 */
char *outside_whole(const char *path, const char **why)
{
	char *here, *whole;

	if (*path == '/')
		return conf_strdup(path);
	here = getcwd(NULL, 0);
	if (!here) {
		*why = strerror(errno);
		return NULL;
	}
	if (strchr(here, '\n') ||
	    text_utf8_len(here, strlen(here)) != strlen(here)) {
		*why = "no file can have the name of this directory";
		free(here);
		return NULL;
	}
	if (asprintf(&whole, "%s/%s", strcmp(here, "/") ? here : "", path) < 0)
		conf_check(NULL);
	free(here);
	return whole;
}

/**
 * outside_probe() - is there such a file, and can it be read?
 * @path: its name
 * @directory: it should be a directory
 * @why: what is wrong, if anything is
 *
 * Return: true if it can be read.
 */
bool outside_probe(const char *path, bool directory, const char **why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC |
		      (directory ? O_DIRECTORY : 0));
	struct stat stat;
	bool ok;

	if (fd < 0) {
		*why = strerror(errno);
		return false;
	}
	ok = directory || fstat(fd, &stat) || !S_ISDIR(stat.st_mode);
	if (!ok)
		*why = "this is a directory";
	close(fd);
	return ok;
}

/* Without regard to case first, then upper case in front. */
static int compare_names(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int diff;

	for (; *x && *y; x++, y++) {
		diff = toupper((unsigned char)*x) - toupper((unsigned char)*y);
		if (!diff)
			diff = *x - *y;
		if (diff)
			return diff;
	}
	return *x - *y;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/**
 * outside_list() - find the files that include_dir means
 * @path: name of the directory
 * @nr: how many there are
 * @why: what went wrong, if it did
 *
 * Return: their paths, each to free and all of them, in their order; or NULL.
 */
char **outside_list(const char *path, size_t *nr, const char **why)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_conf, NULL), i;
	char **paths;

	if (n < 0) {
		*why = strerror(errno);
		return NULL;
	}
	paths = conf_check(calloc(n + 1, sizeof(*paths)));
	for (i = 0; i < n; i++) {
		if (asprintf(&paths[i], "%s/%s", path, entries[i]->d_name) < 0)
			conf_check(NULL);
		free(entries[i]);
	}
	free(entries);
	qsort(paths, n, sizeof(*paths), compare_names);
	*nr = n;
	return paths;
}

static bool take_address(struct address *to, const struct sockaddr *from)
{
	const struct sockaddr_in6 *in6 = (const void *)from;
	const struct sockaddr_in *in = (const void *)from;

	*to = (struct address){ .len = 0 };
	if (from->sa_family == AF_INET) {
		to->len = sizeof(in->sin_addr);
		memcpy(to->bytes, &in->sin_addr, to->len);
	} else if (from->sa_family == AF_INET6) {
		to->len = sizeof(in6->sin6_addr);
		memcpy(to->bytes, &in6->sin6_addr, to->len);
		to->ifindex = in6->sin6_scope_id;
	}
	return to->len;
}

/**
 * outside_resolve() - find the addresses of a host
 * @host: its name, or an address as such
 * @family: AF_INET or AF_INET6 for these only, or AF_UNSPEC
 * @addresses: where to, without ports
 * @why: what went wrong, if it did
 *
 * Return: how many there are, or 0.
 */
size_t outside_resolve(const char *host, int family,
		       struct address addresses[OUTSIDE_ADDRESSES_MAX],
		       const char **why)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	};
	struct addrinfo *found, *info;
	size_t nr = 0;
	int ret;

	ret = getaddrinfo(host, NULL, &hints, &found);
	if (ret) {
		*why = ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret);
		return 0;
	}
	for (info = found; info; info = info->ai_next) {
		if (nr == OUTSIDE_ADDRESSES_MAX) {
			*why = "it has too many addresses";
			nr = 0;
			break;
		}
		nr += take_address(&addresses[nr], info->ai_addr);
	}
	if (!info && !nr)
		*why = "it has no address";
	freeaddrinfo(found);
	return nr;
}

/* The first address of a family that an interface has, or NULL. */
static const struct sockaddr *first_address(const struct ifaddrs *list,
					    const char *name, int family)
{
	for (; list; list = list->ifa_next)
		if (list->ifa_addr && list->ifa_addr->sa_family == family &&
		    !strcasecmp(list->ifa_name, name))
			return list->ifa_addr;
	return NULL;
}

/* Each interface has at least one entry, if not an address. */
static bool has_interface(const struct ifaddrs *list, const char *name)
{
	for (; list; list = list->ifa_next)
		if (!strcasecmp(list->ifa_name, name))
			return true;
	return false;
}

/**
 * outside_interface() - find the first addresses of an interface
 * @name: its name, without regard to case
 * @family: AF_INET or AF_INET6 for this one only, or AF_UNSPEC
 * @addresses: where to, without ports; one of each family
 * @why: what went wrong, if it did
 *
 * Return: how many there are, or 0.
 */
size_t outside_interface(const char *name, int family,
			 struct address addresses[OUTSIDE_ADDRESSES_MAX],
			 const char **why)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct sockaddr *found;
	struct ifaddrs *list;
	size_t nr = 0, i;

	if (getifaddrs(&list)) {
		*why = strerror(errno);
		return 0;
	}
	for (i = 0; i < sizeof(families) / sizeof(*families); i++) {
		if (family != AF_UNSPEC && family != families[i])
			continue;
		found = first_address(list, name, families[i]);
		if (found)
			nr += take_address(&addresses[nr], found);
	}
	if (!nr && !has_interface(list, name))
		*why = "there is no such interface";
	else if (!nr)
		*why = family == AF_UNSPEC ? "it has no address" :
					     "it has no address of this kind";
	freeifaddrs(list);
	return nr;
}

/**
 * outside_agent() - try what an agent would do before it listens
 * @text: what it has to know
 *
 * Certificates, keys and lists are read, by the functions that the agent has.
 *
 * Return: the option that it can't work with, a colon, and why; to free. NULL
 * if it can work with all of them.
 */
char *outside_agent(const char *text)
{
	char error[SETTINGS_ERROR_MAX];
	struct settings settings;
	SSL_CTX *ctx = NULL;
	bool ok;

	ok = settings_read(&settings, text, error);
	if (ok && settings_has_tls(&settings)) {
		ctx = context_create(&settings, error);
		ok = ctx;
	}
	SSL_CTX_free(ctx);
	settings_free(&settings);
	return ok ? NULL : conf_strdup(error);
}
