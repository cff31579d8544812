/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_CONNECT_H
#define _KMQTT_PROTOCOL_CONNECT_H

#include "client.h"
#include "../wire/decode.h"

int kmqtt_connect_refuse(struct kmqtt_client *client, enum kmqtt_reason reason,
			 struct kmqtt_batch *batch);
int kmqtt_connect_accept(struct kmqtt_client *client, struct kmqtt_connect *c,
			 const struct kmqtt_props *proof,
			 struct kmqtt_batch *batch);
int kmqtt_connect_packet(struct kmqtt_client *client,
			 const struct kmqtt_packet *packet,
			 struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_CONNECT_H */
