// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl load: the configuration as a whole, from a file in the language of
 * mosquitto.conf. All of it is read and checked before anything is sent, and
 * what is sent changes nothing before the end of it.
 */
#include <linux/kmqtt.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/gather.h"
#include "conf/probe.h"
#include "conf/read.h"
#include "conf/show.h"
#include "ctl.h"
#include "socket_file.h"

#define FIELD(_attr, _name)					\
	{							\
		.kind = FIELD_NUMBER,				\
		.attr = KMQTT_A_CONFIG_ ## _attr,		\
		.size = 4,					\
		.name = _name,					\
	}

/* What has changed. */
static const struct field fields[] = {
	FIELD(LISTENERS_OPENED, "listeners-opened"),
	FIELD(LISTENERS_CLOSED, "listeners-closed"),
	FIELD(LISTENERS_KEPT, "listeners-kept"),
	FIELD(CLIENTS_CLOSED, "clients-closed"),
	{ .kind = FIELD_END }
};

static const struct field option_fields[] = {
	{ .kind = FIELD_STRING, .name = "name", .title = "OPTION" },
	{ .kind = FIELD_STRING, .name = "value", .title = "VALUE" },
	{ .kind = FIELD_STRING, .name = "scope", .title = "ABOUT" },
	{ .kind = FIELD_STRING, .name = "fate", .title = "HERE" },
	{ .kind = FIELD_STRING, .name = "unless", .title = "UNLESS" },
	{ .kind = FIELD_STRING, .name = "text", .title = "HOW OR WHY" },
	{ .kind = FIELD_END }
};

/* Attributes of listeners, by what files say of them. */
static const struct {
	uint16_t attr;
	uint8_t size;
} listener_attrs[CONF_NR_ATTRS] = {
	[CONF_ANONYMOUS] = { KMQTT_A_LISTENER_ANONYMOUS, 1 },
	[CONF_MAX_CONNECTIONS] = { KMQTT_A_LISTENER_MAX_CONNECTIONS, 4 },
	[CONF_MAX_QOS] = { KMQTT_A_LISTENER_MAX_QOS, 1 },
	[CONF_TOPIC_ALIAS_MAX] = { KMQTT_A_LISTENER_TOPIC_ALIAS_MAX, 2 },
	[CONF_USERNAME_AS_CLIENT_ID] = {
		KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID, 1 },
	[CONF_CONNECT_RATE] = { KMQTT_A_LISTENER_CONNECT_RATE, 4 },
	[CONF_MESSAGE_RATE] = { KMQTT_A_LISTENER_MESSAGE_RATE, 4 },
	[CONF_BYTE_RATE] = { KMQTT_A_LISTENER_BYTE_RATE, 4 },
	[CONF_CLIENT_MESSAGE_RATE] = {
		KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE, 4 },
	[CONF_CLIENT_BYTE_RATE] = { KMQTT_A_LISTENER_CLIENT_BYTE_RATE, 4 },
	[CONF_ASSIGN_CLIENT_ID] = { KMQTT_A_LISTENER_ASSIGN_CLIENT_ID, 1 },
	[CONF_TOPIC_ALIAS_MAX_OUT] = {
		KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT, 2 },
	[CONF_PROTOCOL_VERSIONS] = { KMQTT_A_LISTENER_PROTOCOL_VERSIONS, 1 },
};

/* Send a request that is about @at; what is said against it stands there. */
static enum exit_code send_at(struct ctl *ctl, const struct place *at,
			      const struct field *about)
{
	enum exit_code ret = nl_do(&ctl->nl, NULL, NULL);

	if (ret == EXIT_REFUSED) {
		report_place(stderr, at);
		ctl_print_error(ctl, about);
	} else if (ret) {
		ctl_report(ctl, ret);
	}
	return ret;
}

static enum exit_code send_settings(struct ctl *ctl, const struct conf *conf)
{
	const struct conf_setting *setting;
	enum exit_code ret;
	size_t i;

	if (!conf->nr_settings)
		return EXIT_DONE;
	nl_begin(&ctl->nl, KMQTT_CMD_BROKER_SET);
	for (i = 0; i < conf->nr_settings; i++)
		field_put(&ctl->nl, conf->settings[i].field,
			  conf->settings[i].value);
	ret = nl_do(&ctl->nl, NULL, NULL);
	if (!ret)
		return ret;
	for (i = 0; i < conf->nr_settings; i++) {
		setting = &conf->settings[i];
		if (ret == EXIT_REFUSED &&
		    setting->field->attr == ctl->nl.error.attr)
			report_place(stderr, &setting->at);
	}
	ctl_print_error(ctl, broker_noun.fields);
	return ret;
}

static enum exit_code send_realm(struct ctl *ctl,
				 const struct conf_realm *realm)
{
	struct nl *nl = &ctl->nl;

	nl_begin(nl, KMQTT_CMD_REALM_SET);
	nl_put_uint(nl, KMQTT_A_REALM_NUMBER, realm->number, 4);
	if (realm->authenticate)
		nl_put_uint(nl, KMQTT_A_REALM_AUTHENTICATE, 1, 1);
	if (realm->restrict_)
		nl_put_uint(nl, KMQTT_A_REALM_RESTRICT, 1, 1);
	return send_at(ctl, &realm->at, NULL);
}

static void put_password(struct nl *nl, const struct conf_user *user)
{
	nl_put_uint(nl, KMQTT_A_USER_PASSWORD_METHOD,
		    user->method == CONF_SHA512 ?
		    KMQTT_PASSWORD_METHOD_SHA512 :
		    KMQTT_PASSWORD_METHOD_PBKDF2_SHA512, 4);
	if (user->iterations)
		nl_put_uint(nl, KMQTT_A_USER_PASSWORD_ITERATIONS,
			    user->iterations, 4);
	nl_put(nl, KMQTT_A_USER_PASSWORD_SALT, user->salt, user->salt_len);
	nl_put(nl, KMQTT_A_USER_PASSWORD_HASH, user->hash, user->hash_len);
}

static void put_keys(struct nl *nl, const struct conf_user *user)
{
	nl_put_uint(nl, KMQTT_A_USER_METHOD,
		    user->method == CONF_SCRAM_SHA_256 ?
		    KMQTT_AUTH_METHOD_SCRAM_SHA_256 :
		    KMQTT_AUTH_METHOD_SCRAM_SHA_512, 4);
	nl_put_uint(nl, KMQTT_A_USER_ITERATIONS, user->iterations, 4);
	nl_put(nl, KMQTT_A_USER_SALT, user->salt, user->salt_len);
	nl_put(nl, KMQTT_A_USER_STORED_KEY, user->hash, user->hash_len);
	nl_put(nl, KMQTT_A_USER_SERVER_KEY, user->server_key, user->hash_len);
}

static enum exit_code send_user(struct ctl *ctl, uint32_t realm,
				const struct conf_user *user)
{
	struct nl *nl = &ctl->nl;

	nl_begin(nl, KMQTT_CMD_USER_SET);
	nl_put_uint(nl, KMQTT_A_USER_REALM, realm, 4);
	nl_put(nl, KMQTT_A_USER_NAME, user->name, strlen(user->name));
	if (user->method == CONF_SHA512 || user->method == CONF_PBKDF2_SHA512)
		put_password(nl, user);
	else
		put_keys(nl, user);
	return send_at(ctl, &user->at, user_noun.fields);
}

static enum exit_code send_rule(struct ctl *ctl, uint32_t realm,
				const struct conf_rule *rule)
{
	struct nl *nl = &ctl->nl;

	nl_begin(nl, KMQTT_CMD_ACL_ADD);
	nl_put_uint(nl, KMQTT_A_ACL_REALM, realm, 4);
	nl_put_uint(nl, KMQTT_A_ACL_KIND, rule->kind, 4);
	if (rule->user)
		nl_put(nl, KMQTT_A_ACL_USER, rule->user, strlen(rule->user));
	nl_put_uint(nl, KMQTT_A_ACL_ACCESS, rule->access, 4);
	nl_put(nl, KMQTT_A_ACL_TOPIC, rule->topic, strlen(rule->topic));
	return send_at(ctl, &rule->at, NULL);
}

static enum exit_code send_realms(struct ctl *ctl, const struct conf *conf)
{
	const struct conf_realm *realm;
	enum exit_code ret = EXIT_DONE;
	size_t i, j;

	for (i = 0; i < conf->nr_realms && !ret; i++) {
		realm = &conf->realms[i];
		ret = send_realm(ctl, realm);
		for (j = 0; j < realm->nr_users && !ret; j++)
			ret = send_user(ctl, realm->number, &realm->users[j]);
		for (j = 0; j < realm->nr_rules && !ret; j++)
			ret = send_rule(ctl, realm->number, &realm->rules[j]);
	}
	return ret;
}

/* Where that stands which the kernel has said something against. */
static const struct place *place_of(const struct conf_listener *listener,
				    uint16_t attr)
{
	size_t i;

	if (attr == KMQTT_A_LISTENER_CLIENT_ID_PREFIX)
		return &listener->client_id_prefix.at;
	for (i = 0; i < CONF_NR_ATTRS; i++)
		if (listener_attrs[i].attr == attr)
			return &listener->attrs[i].at;
	return &listener->at;
}

static enum exit_code send_listener(struct ctl *ctl,
				    const struct conf_listener *listener)
{
	const char *prefix = listener->client_id_prefix.text;
	const struct field *about = listener_noun.fields;
	const char *agent = listener->agent;
	struct nl *nl = &ctl->nl;
	enum exit_code ret;
	size_t i;

	nl_begin(nl, KMQTT_CMD_LISTENER_ADD);
	endpoint_put(nl, &listener->endpoint);
	nl_put_uint(nl, KMQTT_A_LISTENER_REALM, listener->realm, 4);
	for (i = 0; i < CONF_NR_ATTRS; i++)
		if (listener->attrs[i].set)
			nl_put_uint(nl, listener_attrs[i].attr,
				    listener->attrs[i].value,
				    listener_attrs[i].size);
	if (prefix)
		nl_put(nl, KMQTT_A_LISTENER_CLIENT_ID_PREFIX, prefix,
		       strlen(prefix));
	if (agent)
		nl_put(nl, KMQTT_A_LISTENER_AGENT, agent, strlen(agent));
	ret = nl_do(nl, NULL, NULL);
	if (ret == EXIT_REFUSED) {
		report_place(stderr, place_of(listener, nl->error.attr));
		ctl_print_error(ctl, about);
	} else if (ret) {
		ctl_report(ctl, ret);
	}
	return ret;
}

static void print_result(const struct nlmsghdr *nlh, void *arg)
{
	const struct ctl *ctl = arg;
	json_t *row = field_read_row(fields, nlh);

	print_line(&ctl->style, fields, row);
	json_decref(row);
}

static void print_blame(struct ctl *ctl, const struct conf *conf,
			const struct conf *present)
{
	const struct conf_listener *listener = probe_blame(conf, present);

	if (listener) {
		report_place(stderr, &listener->at);
		ctl_print_error(ctl, NULL);
	} else {
		ctl_report(ctl, EXIT_REFUSED);
	}
}

/* @present has the listeners that were there before. */
static enum exit_code commit(struct ctl *ctl, const struct conf *conf,
			     const struct conf *present)
{
	enum exit_code ret;
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++)
		socket_file_make_way(&conf->listeners[i].endpoint, present);
	nl_begin(&ctl->nl, KMQTT_CMD_CONFIG_COMMIT);
	ret = nl_do(&ctl->nl, print_result, ctl);
	if (ret == EXIT_REFUSED)
		print_blame(ctl, conf, present);
	else if (ret)
		ctl_report(ctl, ret);
	else
		socket_file_clean_up(present, conf);
	return ret;
}

/* All of it, or nothing: what was sent is forgotten with the socket. */
static enum exit_code send_conf(struct ctl *ctl, const struct conf *conf)
{
	struct conf present = { .settings = NULL };
	enum exit_code ret;
	size_t i;

	/* If this fails, what follows does so, too, and is reported. */
	gather_listeners(&ctl->nl, &present);
	nl_begin(&ctl->nl, KMQTT_CMD_CONFIG_BEGIN);
	ret = ctl_report(ctl, nl_do(&ctl->nl, NULL, NULL));
	if (!ret)
		ret = send_settings(ctl, conf);
	if (!ret)
		ret = send_realms(ctl, conf);
	for (i = 0; i < conf->nr_listeners && !ret; i++)
		ret = send_listener(ctl, &conf->listeners[i]);
	ret = ret ?: commit(ctl, conf, &present);
	conf_free(&present);
	return ret;
}

static enum exit_code show_all(struct ctl *ctl)
{
	json_t *all;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	all = show_options();
	print_table(&ctl->style, option_fields, all);
	json_decref(all);
	return EXIT_DONE;
}

static enum exit_code show(struct ctl *ctl, const struct conf *conf)
{
	json_t *shown;

	if (ctl->style.json) {
		shown = show_conf(conf);
		print_json(&ctl->style, shown);
		json_decref(shown);
	}
	return EXIT_DONE;
}

static enum exit_code load_run(struct ctl *ctl)
{
	struct report report = { .to = stderr };
	struct conf conf = { .settings = NULL };
	enum exit_code ret = EXIT_USAGE;
	const char *path;
	bool only_check;

	if (ctl_next_is(ctl, "--options"))
		return show_all(ctl);
	only_check = ctl_next_is(ctl, "--check");
	path = ctl_next_arg(ctl);
	if (!path)
		return ctl_usage(ctl, "which file?");
	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	if (read_conf(&conf, &report, path))
		ret = only_check ? show(ctl, &conf) : send_conf(ctl, &conf);
	conf_free(&conf);
	return ret;
}

static const struct verb verbs[] = {
	{ NULL, load_run },
};

const struct noun load_noun = {
	.name = "load",
	.summary = "the whole configuration, from a file",
	.usage =
"Usage: kmqttctl load [--check] FILE\n"
"       kmqttctl load --options\n\n"
"FILE is written as mosquitto.conf is: see kmqtt.conf(5). It takes the place of\n"
"all there is: settings, listeners, users and rules. If there is anything wrong\n"
"with it, nothing changes. --check tells what is wrong, changes nothing and with\n"
"-j prints what was read. --options prints all options and what becomes of them.\n",
	.fields = fields,
	.verbs = verbs,
};
