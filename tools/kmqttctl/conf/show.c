// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations, and the options that there are, as JSON. Nothing that is
 * secret is shown.
 */
#include "show.h"

#include <stdio.h>
#include <string.h>

#include "../ctl.h"
#include "option.h"

static const char *const attr_names[CONF_NR_ATTRS] = {
	[CONF_ANONYMOUS] = "anonymous",
	[CONF_MAX_CONNECTIONS] = "max_connections",
	[CONF_MAX_QOS] = "max_qos",
	[CONF_TOPIC_ALIAS_MAX] = "topic_alias_max",
	[CONF_USERNAME_AS_CLIENT_ID] = "username_as_client_id",
	[CONF_CONNECT_RATE] = "connect_rate",
	[CONF_MESSAGE_RATE] = "message_rate",
	[CONF_BYTE_RATE] = "byte_rate",
	[CONF_CLIENT_MESSAGE_RATE] = "client_message_rate",
	[CONF_CLIENT_BYTE_RATE] = "client_byte_rate",
	[CONF_ASSIGN_CLIENT_ID] = "assign_client_id",
	[CONF_TOPIC_ALIAS_MAX_OUT] = "topic_alias_max_out",
	[CONF_PROTOCOL_VERSIONS] = "protocol_versions",
};

static const char *const method_names[CONF_NR_METHODS] = {
	[CONF_PBKDF2_SHA512] = "pbkdf2-sha512",
	[CONF_SHA512] = "sha512",
	[CONF_SCRAM_SHA_256] = "scram-sha-256",
	[CONF_SCRAM_SHA_512] = "scram-sha-512",
};

static const char *const kind_names[] = {
	[CONF_FOR_ANONYMOUS] = "anonymous",
	[CONF_FOR_USER] = "user",
	[CONF_FOR_ALL] = "pattern",
};

static const char *const type_names[] = {
	[OPTION_ANY] = "any",
	[OPTION_BOOL] = "bool",
	[OPTION_INT] = "number",
	[OPTION_BYTES] = "size",
	[OPTION_TIME] = "time",
	[OPTION_WORD] = "word",
	[OPTION_TEXT] = "text",
	[OPTION_FILE] = "file",
	[OPTION_DIRECTORY] = "directory",
};

static const char *const scope_names[] = {
	[OPTION_GLOBAL] = "broker",
	[OPTION_LISTENER] = "listener",
	[OPTION_SECURITY] = "broker or listener",
	[OPTION_BRIDGE] = "bridge",
};

static const char *const fate_names[] = {
	[OPTION_HONOURED] = "honoured",
	[OPTION_VOID] = "void",
	[OPTION_REFUSED] = "refused",
};

static void set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, conf_check(value)))
		conf_check(NULL);
}

static void append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, conf_check(value)))
		conf_check(NULL);
}

static json_t *show_setting(const struct conf_setting *setting)
{
	uint64_t value;

	switch (setting->field->kind) {
	case FIELD_TEXT:
	case FIELD_CHOICE:
		return json_string(setting->value);
	case FIELD_SWITCH:
		return json_boolean(!strcmp(setting->value, "on"));
	default:
		field_number(setting->field, setting->value, &value);
		return json_integer(value);
	}
}

static json_t *show_settings(const struct conf *conf)
{
	json_t *settings = conf_check(json_object());
	char key[64], *p;
	size_t i;

	for (i = 0; i < conf->nr_settings; i++) {
		snprintf(key, sizeof(key), "%s",
			 conf->settings[i].field->name);
		for (p = key; *p; p++)
			if (*p == '-')
				*p = '_';
		set(settings, key, show_setting(&conf->settings[i]));
	}
	return settings;
}

static void show_endpoint(json_t *object, const struct endpoint *endpoint)
{
	char host[ADDRESS_HOST_MAX];

	set(object, "transport",
	    json_string(endpoint_transports[endpoint->transport]));
	if (endpoint_is_ip(endpoint)) {
		address_write_host(&endpoint->address, host);
		set(object, "address", json_string(host));
		set(object, "port", json_integer(endpoint->address.port));
	} else if (endpoint->transport == KMQTT_TRANSPORT_UNIX) {
		set(object, "path", json_string(endpoint->path));
	} else {
		if (endpoint->cid != ENDPOINT_CID_ANY)
			set(object, "cid", json_integer(endpoint->cid));
		set(object, "vsock_port", json_integer(endpoint->port));
	}
}

static json_t *show_listener(const struct conf_listener *listener)
{
	json_t *object = conf_check(json_object());
	const struct conf_number *attr;
	size_t i;

	show_endpoint(object, &listener->endpoint);
	set(object, "realm", json_integer(listener->realm));
	for (i = 0; i < CONF_NR_ATTRS; i++) {
		attr = &listener->attrs[i];
		if (attr->set && conf_is_switch(i))
			set(object, attr_names[i], json_boolean(attr->value));
		else if (attr->set)
			set(object, attr_names[i], json_integer(attr->value));
	}
	if (listener->client_id_prefix.text)
		set(object, "client_id_prefix",
		    json_string(listener->client_id_prefix.text));
	if (listener->agent)
		set(object, "agent", json_string(listener->agent));
	return object;
}

static json_t *show_user(const struct conf_user *user)
{
	json_t *object = conf_check(json_object());

	set(object, "name", json_string(user->name));
	set(object, "method", json_string(method_names[user->method]));
	if (user->iterations)
		set(object, "iterations", json_integer(user->iterations));
	return object;
}

static json_t *show_rule(const struct conf_rule *rule)
{
	json_t *object = conf_check(json_object());

	set(object, "kind", json_string(kind_names[rule->kind]));
	if (rule->user)
		set(object, "user", json_string(rule->user));
	set(object, "access", json_string(conf_accesses[rule->access]));
	set(object, "topic", json_string(rule->topic));
	return object;
}

static json_t *show_realm(const struct conf_realm *realm)
{
	json_t *object = conf_check(json_object());
	json_t *users = conf_check(json_array());
	json_t *rules = conf_check(json_array());
	size_t i;

	set(object, "number", json_integer(realm->number));
	set(object, "authenticate", json_boolean(realm->authenticate));
	set(object, "restrict", json_boolean(realm->restrict_));
	for (i = 0; i < realm->nr_users; i++)
		append(users, show_user(&realm->users[i]));
	for (i = 0; i < realm->nr_rules; i++)
		append(rules, show_rule(&realm->rules[i]));
	set(object, "users", users);
	set(object, "rules", rules);
	return object;
}

/**
 * show_conf() - show a configuration
 * @conf: the configuration
 *
 * Return: an object.
 */
json_t *show_conf(const struct conf *conf)
{
	json_t *object = conf_check(json_object());
	json_t *listeners = conf_check(json_array());
	json_t *realms = conf_check(json_array());
	size_t i;

	set(object, "settings", show_settings(conf));
	for (i = 0; i < conf->nr_listeners; i++)
		append(listeners, show_listener(&conf->listeners[i]));
	set(object, "listeners", listeners);
	for (i = 0; i < conf->nr_realms; i++)
		append(realms, show_realm(&conf->realms[i]));
	set(object, "realms", realms);
	return object;
}

static json_t *show_option(const struct option *option)
{
	json_t *object = conf_check(json_object());

	set(object, "name", json_string(option->name));
	set(object, "value", json_string(type_names[option->type]));
	set(object, "scope", json_string(scope_names[option->scope]));
	set(object, "fate", json_string(fate_names[option->fate]));
	if (option->fine)
		set(object, "unless", json_string(option->fine));
	if (option->setting)
		set(object, "setting", json_string(option->setting));
	set(object, "text", json_string(option->text));
	return object;
}

/* A setting of the broker under its own name. */
static json_t *show_own(const struct field *field)
{
	json_t *object = conf_check(json_object());
	char text[128], *p;

	snprintf(text, sizeof(text), "kmqtt_%s", field->name);
	for (p = text; *p; p++)
		if (*p == '-')
			*p = '_';
	set(object, "name", json_string(text));
	set(object, "value", json_string(field->kind == FIELD_TEXT ? "text" :
					 "word"));
	set(object, "scope", json_string(scope_names[OPTION_GLOBAL]));
	set(object, "fate", json_string(fate_names[OPTION_HONOURED]));
	set(object, "setting", json_string(field->name));
	snprintf(text, sizeof(text), "%s of kmqttctl broker set", field->name);
	set(object, "text", json_string(text));
	return object;
}

/**
 * show_options() - show all options
 *
 * Return: an array.
 */
json_t *show_options(void)
{
	json_t *array = conf_check(json_array());
	const struct option *option;
	const struct field *field;

	for (option = options; option->name; option++)
		append(array, show_option(option));
	for (field = broker_noun.fields; field->kind; field++)
		append(array, show_own(field));
	return array;
}
