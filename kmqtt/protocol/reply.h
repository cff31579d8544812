/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_REPLY_H
#define _KMQTT_PROTOCOL_REPLY_H

#include "client.h"
#include "../wire/property.h"

int kmqtt_reply_send(struct kmqtt_client *client, const u8 *packet, u32 len,
		     struct kmqtt_batch *batch);
int kmqtt_reply_ack(struct kmqtt_client *client, enum kmqtt_packet_type type,
		    u16 id, enum kmqtt_reason reason,
		    struct kmqtt_batch *batch);
void kmqtt_reply_disconnect(struct kmqtt_client *client);
void kmqtt_reason_string(struct kmqtt_props *props, enum kmqtt_reason reason);

#endif /* _KMQTT_PROTOCOL_REPLY_H */
