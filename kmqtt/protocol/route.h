/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_ROUTE_H
#define _KMQTT_PROTOCOL_ROUTE_H

#include "client.h"

int kmqtt_route_init(struct kmqtt_route *route);
void kmqtt_route_uninit(struct kmqtt_route *route);
int kmqtt_route(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		struct kmqtt_batch *batch, bool *good);
int kmqtt_route_find(struct kmqtt_broker *broker, struct kmqtt_msg *msg,
		     struct kmqtt_batch *batch);
u64 kmqtt_route_deliver(struct kmqtt_broker *broker, struct kmqtt_msg **msgs,
			u32 nr, struct kmqtt_batch *batch);
void kmqtt_publish_will(struct kmqtt_broker *broker, struct kmqtt_msg *will,
			struct kmqtt_batch *batch);

#endif /* _KMQTT_PROTOCOL_ROUTE_H */
