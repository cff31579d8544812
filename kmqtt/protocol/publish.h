/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_PUBLISH_H
#define _KMQTT_PROTOCOL_PUBLISH_H

#include "client.h"

/**
 * struct kmqtt_incoming - a PUBLISH that is being received
 * @msg: the message that the payload goes into; NULL if there is none
 * @id: packet identifier, 0 with QoS 0
 * @is_text: the payload is said to be UTF-8
 */
struct kmqtt_incoming {
	struct kmqtt_msg *msg;
	u16 id;
	bool is_text;
};

int kmqtt_publish_begin(struct kmqtt_client *client,
			const struct kmqtt_fixed *fixed, const u8 *data,
			size_t len, struct kmqtt_incoming *in,
			struct kmqtt_batch *batch, u32 *head_len);
int kmqtt_publish_finish(struct kmqtt_client *client,
			 struct kmqtt_incoming *in, struct kmqtt_batch *batch);
void kmqtt_publish_abort(struct kmqtt_incoming *in);
int kmqtt_publish_unaccepted(struct kmqtt_client *client, u8 qos,
			     enum kmqtt_reason *reason);
int kmqtt_publish_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_PUBLISH_H */
