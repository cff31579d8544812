/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The properties of MQTT 5 (2.2.2), of all packets as one struct.
 */
#ifndef _KMQTT_WIRE_PROPERTY_H
#define _KMQTT_WIRE_PROPERTY_H

#include <linux/bits.h>
#include "cursor.h"

enum kmqtt_property {
	KMQTT_PROP_PAYLOAD_FORMAT	= 1,
	KMQTT_PROP_MESSAGE_EXPIRY	= 2,
	KMQTT_PROP_CONTENT_TYPE		= 3,
	KMQTT_PROP_RESPONSE_TOPIC	= 8,
	KMQTT_PROP_CORRELATION_DATA	= 9,
	KMQTT_PROP_SUBSCRIPTION_ID	= 11,
	KMQTT_PROP_SESSION_EXPIRY	= 17,
	KMQTT_PROP_ASSIGNED_ID		= 18,
	KMQTT_PROP_SERVER_KEEP_ALIVE	= 19,
	KMQTT_PROP_AUTH_METHOD		= 21,
	KMQTT_PROP_AUTH_DATA		= 22,
	KMQTT_PROP_REQUEST_PROBLEM	= 23,
	KMQTT_PROP_WILL_DELAY		= 24,
	KMQTT_PROP_REQUEST_RESPONSE	= 25,
	KMQTT_PROP_RESPONSE_INFO	= 26,
	KMQTT_PROP_SERVER_REFERENCE	= 28,
	KMQTT_PROP_REASON_STRING	= 31,
	KMQTT_PROP_RECEIVE_MAX		= 33,
	KMQTT_PROP_TOPIC_ALIAS_MAX	= 34,
	KMQTT_PROP_TOPIC_ALIAS		= 35,
	KMQTT_PROP_MAX_QOS		= 36,
	KMQTT_PROP_RETAIN_AVAILABLE	= 37,
	KMQTT_PROP_USER			= 38,
	KMQTT_PROP_MAX_PACKET_SIZE	= 39,
	KMQTT_PROP_WILDCARD_AVAILABLE	= 40,
	KMQTT_PROP_SUB_ID_AVAILABLE	= 41,
	KMQTT_PROP_SHARED_AVAILABLE	= 42,
	KMQTT_PROPERTIES		= 43,
};

/* The properties of a will have a place of their own: no packet has type 0. */
#define KMQTT_WILL	0

/**
 * struct kmqtt_props - the properties of a packet
 * @present: a bit for each enum kmqtt_property; fields without are undefined
 * @block: all of them as on the wire, without their length; of decoded ones
 * @block_len: bytes there
 * @message_expiry: seconds
 * @subscription_id: 1 to 268,435,455
 * @session_expiry: seconds
 * @will_delay: seconds
 * @max_packet_size: bytes
 * @server_keep_alive: seconds
 * @receive_max: messages with QoS 1 and 2
 * @topic_alias_max: highest topic alias
 * @topic_alias: a topic alias
 * @payload_format: 1 for UTF-8
 * @request_problem: 0 for reason codes without texts
 * @request_response: 1 to be told @response_info
 * @max_qos: 0 or 1
 * @retain_available: 0 if not
 * @wildcard_available: 0 if not
 * @sub_id_available: 0 if not
 * @shared_available: 0 if not
 * @content_type: any text
 * @response_topic: not yet checked as a topic name
 * @correlation_data: any bytes
 * @assigned_id: client identifier
 * @auth_method: name of it
 * @auth_data: any bytes
 * @response_info: basis of response topics
 * @server_reference: another server
 * @reason_string: for those who look at logs
 *
 * Strings point into the packet. User properties are in @block only.
 */
struct kmqtt_props {
	u64 present;
	const u8 *block;
	u32 block_len;
	u32 message_expiry;
	u32 subscription_id;
	u32 session_expiry;
	u32 will_delay;
	u32 max_packet_size;
	u16 server_keep_alive;
	u16 receive_max;
	u16 topic_alias_max;
	u16 topic_alias;
	u8 payload_format;
	u8 request_problem;
	u8 request_response;
	u8 max_qos;
	u8 retain_available;
	u8 wildcard_available;
	u8 sub_id_available;
	u8 shared_available;
	struct kmqtt_str content_type;
	struct kmqtt_str response_topic;
	struct kmqtt_str correlation_data;
	struct kmqtt_str assigned_id;
	struct kmqtt_str auth_method;
	struct kmqtt_str auth_data;
	struct kmqtt_str response_info;
	struct kmqtt_str server_reference;
	struct kmqtt_str reason_string;
};

int kmqtt_props_decode(struct kmqtt_cursor *c, u8 type,
		       struct kmqtt_props *props);
u32 kmqtt_props_len(const struct kmqtt_props *props);
size_t kmqtt_props_encode(u8 *p, const struct kmqtt_props *props);
u32 kmqtt_props_forward(const struct kmqtt_props *props, u8 *to);

/**
 * kmqtt_prop_has() - is this property there?
 * @props: the properties
 * @id: which
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_prop_has(const struct kmqtt_props *props,
				  enum kmqtt_property id)
{
	return props->present & BIT_ULL(id);
}

/**
 * kmqtt_prop_add() - a field of a property was set
 * @props: the properties
 * @id: which
 *
 * Context: any.
 */
static inline void kmqtt_prop_add(struct kmqtt_props *props,
				  enum kmqtt_property id)
{
	props->present |= BIT_ULL(id);
}

#endif /* _KMQTT_WIRE_PROPERTY_H */
