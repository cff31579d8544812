// SPDX-License-Identifier: GPL-2.0
/*
 * Events as multicast messages. They come in any context and cost nothing but
 * a look when nobody has joined the group.
 */
#include "events.h"

#include "../protocol/event.h"
#include "netlink.h"
#include "reply.h"

/* Who it is about. Refused connections have no session and no identifier. */
static int put_client(struct sk_buff *skb, const struct kmqtt_event *event)
{
	const struct kmqtt_session *session = event->session;
	const struct kmqtt_client *client = event->client;

	if (client && client->id &&
	    nla_put_uint(skb, KMQTT_A_EVENT_CONNECTION, client->id))
		return -EMSGSIZE;
	if (session && nla_put(skb, KMQTT_A_EVENT_CLIENT_ID, session->id_len,
			       session->id))
		return -EMSGSIZE;
	if (!client)
		return 0;
	return kmqtt_nl_put_address(skb, KMQTT_A_EVENT_ADDR4, &client->peer,
				    client->peer_ifindex, client->peer_port);
}

static int put_connect(struct sk_buff *skb, const struct kmqtt_event *event)
{
	const struct kmqtt_client *client = event->client;
	bool cut = false;

	if (nla_put_u32(skb, KMQTT_A_EVENT_LISTENER,
			READ_ONCE(client->port->listener)) ||
	    nla_put_u8(skb, KMQTT_A_EVENT_LEVEL, client->version) ||
	    nla_put_u8(skb, KMQTT_A_EVENT_CLEAN, client->clean) ||
	    nla_put_u8(skb, KMQTT_A_EVENT_SESSION_PRESENT,
		       event->session_present))
		return -EMSGSIZE;
	if (client->identity->user_len &&
	    kmqtt_nl_put_string(skb, KMQTT_A_EVENT_USER, client->identity->user,
				client->identity->user_len, &cut))
		return -EMSGSIZE;
	return cut ? nla_put_flag(skb, KMQTT_A_EVENT_TRUNCATED) : 0;
}

static int put_refused(struct sk_buff *skb, const struct kmqtt_event *event)
{
	const struct kmqtt_client *client = event->client;

	if (nla_put_u32(skb, KMQTT_A_EVENT_LISTENER,
			READ_ONCE(client->port->listener)) ||
	    (client->version &&
	     nla_put_u8(skb, KMQTT_A_EVENT_LEVEL, client->version)) ||
	    nla_put_u32(skb, KMQTT_A_EVENT_REASON, event->reason))
		return -EMSGSIZE;
	return nla_put_uint(skb, KMQTT_A_EVENT_COUNT, event->count);
}

static int put_dropped(struct sk_buff *skb, const struct kmqtt_event *event)
{
	if (nla_put_u32(skb, KMQTT_A_EVENT_DROP, event->drop))
		return -EMSGSIZE;
	return nla_put_uint(skb, KMQTT_A_EVENT_COUNT, event->count);
}

static int put_event(struct sk_buff *skb, u8 cmd,
		     const struct kmqtt_event *event)
{
	if (put_client(skb, event))
		return -EMSGSIZE;
	switch (cmd) {
	case KMQTT_CMD_CONNECT_NTF:
		return put_connect(skb, event);
	case KMQTT_CMD_DISCONNECT_NTF:
		return nla_put_u32(skb, KMQTT_A_EVENT_REASON, event->reason);
	case KMQTT_CMD_REFUSED_NTF:
		return put_refused(skb, event);
	case KMQTT_CMD_DROPPED_NTF:
		return put_dropped(skb, event);
	case KMQTT_CMD_BAN_NTF:
	case KMQTT_CMD_CONFIG_NTF:
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Just as much as is needed: this is atomic memory. */
static size_t event_size(const struct kmqtt_event *event)
{
	size_t size = KMQTT_NL_NUMBERS / 4;

	if (event->session)
		size += nla_total_size(event->session->id_len);
	if (event->client && event->client->identity)
		size += nla_total_size(min_t(u16, KMQTT_SHOWN_STRING_MAX,
					     event->client->identity->user_len));
	return size;
}

static int send_event(struct notifier_block *nb, unsigned long what, void *data)
{
	const struct kmqtt_event *event = data;
	struct net *net = event->broker->net;
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&kmqtt_nl_family, net, KMQTT_NL_EVENTS))
		return NOTIFY_DONE;
	skb = genlmsg_new(event_size(event), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		goto err_lost;
	hdr = genlmsg_put(skb, 0, 0, &kmqtt_nl_family, 0, what);
	if (!hdr || put_event(skb, what, event))
		goto err_free;
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&kmqtt_nl_family, net, skb, 0, KMQTT_NL_EVENTS,
				GFP_ATOMIC);
	return NOTIFY_OK;

err_free:
	nlmsg_free(skb);
err_lost:
	/* Let listeners know that they have missed something. */
	genl_set_err(&kmqtt_nl_family, net, 0, KMQTT_NL_EVENTS, -ENOBUFS);
	return NOTIFY_OK;
}

struct notifier_block kmqtt_events_notifier = {
	.notifier_call = send_event,
};

/**
 * kmqtt_events_config() - tell that there is something new of listeners
 * @broker: whose
 *
 * Context: process, may sleep.
 */
void kmqtt_events_config(struct kmqtt_broker *broker)
{
	struct kmqtt_event event = { .broker = broker };

	send_event(NULL, KMQTT_CMD_CONFIG_NTF, &event);
}
