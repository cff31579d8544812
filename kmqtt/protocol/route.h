/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_ROUTE_H
#define _KMQTT_PROTOCOL_ROUTE_H

#include "client.h"

/* Messages of a run. */
#define KMQTT_RUN_MAX	64

/**
 * struct kmqtt_run - messages in a row that go the same way
 * @broker: whose
 * @nr: how many
 * @msgs: of one publisher, topic and QoS; hold references
 * @ids: packet identifiers of the publisher, 0 with QoS 0
 *
 * Where they go is what the route of the batch says, for as long as there are
 * any.
 */
struct kmqtt_run {
	struct kmqtt_broker *broker;
	u32 nr;
	struct kmqtt_msg *msgs[KMQTT_RUN_MAX];
	u16 ids[KMQTT_RUN_MAX];
};

int kmqtt_route_init(struct kmqtt_route *route);
void kmqtt_route_uninit(struct kmqtt_route *route);
int kmqtt_route(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		struct kmqtt_batch *batch, bool *good);
int kmqtt_route_begin_run(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
			  u16 id, struct kmqtt_batch *batch);
void kmqtt_route_run(struct kmqtt_msg *msg, u16 id, struct kmqtt_batch *batch);
u64 kmqtt_route_end_run(struct kmqtt_batch *batch);
void kmqtt_publish_will(struct kmqtt_broker *broker, struct kmqtt_msg *will,
			struct kmqtt_batch *batch);

/**
 * kmqtt_route_running() - is there a run that has not ended?
 * @batch: the batch
 *
 * Context: as the batch.
 * Return: its first message, or NULL.
 */
static inline const struct kmqtt_msg *
kmqtt_route_running(const struct kmqtt_batch *batch)
{
	return batch->run->nr ? batch->run->msgs[0] : NULL;
}

#endif /* _KMQTT_PROTOCOL_ROUTE_H */
