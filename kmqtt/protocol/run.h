/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_RUN_H
#define _KMQTT_PROTOCOL_RUN_H

#include "publish.h"

/* Messages of a run; a bit for each of them fits in 64. */
#define KMQTT_RUN_MAX	64

/**
 * struct kmqtt_run - PUBLISH packets in a row that go the same way
 * @nr: how many
 * @max_payload: bytes of a payload, as it was when it began
 * @msgs: their messages, of one topic and QoS; hold references
 * @ids: their packet identifiers, 0 with QoS 0
 *
 * Where they go is what the route of the batch says, for as long as there are
 * any.
 */
struct kmqtt_run {
	u32 nr;
	u32 max_payload;
	struct kmqtt_msg *msgs[KMQTT_RUN_MAX];
	u16 ids[KMQTT_RUN_MAX];
};

int kmqtt_run_begin(struct kmqtt_client *client, struct kmqtt_incoming *in,
		    struct kmqtt_batch *batch);
int kmqtt_run_packet(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet,
		     struct kmqtt_batch *batch);
int kmqtt_run_end(struct kmqtt_client *client, struct kmqtt_batch *batch);

/**
 * kmqtt_run_allowed() - may others follow this message on its way?
 * @client: the publisher
 * @msg: the message
 * @batch: the batch
 *
 * Context: the client's receive side.
 * Return: true if so.
 */
static inline bool kmqtt_run_allowed(const struct kmqtt_client *client,
				     const struct kmqtt_msg *msg,
				     const struct kmqtt_batch *batch)
{
	return batch->bh && !msg->retain && msg->qos <= KMQTT_QOS1 &&
	       client->max_packet >= KMQTT_ACK_MAX;
}

#endif /* _KMQTT_PROTOCOL_RUN_H */
