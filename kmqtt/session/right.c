// SPDX-License-Identifier: GPL-2.0
/*
 * What the client of a session may do, also while it has no connection: it is
 * who it was when it had the last one.
 */
#include "right.h"

#include "../access/verdict.h"
#include "../trace.h"
#include "author.h"

/* Rules that softirq looks at for one decision; more are left to a thread. */
#define RULES_BH	1024

/**
 * kmqtt_right_reserved() - may nobody publish this, whatever rules say?
 * @topic: a valid topic name
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_right_reserved(const struct kmqtt_str *topic)
{
	static const char state[] = "$SYS/broker/connection/+/state";

	if (topic->data[0] != '$')
		return false;
	if (topic->len >= 6 && !memcmp(topic->data, "$share", 6))
		return true;
	/* The states of bridges are their own to tell. */
	return topic->len >= 4 && !memcmp(topic->data, "$SYS", 4) &&
	       !kmqtt_topic_matches(state, strlen(state), topic->data,
				    topic->len);
}

static int ask_rules(const struct kmqtt_ask *ask, struct kmqtt_batch *batch)
{
	u32 rules;
	int ret;

	/* Nobody has come with the session yet. */
	if (!ask->identity)
		return false;
	ret = kmqtt_verdict(batch ? batch->verdicts : NULL, ask,
			    batch && batch->bh ? RULES_BH : U32_MAX, &rules);
	if (batch)
		batch->work += DIV_ROUND_UP(rules, KMQTT_RULES_PER_WORK);
	return ret < 0 ? -EAGAIN : ret;
}

/**
 * kmqtt_session_may() - may the client of a session do this with a message?
 * @session: the session
 * @identity: who the client is
 * @msg: the message
 * @access: KMQTT_ACL_ACCESS_READ or KMQTT_ACL_ACCESS_WRITE
 * @batch: remembers decisions and counts the work; NULL in process context
 *
 * Context: under RCU, unless the caller has a reference to @identity.
 * Return: 1 if so, 0 if not, -EAGAIN if a thread is to ask.
 */
int kmqtt_session_may(const struct kmqtt_session *session,
		      const struct kmqtt_identity *identity,
		      const struct kmqtt_msg *msg, enum kmqtt_acl_access access,
		      struct kmqtt_batch *batch)
{
	struct kmqtt_ask ask = {
		.identity = identity,
		.origin = session->origin,
		.client_id.data = session->id,
		.client_id.len = session->id_len,
		.topic.data = kmqtt_msg_topic(msg),
		.topic.len = msg->topic_len,
		.access = access,
	};
	int ret = true;

	if (access == KMQTT_ACL_ACCESS_WRITE &&
	    kmqtt_right_reserved(&ask.topic)) {
		ret = false;
	} else if (kmqtt_access_scan_max(session->store->access)) {
		rcu_read_lock();
		ret = ask_rules(&ask, batch);
		rcu_read_unlock();
	}
	if (!ret)
		trace_kmqtt_deny(session, msg, access);
	return ret;
}

/**
 * kmqtt_session_ask_read() - kmqtt_session_may_read() where there are rules
 * @session: the session
 * @msg: the message
 * @batch: as in kmqtt_session_may()
 *
 * Context: under RCU.
 * Return: as kmqtt_session_may().
 */
int kmqtt_session_ask_read(const struct kmqtt_session *session,
			   const struct kmqtt_msg *msg,
			   struct kmqtt_batch *batch)
{
	return kmqtt_session_may(session, rcu_dereference(session->identity),
				 msg, KMQTT_ACL_ACCESS_READ, batch);
}

/* Did the rules that allowed something go with a listener? */
static bool rules_are_gone(const struct kmqtt_port *port)
{
	const struct kmqtt_realm *realm = rcu_dereference(port->realm);

	return READ_ONCE(port->closed) && realm && realm->acl;
}

/**
 * kmqtt_session_may_replay() - may a session's client get a retained message?
 * @session: the session
 * @msg: the message
 * @batch: as in kmqtt_session_may()
 *
 * It may if it may read it and whoever published it still may do that. There is
 * nobody left to change rules that went with a listener, so these allow nothing.
 * What has no author, as it came by netlink, is from the operator.
 *
 * Context: under RCU.
 * Return: as kmqtt_session_may().
 */
int kmqtt_session_may_replay(const struct kmqtt_session *session,
			     const struct kmqtt_msg *msg,
			     struct kmqtt_batch *batch)
{
	const struct kmqtt_store *store = session->store;
	int ret = kmqtt_session_may_read(session, msg, batch);
	struct kmqtt_ask ask;

	if (ret <= 0 || !msg->author || !READ_ONCE(store->check_retain_source))
		return ret;
	ask = kmqtt_author_ask(msg);
	if (rules_are_gone(ask.identity->port))
		ret = false;
	else if (kmqtt_access_scan_max(store->access))
		ret = ask_rules(&ask, batch);
	if (!ret)
		trace_kmqtt_deny(session, msg, KMQTT_ACL_ACCESS_WRITE);
	return ret;
}
