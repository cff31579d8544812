/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_EVENT_H
#define _KMQTT_PROTOCOL_EVENT_H

#include <linux/notifier.h>
#include "client.h"

/**
 * struct kmqtt_event - something an operator may want to know
 * @broker: where
 * @client: whose connection, or NULL
 * @session: whose session, or NULL
 * @reason: why, where there is a why
 * @drop: why, of KMQTT_CMD_DROPPED_NTF
 * @count: connections refused or messages dropped that it stands for
 * @session_present: of KMQTT_CMD_CONNECT_NTF
 */
struct kmqtt_event {
	struct kmqtt_broker *broker;
	struct kmqtt_client *client;
	struct kmqtt_session *session;
	enum kmqtt_reason reason;
	enum kmqtt_drop drop;
	u32 count;
	bool session_present;
};

/* Called with KMQTT_CMD_*_NTF and a struct kmqtt_event, under RCU. */
extern struct atomic_notifier_head kmqtt_events;

void kmqtt_event_client(struct kmqtt_client *client, unsigned long what,
			bool session_present);
void kmqtt_event_refused(struct kmqtt_client *client,
			 enum kmqtt_reason reason);
void kmqtt_event_dropped(struct kmqtt_broker *broker,
			 struct kmqtt_session *session, enum kmqtt_drop drop);

#endif /* _KMQTT_PROTOCOL_EVENT_H */
