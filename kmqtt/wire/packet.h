/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MQTT control packets as structs: what decode fills and encode reads.
 * Nothing here allocates, locks or sleeps, so it is safe in any context.
 */
#ifndef _KMQTT_WIRE_PACKET_H
#define _KMQTT_WIRE_PACKET_H

#include <linux/types.h>
#include <uapi/linux/kmqtt.h>

enum kmqtt_packet_type {
	KMQTT_CONNECT		= 1,
	KMQTT_CONNACK		= 2,
	KMQTT_PUBLISH		= 3,
	KMQTT_PUBACK		= 4,
	KMQTT_PUBREC		= 5,
	KMQTT_PUBREL		= 6,
	KMQTT_PUBCOMP		= 7,
	KMQTT_SUBSCRIBE		= 8,
	KMQTT_SUBACK		= 9,
	KMQTT_UNSUBSCRIBE	= 10,
	KMQTT_UNSUBACK		= 11,
	KMQTT_PINGREQ		= 12,
	KMQTT_PINGRESP		= 13,
	KMQTT_DISCONNECT	= 14,
	KMQTT_AUTH		= 15,
	KMQTT_PACKET_TYPES	= 16,
};

/* The protocol level byte of CONNECT. */
enum kmqtt_version {
	KMQTT_V31	= 3,
	KMQTT_V311	= 4,
	KMQTT_V5	= 5,
};

enum kmqtt_wire_limits {
	KMQTT_FIXED_HEADER_MAX	= 5,		/* bytes: type, flags and length */
	KMQTT_REMAINING_MAX	= 268435455,	/* bytes: largest remaining length */
	KMQTT_PACKET_MAX	= KMQTT_REMAINING_MAX + KMQTT_FIXED_HEADER_MAX,
	KMQTT_STRING_MAX	= 65535,	/* bytes in any string */
	KMQTT_ACK_MAX		= 5,		/* bytes: longest answer without properties */
};

/* Reserved: QoS 3 is malformed [MQTT-3.3.1-4]. */
enum kmqtt_qos {
	KMQTT_QOS0,
	KMQTT_QOS1,
	KMQTT_QOS2,
	KMQTT_QOS_INVALID,
};

/* Flags in the first byte of a PUBLISH. */
enum kmqtt_publish_flags {
	KMQTT_PUBLISH_RETAIN	= 0x01,
	KMQTT_PUBLISH_QOS	= 0x06,
	KMQTT_PUBLISH_DUP	= 0x08,
};

/* Subscription options; 3.x knows the QoS alone (MQTT 5, 3.8.3.1). */
enum kmqtt_sub_options {
	KMQTT_SUB_QOS			= 0x03,
	KMQTT_SUB_NO_LOCAL		= 0x04,
	KMQTT_SUB_RETAIN_AS_PUBLISHED	= 0x08,
	KMQTT_SUB_RETAIN_HANDLING	= 0x30,
	KMQTT_SUB_RESERVED		= 0xc0,
};

/* Values of KMQTT_SUB_RETAIN_HANDLING. */
enum kmqtt_retain_handling {
	KMQTT_RETAIN_SEND		= 0x00,
	KMQTT_RETAIN_SEND_IF_NEW	= 0x10,
	KMQTT_RETAIN_DONT_SEND		= 0x20,
	KMQTT_RETAIN_INVALID		= 0x30,
};

/**
 * struct kmqtt_str - a length-prefixed string or binary field, in place
 * @data: first byte, inside the packet
 * @len: length in bytes
 */
struct kmqtt_str {
	const u8 *data;
	u16 len;
};

/**
 * struct kmqtt_fixed - the fixed header of a packet
 * @type: enum kmqtt_packet_type
 * @flags: the low four bits of the first byte
 * @len: bytes of the fixed header itself (2 to 5)
 * @remaining: bytes that follow the fixed header
 */
struct kmqtt_fixed {
	u8 type;
	u8 flags;
	u8 len;
	u32 remaining;
};

#endif /* _KMQTT_WIRE_PACKET_H */
