/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_RIGHT_H
#define _KMQTT_SESSION_RIGHT_H

#include "store.h"

/* Rules to look at that are as much work as a delivery. */
#define KMQTT_RULES_PER_WORK	8

bool kmqtt_right_reserved(const struct kmqtt_str *topic);
int kmqtt_session_may(const struct kmqtt_session *session,
		      const struct kmqtt_identity *identity,
		      const struct kmqtt_msg *msg, enum kmqtt_acl_access access,
		      struct kmqtt_batch *batch);
int kmqtt_session_ask_read(const struct kmqtt_session *session,
			   const struct kmqtt_msg *msg,
			   struct kmqtt_batch *batch);
int kmqtt_session_may_replay(const struct kmqtt_session *session,
			     const struct kmqtt_msg *msg,
			     struct kmqtt_batch *batch);

/**
 * kmqtt_session_may_read() - may a session's client get a message?
 * @session: the session
 * @msg: the message
 * @batch: as in kmqtt_session_may()
 *
 * Context: under RCU.
 * Return: as kmqtt_session_may().
 */
static inline int kmqtt_session_may_read(const struct kmqtt_session *session,
					 const struct kmqtt_msg *msg,
					 struct kmqtt_batch *batch)
{
	if (!kmqtt_access_scan_max(session->store->access))
		return true;
	return kmqtt_session_ask_read(session, msg, batch);
}

/**
 * kmqtt_session_may_write() - may a client publish a message?
 * @session: its session
 * @identity: who it is; the caller has a reference
 * @msg: the message
 * @batch: as in kmqtt_session_may()
 *
 * Context: as @batch says.
 * Return: as kmqtt_session_may().
 */
static inline int
kmqtt_session_may_write(const struct kmqtt_session *session,
			const struct kmqtt_identity *identity,
			const struct kmqtt_msg *msg, struct kmqtt_batch *batch)
{
	if (*kmqtt_msg_topic(msg) != '$' &&
	    !kmqtt_access_scan_max(session->store->access))
		return true;
	return kmqtt_session_may(session, identity, msg, KMQTT_ACL_ACCESS_WRITE,
				 batch);
}

#endif /* _KMQTT_SESSION_RIGHT_H */
