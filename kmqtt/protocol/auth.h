/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_AUTH_H
#define _KMQTT_PROTOCOL_AUTH_H

#include "client.h"
#include "../wire/decode.h"

int kmqtt_auth_connect(struct kmqtt_client *client,
		       const struct kmqtt_packet *packet,
		       const struct kmqtt_connect *c,
		       struct kmqtt_batch *batch);
int kmqtt_auth_packet(struct kmqtt_client *client,
		      const struct kmqtt_packet *packet,
		      struct kmqtt_batch *batch);
void kmqtt_auth_decided(const struct kmqtt_client *client,
			enum kmqtt_reason reason);
void kmqtt_auth_uninit(struct kmqtt_client *client);

#endif /* _KMQTT_PROTOCOL_AUTH_H */
