/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_CONF_H
#define _KMQTTCTL_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base64.h"
#include "../endpoint.h"
#include "../field.h"
#include "report.h"

/* A setting of the broker. */
struct conf_setting {
	struct place at;
	const struct field *field;
	char *value;		/* as field_put() takes it */
};

/* What a listener may have for itself. */
enum conf_attr {
	CONF_ANONYMOUS,
	CONF_MAX_CONNECTIONS,
	CONF_MAX_QOS,
	CONF_TOPIC_ALIAS_MAX,
	CONF_USERNAME_AS_CLIENT_ID,
	CONF_CONNECT_RATE,
	CONF_MESSAGE_RATE,
	CONF_BYTE_RATE,
	CONF_CLIENT_MESSAGE_RATE,
	CONF_CLIENT_BYTE_RATE,
	CONF_ASSIGN_CLIENT_ID,
	CONF_TOPIC_ALIAS_MAX_OUT,
	CONF_PROTOCOL_VERSIONS,
	CONF_NR_ATTRS,
};

struct conf_number {
	struct place at;
	bool set;
	uint32_t value;
};

struct conf_text {
	struct place at;
	char *text;		/* or NULL */
};

struct conf_listener {
	struct place at;
	struct endpoint endpoint;
	uint32_t realm;
	struct conf_number attrs[CONF_NR_ATTRS];
	struct conf_text client_id_prefix;
	char *agent;		/* what an agent has to know, or NULL */
};

/* How a user can prove who they are. */
enum conf_method {
	CONF_PBKDF2_SHA512,	/* $7$ of mosquitto_passwd */
	CONF_SHA512,		/* $6$ */
	CONF_SCRAM_SHA_256,
	CONF_SCRAM_SHA_512,
	CONF_NR_METHODS,
};

struct conf_user {
	struct place at;
	char *name;
	enum conf_method method;
	uint32_t iterations;	/* 0 where there are none */
	size_t salt_len;
	uint8_t salt[BASE64_BYTES_MAX];
	size_t hash_len;	/* of each of these */
	uint8_t hash[BASE64_BYTES_MAX];		/* or StoredKey */
	uint8_t server_key[BASE64_BYTES_MAX];	/* of SCRAM */
};

/* Whom a rule is for; the values of enum kmqtt_acl_kind. */
enum conf_kind {
	CONF_FOR_ANONYMOUS,
	CONF_FOR_USER,
	CONF_FOR_ALL,		/* a pattern */
};

/* What it allows; the values of enum kmqtt_acl_access. */
enum conf_access {
	CONF_DENY,
	CONF_READ,
	CONF_WRITE,
	CONF_READWRITE,
};

extern const char *const conf_accesses[];

struct conf_rule {
	struct place at;
	enum conf_kind kind;
	enum conf_access access;
	char *user;		/* or NULL */
	char *topic;
};

/* Users and rules that listeners have in common. */
struct conf_realm {
	struct place at;
	uint32_t number;
	bool authenticate;	/* there is a password file */
	bool restrict_;		/* there is an ACL file */
	struct conf_user *users;
	size_t nr_users;
	struct conf_rule *rules;
	size_t nr_rules;
};

/* A configuration as a whole. */
struct conf {
	struct conf_setting *settings;
	size_t nr_settings;
	struct conf_listener *listeners;
	size_t nr_listeners;
	struct conf_realm *realms;
	size_t nr_realms;
	char **files;		/* names that places point to */
	size_t nr_files;
};

void *conf_check(void *mem);
void *conf_grow(void *array, size_t nr, size_t size);
char *conf_strdup(const char *text);

const char *conf_file(struct conf *conf, const char *name);
void conf_set(struct conf *conf, const struct place *at,
	      const struct field *field, const char *value);
struct conf_realm *conf_realm(struct conf *conf, uint32_t number);
bool conf_is_switch(enum conf_attr attr);
bool conf_is_limit(enum conf_attr attr);
void conf_free(struct conf *conf);

#endif /* _KMQTTCTL_CONF_CONF_H */
