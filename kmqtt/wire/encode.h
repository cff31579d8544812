/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_ENCODE_H
#define _KMQTT_WIRE_ENCODE_H

#include "packet.h"

/* Bytes of a SUBACK before its return codes. */
#define KMQTT_SUBACK_HEAD_MAX	(KMQTT_FIXED_HEADER_MAX + 2)

size_t kmqtt_fixed_encode(u8 *p, u8 first, u32 remaining);
size_t kmqtt_connack_encode(u8 *p, u8 version, bool session_present,
			    enum kmqtt_reason reason);
size_t kmqtt_ack_encode(u8 *p, enum kmqtt_packet_type type, u16 id);
size_t kmqtt_pingresp_encode(u8 *p);
size_t kmqtt_suback_head_encode(u8 *p, u16 id, u32 nr_filters);

#endif /* _KMQTT_WIRE_ENCODE_H */
