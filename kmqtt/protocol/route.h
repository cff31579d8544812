/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_ROUTE_H
#define _KMQTT_PROTOCOL_ROUTE_H

#include "client.h"

/* Nodes to visit, or members to ask, that are as much work as a delivery. */
#define KMQTT_STEPS_PER_WORK	8

int kmqtt_route_init(struct kmqtt_route *route);
void kmqtt_route_uninit(struct kmqtt_route *route);
int kmqtt_route(struct kmqtt_broker *broker, const struct kmqtt_session *from,
		struct kmqtt_msg *msg, struct kmqtt_batch *batch, bool *good);
int kmqtt_route_find(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		     struct kmqtt_batch *batch);
u64 kmqtt_route_deliver(struct kmqtt_broker *broker,
			const struct kmqtt_session *from,
			struct kmqtt_msg **msgs, u32 nr, bool stop,
			struct kmqtt_batch *batch);
void kmqtt_publish_will(struct kmqtt_session *session,
			struct kmqtt_identity *identity,
			struct kmqtt_msg *will, struct kmqtt_batch *batch);
void kmqtt_publish_last_will(struct kmqtt_session *session,
			     struct kmqtt_msg *will, struct kmqtt_batch *batch);

/**
 * kmqtt_route_work() - what it takes to deliver a message
 * @route: where to
 *
 * Context: any.
 * Return: in deliveries, as @work of struct kmqtt_batch.
 */
static inline u32 kmqtt_route_work(const struct kmqtt_route *route)
{
	return 1 + route->nr + route->members / KMQTT_STEPS_PER_WORK;
}

#endif /* _KMQTT_PROTOCOL_ROUTE_H */
