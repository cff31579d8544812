/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_SESSION_H
#define _KMQTT_SESSION_SESSION_H

#include <linux/timer.h>
#include <linux/xarray.h>
#include "link.h"
#include "outbox.h"
#include "../access/identity.h"
#include "../rate.h"
#include "../topic/retained.h"

struct kmqtt_store;

/* Session expiry of sessions that stay for good (MQTT 5, 3.1.2.11.2). */
#define KMQTT_EXPIRY_NEVER	U32_MAX

/**
 * enum kmqtt_session_flags - bits of @flags in struct kmqtt_session
 * @KMQTT_SESSION_DUE: on the store's list of due sessions, which holds a
 *	reference
 */
enum kmqtt_session_flags {
	KMQTT_SESSION_DUE,
};

/**
 * struct kmqtt_session - what the broker keeps of a client
 * @hash: in the store's table, keyed by @id
 * @ref: the store's, its connection's, its running timer's, passing users'
 * @id_len: bytes of @id, constant
 * @rcu: matches may stand on @subscriber while the session is freed
 * @store: constant
 * @origin: stands for @id in messages that the client publishes; constant
 * @subscriber: its subscriptions; under the tree's lock
 * @reap: entry of the store's list of ended sessions
 * @due: entry of the store's list of due sessions
 * @timer: makes the session due
 * @flags: enum kmqtt_session_flags, atomic
 * @drop_rate: events of dropped messages, atomic
 * @lock: guards all below but @id; taken with softirqs off
 * @nr_received: how many are in @received
 * @link: its connection, or NULL; set and cleared by kmqtt_session_attach()
 *	and kmqtt_session_detach() only
 * @dead: ended; takes no message and no connection
 * @version: protocol level of the last connection
 * @receive_max: messages that the client takes before it acknowledges one
 * @max_packet: bytes of a packet that the client takes
 * @expiry: seconds that it survives its connection, or KMQTT_EXPIRY_NEVER
 * @will_delay: seconds from the end of the connection to @will
 * @expires: kmqtt_msg_now() when it ends if it has no connection by then
 * @will_due: kmqtt_msg_now() when @will is published if it has no connection
 * @outbox: messages to the client
 * @received: identifiers of QoS 2 messages from the client that wait for
 *	PUBREL
 * @identity: who the client was at its last connection, or NULL before the
 *	first; holds a reference; read under RCU
 * @will: published when the connection is lost, or NULL; holds a reference
 * @replays: retained messages that the client is still to get
 * @dropped: messages that a limit has kept out of @outbox
 * @disconnected: when the last connection ended, in seconds since boot
 * @id: client identifier, constant
 */
struct kmqtt_session {
	struct rhash_head hash;
	struct kref ref;
	u16 id_len;
	struct rcu_head rcu;
	struct kmqtt_store *store;
	u64 origin;
	struct kmqtt_subscriber subscriber;
	struct llist_node reap;
	struct llist_node due;
	struct timer_list timer;
	unsigned long flags;
	struct kmqtt_rate drop_rate;

	spinlock_t lock;		/* all below but the identifier */
	u32 nr_received;
	struct kmqtt_link *link;
	bool dead;
	u8 version;
	u16 receive_max;
	u32 max_packet;
	u32 expiry;
	u32 will_delay;
	u64 expires;
	u64 will_due;
	struct kmqtt_outbox outbox;
	struct xarray received;
	struct kmqtt_identity __rcu *identity;
	struct kmqtt_msg *will;
	struct list_head replays;
	u64 dropped;
	time64_t disconnected;

	u8 id[];
};

/**
 * struct kmqtt_attach - a connection for a session, and its terms
 * @link: the connection
 * @will: what to publish when @link is lost, or NULL; its reference moves to
 *	the session on success
 * @identity: who the client is; its reference moves to the session on success,
 *	in exchange for that of who it was before, or NULL
 * @will_delay: how many seconds after that
 * @expiry: seconds that the session survives @link, or KMQTT_EXPIRY_NEVER
 * @max_packet: bytes of a packet that the client takes
 * @receive_max: messages that it takes before it acknowledges one
 * @version: its protocol level
 */
struct kmqtt_attach {
	struct kmqtt_link *link;
	struct kmqtt_msg *will;
	struct kmqtt_identity *identity;
	u32 will_delay;
	u32 expiry;
	u32 max_packet;
	u16 receive_max;
	u8 version;
};

/* What became of a message that was offered to a session. */
enum kmqtt_delivered {
	KMQTT_DELIVERED_QUEUED,
	KMQTT_DELIVERED_OFFLINE,	/* QoS 0 and no connection */
	KMQTT_DELIVERED_DENIED,		/* not for this client */
	KMQTT_DELIVERED_FULL,		/* a limit was reached */
	KMQTT_DELIVERED_NOMEM,
	KMQTT_DELIVERED_DEAD,
};

struct kmqtt_session *kmqtt_session_create(struct kmqtt_store *store,
					   const struct kmqtt_str *id,
					   gfp_t gfp);
void kmqtt_session_put(struct kmqtt_session *session);
int kmqtt_session_attach(struct kmqtt_session *session,
			 struct kmqtt_attach *attach,
			 struct kmqtt_msg **old_will);
struct kmqtt_identity *kmqtt_session_identity(struct kmqtt_session *session);
bool kmqtt_session_detach(struct kmqtt_session *session,
			  struct kmqtt_link *link, struct kmqtt_msg **will);
void kmqtt_session_purge(struct kmqtt_session *session);
void kmqtt_session_goodbye(struct kmqtt_session *session,
			   struct kmqtt_link *link, bool drop_will,
			   const u32 *expiry);
bool kmqtt_session_kick(struct kmqtt_session *session,
			enum kmqtt_reason reason);
u32 kmqtt_session_deliver_run(struct kmqtt_session *session,
			      struct kmqtt_offer *offer,
			      struct kmqtt_msg **msgs, u32 nr,
			      struct kmqtt_batch *batch,
			      enum kmqtt_delivered *what);
enum kmqtt_delivered kmqtt_session_deliver(struct kmqtt_session *session,
					   struct kmqtt_offer *offer,
					   struct kmqtt_batch *batch);
int kmqtt_session_receive(struct kmqtt_session *session, u16 id);
bool kmqtt_session_received(struct kmqtt_session *session, u16 id);
bool kmqtt_session_release(struct kmqtt_session *session, u16 id);
void kmqtt_session_replay(struct kmqtt_session *session,
			  struct kmqtt_replay *replay);
void kmqtt_session_drop_replay(struct kmqtt_session *session,
			       const u8 *filter, u16 len);
bool kmqtt_session_refill(struct kmqtt_session *session,
			  struct kmqtt_batch *batch, u32 *denied);

#endif /* _KMQTT_SESSION_SESSION_H */
