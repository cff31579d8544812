// SPDX-License-Identifier: GPL-2.0
/*
 * MQTT's side of a connection: its states, and what its end means for the
 * session.
 */
#include "client.h"

#include <linux/slab.h>
#include "../session/share.h"
#include "../trace.h"
#include "auth.h"
#include "event.h"
#include "login.h"
#include "proof.h"
#include "route.h"

static const bool allowed[KMQTT_CLIENT_STATES][KMQTT_CLIENT_STATES] = {
	[KMQTT_CLIENT_NEW] = {
		[KMQTT_CLIENT_AUTH] = true,
		[KMQTT_CLIENT_CHECK] = true,
		[KMQTT_CLIENT_ONLINE] = true,
		[KMQTT_CLIENT_CLOSING] = true,
	},
	[KMQTT_CLIENT_AUTH] = {
		[KMQTT_CLIENT_ONLINE] = true,
		[KMQTT_CLIENT_CLOSING] = true,
	},
	[KMQTT_CLIENT_CHECK] = {
		[KMQTT_CLIENT_ONLINE] = true,
		[KMQTT_CLIENT_CLOSING] = true,
	},
	[KMQTT_CLIENT_ONLINE] = {
		[KMQTT_CLIENT_CLOSING] = true,
	},
};

/**
 * kmqtt_client_init() - make a client
 * @client: the client
 * @broker: its broker
 * @port: what it came through; the connection keeps it
 * @ops: what its connection does for it
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM; kmqtt_client_uninit() is due in either case.
 */
int kmqtt_client_init(struct kmqtt_client *client, struct kmqtt_broker *broker,
		      struct kmqtt_port *port, const struct kmqtt_link_ops *ops)
{
	memset(client, 0, sizeof(*client));
	kmqtt_link_init(&client->link, ops);
	client->link.memory = &broker->memory;
	client->broker = broker;
	client->port = port;
	client->state = KMQTT_CLIENT_NEW;
	client->max_packet = KMQTT_PACKET_MAX;
	client->problem_info = true;
	kmqtt_aliases_init(&client->aliases, 0, 0);
	client->history = kzalloc(sizeof(*client->history), GFP_KERNEL);
	return client->history ? 0 : -ENOMEM;
}

/**
 * kmqtt_client_uninit() - free what a client holds
 * @client: a client that nobody has a reference to
 *
 * Context: any but hard interrupts.
 */
void kmqtt_client_uninit(struct kmqtt_client *client)
{
	kmqtt_session_put(client->session);
	kmqtt_aliases_uninit(&client->aliases, &client->broker->memory);
	if (client->proof) {
		kmqtt_auth_uninit(client);
		kmqtt_login_uninit(client);
		kmqtt_proof_destroy(client);
	}
	kfree(client->reference);
	kmqtt_author_put(client->author);
	kmqtt_identity_put(client->identity);
	kfree(client->history);
	kmqtt_link_uninit(&client->link);
}

/* The one place where the state changes. */
static bool set_state(struct kmqtt_client *client, u8 from, u8 to,
		      enum kmqtt_reason reason)
{
	if (WARN_ON_ONCE(!allowed[from][to]))
		return false;
	if (cmpxchg(&client->state, from, to) != from)
		return false;
	trace_kmqtt_client_state(client, from, to, reason);
	return true;
}

/**
 * kmqtt_client_set_state() - go on to another state
 * @client: the client
 * @from: the state it should be in
 * @to: the state it should get into
 *
 * Context: any.
 * Return: false if it was in another state.
 */
bool kmqtt_client_set_state(struct kmqtt_client *client,
			    enum kmqtt_client_state from,
			    enum kmqtt_client_state to)
{
	return set_state(client, from, to, KMQTT_REASON_SUCCESS);
}

/**
 * kmqtt_client_go_online() - the client has its session
 * @client: the client
 *
 * Context: the client's receive side.
 * Return: false if somebody has closed the connection meanwhile.
 */
bool kmqtt_client_go_online(struct kmqtt_client *client)
{
	return kmqtt_client_set_state(client, KMQTT_CLIENT_NEW,
				      KMQTT_CLIENT_ONLINE) ||
	       kmqtt_client_set_state(client, KMQTT_CLIENT_AUTH,
				      KMQTT_CLIENT_ONLINE) ||
	       kmqtt_client_set_state(client, KMQTT_CLIENT_CHECK,
				      KMQTT_CLIENT_ONLINE);
}

/**
 * kmqtt_client_closing() - no more packets
 * @client: the client
 * @reason: why
 *
 * Context: any.
 * Return: true for the one caller that has to see to the rest.
 */
bool kmqtt_client_closing(struct kmqtt_client *client, enum kmqtt_reason reason)
{
	if (!set_state(client, KMQTT_CLIENT_NEW, KMQTT_CLIENT_CLOSING,
		       reason) &&
	    !set_state(client, KMQTT_CLIENT_AUTH, KMQTT_CLIENT_CLOSING,
		       reason) &&
	    !set_state(client, KMQTT_CLIENT_CHECK, KMQTT_CLIENT_CLOSING,
		       reason) &&
	    !set_state(client, KMQTT_CLIENT_ONLINE, KMQTT_CLIENT_CLOSING,
		       reason))
		return false;
	WRITE_ONCE(client->reason, reason);
	return true;
}

/**
 * kmqtt_client_fail() - close a connection for what came in
 * @client: the client
 * @reason: why
 *
 * Context: the client's receive side.
 * Return: -ECONNABORTED, for handlers to pass on.
 */
int kmqtt_client_fail(struct kmqtt_client *client, enum kmqtt_reason reason)
{
	switch (reason) {
	case KMQTT_REASON_MALFORMED_PACKET:
	case KMQTT_REASON_PROTOCOL_ERROR:
	case KMQTT_REASON_PACKET_TOO_LARGE:
	case KMQTT_REASON_TOPIC_NAME_INVALID:
	case KMQTT_REASON_TOPIC_FILTER_INVALID:
	case KMQTT_REASON_TOPIC_ALIAS_INVALID:
	case KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED:
		kmqtt_stats_inc(client->broker, malformed);
		break;
	default:
		break;
	}
	trace_kmqtt_client_fail(client, reason);
	client->link.ops->close(&client->link, reason);
	return -ECONNABORTED;
}

/**
 * kmqtt_client_closed() - what the end of a connection means for its session
 * @client: a client that is KMQTT_CLIENT_CLOSING and receives nothing more
 * @batch: for publishing its will; may sleep
 *
 * Context: process, may sleep.
 */
void kmqtt_client_closed(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	struct kmqtt_msg *will;

	kmqtt_login_cancel(client);
	if (!client->session) {
		kmqtt_event_refused(client, client->reason);
		return;
	}
	kmqtt_stats_inc(client->broker, left);
	/* What a session that ends leaves behind is moved where it is reaped. */
	if (kmqtt_session_detach(client->session, &client->link, &will))
		kmqtt_share_move(client->session);
	if (will)
		kmqtt_publish_will(client->session, client->identity, will,
				   batch);
	kmqtt_event_client(client, KMQTT_CMD_DISCONNECT_NTF, false);
}

/**
 * kmqtt_client_admitted() - would a client be let in as it is now?
 * @client: the client, whose identity is known
 *
 * Context: the client's receive side, or the client is online.
 * Return: false if its user is gone or has other credentials, or clients like
 * it need to be users now.
 */
bool kmqtt_client_admitted(const struct kmqtt_client *client)
{
	struct kmqtt_str user = {
		.data = client->identity->user,
		.len = client->identity->user_len,
	};
	u64 stamp = client->proof ? READ_ONCE(client->proof->stamp) : 0;

	return kmqtt_port_admits(client->port, client->trust, &user, stamp);
}

/**
 * kmqtt_client_still_allowed() - would a client be let in once more?
 * @client: the client, with a reference
 *
 * For those who have changed users or terms, about each connection. One that
 * isn't online yet is allowed: it asks by itself when it is. Whoever of the two
 * comes second sees what the other has done.
 *
 * Context: any but hard interrupts.
 * Return: false if it has to go: its user is gone or has other credentials, or
 * clients like it need to be users now.
 */
bool kmqtt_client_still_allowed(const struct kmqtt_client *client)
{
	/* The changes come before the state; pairs with cmpxchg() there. */
	smp_mb();
	if (kmqtt_client_state(client) != KMQTT_CLIENT_ONLINE)
		return true;
	/* What the state stands for was written before it. */
	smp_rmb();
	return kmqtt_client_admitted(client);
}
