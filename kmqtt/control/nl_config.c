// SPDX-License-Identifier: GPL-2.0
/*
 * A whole configuration in one go, and the realms that it consists of.
 */
#include "config.h"
#include "genl.h"
#include "reply.h"

/**
 * kmqtt_nl_config_begin_doit() - begin to tell a configuration
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_config_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kmqtt_config_begin(info, NETLINK_CB(skb).sk);
}

static int put_result(struct sk_buff *skb,
		      const struct kmqtt_config_result *result)
{
	if (nla_put_u32(skb, KMQTT_A_CONFIG_LISTENERS_OPENED,
			result->lineup.opened) ||
	    nla_put_u32(skb, KMQTT_A_CONFIG_LISTENERS_CLOSED,
			result->lineup.closed) ||
	    nla_put_u32(skb, KMQTT_A_CONFIG_LISTENERS_KEPT,
			result->lineup.kept) ||
	    nla_put_u32(skb, KMQTT_A_CONFIG_CLIENTS_CLOSED,
			result->clients_closed))
		return -EMSGSIZE;
	return 0;
}

static struct kmqtt_config *change(struct genl_info *info)
{
	struct kmqtt_config *config = kmqtt_config_change(info);

	if (!config)
		NL_SET_ERR_MSG(info->extack,
			       "this socket has not begun a configuration");
	return config;
}

/**
 * kmqtt_nl_config_commit_doit() - put a configuration in force
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno with nothing changed.
 */
int kmqtt_nl_config_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct kmqtt_config_result result;
	struct kmqtt_config *config;
	struct sk_buff *reply;
	void *hdr;
	int err;

	/* Before anything changes, so that nothing fails after that. */
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	config = change(info);
	err = -ENOENT;
	if (config) {
		err = kmqtt_config_commit(config, &result, info->extack);
		mutex_unlock(&broker->config_mutex);
	}
	if (!err)
		err = put_result(reply, &result);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	/* It is in force, even if that can't be told. */
	kmqtt_nl_reply_send(reply, hdr, info);
	return 0;
}

static int have_rules(struct kmqtt_realm *realm)
{
	if (!realm->acl)
		realm->acl = kmqtt_acl_create(realm->access->memory);
	return realm->acl ? 0 : -ENOMEM;
}

static int set_realm(struct kmqtt_config *config, struct genl_info *info,
		     u32 number)
{
	const struct nlattr *restrict_ = info->attrs[KMQTT_A_REALM_RESTRICT];
	const struct nlattr *authenticate =
		info->attrs[KMQTT_A_REALM_AUTHENTICATE];
	struct kmqtt_realm *realm = kmqtt_config_realm(config, number);
	int err;

	if (!realm) {
		realm = kmqtt_realm_create(&config->broker->access, number);
		if (IS_ERR(realm))
			return PTR_ERR(realm);
		err = kmqtt_config_add_realm(config, realm);
		if (err) {
			kmqtt_realm_put(realm);
			NL_SET_ERR_MSG_ATTR(info->extack,
					    info->attrs[KMQTT_A_REALM_NUMBER],
					    "there are too many realms");
			return err;
		}
	}
	if (authenticate)
		realm->authenticate = nla_get_u8(authenticate);
	if (restrict_ && nla_get_u8(restrict_))
		return have_rules(realm);
	return 0;
}

/**
 * kmqtt_nl_realm_set_doit() - have a realm in the configuration being told
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_realm_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *number = info->attrs[KMQTT_A_REALM_NUMBER];
	struct kmqtt_config *config;
	int err;

	config = change(info);
	if (!config)
		return -ENOENT;
	err = set_realm(config, info, number ? nla_get_u32(number) : 0);
	kmqtt_config_changed(config);
	return err;
}

static int add_rule(struct kmqtt_config *config, struct genl_info *info)
{
	const struct nlattr *number = info->attrs[KMQTT_A_ACL_REALM];
	const struct nlattr *name = info->attrs[KMQTT_A_ACL_USER];
	struct kmqtt_str topic, user = {};
	struct kmqtt_realm *realm;
	int err;

	realm = kmqtt_config_realm(config, number ? nla_get_u32(number) : 0);
	if (!realm) {
		NL_SET_ERR_MSG(info->extack, "there is no such realm");
		return -ENOENT;
	}
	topic = kmqtt_nl_str(info->attrs[KMQTT_A_ACL_TOPIC]);
	if (name)
		user = kmqtt_nl_str(name);
	err = have_rules(realm);
	if (err)
		return err;
	err = kmqtt_acl_add(realm->acl,
			    nla_get_u32(info->attrs[KMQTT_A_ACL_KIND]), &user,
			    nla_get_u32(info->attrs[KMQTT_A_ACL_ACCESS]),
			    &topic);
	if (err == -EINVAL)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_ACL_TOPIC],
				    "not a topic filter, or not the user that the kind needs");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "there are too many rules");
	return err;
}

/**
 * kmqtt_nl_acl_add_doit() - add an access rule to the configuration being told
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_acl_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_config *config;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_ACL_KIND) ||
	    GENL_REQ_ATTR_CHECK(info, KMQTT_A_ACL_ACCESS) ||
	    GENL_REQ_ATTR_CHECK(info, KMQTT_A_ACL_TOPIC))
		return -EINVAL;
	config = change(info);
	if (!config)
		return -ENOENT;
	err = add_rule(config, info);
	kmqtt_config_changed(config);
	return err;
}
