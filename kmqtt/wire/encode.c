// SPDX-License-Identifier: GPL-2.0
/*
 * Structs to bytes. The caller owns a buffer that is large enough: each
 * function says how much it may write.
 */
#include "encode.h"

#include <linux/unaligned.h>

/**
 * kmqtt_varint_encode() - write a variable byte integer (MQTT 5, 1.5.5)
 * @p: room for four bytes
 * @value: at most KMQTT_REMAINING_MAX
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_varint_encode(u8 *p, u32 value)
{
	u8 *start = p;

	while (value > 0x7f) {
		*p++ = value | 0x80;
		value >>= 7;
	}
	*p++ = value;
	return p - start;
}

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
	*p = first;
	return 1 + kmqtt_varint_encode(p + 1, remaining);
}

/* Bytes of properties with their length. */
static u32 block_len(const struct kmqtt_props *props)
{
	u32 len = kmqtt_props_len(props);

	return kmqtt_varint_len(len) + len;
}

/**
 * kmqtt_connack_code() - the CONNACK return code of 3.x for a reason
 * @reason: 0 or why the client is refused
 *
 * Context: any.
 * Return: the code (MQTT 3.1.1, table 3.1).
 */
u8 kmqtt_connack_code(enum kmqtt_reason reason)
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
 * kmqtt_connack_encode() - write a CONNACK (MQTT 5, 3.2)
 * @p: room for kmqtt_answer_max() bytes, or KMQTT_ACK_MAX without properties
 * @version: protocol level of the client
 * @session_present: the session existed; 3.1 has no such flag
 * @reason: 0 or why the client is refused
 * @props: properties for 5.0
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_connack_encode(u8 *p, u8 version, bool session_present,
			    enum kmqtt_reason reason,
			    const struct kmqtt_props *props)
{
	u32 remaining = version == KMQTT_V5 ? 2 + block_len(props) : 2;
	u8 *start = p;

	p += kmqtt_fixed_encode(p, KMQTT_CONNACK << 4, remaining);
	*p++ = session_present && version != KMQTT_V31;
	if (version == KMQTT_V5) {
		*p++ = reason;
		p += kmqtt_props_encode(p, props);
	} else {
		*p++ = kmqtt_connack_code(reason);
	}
	return p - start;
}

/**
 * kmqtt_ack_encode() - write PUBACK, PUBREC, PUBREL, PUBCOMP, or 3.x's UNSUBACK
 * @p: room for kmqtt_answer_max() bytes, or KMQTT_ACK_MAX without properties
 * @type: which
 * @id: packet identifier
 * @reason: enum kmqtt_reason; 0 for 3.x, which has no other
 * @props: its properties, or NULL
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_ack_encode(u8 *p, u8 type, u16 id, u8 reason,
			const struct kmqtt_props *props)
{
	u32 remaining = 2;
	u8 *start = p;

	if (props)
		remaining += 1 + block_len(props);
	else if (reason)
		remaining++;
	p += kmqtt_fixed_encode(p, type << 4 | (type == KMQTT_PUBREL ? 2 : 0),
				remaining);
	put_unaligned_be16(id, p);
	p += 2;
	if (remaining > 2)
		*p++ = reason;
	if (props)
		p += kmqtt_props_encode(p, props);
	return p - start;
}

/**
 * kmqtt_reasoned_encode() - write a DISCONNECT or AUTH of 5.0
 * @p: room for kmqtt_answer_max() bytes
 * @type: which
 * @reason: enum kmqtt_reason
 * @props: its properties
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_reasoned_encode(u8 *p, u8 type, u8 reason,
			     const struct kmqtt_props *props)
{
	u8 *start = p;

	p += kmqtt_fixed_encode(p, type << 4, 1 + block_len(props));
	*p++ = reason;
	p += kmqtt_props_encode(p, props);
	return p - start;
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
 * kmqtt_suback_head_encode() - write a SUBACK or UNSUBACK up to its codes
 * @p: room for KMQTT_SUBACK_HEAD_MAX bytes
 * @type: which
 * @version: protocol level of the client
 * @id: packet identifier
 * @nr_codes: codes that follow, a byte each
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_suback_head_encode(u8 *p, u8 type, u8 version, u16 id,
				u32 nr_codes)
{
	bool props = version == KMQTT_V5;
	u8 *start = p;

	p += kmqtt_fixed_encode(p, type << 4, 2 + props + nr_codes);
	put_unaligned_be16(id, p);
	p += 2;
	if (props)
		*p++ = 0;	/* no properties */
	return p - start;
}
