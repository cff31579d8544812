/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_DECODE_H
#define _KMQTT_WIRE_DECODE_H

#include "packet.h"

int kmqtt_fixed_decode(const u8 *p, size_t len, struct kmqtt_fixed *fixed);
bool kmqtt_flags_reserved(const struct kmqtt_fixed *fixed);
int kmqtt_connect_decode(const u8 *p, size_t len, struct kmqtt_connect *c,
			 enum kmqtt_reason *reason);
int kmqtt_publish_decode(const struct kmqtt_fixed *fixed, const u8 *p,
			 size_t len, struct kmqtt_publish *pub);
int kmqtt_ack_decode(const u8 *p, size_t len, u16 *id);
int kmqtt_subscribe_decode(const u8 *p, size_t len, struct kmqtt_subscribe *s);
int kmqtt_subscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter,
			 u8 *options);
int kmqtt_unsubscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter);

#endif /* _KMQTT_WIRE_DECODE_H */
