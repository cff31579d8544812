// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials of users as requests have them.
 */
#include "credential.h"

#include "../access/scram.h"
#include "genl.h"
#include "reply.h"

static int missing(struct genl_info *info, int attr)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	return -EINVAL;
}

/**
 * kmqtt_nl_user_name() - the name of a user, which has to be there
 * @info: a request with attributes of the set user
 * @name: where to; stays with the request
 *
 * Context: process.
 * Return: 0 or -EINVAL, with an explanation.
 */
int kmqtt_nl_user_name(struct genl_info *info, struct kmqtt_str *name)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_USER_NAME];

	if (missing(info, KMQTT_A_USER_NAME))
		return -EINVAL;
	*name = kmqtt_nl_str(attr);
	if (name->len && kmqtt_utf8_valid(name->data, name->len))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "a user name is UTF-8 and not empty");
	return -EINVAL;
}

/* A key, which has to be as long as a hash. */
static int get_key(struct genl_info *info, int id, u32 len, u8 *key)
{
	const struct nlattr *attr = info->attrs[id];

	if (missing(info, id))
		return -EINVAL;
	if (nla_len(attr) != len) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a key is as long as the method's hash");
		return -EINVAL;
	}
	memcpy(key, nla_data(attr), len);
	return 0;
}

/* Returns the length of the salt or a negative errno. */
static int get_salt(struct genl_info *info, int id, u8 *salt, int max)
{
	const struct nlattr *attr = info->attrs[id];

	if (missing(info, id))
		return -EINVAL;
	if (!nla_len(attr) || nla_len(attr) > max) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a salt has 1 to 64 bytes");
		return -EINVAL;
	}
	memcpy(salt, nla_data(attr), nla_len(attr));
	return nla_len(attr);
}

static_assert(KMQTT_SCRAM_KEY_MAX == 64 && KMQTT_PASSWORD_SALT_MAX == 64);

static int get_scram(struct genl_info *info, enum kmqtt_auth_method method,
		     struct kmqtt_scram_key *key)
{
	u32 len = kmqtt_scram_hash_len(method);
	int salt_len;

	if (missing(info, KMQTT_A_USER_ITERATIONS))
		return -EINVAL;
	key->iterations = nla_get_u32(info->attrs[KMQTT_A_USER_ITERATIONS]);
	salt_len = get_salt(info, KMQTT_A_USER_SALT, key->salt,
			    sizeof(key->salt));
	if (salt_len < 0)
		return salt_len;
	key->salt_len = salt_len;
	return get_key(info, KMQTT_A_USER_STORED_KEY, len, key->stored_key) ?:
	       get_key(info, KMQTT_A_USER_SERVER_KEY, len, key->server_key);
}

static int set_scram(struct genl_info *info, struct kmqtt_users *users,
		     const struct kmqtt_str *name)
{
	enum kmqtt_auth_method method =
		nla_get_u32(info->attrs[KMQTT_A_USER_METHOD]);
	struct kmqtt_scram_key key = {};
	int err;

	err = get_scram(info, method, &key) ?:
	      kmqtt_user_set_scram(users, name, method, &key);
	memzero_explicit(&key, sizeof(key));
	return err;
}

static int get_iterations(struct genl_info *info, struct kmqtt_password *p)
{
	const struct nlattr *attr =
		info->attrs[KMQTT_A_USER_PASSWORD_ITERATIONS];

	p->iterations = 1;
	if (p->method == KMQTT_PASSWORD_METHOD_SHA512) {
		if (!attr)
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "this method has no iterations");
		return -EINVAL;
	}
	if (missing(info, KMQTT_A_USER_PASSWORD_ITERATIONS))
		return -EINVAL;
	p->iterations = nla_get_u32(attr);
	return 0;
}

static int get_password(struct genl_info *info, struct kmqtt_password *p)
{
	int len;

	p->method = nla_get_u32(info->attrs[KMQTT_A_USER_PASSWORD_METHOD]);
	if (get_iterations(info, p))
		return -EINVAL;
	len = get_salt(info, KMQTT_A_USER_PASSWORD_SALT, p->salt,
		       sizeof(p->salt));
	if (len < 0)
		return len;
	p->salt_len = len;
	if (missing(info, KMQTT_A_USER_PASSWORD_HASH))
		return -EINVAL;
	/* Of this length, as the policy says. */
	memcpy(p->hash, nla_data(info->attrs[KMQTT_A_USER_PASSWORD_HASH]),
	       sizeof(p->hash));
	return 0;
}

static int set_password(struct genl_info *info, struct kmqtt_users *users,
			const struct kmqtt_str *name)
{
	struct kmqtt_password password = {};
	int err;

	err = get_password(info, &password) ?:
	      kmqtt_user_set_password(users, name, &password);
	memzero_explicit(&password, sizeof(password));
	return err;
}

/* Nothing may come with credentials that belongs to others. */
static int refuse_others(struct genl_info *info, const int *others, int nr,
			 const char *text)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!info->attrs[others[i]])
			continue;
		NL_SET_BAD_ATTR(info->extack, info->attrs[others[i]]);
		NL_SET_ERR_MSG_FMT(info->extack, "%s", text);
		return -EINVAL;
	}
	return 0;
}

/**
 * kmqtt_nl_set_user() - give a user the credentials of a request
 * @info: a request with attributes of the set user
 * @users: the table that is to have them
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno, with an explanation.
 */
int kmqtt_nl_set_user(struct genl_info *info, struct kmqtt_users *users)
{
	static const int of_scram[] = {
		KMQTT_A_USER_METHOD, KMQTT_A_USER_ITERATIONS,
		KMQTT_A_USER_SALT, KMQTT_A_USER_STORED_KEY,
		KMQTT_A_USER_SERVER_KEY,
	};
	static const int of_password[] = {
		KMQTT_A_USER_PASSWORD_ITERATIONS, KMQTT_A_USER_PASSWORD_SALT,
		KMQTT_A_USER_PASSWORD_HASH,
	};
	struct kmqtt_str name;
	int err;

	err = kmqtt_nl_user_name(info, &name);
	if (err)
		return err;
	if (info->attrs[KMQTT_A_USER_PASSWORD_METHOD])
		err = refuse_others(info, of_scram, ARRAY_SIZE(of_scram),
				    "not together with a password") ?:
		      set_password(info, users, &name);
	else
		err = missing(info, KMQTT_A_USER_METHOD) ?:
		      refuse_others(info, of_password, ARRAY_SIZE(of_password),
				    "only together with password-method") ?:
		      set_scram(info, users, &name);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_USER_NAME],
				    "there are too many users");
	return err;
}
