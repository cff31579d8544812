// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl save: the configuration as a whole, into files that kmqttctl load
 * takes. The files take the place of older ones when all of them are written.
 */
#include <err.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/acl.h"
#include "conf/agent.h"
#include "conf/conf.h"
#include "conf/gather.h"
#include "conf/passwd.h"
#include "conf/write.h"
#include "ctl.h"
#include "text.h"

/* A file that is not under its name yet. */
struct written {
	char *path;
	char *temporary;
};

/* Files that are being written; the main one comes last. */
struct saving {
	const struct conf *conf;
	const char *path;
	struct written *files;
	size_t nr_files;
};

/* Where files go that have no name yet, or nothing on failure. */
static FILE *begin_file(struct saving *saving, const char *path, mode_t mode)
{
	mode_t mask = umask(0);
	struct written *file;
	FILE *to;
	int fd;

	umask(mask);
	saving->files = conf_grow(saving->files, saving->nr_files,
				  sizeof(*saving->files));
	file = &saving->files[saving->nr_files++];
	file->path = conf_strdup(path);
	if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0)
		conf_check(NULL);
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0) {
		warn("%s", path);
		free(file->temporary);
		file->temporary = NULL;
		return NULL;
	}
	to = fchmod(fd, mode & ~mask) ? NULL : fdopen(fd, "w");
	if (!to) {
		warn("%s", path);
		close(fd);
	}
	return to;
}

static bool end_file(FILE *to, const char *path)
{
	bool ok = !fflush(to) && !ferror(to) && !fsync(fileno(to));

	if (fclose(to) || !ok) {
		warn("%s", path);
		return false;
	}
	return true;
}

static bool save_users(struct saving *saving, const struct conf_realm *realm,
		       const char *path)
{
	FILE *to = begin_file(saving, path, 0600);
	size_t i;

	if (!to)
		return false;
	for (i = 0; i < realm->nr_users; i++)
		passwd_write(to, &realm->users[i]);
	return end_file(to, path);
}

static bool save_rules(struct saving *saving, const struct conf_realm *realm,
		       const char *path)
{
	FILE *to = begin_file(saving, path, 0666);

	if (!to)
		return false;
	acl_write(to, realm);
	return end_file(to, path);
}

static bool save_realm(struct saving *saving, const struct conf_realm *realm)
{
	struct write_names names = write_names(saving->conf, realm,
					       saving->path);
	bool ok = (!names.password_file ||
		   save_users(saving, realm, names.password_file)) &&
		  (!names.acl_file ||
		   save_rules(saving, realm, names.acl_file));

	free(names.password_file);
	free(names.acl_file);
	return ok;
}

static bool save_main(struct saving *saving)
{
	FILE *to = begin_file(saving, saving->path, 0666);

	if (!to)
		return false;
	write_conf(to, saving->conf, saving->path);
	return end_file(to, saving->path);
}

static bool is_used(const struct conf *conf, const struct conf_realm *realm)
{
	size_t i;

	if (!realm->number && !write_is_per_listener(conf))
		return true;
	for (i = 0; i < conf->nr_listeners; i++)
		if (conf->listeners[i].realm == realm->number)
			return true;
	return false;
}

static bool save_all(struct saving *saving)
{
	const struct conf *conf = saving->conf;
	size_t i;

	for (i = 0; i < conf->nr_realms; i++)
		if (is_used(conf, &conf->realms[i]) &&
		    !save_realm(saving, &conf->realms[i]))
			return false;
	return save_main(saving);
}

/* Give the files their names, or remove them. */
static bool end_all(struct saving *saving, bool ok)
{
	struct written *file;
	size_t i;

	for (i = 0; i < saving->nr_files; i++) {
		file = &saving->files[i];
		if (ok && rename(file->temporary, file->path)) {
			warn("%s", file->path);
			ok = false;
		}
		if (!ok && file->temporary)
			unlink(file->temporary);
		free(file->temporary);
		free(file->path);
	}
	free(saving->files);
	return ok;
}

static bool complain(const char *what, const char *name, const char *why)
{
	char *shown = text_escape(name, strlen(name), false);

	warnx("save: no file can have the %s '%s': %s", what, shown, why);
	free(shown);
	return false;
}

static bool can_write_realm(const struct conf *conf,
			    const struct conf_realm *realm)
{
	const char *why;
	bool ok = true;
	size_t i;

	if (!is_used(conf, realm)) {
		if (realm->nr_users || realm->nr_rules)
			warnx("save: no file can have realm %u, since no listener uses it",
			      realm->number);
		return !realm->nr_users && !realm->nr_rules;
	}
	for (i = 0; i < realm->nr_users; i++) {
		why = passwd_unwritable(realm->users[i].name);
		if (why)
			ok = complain("user", realm->users[i].name, why);
	}
	for (i = 0; i < realm->nr_rules; i++) {
		why = acl_unwritable(&realm->rules[i]);
		if (why)
			ok = complain("rule for", realm->rules[i].topic, why);
	}
	return ok;
}

/* A path is one word, and no comment. */
static const char *unwritable_path(const char *path)
{
	if (*path != '/')
		return "it is not a whole path";
	if (strchr(path, ' '))
		return "it has a space in it";
	if (text_utf8_len(path, strlen(path)) != strlen(path))
		return "it is not UTF-8";
	return write_unwritable_text(path);
}

static bool can_write_listener(const struct conf_listener *listener)
{
	const struct endpoint *endpoint = &listener->endpoint;
	const char *why = agent_unwritable(listener->agent ?: "");
	const struct conf_number *max = &listener->attrs[CONF_MAX_CONNECTIONS];
	const char *prefix = listener->client_id_prefix.text ?: "";

	if (why)
		return complain("agent", listener->agent, why);
	if (endpoint->transport == KMQTT_TRANSPORT_UNIX)
		why = unwritable_path(endpoint->path);
	if (why)
		return complain("path", endpoint->path, why);
	if (write_unwritable_text(prefix))
		return complain("client-id-prefix", prefix,
				write_unwritable_text(prefix));
	/* To Mosquitto 0 is no limit; here it is one. */
	if (!max->set || max->value)
		return true;
	warnx("save: no file can have a listener with max-connections 0");
	return false;
}

/* Is there anything that a file can't say? */
static bool can_write(const struct conf *conf)
{
	const struct conf_setting *setting;
	bool ok = true;
	size_t i;

	for (i = 0; i < conf->nr_settings; i++) {
		setting = &conf->settings[i];
		if (write_unwritable(setting))
			ok = complain(setting->field->name, setting->value,
				      write_unwritable(setting));
	}
	for (i = 0; i < conf->nr_listeners; i++)
		ok &= can_write_listener(&conf->listeners[i]);
	for (i = 0; i < conf->nr_realms; i++)
		ok &= can_write_realm(conf, &conf->realms[i]);
	return ok;
}

/* Files are named by whole paths: it is unknown where they will be loaded. */
static char *whole_path(const char *path)
{
	char *copy = conf_strdup(path), *other = conf_strdup(path);
	char *directory = realpath(dirname(copy), NULL);
	char *whole = NULL;

	if (directory &&
	    asprintf(&whole, "%s/%s", strcmp(directory, "/") ? directory : "",
		     basename(other)) < 0)
		conf_check(NULL);
	free(directory);
	free(other);
	free(copy);
	return whole;
}

static enum exit_code save_to(const struct conf *conf, const char *path)
{
	struct saving saving = { .conf = conf };
	char *whole = whole_path(path);
	bool ok;

	if (!whole) {
		warn("%s", path);
		return EXIT_FAILED;
	}
	saving.path = whole;
	ok = save_all(&saving);
	ok = end_all(&saving, ok);
	free(whole);
	return ok ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code save_run(struct ctl *ctl)
{
	struct conf conf = { .settings = NULL };
	const char *path = ctl_next_arg(ctl);
	enum exit_code ret;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	if (path && (!*path || strchr(path, '\n')))
		return ctl_not(ctl, path, "the name of a file");
	ret = ctl_report(ctl, gather_conf(&ctl->nl, &conf));
	if (!ret && !can_write(&conf))
		ret = EXIT_FAILED;
	if (!ret && path)
		ret = save_to(&conf, path);
	else if (!ret)
		write_conf(stdout, &conf, NULL);
	conf_free(&conf);
	return ret;
}

static const struct verb verbs[] = {
	{ NULL, save_run },
};

const struct noun save_noun = {
	.name = "save",
	.summary = "the whole configuration, to a file",
	.usage =
"Usage: kmqttctl save [FILE]\n\n"
"Writes settings, listeners, users and rules so that kmqttctl load makes the\n"
"same of it: users to FILE.passwd, rules to FILE.acl, the rest to FILE. Where\n"
"listeners differ in users or rules, there are FILE.1.passwd and so on, too.\n"
"Without FILE, that file is printed, but not the others.\n",
	.verbs = verbs,
};
