/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_SESSION_H
#define _KMQTT_SESSION_SESSION_H

#include <linux/xarray.h>
#include "link.h"
#include "outbox.h"
#include "../rate.h"
#include "../topic/retained.h"
#include "../topic/tree.h"

struct kmqtt_store;

/**
 * struct kmqtt_session - what the broker keeps of a client
 * @hash: in the store's table, keyed by @id
 * @ref: the store's, its connection's, and passing users'
 * @rcu: matches may stand on @subscriber while the session is freed
 * @store: constant
 * @subscriber: its subscriptions; under the tree's lock
 * @reap: entry of the store's list of ended sessions
 * @drop_rate: events of dropped messages, atomic
 * @lock: guards all below but @id; taken with softirqs off
 * @link: its connection, or NULL; set and cleared by kmqtt_session_attach()
 *	and kmqtt_session_detach() only
 * @dead: ended; takes no message and no connection
 * @persistent: survives its connection
 * @version: protocol level of the last connection
 * @outbox: messages to the client
 * @received: identifiers of QoS 2 messages from the client that wait for
 *	PUBREL
 * @nr_received: how many
 * @will: published when the connection is lost, or NULL; holds a reference
 * @replays: retained messages that the client is still to get
 * @dropped: messages that a limit has kept out of @outbox
 * @disconnected: when the last connection ended, in seconds since boot
 * @id_len: bytes of @id, constant
 * @id: client identifier, constant
 */
struct kmqtt_session {
	struct rhash_head hash;
	struct kref ref;
	struct rcu_head rcu;
	struct kmqtt_store *store;
	struct kmqtt_subscriber subscriber;
	struct llist_node reap;
	struct kmqtt_rate drop_rate;

	spinlock_t lock;		/* all below but the identifier */
	struct kmqtt_link *link;
	bool dead;
	bool persistent;
	u8 version;
	struct kmqtt_outbox outbox;
	struct xarray received;
	u32 nr_received;
	struct kmqtt_msg *will;
	struct list_head replays;
	u64 dropped;
	time64_t disconnected;

	u16 id_len;
	u8 id[];
};

/* What became of a message that was offered to a session. */
enum kmqtt_delivered {
	KMQTT_DELIVERED_QUEUED,
	KMQTT_DELIVERED_OFFLINE,	/* QoS 0 and no connection */
	KMQTT_DELIVERED_FULL,		/* a limit was reached */
	KMQTT_DELIVERED_NOMEM,
	KMQTT_DELIVERED_DEAD,
};

struct kmqtt_session *kmqtt_session_create(struct kmqtt_store *store,
					   const struct kmqtt_str *id,
					   gfp_t gfp);
void kmqtt_session_put(struct kmqtt_session *session);
int kmqtt_session_attach(struct kmqtt_session *session,
			 struct kmqtt_link *link, struct kmqtt_msg *will,
			 bool persistent, u8 version,
			 struct kmqtt_msg **old_will);
bool kmqtt_session_detach(struct kmqtt_session *session,
			  struct kmqtt_link *link, struct kmqtt_msg **will);
void kmqtt_session_purge(struct kmqtt_session *session);
bool kmqtt_session_drop_will(struct kmqtt_session *session,
			     struct kmqtt_link *link);
bool kmqtt_session_kick(struct kmqtt_session *session,
			enum kmqtt_reason reason);
enum kmqtt_delivered kmqtt_session_deliver(struct kmqtt_session *session,
					   struct kmqtt_msg *msg, u8 qos,
					   bool retain,
					   struct kmqtt_batch *batch);
int kmqtt_session_receive(struct kmqtt_session *session, u16 id);
bool kmqtt_session_received(struct kmqtt_session *session, u16 id);
void kmqtt_session_release(struct kmqtt_session *session, u16 id);
void kmqtt_session_replay(struct kmqtt_session *session,
			  struct kmqtt_replay *replay);
bool kmqtt_session_refill(struct kmqtt_session *session);

#endif /* _KMQTT_SESSION_SESSION_H */
