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
	KMQTT_ACK_MAX		= 5,		/* bytes: longest fixed-size answer */
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
	KMQTT_PUBLISH_DUP	= 0x08,
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

/**
 * struct kmqtt_connect - a decoded CONNECT
 * @version: enum kmqtt_version as the client sent it
 * @clean: clean session (3.x) or clean start (5)
 * @keepalive: seconds, 0 for none
 * @client_id: may be empty
 * @has_will: the will fields are valid
 * @will_retain: publish the will as a retained message
 * @will_qos: QoS of the will
 * @will_topic: checked as UTF-8, not yet as a topic name
 * @will_payload: any bytes
 * @has_user: @user is valid
 * @has_password: @password is valid
 * @user: checked as UTF-8
 * @password: any bytes
 */
struct kmqtt_connect {
	u8 version;
	bool clean;
	u16 keepalive;
	struct kmqtt_str client_id;
	bool has_will;
	bool will_retain;
	u8 will_qos;
	struct kmqtt_str will_topic;
	struct kmqtt_str will_payload;
	bool has_user;
	bool has_password;
	struct kmqtt_str user;
	struct kmqtt_str password;
};

/**
 * struct kmqtt_publish - the head of a PUBLISH
 * @topic: checked as UTF-8, not yet as a topic name
 * @id: packet identifier, 0 with QoS 0
 * @qos: 0 to 2
 * @dup: the DUP flag as received
 * @retain: the RETAIN flag as received
 * @head_len: bytes of the variable header, between fixed header and payload
 * @payload_len: bytes of payload announced
 */
struct kmqtt_publish {
	struct kmqtt_str topic;
	u16 id;
	u8 qos;
	bool dup;
	bool retain;
	u32 head_len;
	u32 payload_len;
};

/**
 * struct kmqtt_subscribe - a SUBSCRIBE or UNSUBSCRIBE being walked
 * @id: packet identifier
 * @pos: next filter
 * @end: end of the packet
 */
struct kmqtt_subscribe {
	u16 id;
	const u8 *pos;
	const u8 *end;
};

#endif /* _KMQTT_WIRE_PACKET_H */
