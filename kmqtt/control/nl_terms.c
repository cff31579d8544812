// SPDX-License-Identifier: GPL-2.0
/*
 * Terms of listeners, as they are told and asked for.
 */
#include "terms.h"

#include "../wire/utf8.h"
#include "read.h"
#include "reply.h"

static void read_rates(struct genl_info *info, struct kmqtt_terms *terms)
{
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_CONNECT_RATE,
			  &terms->connect_rate);
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_MESSAGE_RATE,
			  &terms->message_rate);
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_BYTE_RATE, &terms->byte_rate);
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE,
			  &terms->client_message_rate);
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_CLIENT_BYTE_RATE,
			  &terms->client_byte_rate);
}

static int read_id_prefix(struct genl_info *info,
			  struct kmqtt_id_prefix *prefix)
{
	const struct nlattr *attr =
		info->attrs[KMQTT_A_LISTENER_CLIENT_ID_PREFIX];
	struct kmqtt_str str;

	if (!attr)
		return 0;
	str = kmqtt_nl_str(attr);
	if (!str.len) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "the prefix is empty");
		return -EINVAL;
	}
	if (!kmqtt_utf8_valid(str.data, str.len)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the prefix is not UTF-8");
		return -EINVAL;
	}
	prefix->len = str.len;
	memcpy(prefix->data, str.data, str.len);
	return 0;
}

static int read_versions(struct genl_info *info, u8 *versions)
{
	const struct nlattr *attr =
		info->attrs[KMQTT_A_LISTENER_PROTOCOL_VERSIONS];

	if (!attr)
		return 0;
	if (!nla_get_u8(attr)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "no client could speak any version");
		return -EINVAL;
	}
	*versions = nla_get_u8(attr);
	return 0;
}

/**
 * kmqtt_nl_read_terms() - change terms as a request says
 * @info: the request
 * @terms: the terms; what isn't said stays as it is
 *
 * Context: process.
 * Return: 0 or -EINVAL, with a message.
 */
int kmqtt_nl_read_terms(struct genl_info *info, struct kmqtt_terms *terms)
{
	read_rates(info, terms);
	kmqtt_nl_read_u32(info, KMQTT_A_LISTENER_MAX_CONNECTIONS,
			  &terms->max_connections);
	kmqtt_nl_read_u16(info, KMQTT_A_LISTENER_TOPIC_ALIAS_MAX,
			  &terms->topic_alias_max);
	kmqtt_nl_read_u16(info, KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT,
			  &terms->topic_alias_max_out);
	kmqtt_nl_read_u8(info, KMQTT_A_LISTENER_MAX_QOS, &terms->max_qos);
	kmqtt_nl_read_bool(info, KMQTT_A_LISTENER_ANONYMOUS, &terms->anonymous);
	kmqtt_nl_read_bool(info, KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID,
			   &terms->username_as_client_id);
	kmqtt_nl_read_bool(info, KMQTT_A_LISTENER_ASSIGN_CLIENT_ID,
			   &terms->assign_client_id);
	return read_versions(info, &terms->versions) ?:
	       read_id_prefix(info, &terms->id_prefix);
}

static int put_rates(struct sk_buff *skb, const struct kmqtt_terms *terms)
{
	if (nla_put_u32(skb, KMQTT_A_LISTENER_CONNECT_RATE,
			READ_ONCE(terms->connect_rate)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_MESSAGE_RATE,
			READ_ONCE(terms->message_rate)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_BYTE_RATE,
			READ_ONCE(terms->byte_rate)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_CLIENT_MESSAGE_RATE,
			READ_ONCE(terms->client_message_rate)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_CLIENT_BYTE_RATE,
			READ_ONCE(terms->client_byte_rate)))
		return -EMSGSIZE;
	return 0;
}

/**
 * kmqtt_nl_put_terms() - tell the terms of a listener
 * @skb: where to
 * @terms: the terms, of a port
 *
 * Context: process; the registry's mutex held.
 * Return: 0 or -EMSGSIZE.
 */
int kmqtt_nl_put_terms(struct sk_buff *skb, const struct kmqtt_terms *terms)
{
	u32 max = READ_ONCE(terms->max_connections);

	if (max != KMQTT_PORT_UNLIMITED &&
	    nla_put_u32(skb, KMQTT_A_LISTENER_MAX_CONNECTIONS, max))
		return -EMSGSIZE;
	/* It changes under the registry's mutex, which we have. */
	if (nla_put(skb, KMQTT_A_LISTENER_CLIENT_ID_PREFIX,
		    terms->id_prefix.len, terms->id_prefix.data) ||
	    nla_put_u8(skb, KMQTT_A_LISTENER_ASSIGN_CLIENT_ID,
		       READ_ONCE(terms->assign_client_id)))
		return -EMSGSIZE;
	if (nla_put_u16(skb, KMQTT_A_LISTENER_TOPIC_ALIAS_MAX,
			READ_ONCE(terms->topic_alias_max)) ||
	    nla_put_u16(skb, KMQTT_A_LISTENER_TOPIC_ALIAS_MAX_OUT,
			READ_ONCE(terms->topic_alias_max_out)) ||
	    nla_put_u8(skb, KMQTT_A_LISTENER_PROTOCOL_VERSIONS,
		       READ_ONCE(terms->versions)) ||
	    nla_put_u8(skb, KMQTT_A_LISTENER_MAX_QOS,
		       READ_ONCE(terms->max_qos)) ||
	    nla_put_u8(skb, KMQTT_A_LISTENER_ANONYMOUS,
		       READ_ONCE(terms->anonymous)) ||
	    nla_put_u8(skb, KMQTT_A_LISTENER_USERNAME_AS_CLIENT_ID,
		       READ_ONCE(terms->username_as_client_id)))
		return -EMSGSIZE;
	return put_rates(skb, terms);
}
