// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration that the kernel has, as if it was read from files.
 */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/kmqtt.h>

#include "../ctl.h"

/* How often to read a list again that changed while it was read. */
#define DUMP_TRIES	5

static uint32_t uint_of(const struct nlattr *attr, uint32_t missing)
{
	uint64_t value;

	return field_uint(attr, &value) ? value : missing;
}

static char *string_of(const struct nlattr *attr)
{
	const char *text = attr ? mnl_attr_get_payload(attr) : "";
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	return conf_check(strndup(text, len));
}

/* Returns how many bytes there are, 0 if they are none or too many. */
static size_t bytes_of(const struct nlattr *attr, uint8_t to[BASE64_BYTES_MAX])
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len > BASE64_BYTES_MAX)
		return 0;
	if (len)
		memcpy(to, mnl_attr_get_payload(attr), len);
	return len;
}

static void add_settings(const struct nlmsghdr *nlh, void *arg)
{
	const struct field *field = broker_noun.fields;
	struct place at = { .file = "" };
	json_t *row = field_read_row(field, nlh);
	struct conf *conf = arg;
	json_t *value;
	char text[24];
	char key[64];
	char *p;

	for (; field->kind; field++) {
		snprintf(key, sizeof(key), "%s", field->name);
		for (p = key; *p; p++)
			if (*p == '-')
				*p = '_';
		value = json_object_get(row, key);
		if (json_is_boolean(value))
			snprintf(text, sizeof(text),
				 json_is_true(value) ? "on" : "off");
		else if (json_is_integer(value))
			snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
				 json_integer_value(value));
		if (value)
			conf_set(conf, &at, field,
				 json_string_value(value) ?: text);
	}
	json_decref(row);
}

static void add_listener(const struct nlmsghdr *nlh, void *arg)
{
	static const uint16_t types[CONF_NR_ATTRS] = {
		[CONF_ANONYMOUS] = KMQTT_A_LISTENER_ANONYMOUS,
		[CONF_MAX_CONNECTIONS] = KMQTT_A_LISTENER_MAX_CONNECTIONS,
		[CONF_MAX_QOS] = KMQTT_A_LISTENER_MAX_QOS,
		[CONF_TOPIC_ALIAS_MAX] = KMQTT_A_LISTENER_TOPIC_ALIAS_MAX,
		[CONF_USERNAME_AS_CLIENT_ID] =
			KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID,
		[CONF_CONNECT_RATE] = KMQTT_A_LISTENER_CONNECT_RATE,
		[CONF_MESSAGE_RATE] = KMQTT_A_LISTENER_MESSAGE_RATE,
		[CONF_BYTE_RATE] = KMQTT_A_LISTENER_BYTE_RATE,
		[CONF_CLIENT_MESSAGE_RATE] =
			KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE,
		[CONF_CLIENT_BYTE_RATE] = KMQTT_A_LISTENER_CLIENT_BYTE_RATE,
		[CONF_ASSIGN_CLIENT_ID] = KMQTT_A_LISTENER_ASSIGN_CLIENT_ID,
		[CONF_TOPIC_ALIAS_MAX_OUT] =
			KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT,
		[CONF_PROTOCOL_VERSIONS] = KMQTT_A_LISTENER_PROTOCOL_VERSIONS,
	};
	struct conf_listener *listener;
	struct conf *conf = arg;
	const struct nlattr *attrs[FIELD_ATTRS_MAX];
	size_t i;

	field_attrs(nlh, attrs);
	conf->listeners = conf_grow(conf->listeners, conf->nr_listeners,
				    sizeof(*conf->listeners));
	listener = &conf->listeners[conf->nr_listeners++];
	endpoint_read(&listener->endpoint, attrs);
	listener->realm = uint_of(attrs[KMQTT_A_LISTENER_REALM], 0);
	if (attrs[KMQTT_A_LISTENER_CLIENT_ID_PREFIX])
		listener->client_id_prefix.text =
			string_of(attrs[KMQTT_A_LISTENER_CLIENT_ID_PREFIX]);
	if (attrs[KMQTT_A_LISTENER_AGENT])
		listener->agent = string_of(attrs[KMQTT_A_LISTENER_AGENT]);
	for (i = 0; i < CONF_NR_ATTRS; i++) {
		listener->attrs[i].set = attrs[types[i]];
		listener->attrs[i].value = uint_of(attrs[types[i]], 0);
		/* 0 connections are none, but 0 messages a second are any. */
		if (i != CONF_MAX_CONNECTIONS && conf_is_limit(i))
			listener->attrs[i].set = listener->attrs[i].value;
	}
}

static void add_realm(const struct nlmsghdr *nlh, void *arg)
{
	struct conf_realm *realm;
	const struct nlattr *attrs[FIELD_ATTRS_MAX];

	field_attrs(nlh, attrs);
	realm = conf_realm(arg, uint_of(attrs[KMQTT_A_REALM_NUMBER], 0));
	realm->authenticate = uint_of(attrs[KMQTT_A_REALM_AUTHENTICATE], 0);
	realm->restrict_ = uint_of(attrs[KMQTT_A_REALM_RESTRICT], 0);
}

static struct conf_user *new_user(struct conf_realm *realm,
				  const struct nlattr *const *attrs,
				  enum conf_method method)
{
	struct conf_user *user;

	realm->users = conf_grow(realm->users, realm->nr_users,
				 sizeof(*realm->users));
	user = &realm->users[realm->nr_users++];
	user->name = string_of(attrs[KMQTT_A_USER_NAME]);
	user->method = method;
	return user;
}

static void add_password(struct conf_realm *realm,
			 const struct nlattr *const *attrs)
{
	const struct nlattr *method = attrs[KMQTT_A_USER_PASSWORD_METHOD];
	struct conf_user *user;

	if (!method)
		return;
	user = new_user(realm, attrs,
			uint_of(method, 0) == KMQTT_PASSWORD_METHOD_SHA512 ?
			CONF_SHA512 : CONF_PBKDF2_SHA512);
	user->iterations = uint_of(attrs[KMQTT_A_USER_PASSWORD_ITERATIONS], 0);
	user->salt_len = bytes_of(attrs[KMQTT_A_USER_PASSWORD_SALT],
				  user->salt);
	user->hash_len = bytes_of(attrs[KMQTT_A_USER_PASSWORD_HASH],
				  user->hash);
}

static void add_keys(struct conf_realm *realm,
		     const struct nlattr *const *attrs)
{
	const struct nlattr *method = attrs[KMQTT_A_USER_METHOD];
	struct conf_user *user;

	if (!method)
		return;
	user = new_user(realm, attrs, uint_of(method, 0) ==
			KMQTT_AUTH_METHOD_SCRAM_SHA_256 ?
			CONF_SCRAM_SHA_256 : CONF_SCRAM_SHA_512);
	user->iterations = uint_of(attrs[KMQTT_A_USER_ITERATIONS], 0);
	user->salt_len = bytes_of(attrs[KMQTT_A_USER_SALT], user->salt);
	user->hash_len = bytes_of(attrs[KMQTT_A_USER_STORED_KEY], user->hash);
	bytes_of(attrs[KMQTT_A_USER_SERVER_KEY], user->server_key);
}

static void add_user(const struct nlmsghdr *nlh, void *arg)
{
	struct conf_realm *realm;
	const struct nlattr *attrs[FIELD_ATTRS_MAX];

	field_attrs(nlh, attrs);
	realm = conf_realm(arg, uint_of(attrs[KMQTT_A_USER_REALM], 0));
	add_password(realm, attrs);
	add_keys(realm, attrs);
}

static void add_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct conf_realm *realm;
	struct conf_rule *rule;
	const struct nlattr *attrs[FIELD_ATTRS_MAX];

	field_attrs(nlh, attrs);
	realm = conf_realm(arg, uint_of(attrs[KMQTT_A_ACL_REALM], 0));
	realm->rules = conf_grow(realm->rules, realm->nr_rules,
				 sizeof(*realm->rules));
	rule = &realm->rules[realm->nr_rules++];
	rule->kind = uint_of(attrs[KMQTT_A_ACL_KIND], 0);
	rule->access = uint_of(attrs[KMQTT_A_ACL_ACCESS], 0);
	rule->topic = string_of(attrs[KMQTT_A_ACL_TOPIC]);
	if (attrs[KMQTT_A_ACL_USER])
		rule->user = string_of(attrs[KMQTT_A_ACL_USER]);
}

/**
 * gather_listeners() - read the listeners that the kernel has
 * @nl: socket
 * @conf: where they are added
 *
 * Return: as nl_dump().
 */
enum exit_code gather_listeners(struct nl *nl, struct conf *conf)
{
	nl_begin(nl, KMQTT_CMD_LISTENER_GET);
	return nl_dump(nl, add_listener, conf);
}

/* All there is, or EXIT_PARTIAL if a list changed while it was read. */
static enum exit_code gather_once(struct nl *nl, struct conf *conf)
{
	enum exit_code ret;

	nl_begin(nl, KMQTT_CMD_BROKER_GET);
	ret = nl_do(nl, add_settings, conf);
	if (ret)
		return ret;
	ret = gather_listeners(nl, conf);
	if (ret)
		return ret;
	nl_begin(nl, KMQTT_CMD_REALM_GET);
	ret = nl_dump(nl, add_realm, conf);
	if (ret)
		return ret;
	nl_begin(nl, KMQTT_CMD_USER_GET);
	nl_put(nl, KMQTT_A_USER_SECRETS, NULL, 0);
	ret = nl_dump(nl, add_user, conf);
	if (ret)
		return ret;
	nl_begin(nl, KMQTT_CMD_ACL_GET);
	return nl_dump(nl, add_rule, conf);
}

static int cmp_user(const void *a, const void *b)
{
	const struct conf_user *x = a, *y = b;
	int cmp = strcmp(x->name, y->name);

	return cmp ?: (int)x->method - (int)y->method;
}

/* The kernel keeps them in no order: the same users shall make the same file. */
static void sort_users(struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->nr_realms; i++)
		if (conf->realms[i].nr_users)
			qsort(conf->realms[i].users, conf->realms[i].nr_users,
			      sizeof(*conf->realms[i].users), cmp_user);
}

/**
 * gather_conf() - read the configuration that the kernel has
 * @nl: socket
 * @conf: an empty configuration, to free whatever is returned
 *
 * Return: EXIT_DONE, EXIT_REFUSED or EXIT_FAILED with the error in @nl, or
 * EXIT_PARTIAL if it changed all the time.
 */
enum exit_code gather_conf(struct nl *nl, struct conf *conf)
{
	enum exit_code ret;
	int tries = 0;

	do {
		conf_free(conf);
		ret = gather_once(nl, conf);
	} while (ret == EXIT_PARTIAL && ++tries < DUMP_TRIES);
	sort_users(conf);
	return ret;
}
