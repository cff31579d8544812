/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_DISCONNECT_H
#define _KMQTT_PROTOCOL_DISCONNECT_H

#include "client.h"

int kmqtt_disconnect_packet(struct kmqtt_client *client,
			    const struct kmqtt_packet *packet,
			    struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_DISCONNECT_H */
