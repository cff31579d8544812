// SPDX-License-Identifier: GPL-2.0
/*
 * Structs to bytes. The caller owns a buffer that is large enough: each
 * function says how much it may write.
 */
#include "encode.h"

#include <linux/unaligned.h>

/**
 * kmqtt_fixed_encode() - write a fixed header
 * @p: room for KMQTT_FIXED_HEADER_MAX bytes
 * @first: first byte: type in the high, flags in the low four bits
 * @remaining: at most KMQTT_REMAINING_MAX
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_fixed_encode(u8 *p, u8 first, u32 remaining)
{
	u8 *start = p;

	*p++ = first;
	while (remaining > 0x7f) {
		*p++ = remaining | 0x80;
		remaining >>= 7;
	}
	*p++ = remaining;
	return p - start;
}

/* The CONNACK return code of 3.x for a reason (MQTT 3.1.1, table 3.1). */
static u8 connack_code(enum kmqtt_reason reason)
{
	switch (reason) {
	case KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION:
		return 1;
	case KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID:
		return 2;
	case KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD:
		return 4;
	case KMQTT_REASON_NOT_AUTHORIZED:
	case KMQTT_REASON_BANNED:
		return 5;
	default:
		return reason >= KMQTT_REASON_UNSPECIFIED ? 3 : 0;
	}
}

/**
 * kmqtt_connack_encode() - write a CONNACK (MQTT 3.1.1, 3.2)
 * @p: room for KMQTT_ACK_MAX bytes
 * @version: protocol level of the client
 * @session_present: the session existed; 3.1 has no such flag
 * @reason: 0 or why the client is refused
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_connack_encode(u8 *p, u8 version, bool session_present,
			    enum kmqtt_reason reason)
{
	p[0] = KMQTT_CONNACK << 4;
	p[2] = session_present && version != KMQTT_V31;
	if (version == KMQTT_V5) {
		p[1] = 3;
		p[3] = reason;
		p[4] = 0;	/* no properties */
		return 5;
	}
	p[1] = 2;
	p[3] = connack_code(reason);
	return 4;
}

/**
 * kmqtt_ack_encode() - write a packet that is just an identifier
 * @p: room for KMQTT_ACK_MAX bytes
 * @type: KMQTT_PUBACK, _PUBREC, _PUBREL, _PUBCOMP or _UNSUBACK
 * @id: packet identifier
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_ack_encode(u8 *p, enum kmqtt_packet_type type, u16 id)
{
	p[0] = type << 4 | (type == KMQTT_PUBREL ? 2 : 0);
	p[1] = 2;
	put_unaligned_be16(id, p + 2);
	return 4;
}

/**
 * kmqtt_pingresp_encode() - write a PINGRESP
 * @p: room for KMQTT_ACK_MAX bytes
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_pingresp_encode(u8 *p)
{
	p[0] = KMQTT_PINGRESP << 4;
	p[1] = 0;
	return 2;
}

/**
 * kmqtt_suback_head_encode() - write a SUBACK up to its return codes
 * @p: room for KMQTT_SUBACK_HEAD_MAX bytes
 * @id: packet identifier
 * @nr_filters: return codes that follow, a byte each
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_suback_head_encode(u8 *p, u16 id, u32 nr_filters)
{
	size_t n = kmqtt_fixed_encode(p, KMQTT_SUBACK << 4, nr_filters + 2);

	put_unaligned_be16(id, p + n);
	return n + 2;
}
