/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_LOGIN_H
#define _KMQTT_PROTOCOL_LOGIN_H

#include "client.h"
#include "../wire/decode.h"

int kmqtt_login_connect(struct kmqtt_client *client,
			const struct kmqtt_packet *packet,
			struct kmqtt_batch *batch);
int kmqtt_login_conclude(struct kmqtt_client *client,
			 struct kmqtt_batch *batch);
void kmqtt_login_cancel(struct kmqtt_client *client);
void kmqtt_login_uninit(struct kmqtt_client *client);

#endif /* _KMQTT_PROTOCOL_LOGIN_H */
