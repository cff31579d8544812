// SPDX-License-Identifier: GPL-2.0
/*
 * A configuration as a file that read_conf() takes.
 */
#include "write.h"

#include <stdlib.h>
#include <string.h>

#include "../text.h"
#include "option.h"

/* Options of a listener, by what they set; NULL for those of either. */
static const char *const attr_options[CONF_NR_ATTRS] = {
	[CONF_ANONYMOUS] = "listener_allow_anonymous",
	[CONF_MAX_CONNECTIONS] = "max_connections",
	[CONF_MAX_QOS] = "max_qos",
	[CONF_TOPIC_ALIAS_MAX] = "max_topic_alias",
	[CONF_USERNAME_AS_CLIENT_ID] = "use_username_as_clientid",
	[CONF_CONNECT_RATE] = "kmqtt_connect_rate",
	[CONF_MESSAGE_RATE] = "kmqtt_message_rate",
	[CONF_BYTE_RATE] = "kmqtt_byte_rate",
	[CONF_CLIENT_MESSAGE_RATE] = "kmqtt_client_message_rate",
	[CONF_CLIENT_BYTE_RATE] = "kmqtt_client_byte_rate",
	[CONF_TOPIC_ALIAS_MAX_OUT] = "max_topic_alias_broker",
	[CONF_PROTOCOL_VERSIONS] = "accept_protocol_versions",
};

/* How many realms do listeners use before this one? */
static size_t rank_of(const struct conf *conf, const struct conf_realm *realm)
{
	size_t rank = 0, i, j;

	for (i = 0; i < conf->nr_listeners; i++) {
		if (conf->listeners[i].realm == realm->number)
			return rank;
		for (j = 0; j < i; j++)
			if (conf->listeners[j].realm ==
			    conf->listeners[i].realm)
				break;
		rank += j == i;
	}
	return rank;
}

static char *name_of(const char *path, size_t rank, const char *end)
{
	char *name;
	int ret;

	if (rank)
		ret = asprintf(&name, "%s.%zu.%s", path, rank, end);
	else
		ret = asprintf(&name, "%s.%s", path, end);
	return conf_check(ret < 0 ? NULL : name);
}

/**
 * write_names() - the files that users and rules go to
 * @conf: a configuration
 * @realm: one of its realms
 * @path: of the main file
 *
 * They are numbered in the order in which listeners need them, so that reading
 * and writing leads to the same names.
 *
 * Return: names to free, or NULL for those that are not needed.
 */
struct write_names write_names(const struct conf *conf,
			       const struct conf_realm *realm,
			       const char *path)
{
	struct write_names names = { NULL, NULL };
	size_t rank = rank_of(conf, realm);

	if (realm->authenticate || realm->nr_users)
		names.password_file = name_of(path, rank, "passwd");
	if (realm->restrict_ || realm->nr_rules)
		names.acl_file = name_of(path, rank, "acl");
	return names;
}

/**
 * write_is_per_listener() - do listeners differ in what else is said of all?
 * @conf: a configuration
 *
 * Return: true if per_listener_settings is needed.
 */
bool write_is_per_listener(const struct conf *conf)
{
	const struct conf_number *first, *assign;
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++) {
		first = &conf->listeners[0].attrs[CONF_ASSIGN_CLIENT_ID];
		assign = &conf->listeners[i].attrs[CONF_ASSIGN_CLIENT_ID];
		if (conf->listeners[i].realm || assign->set != first->set ||
		    assign->value != first->value)
			return true;
	}
	return false;
}

/*
 * Without a path the names are those that files would have: whoever loads this
 * as it is gets an error, not a broker that is open to all.
 */
static void write_files(FILE *to, const struct conf *conf, uint32_t number,
			const char *path)
{
	struct write_names names;
	size_t i;

	for (i = 0; i < conf->nr_realms; i++) {
		if (conf->realms[i].number != number)
			continue;
		names = write_names(conf, &conf->realms[i], path ?: "FILE");
		if (!path && (names.password_file || names.acl_file))
			fputs("# Written by kmqttctl save FILE only:\n", to);
		if (names.password_file)
			fprintf(to, "password_file %s\n", names.password_file);
		if (names.acl_file)
			fprintf(to, "acl_file %s\n", names.acl_file);
		free(names.password_file);
		free(names.acl_file);
	}
}

/* What is said of all, or of each, as @listener has it. */
static void write_security(FILE *to, const struct conf *conf,
			   const struct conf_listener *listener,
			   const char *path)
{
	const struct conf_number *assign =
		&listener->attrs[CONF_ASSIGN_CLIENT_ID];

	if (assign->set)
		fprintf(to, "allow_zero_length_clientid %s\n",
			assign->value ? "true" : "false");
	write_files(to, conf, listener->realm, path);
}

/* Can Mosquitto's option have this value, and mean the same? */
static const char *value_of(const struct option *option, const char *value)
{
	const struct field *field = option_setting(option);
	const char *unlimited = option->unlimited;
	uint64_t number;

	if (option_is_text(option))
		return *value ? value : NULL;
	if (option->type == OPTION_BOOL)
		return !strcmp(value, "on") ? "true" : "false";
	if (option->type != OPTION_INT || !field_number(field, value, &number))
		return NULL;
	if (unlimited && !strcmp(value, unlimited))
		return "0";
	if ((unlimited && !number) || number > (uint64_t)option->max)
		return NULL;
	return value;
}

/**
 * write_unwritable_text() - can a file have this text?
 * @text: the text
 *
 * Return: why not, or NULL.
 */
const char *write_unwritable_text(const char *text)
{
	static const char white[] = " \t\n\v\f\r";

	if (!*text)
		return NULL;
	if (strchr(text, '\n'))
		return "it has a line's end in it";
	if (strchr(white, *text) || strchr(white, text[strlen(text) - 1]))
		return "it begins or ends with white space";
	return NULL;
}

/**
 * write_unwritable() - can a file have this setting?
 * @setting: the setting
 *
 * Return: why not, or NULL.
 */
const char *write_unwritable(const struct conf_setting *setting)
{
	if (setting->field->kind != FIELD_TEXT)
		return NULL;
	return write_unwritable_text(setting->value);
}

static void write_setting(FILE *to, const struct conf_setting *setting)
{
	const char *name = setting->field->name, *value = NULL;
	const struct option *option = option_of_setting(name);

	if (option)
		value = value_of(option, setting->value);
	if (value) {
		fprintf(to, "%s %s\n", option->name, value);
		return;
	}
	fputs("kmqtt_", to);
	for (; *name; name++)
		fputc(*name == '-' ? '_' : *name, to);
	fprintf(to, " %s\n", setting->value);
}

static void write_endpoint(FILE *to, const struct endpoint *endpoint)
{
	char host[ADDRESS_HOST_MAX];

	if (endpoint->transport == KMQTT_TRANSPORT_UNIX) {
		fprintf(to, "listener 0 %s\n", endpoint->path);
		return;
	}
	if (endpoint->transport == KMQTT_TRANSPORT_VSOCK) {
		fprintf(to, "kmqtt_vsock_listener %u", endpoint->port);
		if (endpoint->cid != ENDPOINT_CID_ANY)
			fprintf(to, " %u", endpoint->cid);
		fputc('\n', to);
		return;
	}
	fprintf(to, "listener %u", endpoint->address.port);
	if (endpoint->address.len) {
		address_write_host(&endpoint->address, host);
		fprintf(to, " %s", host);
	}
	fputc('\n', to);
	if (endpoint->transport == KMQTT_TRANSPORT_MPTCP)
		fputs("kmqtt_mptcp true\n", to);
}

/* It is in this language already. */
static void write_agent(FILE *to, const char *text)
{
	size_t len = strlen(text);

	fputs(text, to);
	if (len && text[len - 1] != '\n')
		fputc('\n', to);
}

static void write_versions(FILE *to, uint32_t versions)
{
	static const struct field field = { .kind = FIELD_VERSIONS };
	char text[TEXT_NUMBER_MAX];

	field_text_of_number(&field, versions, text, sizeof(text));
	fputs(text, to);
}

static void write_listener(FILE *to, const struct conf *conf,
			   const struct conf_listener *listener,
			   const char *path)
{
	const struct conf_number *attr;
	size_t i;

	fputc('\n', to);
	write_endpoint(to, &listener->endpoint);
	for (i = 0; i < CONF_NR_ATTRS; i++) {
		attr = &listener->attrs[i];
		if (!attr->set || !attr_options[i])
			continue;
		fprintf(to, "%s ", attr_options[i]);
		if (conf_is_switch(i))
			fputs(attr->value ? "true" : "false", to);
		else if (i == CONF_PROTOCOL_VERSIONS)
			write_versions(to, attr->value);
		else
			fprintf(to, "%u", attr->value);
		fputc('\n', to);
	}
	if (listener->client_id_prefix.text)
		fprintf(to, "listener_auto_id_prefix %s\n",
			listener->client_id_prefix.text);
	if (listener->agent)
		write_agent(to, listener->agent);
	if (write_is_per_listener(conf))
		write_security(to, conf, listener, path);
}

/**
 * write_conf() - write the main file
 * @to: where to
 * @conf: a configuration
 * @path: name of the main file, from which those of the others are made; or
 *	NULL if they are not written
 *
 * Return: false if that failed.
 */
bool write_conf(FILE *to, const struct conf *conf, const char *path)
{
	size_t i;

	fputs("# kmqttctl save wrote this; see kmqtt.conf(5).\n\n", to);
	if (write_is_per_listener(conf))
		fputs("per_listener_settings true\n", to);
	else if (conf->nr_listeners)
		write_security(to, conf, &conf->listeners[0], path);
	else
		write_files(to, conf, 0, path);
	for (i = 0; i < conf->nr_settings; i++)
		write_setting(to, &conf->settings[i]);
	if (!conf->nr_listeners)
		fputs("kmqtt_local_listeners false\n", to);
	for (i = 0; i < conf->nr_listeners; i++)
		write_listener(to, conf, &conf->listeners[i], path);
	return !ferror(to);
}
