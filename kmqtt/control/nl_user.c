// SPDX-License-Identifier: GPL-2.0
/*
 * Users and their credentials: what was derived from passwords, never these.
 */
#include "genl.h"
#include <linux/slab.h>
#include "../access/scram.h"
#include "config.h"
#include "credential.h"
#include "reply.h"

/**
 * struct user_dump - a dump of users
 * @realm: whose users, with a reference; NULL when there are no more
 * @walk: over the table
 * @secrets: each credential is an entry of its own, with all that it has
 * @pending: not all of @info was told yet
 * @next: of the credentials, the one that is next
 * @info: the user where the walk stands
 */
struct user_dump {
	struct kmqtt_realm *realm;
	struct rhashtable_iter walk;
	bool secrets;
	bool pending;
	unsigned int next;
	struct kmqtt_user_info info;
};

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
		err = kmqtt_nl_set_user(info, &realm->users);
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
		err = kmqtt_nl_set_user(info, &realm->users);
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
	if (!all && kmqtt_nl_user_name(info, &name))
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
	dump->secrets = genl_info_dump(cb)->attrs[KMQTT_A_USER_SECRETS];
	rhashtable_walk_enter(&dump->realm->users.table, &dump->walk);
	*(struct user_dump **)cb->ctx = dump;
	cb->seq = 1;
	return 0;
}

static int put_methods(struct sk_buff *skb, const struct kmqtt_user_info *user)
{
	u32 sha_256 = user->scram[KMQTT_AUTH_METHOD_SCRAM_SHA_256].iterations;
	u32 sha_512 = user->scram[KMQTT_AUTH_METHOD_SCRAM_SHA_512].iterations;

	if ((sha_256 &&
	     nla_put_u32(skb, KMQTT_A_USER_SCRAM_SHA_256, sha_256)) ||
	    (sha_512 && nla_put_u32(skb, KMQTT_A_USER_SCRAM_SHA_512, sha_512)))
		return -EMSGSIZE;
	return 0;
}

static int put_password(struct sk_buff *skb, const struct kmqtt_password *p)
{
	if (!p->iterations)
		return 0;
	if (nla_put_u32(skb, KMQTT_A_USER_PASSWORD_METHOD, p->method))
		return -EMSGSIZE;
	if (p->method == KMQTT_PASSWORD_METHOD_SHA512)
		return 0;
	return nla_put_u32(skb, KMQTT_A_USER_PASSWORD_ITERATIONS,
			   p->iterations);
}

static int put_hash(struct sk_buff *skb, const struct kmqtt_password *p)
{
	if (put_password(skb, p) ||
	    nla_put(skb, KMQTT_A_USER_PASSWORD_SALT, p->salt_len, p->salt))
		return -EMSGSIZE;
	return nla_put(skb, KMQTT_A_USER_PASSWORD_HASH, sizeof(p->hash),
		       p->hash);
}

static int put_key(struct sk_buff *skb, u32 method,
		   const struct kmqtt_scram_key *key)
{
	u32 len = kmqtt_scram_hash_len(method);

	if (nla_put_u32(skb, KMQTT_A_USER_METHOD, method) ||
	    nla_put_u32(skb, KMQTT_A_USER_ITERATIONS, key->iterations) ||
	    nla_put(skb, KMQTT_A_USER_SALT, key->salt_len, key->salt) ||
	    nla_put(skb, KMQTT_A_USER_STORED_KEY, len, key->stored_key))
		return -EMSGSIZE;
	return nla_put(skb, KMQTT_A_USER_SERVER_KEY, len, key->server_key);
}

/* A user's credentials: those of SCRAM by their method, then the password. */
#define NR_CREDENTIALS	(KMQTT_SCRAM_METHODS + 1)

/* With secrets, all of the next credentials; else, which there are. */
static int put_credentials(struct sk_buff *skb, const struct user_dump *dump)
{
	const struct kmqtt_user_info *user = &dump->info;

	if (!dump->secrets)
		return put_methods(skb, user) ?:
		       put_password(skb, &user->password);
	if (dump->next < KMQTT_SCRAM_METHODS)
		return put_key(skb, dump->next, &user->scram[dump->next]);
	return put_hash(skb, &user->password);
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct user_dump *dump)
{
	const struct kmqtt_user_info *user = &dump->info;
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_USER_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put(skb, KMQTT_A_USER_NAME, user->name_len, user->name) ||
	    (dump->realm->number &&
	     nla_put_u32(skb, KMQTT_A_USER_REALM, dump->realm->number)) ||
	    put_credentials(skb, dump)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static bool has_credentials(const struct kmqtt_user_info *user, unsigned int nr)
{
	return nr < KMQTT_SCRAM_METHODS ? user->scram[nr].iterations :
					  user->password.iterations;
}

/* All entries of the user where the walk stands, or those that are left. */
static int put_all(struct sk_buff *skb, struct netlink_callback *cb,
		   struct user_dump *dump)
{
	int err = 0;

	if (!dump->secrets)
		return put_entry(skb, cb, dump);
	for (; dump->next < NR_CREDENTIALS; dump->next++) {
		if (has_credentials(&dump->info, dump->next))
			err = put_entry(skb, cb, dump);
		if (err)
			return err;
	}
	dump->next = 0;
	return 0;
}

static void leave_realm(struct user_dump *dump)
{
	if (!dump->realm)
		return;
	rhashtable_walk_exit(&dump->walk);
	kmqtt_realm_put(dump->realm);
}

static void next_realm(struct user_dump *dump, struct netlink_callback *cb)
{
	struct kmqtt_access *access = &kmqtt_nl_dump_broker(cb)->access;
	u32 number = dump->realm->number;

	leave_realm(dump);
	dump->realm = number == U32_MAX ?
		      NULL : kmqtt_access_realm(access, number + 1);
	if (dump->realm)
		rhashtable_walk_enter(&dump->realm->users.table, &dump->walk);
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

	while (!err && dump->realm) {
		if (!dump->pending &&
		    !kmqtt_users_walk(&dump->walk, &dump->info, &again)) {
			next_realm(dump, cb);
			continue;
		}
		cb->seq += again;
		again = false;
		err = put_all(skb, cb, dump);
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

	leave_realm(dump);
	kfree_sensitive(dump);
	return 0;
}
