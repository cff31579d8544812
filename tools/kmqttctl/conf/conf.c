// SPDX-License-Identifier: GPL-2.0
/*
 * A configuration in memory: what files say, or what the kernel has.
 */
#include "conf.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* In the language of ACL files. */
const char *const conf_accesses[] = {
	[CONF_DENY] = "deny",
	[CONF_READ] = "read",
	[CONF_WRITE] = "write",
	[CONF_READWRITE] = "readwrite",
	NULL
};

/**
 * conf_check() - end if there is no memory
 * @mem: what an allocation gave
 *
 * Return: @mem.
 */
void *conf_check(void *mem)
{
	if (!mem)
		err(EXIT_FAILED, NULL);
	return mem;
}

/**
 * conf_grow() - make room for one more at the end of an array
 * @array: the array, or NULL
 * @nr: how many it has
 * @size: of one
 *
 * Return: the array. The new one at its end is zero.
 */
void *conf_grow(void *array, size_t nr, size_t size)
{
	/* Room is always for a power of two. */
	if (!(nr & (nr - 1)))
		array = conf_check(reallocarray(array, nr ? 2 * nr : 1, size));
	memset((char *)array + nr * size, 0, size);
	return array;
}

/**
 * conf_strdup() - copy a string
 * @text: the string
 *
 * Return: its copy, to free.
 */
char *conf_strdup(const char *text)
{
	return conf_check(strdup(text));
}

/**
 * conf_file() - keep the name of a file for places
 * @conf: a configuration
 * @name: the name
 *
 * Return: a copy that lives as long as @conf.
 */
const char *conf_file(struct conf *conf, const char *name)
{
	conf->files = conf_grow(conf->files, conf->nr_files,
				sizeof(*conf->files));
	conf->files[conf->nr_files] = conf_strdup(name);
	return conf->files[conf->nr_files++];
}

/**
 * conf_set() - give a setting a value, instead of the one it may have
 * @conf: a configuration
 * @at: where it is set
 * @field: the setting
 * @value: its value
 */
void conf_set(struct conf *conf, const struct place *at,
	      const struct field *field, const char *value)
{
	struct conf_setting *setting;
	size_t i;

	for (i = 0; i < conf->nr_settings; i++)
		if (conf->settings[i].field == field)
			break;
	if (i == conf->nr_settings) {
		conf->settings = conf_grow(conf->settings, i,
					   sizeof(*conf->settings));
		conf->nr_settings++;
	}
	setting = &conf->settings[i];
	free(setting->value);
	setting->at = *at;
	setting->field = field;
	setting->value = conf_strdup(value);
}

/**
 * conf_realm() - find a realm, or make it
 * @conf: a configuration
 * @number: of the realm
 *
 * Return: the realm, until another one is made.
 */
struct conf_realm *conf_realm(struct conf *conf, uint32_t number)
{
	struct conf_realm *realm;
	size_t i;

	for (i = 0; i < conf->nr_realms; i++)
		if (conf->realms[i].number == number)
			return &conf->realms[i];
	conf->realms = conf_grow(conf->realms, i, sizeof(*conf->realms));
	conf->nr_realms++;
	realm = &conf->realms[i];
	realm->number = number;
	return realm;
}

/**
 * conf_is_switch() - is it true or false?
 * @attr: what a listener has for itself
 *
 * Return: true if it is no number.
 */
bool conf_is_switch(enum conf_attr attr)
{
	return attr == CONF_ANONYMOUS || attr == CONF_USERNAME_AS_CLIENT_ID ||
	       attr == CONF_ASSIGN_CLIENT_ID;
}

/**
 * conf_is_limit() - is there none of it if it is 0?
 * @attr: what a listener has for itself
 *
 * Return: true if 0 in a file is what a listener has that says nothing.
 */
bool conf_is_limit(enum conf_attr attr)
{
	return attr == CONF_MAX_CONNECTIONS ||
	       (attr >= CONF_CONNECT_RATE && attr <= CONF_CLIENT_BYTE_RATE);
}

static void free_realm(struct conf_realm *realm)
{
	size_t i;

	for (i = 0; i < realm->nr_users; i++)
		free(realm->users[i].name);
	if (realm->users)
		explicit_bzero(realm->users,
			       realm->nr_users * sizeof(*realm->users));
	free(realm->users);
	for (i = 0; i < realm->nr_rules; i++) {
		free(realm->rules[i].user);
		free(realm->rules[i].topic);
	}
	free(realm->rules);
}

/**
 * conf_free() - give back what a configuration holds
 * @conf: a configuration
 */
void conf_free(struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->nr_settings; i++)
		free(conf->settings[i].value);
	free(conf->settings);
	for (i = 0; i < conf->nr_listeners; i++) {
		free(conf->listeners[i].client_id_prefix.text);
		free(conf->listeners[i].agent);
	}
	free(conf->listeners);
	for (i = 0; i < conf->nr_realms; i++)
		free_realm(&conf->realms[i]);
	free(conf->realms);
	for (i = 0; i < conf->nr_files; i++)
		free(conf->files[i]);
	free(conf->files);
	*conf = (struct conf){ .settings = NULL };
}
