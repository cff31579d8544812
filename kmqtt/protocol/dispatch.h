/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_DISPATCH_H
#define _KMQTT_PROTOCOL_DISPATCH_H

#include "client.h"

int kmqtt_dispatch_fail(struct kmqtt_client *client, enum kmqtt_reason reason,
			const u8 *data, u32 len, struct kmqtt_batch *batch);
int kmqtt_dispatch_check(struct kmqtt_client *client,
			 const struct kmqtt_fixed *fixed, const u8 *data,
			 u32 len, struct kmqtt_batch *batch);
int kmqtt_dispatch(struct kmqtt_client *client,
		   const struct kmqtt_packet *packet,
		   struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_DISPATCH_H */
