/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_SUBSCRIBE_H
#define _KMQTT_PROTOCOL_SUBSCRIBE_H

#include "client.h"

int kmqtt_subscribe_packet(struct kmqtt_client *client,
			   const struct kmqtt_packet *packet,
			   struct kmqtt_batch *batch);
int kmqtt_unsubscribe_packet(struct kmqtt_client *client,
			     const struct kmqtt_packet *packet,
			     struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_SUBSCRIBE_H */
