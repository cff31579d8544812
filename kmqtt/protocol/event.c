// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to clients, for whoever listens. Nothing waits for listeners.
 */
#include "event.h"

#include <linux/printk.h>
#include "../trace.h"

/* Events of refused connections in a second; more than that share them. */
#define REFUSED_BURST	50

ATOMIC_NOTIFIER_HEAD(kmqtt_events);

/* What clients do is logged only if an operator has dynamic debug do so. */
static void log_client(const struct kmqtt_client *client, unsigned long what)
{
	const struct kmqtt_session *session = client->session;

	if (what == KMQTT_CMD_CONNECT_NTF)
		pr_debug("client %llu (%*pE) connected from %pI6c\n",
			 client->id, session->id_len, session->id,
			 &client->peer);
	else if (what == KMQTT_CMD_BAN_NTF)
		pr_debug("client %llu (%*pE) banned\n", client->id,
			 session->id_len, session->id);
	else
		pr_debug("client %llu (%*pE) disconnected: reason %#x\n",
			 client->id, session->id_len, session->id,
			 READ_ONCE(client->reason));
}

/**
 * kmqtt_event_client() - tell of a client that came or went, or is banned
 * @client: the client
 * @what: KMQTT_CMD_CONNECT_NTF, KMQTT_CMD_DISCONNECT_NTF or KMQTT_CMD_BAN_NTF
 * @session_present: its session existed already
 *
 * Context: any but hard interrupts.
 */
void kmqtt_event_client(struct kmqtt_client *client, unsigned long what,
			bool session_present)
{
	struct kmqtt_event event = {
		.broker = client->broker,
		.client = client,
		.session = client->session,
		.reason = READ_ONCE(client->reason),
		.session_present = session_present,
	};

	log_client(client, what);
	atomic_notifier_call_chain(&kmqtt_events, what, &event);
}

/**
 * kmqtt_event_refused() - tell of a connection that never got a session
 * @client: the client
 * @reason: why, maybe just that it went away
 *
 * When there are many, some of them share an event.
 *
 * Context: any but hard interrupts.
 */
void kmqtt_event_refused(struct kmqtt_client *client, enum kmqtt_reason reason)
{
	struct kmqtt_event event = {
		.broker = client->broker,
		.client = client,
		.reason = reason,
	};

	kmqtt_stats_inc(client->broker, refused);
	trace_kmqtt_refused(client, reason);
	if (reason == KMQTT_REASON_BANNED)
		kmqtt_stats_inc(client->broker, banned);
	event.count = kmqtt_rate_event(&client->broker->refused_rate,
				       REFUSED_BURST);
	if (!event.count)
		return;
	pr_debug("client %llu from %pI6c refused: reason %#x (%u)\n",
		 client->id, &client->peer, reason, event.count);
	atomic_notifier_call_chain(&kmqtt_events, KMQTT_CMD_REFUSED_NTF,
				   &event);
}

/**
 * kmqtt_event_dropped() - tell of a message that was dropped
 * @broker: the broker
 * @session: the session that does not get it, or NULL
 * @drop: why
 *
 * Listeners hear of it once a second for each session, so that a flood of
 * losses is no flood of events.
 *
 * Context: any but hard interrupts.
 */
void kmqtt_event_dropped(struct kmqtt_broker *broker,
			 struct kmqtt_session *session, enum kmqtt_drop drop)
{
	struct kmqtt_event event = {
		.broker = broker,
		.session = session,
		.drop = drop,
	};
	struct kmqtt_rate *rate = session ? &session->drop_rate :
					    &broker->drop_rates[drop];

	kmqtt_stats_inc(broker, dropped[drop]);
	trace_kmqtt_drop(broker, session, drop);
	event.count = kmqtt_rate_event(rate, 1);
	if (!event.count)
		return;
	pr_debug("%u dropped to %*pE: reason %d\n", event.count,
		 session ? session->id_len : 0, session ? session->id : NULL,
		 drop);
	atomic_notifier_call_chain(&kmqtt_events, KMQTT_CMD_DROPPED_NTF,
				   &event);
}
