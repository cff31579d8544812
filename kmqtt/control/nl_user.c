// SPDX-License-Identifier: GPL-2.0
/*
 * Users and their credentials. Keys come in and are never told.
 */
#include "genl.h"
#include <linux/slab.h>
#include "../access/scram.h"
#include "config.h"
#include "reply.h"

/**
 * struct user_dump - a dump of users
 * @realm: whose users, with a reference
 * @walk: over the table
 * @pending: @info was not told yet
 * @info: the user where the walk stands
 */
struct user_dump {
	struct kmqtt_realm *realm;
	struct rhashtable_iter walk;
	bool pending;
	struct kmqtt_user_info info;
};

static int missing(struct genl_info *info, int attr)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	return -EINVAL;
}

/* The name of a user, which has to be there. */
static int get_name(struct genl_info *info, struct kmqtt_str *name)
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

static int get_salt(struct genl_info *info, struct kmqtt_scram_key *key)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_USER_SALT];

	if (missing(info, KMQTT_A_USER_SALT))
		return -EINVAL;
	if (!nla_len(attr) || nla_len(attr) > sizeof(key->salt)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a salt has 1 to 64 bytes");
		return -EINVAL;
	}
	key->salt_len = nla_len(attr);
	memcpy(key->salt, nla_data(attr), nla_len(attr));
	return 0;
}

static int set_scram(struct genl_info *info, struct kmqtt_users *users,
		     const struct kmqtt_str *name,
		     enum kmqtt_auth_method method)
{
	u32 len = kmqtt_scram_hash_len(method);
	struct kmqtt_scram_key key = {};
	int err;

	err = missing(info, KMQTT_A_USER_ITERATIONS) ?:
	      get_salt(info, &key) ?:
	      get_key(info, KMQTT_A_USER_STORED_KEY, len, key.stored_key) ?:
	      get_key(info, KMQTT_A_USER_SERVER_KEY, len, key.server_key);
	if (!err) {
		key.iterations =
			nla_get_u32(info->attrs[KMQTT_A_USER_ITERATIONS]);
		err = kmqtt_user_set_scram(users, name, method, &key);
		if (err == -ENOSPC)
			NL_SET_ERR_MSG_ATTR(info->extack,
					    info->attrs[KMQTT_A_USER_NAME],
					    "there are too many users");
	}
	memzero_explicit(&key, sizeof(key));
	return err;
}

/* Give a user in @users the credentials of the request. */
static int set_user(struct genl_info *info, struct kmqtt_users *users)
{
	struct kmqtt_str name;
	int err;

	err = get_name(info, &name) ?: missing(info, KMQTT_A_USER_METHOD);
	if (err)
		return err;
	return set_scram(info, users, &name,
			 nla_get_u32(info->attrs[KMQTT_A_USER_METHOD]));
}

/* The realm that clients are in unless their listener says otherwise. */
static struct kmqtt_realm *default_realm(struct genl_info *info)
{
	return kmqtt_access_realm(&kmqtt_nl_broker(info)->access, 0);
}

/**
 * kmqtt_nl_user_set_doit() - give a user credentials
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_user_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_USER_REALM];
	u32 number = attr ? nla_get_u32(attr) : 0;
	struct kmqtt_config *config;
	struct kmqtt_realm *realm;
	int err = -ENOENT;

	config = kmqtt_config_change(info);
	if (!config && !number) {
		realm = default_realm(info);
		err = set_user(info, &realm->users);
		kmqtt_realm_put(realm);
		return err;
	}
	if (!config) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "only configurations change other realms");
		return -EOPNOTSUPP;
	}
	realm = kmqtt_config_realm(config, number);
	if (realm)
		err = set_user(info, &realm->users);
	else
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "there is no such realm");
	kmqtt_config_changed(config);
	return err;
}

/**
 * kmqtt_nl_user_del_doit() - forget a user, or all
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_user_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *all = info->attrs[KMQTT_A_USER_ALL];
	struct kmqtt_realm *realm;
	struct kmqtt_str name;
	int err;

	err = kmqtt_config_refuse(info);
	if (err)
		return err;
	if (all && info->attrs[KMQTT_A_USER_NAME]) {
		NL_SET_ERR_MSG_ATTR(info->extack, all,
				    "only one of name and all");
		return -EINVAL;
	}
	if (!all && get_name(info, &name))
		return -EINVAL;
	realm = default_realm(info);
	err = 0;
	if (all)
		kmqtt_users_clear(&realm->users);
	else
		err = kmqtt_user_del(&realm->users, &name);
	kmqtt_realm_put(realm);
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_USER_NAME],
				    "there is no such user");
	return err;
}

static struct user_dump *dump_of(struct netlink_callback *cb)
{
	return *(struct user_dump **)cb->ctx;
}

/**
 * kmqtt_nl_user_get_start() - begin to tell of users
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_nl_user_get_start(struct netlink_callback *cb)
{
	struct kmqtt_access *access = &kmqtt_nl_dump_broker(cb)->access;
	struct user_dump *dump;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	dump->realm = kmqtt_access_realm(access, 0);
	rhashtable_walk_enter(&dump->realm->users.table, &dump->walk);
	*(struct user_dump **)cb->ctx = dump;
	cb->seq = 1;
	return 0;
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct kmqtt_user_info *user)
{
	u32 sha_256 = user->iterations[KMQTT_AUTH_METHOD_SCRAM_SHA_256];
	u32 sha_512 = user->iterations[KMQTT_AUTH_METHOD_SCRAM_SHA_512];
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_USER_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put(skb, KMQTT_A_USER_NAME, user->name_len, user->name) ||
	    (sha_256 && nla_put_u32(skb, KMQTT_A_USER_SCRAM_SHA_256, sha_256)) ||
	    (sha_512 && nla_put_u32(skb, KMQTT_A_USER_SCRAM_SHA_512, sha_512))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_user_get_dumpit() - tell of some more users
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_user_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct user_dump *dump = dump_of(cb);
	bool again = false;
	int err = 0;

	while (!err && (dump->pending ||
			kmqtt_users_walk(&dump->walk, &dump->info, &again))) {
		cb->seq += again;
		again = false;
		err = put_entry(skb, cb, &dump->info);
		dump->pending = err;
		cond_resched();
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_user_get_done() - end telling of users
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int kmqtt_nl_user_get_done(struct netlink_callback *cb)
{
	struct user_dump *dump = dump_of(cb);

	rhashtable_walk_exit(&dump->walk);
	kmqtt_realm_put(dump->realm);
	kfree(dump);
	return 0;
}
