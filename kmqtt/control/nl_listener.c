// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners.
 */
#include <linux/un.h>
#include <linux/vm_sockets.h>
#include <net/ipv6.h>
#include "../net/listener.h"
#include "../net/registry.h"
#include "config.h"
#include "events.h"
#include "genl.h"
#include "reply.h"
#include "sys.h"
#include "terms.h"

#define IP	(BIT(KMQTT_TRANSPORT_TCP) | BIT(KMQTT_TRANSPORT_MPTCP))

static int refuse(struct genl_info *info, int attr, const char *why)
{
	NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[attr], "%s", why);
	return -EINVAL;
}

static int read_addr6(struct genl_info *info, struct sockaddr_in6 *in6)
{
	const struct nlattr *ifindex = info->attrs[KMQTT_A_LISTENER_IFINDEX];
	bool link_local;

	in6->sin6_family = AF_INET6;
	in6->sin6_addr = nla_get_in6_addr(info->attrs[KMQTT_A_LISTENER_ADDR6]);
	link_local = __ipv6_addr_needs_scope_id(ipv6_addr_type(&in6->sin6_addr));
	if (link_local && !ifindex)
		return refuse(info, KMQTT_A_LISTENER_ADDR6,
			      "a link-local address needs an interface");
	if (ifindex && !link_local)
		return refuse(info, KMQTT_A_LISTENER_IFINDEX,
			      "only a link-local address has an interface");
	if (ifindex)
		in6->sin6_scope_id = nla_get_u32(ifindex);
	return 0;
}

static int read_ip(struct genl_info *info, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	struct nlattr **attrs = info->attrs;
	__be16 port;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_LISTENER_PORT))
		return -EINVAL;
	port = htons(nla_get_u16(attrs[KMQTT_A_LISTENER_PORT]));
	if (attrs[KMQTT_A_LISTENER_ADDR6]) {
		if (attrs[KMQTT_A_LISTENER_ADDR4])
			return refuse(info, KMQTT_A_LISTENER_ADDR6,
				      "either an IPv4 or an IPv6 address");
		in6->sin6_port = port;
		return read_addr6(info, in6);
	}
	if (attrs[KMQTT_A_LISTENER_IFINDEX])
		return refuse(info, KMQTT_A_LISTENER_IFINDEX,
			      "only a link-local address has an interface");
	in->sin_port = port;
	if (attrs[KMQTT_A_LISTENER_ADDR4]) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr =
			nla_get_in_addr(attrs[KMQTT_A_LISTENER_ADDR4]);
	}
	return 0;
}

static int read_unix(struct genl_info *info, struct sockaddr_storage *addr)
{
	struct sockaddr_un *un = (struct sockaddr_un *)addr;
	struct kmqtt_str path;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_LISTENER_PATH))
		return -EINVAL;
	path = kmqtt_nl_str(info->attrs[KMQTT_A_LISTENER_PATH]);
	/* Without a file's name anybody could take the place. */
	if (!path.len || memchr(path.data, 0, path.len))
		return refuse(info, KMQTT_A_LISTENER_PATH,
			      "a path is not empty and has no null bytes");
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.data, path.len);
	return 0;
}

static int read_vsock(struct genl_info *info, struct sockaddr_storage *addr)
{
	struct sockaddr_vm *vm = (struct sockaddr_vm *)addr;

	if (GENL_REQ_ATTR_CHECK(info, KMQTT_A_LISTENER_VSOCK_PORT))
		return -EINVAL;
	vm->svm_family = AF_VSOCK;
	vm->svm_port = nla_get_u32(info->attrs[KMQTT_A_LISTENER_VSOCK_PORT]);
	vm->svm_cid = VMADDR_CID_ANY;
	if (info->attrs[KMQTT_A_LISTENER_CID])
		vm->svm_cid = nla_get_u32(info->attrs[KMQTT_A_LISTENER_CID]);
	if (vm->svm_port == VMADDR_PORT_ANY)
		return refuse(info, KMQTT_A_LISTENER_VSOCK_PORT,
			      "this port stands for any");
	return 0;
}

/* Attributes that say where a listener is, and which of them a transport has. */
static const struct {
	int attr;
	u32 transports;
} places[] = {
	{ KMQTT_A_LISTENER_ADDR4, IP },
	{ KMQTT_A_LISTENER_ADDR6, IP },
	{ KMQTT_A_LISTENER_IFINDEX, IP },
	{ KMQTT_A_LISTENER_PORT, IP },
	{ KMQTT_A_LISTENER_PATH, BIT(KMQTT_TRANSPORT_UNIX) },
	{ KMQTT_A_LISTENER_CID, BIT(KMQTT_TRANSPORT_VSOCK) },
	{ KMQTT_A_LISTENER_VSOCK_PORT, BIT(KMQTT_TRANSPORT_VSOCK) },
	{ KMQTT_A_LISTENER_AGENT, BIT(KMQTT_TRANSPORT_TCP) },
};

/*
 * Sockets of Multipath TCP keep their namespace: who isn't an administrator of
 * the machine could leave one behind that nobody gets rid of.
 */
static bool may_listen(const struct genl_info *info, u8 transport)
{
	return transport != KMQTT_TRANSPORT_MPTCP ||
	       net_eq(genl_info_net(info), &init_net) || capable(CAP_NET_ADMIN);
}

/* Where a listener is. */
static int read_endpoint(struct genl_info *info, struct kmqtt_endpoint *e)
{
	const struct nlattr *transport =
		info->attrs[KMQTT_A_LISTENER_TRANSPORT];
	int i;

	*e = (struct kmqtt_endpoint) {};
	if (transport)
		e->transport = nla_get_u8(transport);
	if (!may_listen(info, e->transport)) {
		refuse(info, KMQTT_A_LISTENER_TRANSPORT,
		       "Multipath TCP is for administrators of the machine");
		return -EPERM;
	}
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (info->attrs[places[i].attr] &&
		    !(places[i].transports & BIT(e->transport)))
			return refuse(info, places[i].attr,
				      "not with this transport");
	e->agent = info->attrs[KMQTT_A_LISTENER_AGENT];
	switch (e->transport) {
	case KMQTT_TRANSPORT_UNIX:
		return read_unix(info, &e->addr);
	case KMQTT_TRANSPORT_VSOCK:
		return read_vsock(info, &e->addr);
	default:
		return read_ip(info, &e->addr);
	}
}

/* What the agent has to know. */
static int read_agent(struct genl_info *info, struct kmqtt_text **agent)
{
	struct kmqtt_str text;

	if (!info->attrs[KMQTT_A_LISTENER_AGENT])
		return 0;
	text = kmqtt_nl_str(info->attrs[KMQTT_A_LISTENER_AGENT]);
	*agent = kmqtt_text_create(&text);
	return *agent ? 0 : -ENOMEM;
}

static int put_vsock(struct sk_buff *skb, const struct sockaddr_vm *vm)
{
	if (vm->svm_cid != VMADDR_CID_ANY &&
	    nla_put_u32(skb, KMQTT_A_LISTENER_CID, vm->svm_cid))
		return -EMSGSIZE;
	return nla_put_u32(skb, KMQTT_A_LISTENER_VSOCK_PORT, vm->svm_port);
}

static int put_address(struct sk_buff *skb, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	u16 port = ntohs(in->sin_port);
	struct in6_addr mapped;

	switch (addr->ss_family) {
	case AF_INET:
		ipv6_addr_set_v4mapped(in->sin_addr.s_addr, &mapped);
		return kmqtt_nl_put_address(skb, KMQTT_A_LISTENER_ADDR4,
					    &mapped, 0, port);
	case AF_INET6:
		return kmqtt_nl_put_address(skb, KMQTT_A_LISTENER_ADDR4,
					    &in6->sin6_addr,
					    in6->sin6_scope_id, port);
	case AF_UNIX:
		return nla_put(skb, KMQTT_A_LISTENER_PATH,
			       strlen(un->sun_path), un->sun_path);
	case AF_VSOCK:
		return put_vsock(skb, (const struct sockaddr_vm *)addr);
	default:
		return kmqtt_nl_put_address(skb, KMQTT_A_LISTENER_ADDR4, NULL,
					    0, port);
	}
}

static int put_endpoint(struct sk_buff *skb, const struct kmqtt_endpoint *e)
{
	return nla_put_u8(skb, KMQTT_A_LISTENER_TRANSPORT, e->transport) ?:
	       put_address(skb, &e->addr);
}

/* On what terms clients are let in: what isn't said is as it always is. */
static int read_terms(struct genl_info *info,
		      const struct kmqtt_endpoint *endpoint,
		      struct kmqtt_terms *terms)
{
	kmqtt_listener_default_terms(endpoint, terms);
	return kmqtt_nl_read_terms(info, terms);
}

/* Listen from now on. */
static int add_listener(struct genl_info *info, struct kmqtt_planned *p)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct sk_buff *reply;
	void *hdr;
	u32 id;
	int err;

	if (p->realm) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_LISTENER_REALM],
				    "only configurations have other realms");
		return -EOPNOTSUPP;
	}
	if (p->endpoint.agent &&
	    !((struct sockaddr_in *)&p->endpoint.addr)->sin_port)
		return refuse(info, KMQTT_A_LISTENER_PORT,
			      "a listener with an agent needs a port");
	/* Before there is a listener, so that nothing fails after that. */
	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	err = kmqtt_listener_add(broker->registry, &p->endpoint, &p->terms,
				 &p->agent, &id, info->extack);
	if (!err && (nla_put_u32(reply, KMQTT_A_LISTENER_ID, id) ||
		     put_endpoint(reply, &p->endpoint)))
		err = -EMSGSIZE;
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	kmqtt_sys_start(broker->sys);
	kmqtt_events_config(broker);
	return kmqtt_nl_reply_send(reply, hdr, info);
}

/**
 * kmqtt_nl_listener_add_doit() - listen, now or by a configuration
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_listener_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_planned p = {};
	struct kmqtt_config *config;
	int err;

	err = read_endpoint(info, &p.endpoint) ?:
	      read_terms(info, &p.endpoint, &p.terms) ?:
	      read_agent(info, &p.agent);
	if (err)
		return err;
	if (info->attrs[KMQTT_A_LISTENER_REALM])
		p.realm = nla_get_u32(info->attrs[KMQTT_A_LISTENER_REALM]);
	config = kmqtt_config_change(info);
	if (config) {
		err = kmqtt_config_plan(config, &p, info->extack);
		kmqtt_config_changed(config);
	} else {
		err = add_listener(info, &p);
	}
	kfree(p.agent);
	return err;
}

/* Which attribute it is when there is no such listener. */
static const int named_by[] = {
	[KMQTT_TRANSPORT_TCP] = KMQTT_A_LISTENER_PORT,
	[KMQTT_TRANSPORT_MPTCP] = KMQTT_A_LISTENER_PORT,
	[KMQTT_TRANSPORT_UNIX] = KMQTT_A_LISTENER_PATH,
	[KMQTT_TRANSPORT_VSOCK] = KMQTT_A_LISTENER_VSOCK_PORT,
};

static u32 find_listener(struct kmqtt_registry *registry,
			 const struct kmqtt_endpoint *endpoint)
{
	struct kmqtt_listener *listener;
	u32 id;

	mutex_lock(&registry->mutex);
	listener = kmqtt_listener_find(registry, endpoint);
	id = listener ? listener->id : 0;
	mutex_unlock(&registry->mutex);
	return id;
}

/* Which listener a request is about, by its number or by where it is. */
static int read_listener(struct genl_info *info, u32 *id,
			 const struct nlattr **by)
{
	struct kmqtt_endpoint endpoint;
	int err;

	*by = info->attrs[KMQTT_A_LISTENER_ID];
	if (*by) {
		*id = nla_get_u32(*by);
		return 0;
	}
	err = read_endpoint(info, &endpoint);
	if (err)
		return err;
	*by = info->attrs[named_by[endpoint.transport]];
	*id = find_listener(kmqtt_nl_broker(info)->registry, &endpoint);
	return 0;
}

/**
 * kmqtt_nl_listener_set_doit() - change the terms of a listener
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_listener_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_registry *registry = kmqtt_nl_broker(info)->registry;
	struct kmqtt_listener *listener;
	const struct nlattr *by;
	struct kmqtt_terms terms;
	u32 id;
	int err;

	err = kmqtt_config_refuse(info) ?: read_listener(info, &id, &by);
	if (err)
		return err;
	mutex_lock(&registry->mutex);
	listener = kmqtt_listener_by_id(registry, id);
	if (listener) {
		/* They change under the mutex that we have. */
		terms = listener->port->terms;
		err = kmqtt_nl_read_terms(info, &terms);
		if (!err)
			kmqtt_listener_set_terms(listener, &terms);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, by, "no such listener");
		err = -ENOENT;
	}
	mutex_unlock(&registry->mutex);
	if (err)
		return err;
	kmqtt_registry_close_denied(registry);
	kmqtt_events_config(kmqtt_nl_broker(info));
	return 0;
}

/**
 * kmqtt_nl_listener_del_doit() - stop listening
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_listener_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_registry *registry = kmqtt_nl_broker(info)->registry;
	const struct nlattr *by;
	u32 id;
	int err;

	err = kmqtt_config_refuse(info) ?: read_listener(info, &id, &by);
	if (err)
		return err;
	err = id ? kmqtt_listener_del(registry, id) : -ENOENT;
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack, by, "no such listener");
		return err;
	}
	if (info->attrs[KMQTT_A_LISTENER_KICK])
		kmqtt_registry_close(registry, id,
				     KMQTT_REASON_SERVER_SHUTTING_DOWN);
	kmqtt_events_config(kmqtt_nl_broker(info));
	return 0;
}

/* Number of the realm that a port has of its own, 0 for none. */
static u32 realm_of(const struct kmqtt_port *port)
{
	const struct kmqtt_realm *realm;
	u32 number;

	rcu_read_lock();
	realm = rcu_dereference(port->realm);
	number = realm ? realm->number : 0;
	rcu_read_unlock();
	return number;
}

static int put_listener(struct sk_buff *skb, struct netlink_callback *cb,
			const struct kmqtt_listener *listener)
{
	u32 realm = realm_of(listener->port);
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_LISTENER_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, KMQTT_A_LISTENER_ID, listener->id) ||
	    put_endpoint(skb, &listener->endpoint) ||
	    (listener->agent && nla_put(skb, KMQTT_A_LISTENER_AGENT,
					listener->agent->len,
					listener->agent->data)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_CONNECTIONS,
			READ_ONCE(listener->port->nr_connections)) ||
	    nla_put_uint(skb, KMQTT_A_LISTENER_CONNECTIONS_TOTAL,
			 READ_ONCE(listener->accepted)) ||
	    (realm && nla_put_u32(skb, KMQTT_A_LISTENER_REALM, realm)) ||
	    kmqtt_nl_put_terms(skb, &listener->port->terms)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_listener_get_start() - begin to tell of all listeners
 * @cb: the dump
 *
 * Context: process.
 * Return: 0.
 */
int kmqtt_nl_listener_get_start(struct netlink_callback *cb)
{
	/* Whatever agents have to know. */
	cb->min_dump_alloc = KMQTT_AGENT_MAX + KMQTT_NL_NUMBERS;
	return 0;
}

/**
 * kmqtt_nl_listener_get_dumpit() - tell of all listeners
 * @skb: where to
 * @cb: the dump, which keeps the number of the last listener told
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_listener_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct kmqtt_registry *registry = kmqtt_nl_dump_broker(cb)->registry;
	struct kmqtt_listener *listener;
	u32 *last = (u32 *)cb->ctx;
	int err = 0;

	/* They are in the order of their numbers. */
	mutex_lock(&registry->mutex);
	list_for_each_entry(listener, &registry->listeners, list) {
		if (listener->id <= *last)
			continue;
		err = put_listener(skb, cb, listener);
		if (err)
			break;
		*last = listener->id;
	}
	mutex_unlock(&registry->mutex);
	return kmqtt_nl_dumped(skb, err);
}
