// SPDX-License-Identifier: GPL-2.0
/*
 * Subscriptions: of one session, or of one session after the other.
 */
#include <linux/mm.h>
#include "../session/store.h"
#include "genl.h"
#include "reply.h"

/**
 * struct subscription_dump - where a dump of subscriptions stands
 * @broker: constant
 * @all: of all sessions
 * @pending: a subscription was read and is still to be told of
 * @session: whose, with a reference, or NULL
 * @sessions: over the table, if @all
 * @walk: over the subscriptions of @session
 * @len: bytes of @filter
 * @filter: where @walk stands
 */
struct subscription_dump {
	struct kmqtt_broker *broker;
	bool all;
	bool pending;
	struct kmqtt_session *session;
	struct rhashtable_iter sessions;
	struct kmqtt_sub_walk walk;
	size_t len;
	u8 filter[U16_MAX];
};

static struct subscription_dump *dump_of(struct netlink_callback *cb)
{
	return *(struct subscription_dump **)cb->ctx;
}

/**
 * kmqtt_nl_subscription_get_start() - begin to tell of subscriptions
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0, -ENOENT if there is no such session, -ENOMEM.
 */
int kmqtt_nl_subscription_get_start(struct netlink_callback *cb)
{
	struct genl_info info = *genl_info_dump(cb);
	struct kmqtt_session *session = NULL;
	struct subscription_dump *dump;

	if (info.attrs[KMQTT_A_SUBSCRIPTION_CLIENT_ID]) {
		session = kmqtt_nl_session(&info,
					   KMQTT_A_SUBSCRIPTION_CLIENT_ID);
		if (IS_ERR(session))
			return PTR_ERR(session);
	}
	dump = kvzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump) {
		kmqtt_session_put(session);
		return -ENOMEM;
	}
	dump->broker = kmqtt_nl_dump_broker(cb);
	dump->session = session;
	dump->all = !session;
	if (dump->all)
		kmqtt_store_walk_start(&dump->broker->store, &dump->sessions);
	*(struct subscription_dump **)cb->ctx = dump;
	cb->seq = 1;
	return 0;
}

/* Returns false at the end. */
static bool next_session(struct subscription_dump *dump,
			 struct netlink_callback *cb)
{
	bool again = false;

	kmqtt_tree_walk_end(&dump->broker->tree, &dump->walk);
	kmqtt_session_put(dump->session);
	dump->session = NULL;
	if (!dump->all)
		return false;
	dump->session = kmqtt_store_walk_next(&dump->sessions, &again);
	cb->seq += again;
	return dump->session;
}

/* Returns false at the end. */
static bool next_subscription(struct subscription_dump *dump,
			      struct netlink_callback *cb)
{
	int ret;

	if (!dump->session && !next_session(dump, cb))
		return false;
	do {
		ret = kmqtt_tree_walk(&dump->broker->tree,
				      &dump->session->subscriber, &dump->walk,
				      dump->filter, sizeof(dump->filter),
				      &dump->len);
		if (ret == 1)
			return true;
		/* The rest of this session is left out. */
		if (ret == -ESTALE)
			cb->seq++;
		cond_resched();
	} while (next_session(dump, cb));
	return false;
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct subscription_dump *dump)
{
	const struct kmqtt_session *session = dump->session;
	const struct kmqtt_group *group = dump->walk.group;
	u8 options = dump->walk.options;
	bool cut = false;
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_SUBSCRIPTION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put(skb, KMQTT_A_SUBSCRIPTION_CLIENT_ID, session->id_len,
		    session->id) ||
	    kmqtt_nl_put_string(skb, KMQTT_A_SUBSCRIPTION_FILTER, dump->filter,
				dump->len, &cut) ||
	    (group && kmqtt_nl_put_string(skb, KMQTT_A_SUBSCRIPTION_GROUP,
					  group->name, group->name_len, &cut)) ||
	    nla_put_u8(skb, KMQTT_A_SUBSCRIPTION_QOS, options & KMQTT_SUB_QOS) ||
	    nla_put_u8(skb, KMQTT_A_SUBSCRIPTION_NO_LOCAL,
		       !!(options & KMQTT_SUB_NO_LOCAL)) ||
	    nla_put_u8(skb, KMQTT_A_SUBSCRIPTION_RETAIN_AS_PUBLISHED,
		       !!(options & KMQTT_SUB_RETAIN_AS_PUBLISHED)) ||
	    (dump->walk.id &&
	     nla_put_u32(skb, KMQTT_A_SUBSCRIPTION_IDENTIFIER,
			 dump->walk.id)) ||
	    (cut && nla_put_flag(skb, KMQTT_A_SUBSCRIPTION_TRUNCATED))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_subscription_get_dumpit() - tell of some more subscriptions
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_subscription_get_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb)
{
	struct subscription_dump *dump = dump_of(cb);
	int err = 0;

	while (!err && (dump->pending || next_subscription(dump, cb))) {
		err = put_entry(skb, cb, dump);
		dump->pending = err;
		cond_resched();
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_subscription_get_done() - end telling of subscriptions
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int kmqtt_nl_subscription_get_done(struct netlink_callback *cb)
{
	struct subscription_dump *dump = dump_of(cb);

	kmqtt_tree_walk_end(&dump->broker->tree, &dump->walk);
	kmqtt_session_put(dump->session);
	if (dump->all)
		kmqtt_store_walk_stop(&dump->sessions);
	kvfree(dump);
	return 0;
}
