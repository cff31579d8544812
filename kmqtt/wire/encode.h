/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_ENCODE_H
#define _KMQTT_WIRE_ENCODE_H

#include "property.h"

size_t kmqtt_varint_encode(u8 *p, u32 value);
size_t kmqtt_fixed_encode(u8 *p, u8 first, u32 remaining);
u8 kmqtt_connack_code(enum kmqtt_reason reason);
size_t kmqtt_connack_encode(u8 *p, u8 version, bool session_present,
			    enum kmqtt_reason reason,
			    const struct kmqtt_props *props);
size_t kmqtt_ack_encode(u8 *p, u8 type, u16 id, u8 reason,
			const struct kmqtt_props *props);
size_t kmqtt_reasoned_encode(u8 *p, u8 type, u8 reason,
			     const struct kmqtt_props *props);
size_t kmqtt_pingresp_encode(u8 *p);
size_t kmqtt_suback_head_encode(u8 *p, u8 type, u8 version, u16 id,
				u32 nr_codes);

/* Room that an answer with properties needs at most. */
static inline size_t kmqtt_answer_max(const struct kmqtt_props *props)
{
	return KMQTT_FIXED_HEADER_MAX + 3 + 4 + kmqtt_props_len(props);
}

/* Bytes of a SUBACK or UNSUBACK before its codes. */
#define KMQTT_SUBACK_HEAD_MAX	(KMQTT_FIXED_HEADER_MAX + 3)

#endif /* _KMQTT_WIRE_ENCODE_H */
