// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions.
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "../net/conn.h"
#include "../net/pass.h"
#include "genl.h"
#include "reply.h"

/**
 * struct session_dump - where a dump of sessions stands
 * @walk: over the table
 * @next: the session that did not fit, with a reference, or NULL
 */
struct session_dump {
	struct rhashtable_iter walk;
	struct kmqtt_session *next;
};

/* What a session's lock guards, taken at once. */
struct session_state {
	bool connected;
	u32 expiry;
	u32 left;
	u32 disconnected;
	u32 queued;
	u64 bytes;
	u32 inflight;
	u32 unreleased;
	u64 dropped;
};

/* Until a time of kmqtt_msg_now(). */
static u32 seconds_left(u64 until)
{
	u64 now = kmqtt_msg_now();

	if (until == U64_MAX)
		return KMQTT_EXPIRY_NEVER;
	return until > now ? div_u64(until - now, MSEC_PER_SEC) : 0;
}

static void read_state(struct kmqtt_session *session,
		       struct session_state *state)
{
	time64_t now = ktime_get_seconds();

	spin_lock_bh(&session->lock);
	state->connected = session->link;
	state->expiry = session->expiry;
	state->left = session->link ? 0 : seconds_left(session->expires);
	state->disconnected = max(now - session->disconnected, (time64_t)0);
	state->queued = kmqtt_outbox_queued(&session->outbox);
	state->bytes = session->outbox.bytes;
	state->inflight = session->outbox.inflight;
	state->unreleased = session->nr_received;
	state->dropped = session->dropped;
	spin_unlock_bh(&session->lock);
}

static int put_session(struct sk_buff *skb, struct kmqtt_session *session)
{
	struct session_state state;

	read_state(session, &state);
	if (nla_put(skb, KMQTT_A_SESSION_CLIENT_ID, session->id_len,
		    session->id) ||
	    nla_put_u8(skb, KMQTT_A_SESSION_CONNECTED, state.connected) ||
	    nla_put_u8(skb, KMQTT_A_SESSION_CLEAN, !state.expiry) ||
	    nla_put_u32(skb, KMQTT_A_SESSION_EXPIRY, state.expiry))
		return -EMSGSIZE;
	if (!state.connected &&
	    (nla_put_u32(skb, KMQTT_A_SESSION_DISCONNECTED,
			 state.disconnected) ||
	     nla_put_u32(skb, KMQTT_A_SESSION_EXPIRES_IN, state.left)))
		return -EMSGSIZE;
	if (nla_put_u32(skb, KMQTT_A_SESSION_SUBSCRIPTIONS,
			kmqtt_tree_count(session->store->tree,
					 &session->subscriber)) ||
	    nla_put_u32(skb, KMQTT_A_SESSION_QUEUED_MESSAGES, state.queued) ||
	    nla_put_uint(skb, KMQTT_A_SESSION_QUEUED_BYTES, state.bytes) ||
	    nla_put_u32(skb, KMQTT_A_SESSION_INFLIGHT, state.inflight) ||
	    nla_put_u32(skb, KMQTT_A_SESSION_UNRELEASED, state.unreleased) ||
	    nla_put_uint(skb, KMQTT_A_SESSION_DROPPED, state.dropped))
		return -EMSGSIZE;
	return 0;
}

/**
 * kmqtt_nl_session_get_doit() - tell of a session
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_session *session;
	struct sk_buff *reply;
	int err = -ENOMEM;
	void *hdr;

	session = kmqtt_nl_session(info, KMQTT_A_SESSION_CLIENT_ID);
	if (IS_ERR(session))
		return PTR_ERR(session);
	reply = kmqtt_nl_reply(info, &hdr);
	if (reply)
		err = put_session(reply, session);
	kmqtt_session_put(session);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}

/**
 * kmqtt_nl_session_get_start() - begin to tell of all sessions
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_nl_session_get_start(struct netlink_callback *cb)
{
	struct session_dump **ctx = (struct session_dump **)cb->ctx;
	struct session_dump *dump;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump)
		return -ENOMEM;
	kmqtt_store_walk_start(&kmqtt_nl_dump_broker(cb)->store, &dump->walk);
	*ctx = dump;
	cb->seq = 1;
	return 0;
}

static int put_entry(struct sk_buff *skb, struct netlink_callback *cb,
		     struct kmqtt_session *session)
{
	void *hdr;

	hdr = kmqtt_nl_entry(skb, cb, KMQTT_CMD_SESSION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (put_session(skb, session)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * kmqtt_nl_session_get_dumpit() - tell of some more sessions
 * @skb: where to
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: as dump handlers do.
 */
int kmqtt_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct session_dump *dump = *(struct session_dump **)cb->ctx;
	bool again = false;
	int err = 0;

	while (!err) {
		if (!dump->next)
			dump->next = kmqtt_store_walk_next(&dump->walk, &again);
		if (!dump->next)
			break;
		cb->seq += again;
		again = false;
		err = put_entry(skb, cb, dump->next);
		if (!err) {
			kmqtt_session_put(dump->next);
			dump->next = NULL;
		}
		cond_resched();
	}
	return kmqtt_nl_dumped(skb, err);
}

/**
 * kmqtt_nl_session_get_done() - end telling of sessions
 * @cb: the dump
 *
 * Context: process, may sleep.
 * Return: 0.
 */
int kmqtt_nl_session_get_done(struct netlink_callback *cb)
{
	struct session_dump *dump = *(struct session_dump **)cb->ctx;

	kmqtt_session_put(dump->next);
	kmqtt_store_walk_stop(&dump->walk);
	kfree(dump);
	return 0;
}

/**
 * kmqtt_nl_session_del_doit() - end a session
 * @skb: the request
 * @info: the request
 *
 * Its client, if connected, did not say good-bye, so the will is published.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_session *session;
	struct kmqtt_msg *will = NULL;
	int err;

	session = kmqtt_nl_session(info, KMQTT_A_SESSION_CLIENT_ID);
	if (IS_ERR(session))
		return PTR_ERR(session);
	err = kmqtt_store_end(session, KMQTT_REASON_ADMINISTRATIVE_ACTION,
			      &will);
	if (will)
		kmqtt_pass_publish_last_will(session, will);
	kmqtt_session_put(session);
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_SESSION_CLIENT_ID],
				    "the session has ended already");
		return -ENOENT;
	}
	return 0;
}
