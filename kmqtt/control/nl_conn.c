// SPDX-License-Identifier: GPL-2.0
/*
 * Connections from agents.
 */
#include <net/ipv6.h>
#include "../net/adopt.h"
#include "../wire/utf8.h"
#include "config.h"
#include "genl.h"
#include "reply.h"

/* Where the client is, if that isn't where the socket is connected to. */
static int read_peer(struct genl_info *info, struct sockaddr_in6 *peer)
{
	struct nlattr **attrs = info->attrs;
	const struct nlattr *addr4 = attrs[KMQTT_A_ADOPT_ADDR4];
	const struct nlattr *addr6 = attrs[KMQTT_A_ADOPT_ADDR6];

	if (!addr4 && !addr6) {
		if (!attrs[KMQTT_A_ADOPT_PORT] && !attrs[KMQTT_A_ADOPT_IFINDEX])
			return 0;
		NL_SET_ERR_MSG(info->extack,
			       "port and interface go with an address");
		return -EINVAL;
	}
	if (addr4 && addr6) {
		NL_SET_ERR_MSG_ATTR(info->extack, addr6,
				    "either an IPv4 or an IPv6 address");
		return -EINVAL;
	}
	peer->sin6_family = AF_INET6;
	if (addr4)
		ipv6_addr_set_v4mapped(nla_get_in_addr(addr4),
				       &peer->sin6_addr);
	else
		peer->sin6_addr = nla_get_in6_addr(addr6);
	if (attrs[KMQTT_A_ADOPT_IFINDEX])
		peer->sin6_scope_id = nla_get_u32(attrs[KMQTT_A_ADOPT_IFINDEX]);
	if (attrs[KMQTT_A_ADOPT_PORT])
		peer->sin6_port = htons(nla_get_u16(attrs[KMQTT_A_ADOPT_PORT]));
	return 0;
}

static int read_text(struct genl_info *info, int attr, struct kmqtt_str *str)
{
	if (!info->attrs[attr])
		return 0;
	*str = kmqtt_nl_str(info->attrs[attr]);
	if (kmqtt_utf8_valid(str->data, str->len))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr], "this is not UTF-8");
	return -EINVAL;
}

static int read_handshake(struct genl_info *info, struct kmqtt_handshake *h)
{
	const struct nlattr *version = info->attrs[KMQTT_A_ADOPT_TLS_VERSION];

	h->websocket = nla_get_flag(info->attrs[KMQTT_A_ADOPT_WEBSOCKET]);
	h->has_user = info->attrs[KMQTT_A_ADOPT_USER];
	if (version)
		h->tls_version = nla_get_u16(version);
	return read_text(info, KMQTT_A_ADOPT_USER, &h->user) ?:
	       read_text(info, KMQTT_A_ADOPT_SUBJECT, &h->subject) ?:
	       read_text(info, KMQTT_A_ADOPT_CIPHER, &h->cipher);
}

/**
 * kmqtt_nl_conn_adopt_doit() - take over a connection
 * @skb: the request
 * @info: the request
 *
 * Context: process that has the socket, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_conn_adopt_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_adoption adoption = {};
	struct sk_buff *reply;
	void *hdr;
	u64 id;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_ADOPT_FD) ||
	    GENL_REQ_ATTR_CHECK(info, KMQTT_A_ADOPT_LISTENER))
		return -EINVAL;
	adoption.fd = nla_get_u32(info->attrs[KMQTT_A_ADOPT_FD]);
	adoption.listener = nla_get_u32(info->attrs[KMQTT_A_ADOPT_LISTENER]);
	err = kmqtt_config_refuse(info) ?:
	      read_peer(info, &adoption.peer) ?:
	      read_handshake(info, &adoption.handshake);
	if (err)
		return err;
	/* Before there is a connection, so that nothing fails after that. */
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	err = kmqtt_adopt(kmqtt_nl_broker(info)->registry, &adoption, &id,
			  info->extack);
	if (!err)
		err = nla_put_uint(reply, KMQTT_A_ADOPT_CONNECTION, id);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	/* It is ours, even if that can't be told. */
	kmqtt_nl_reply_send(reply, hdr, info);
	return 0;
}
