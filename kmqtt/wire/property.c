// SPDX-License-Identifier: GPL-2.0
/*
 * One table says which properties there are, of which type, and in which
 * packets; decoding, encoding and forwarding follow it.
 */
#include "property.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include "encode.h"

enum prop_type {
	PROP_NONE,
	PROP_BOOL,	/* a byte that is 0 or 1 */
	PROP_U16,
	PROP_U16_NONZERO,
	PROP_U32,
	PROP_U32_NONZERO,
	PROP_VARINT_NONZERO,
	PROP_STRING,
	PROP_BINARY,
	PROP_PAIR,
};

/**
 * struct prop_rule - what the specification says of a property
 * @type: enum prop_type
 * @packets: a bit for each packet type it may come in
 * @offset: of its field in struct kmqtt_props
 */
struct prop_rule {
	u8 type;
	u16 packets;
	u16 offset;
};

#define MESSAGE	(BIT(KMQTT_PUBLISH) | BIT(KMQTT_WILL))
#define ANSWERS	(BIT(KMQTT_CONNACK) | BIT(KMQTT_PUBACK) | BIT(KMQTT_PUBREC) | \
		 BIT(KMQTT_PUBREL) | BIT(KMQTT_PUBCOMP) | BIT(KMQTT_SUBACK) | \
		 BIT(KMQTT_UNSUBACK) | BIT(KMQTT_DISCONNECT) | BIT(KMQTT_AUTH))
#define HELLO	(BIT(KMQTT_CONNECT) | BIT(KMQTT_CONNACK))
#define ALL	(ANSWERS | MESSAGE | BIT(KMQTT_CONNECT) | \
		 BIT(KMQTT_SUBSCRIBE) | BIT(KMQTT_UNSUBSCRIBE))

#define RULE(_type, _packets, _field) { \
	.type = PROP_##_type, \
	.packets = (_packets), \
	.offset = offsetof(struct kmqtt_props, _field), \
}

/* MQTT 5, table 2-4. */
static const struct prop_rule rules[KMQTT_PROPERTIES] = {
	[KMQTT_PROP_PAYLOAD_FORMAT] = RULE(BOOL, MESSAGE, payload_format),
	[KMQTT_PROP_MESSAGE_EXPIRY] = RULE(U32, MESSAGE, message_expiry),
	[KMQTT_PROP_CONTENT_TYPE] = RULE(STRING, MESSAGE, content_type),
	[KMQTT_PROP_RESPONSE_TOPIC] = RULE(STRING, MESSAGE, response_topic),
	[KMQTT_PROP_CORRELATION_DATA] =
		RULE(BINARY, MESSAGE, correlation_data),
	[KMQTT_PROP_SUBSCRIPTION_ID] =
		RULE(VARINT_NONZERO, BIT(KMQTT_PUBLISH) | BIT(KMQTT_SUBSCRIBE),
		     subscription_id),
	[KMQTT_PROP_SESSION_EXPIRY] =
		RULE(U32, HELLO | BIT(KMQTT_DISCONNECT), session_expiry),
	[KMQTT_PROP_ASSIGNED_ID] =
		RULE(STRING, BIT(KMQTT_CONNACK), assigned_id),
	[KMQTT_PROP_SERVER_KEEP_ALIVE] =
		RULE(U16, BIT(KMQTT_CONNACK), server_keep_alive),
	[KMQTT_PROP_AUTH_METHOD] =
		RULE(STRING, HELLO | BIT(KMQTT_AUTH), auth_method),
	[KMQTT_PROP_AUTH_DATA] =
		RULE(BINARY, HELLO | BIT(KMQTT_AUTH), auth_data),
	[KMQTT_PROP_REQUEST_PROBLEM] =
		RULE(BOOL, BIT(KMQTT_CONNECT), request_problem),
	[KMQTT_PROP_WILL_DELAY] = RULE(U32, BIT(KMQTT_WILL), will_delay),
	[KMQTT_PROP_REQUEST_RESPONSE] =
		RULE(BOOL, BIT(KMQTT_CONNECT), request_response),
	[KMQTT_PROP_RESPONSE_INFO] =
		RULE(STRING, BIT(KMQTT_CONNACK), response_info),
	[KMQTT_PROP_SERVER_REFERENCE] =
		RULE(STRING, BIT(KMQTT_CONNACK) | BIT(KMQTT_DISCONNECT),
		     server_reference),
	[KMQTT_PROP_REASON_STRING] = RULE(STRING, ANSWERS, reason_string),
	[KMQTT_PROP_RECEIVE_MAX] = RULE(U16_NONZERO, HELLO, receive_max),
	[KMQTT_PROP_TOPIC_ALIAS_MAX] = RULE(U16, HELLO, topic_alias_max),
	[KMQTT_PROP_TOPIC_ALIAS] =
		RULE(U16, BIT(KMQTT_PUBLISH), topic_alias),
	[KMQTT_PROP_MAX_QOS] = RULE(BOOL, BIT(KMQTT_CONNACK), max_qos),
	[KMQTT_PROP_RETAIN_AVAILABLE] =
		RULE(BOOL, BIT(KMQTT_CONNACK), retain_available),
	[KMQTT_PROP_USER] = RULE(PAIR, ALL, present),
	[KMQTT_PROP_MAX_PACKET_SIZE] =
		RULE(U32_NONZERO, HELLO, max_packet_size),
	[KMQTT_PROP_WILDCARD_AVAILABLE] =
		RULE(BOOL, BIT(KMQTT_CONNACK), wildcard_available),
	[KMQTT_PROP_SUB_ID_AVAILABLE] =
		RULE(BOOL, BIT(KMQTT_CONNACK), sub_id_available),
	[KMQTT_PROP_SHARED_AVAILABLE] =
		RULE(BOOL, BIT(KMQTT_CONNACK), shared_available),
};

/* What the next hop gets anew, or not at all. */
#define HOP_ONLY	(BIT_ULL(KMQTT_PROP_MESSAGE_EXPIRY) | \
			 BIT_ULL(KMQTT_PROP_SUBSCRIPTION_ID) | \
			 BIT_ULL(KMQTT_PROP_WILL_DELAY) | \
			 BIT_ULL(KMQTT_PROP_TOPIC_ALIAS))

/* Not in more bytes than it needs [MQTT-1.5.5-1]. */
static int read_number(struct kmqtt_cursor *c, u32 *v)
{
	const u8 *start = c->pos;
	int err = kmqtt_read_varint(c, v);

	if (!err && c->pos - start != kmqtt_varint_len(*v))
		return -EBADMSG;
	return err;
}

/* 0, -EBADMSG if it isn't of the type, -EPROTO if the value isn't allowed. */
static int decode_value(struct kmqtt_cursor *c, u8 type, void *field)
{
	struct kmqtt_str name, value;

	switch (type) {
	case PROP_BOOL:
		if (!kmqtt_read_u8(c, field))
			return -EBADMSG;
		return *(u8 *)field > 1 ? -EPROTO : 0;
	case PROP_U16:
	case PROP_U16_NONZERO:
		if (!kmqtt_read_u16(c, field))
			return -EBADMSG;
		return type == PROP_U16 || *(u16 *)field ? 0 : -EPROTO;
	case PROP_U32:
	case PROP_U32_NONZERO:
		if (!kmqtt_read_u32(c, field))
			return -EBADMSG;
		return type == PROP_U32 || *(u32 *)field ? 0 : -EPROTO;
	case PROP_VARINT_NONZERO:
		if (read_number(c, field))
			return -EBADMSG;
		return *(u32 *)field ? 0 : -EPROTO;
	case PROP_STRING:
		return kmqtt_read_string(c, field) ? 0 : -EBADMSG;
	case PROP_BINARY:
		return kmqtt_read_binary(c, field) ? 0 : -EBADMSG;
	default:
		return kmqtt_read_string(c, &name) &&
		       kmqtt_read_string(c, &value) ? 0 : -EBADMSG;
	}
}

/* The identifiers are all below 128: one byte of a variable byte integer. */
static const struct prop_rule *rule_of(u8 id)
{
	return id < KMQTT_PROPERTIES && rules[id].type ? &rules[id] : NULL;
}

static int decode_block(struct kmqtt_cursor *c, u8 type,
			struct kmqtt_props *props)
{
	const struct prop_rule *rule;
	int err;
	u8 id;

	while (kmqtt_read_u8(c, &id)) {
		rule = rule_of(id);
		if (!rule || !(rule->packets & BIT(type)))
			return -EBADMSG;
		if (kmqtt_prop_has(props, id) && rule->type != PROP_PAIR)
			return -EPROTO;
		if (rule->type == PROP_PAIR)
			err = decode_value(c, rule->type, NULL);
		else
			err = decode_value(c, rule->type,
					   (u8 *)props + rule->offset);
		if (err)
			return err;
		kmqtt_prop_add(props, id);
	}
	return 0;
}

/**
 * kmqtt_props_decode() - decode properties with their length (MQTT 5, 2.2.2)
 * @c: stands on the length; behind the properties on success
 * @type: packet type, or KMQTT_WILL
 * @props: filled on success
 *
 * Context: any.
 * Return: 0, -EAGAIN if they are not all there, -EBADMSG if malformed, -EPROTO
 * if one comes twice or has a value that the specification calls a protocol
 * error.
 */
int kmqtt_props_decode(struct kmqtt_cursor *c, u8 type,
		       struct kmqtt_props *props)
{
	struct kmqtt_cursor block;
	u32 len;
	int err;

	props->present = 0;
	props->block_len = 0;
	err = read_number(c, &len);
	if (err)
		return err;
	if (kmqtt_cursor_left(c) < len)
		return -EAGAIN;
	props->block = c->pos;
	props->block_len = len;
	c->pos += len;
	block.pos = props->block;
	block.end = c->pos;
	return decode_block(&block, type, props);
}

static u32 value_len(u8 type, const void *field)
{
	switch (type) {
	case PROP_BOOL:
		return 1;
	case PROP_U16:
	case PROP_U16_NONZERO:
		return 2;
	case PROP_U32:
	case PROP_U32_NONZERO:
		return 4;
	case PROP_VARINT_NONZERO:
		return kmqtt_varint_len(*(const u32 *)field);
	default:
		return 2 + ((const struct kmqtt_str *)field)->len;
	}
}

static u8 *encode_value(u8 *p, u8 type, const void *field)
{
	const struct kmqtt_str *s = field;

	switch (type) {
	case PROP_BOOL:
		*p = *(const u8 *)field;
		return p + 1;
	case PROP_U16:
	case PROP_U16_NONZERO:
		put_unaligned_be16(*(const u16 *)field, p);
		return p + 2;
	case PROP_U32:
	case PROP_U32_NONZERO:
		put_unaligned_be32(*(const u32 *)field, p);
		return p + 4;
	case PROP_VARINT_NONZERO:
		return p + kmqtt_varint_encode(p, *(const u32 *)field);
	default:
		put_unaligned_be16(s->len, p);
		memcpy(p + 2, s->data, s->len);
		return p + 2 + s->len;
	}
}

/**
 * kmqtt_props_len() - bytes of properties, without their length
 * @props: the properties; user properties are not sent
 *
 * Context: any.
 * Return: bytes.
 */
u32 kmqtt_props_len(const struct kmqtt_props *props)
{
	u32 len = 0;
	int id;

	for (id = 0; id < KMQTT_PROPERTIES; id++) {
		if (id != KMQTT_PROP_USER && kmqtt_prop_has(props, id))
			len += 1 + value_len(rules[id].type,
					     (const u8 *)props + rules[id].offset);
	}
	return len;
}

/**
 * kmqtt_props_encode() - write properties with their length
 * @p: room for kmqtt_props_len() and four bytes more
 * @props: the properties; user properties are not sent
 *
 * Context: any.
 * Return: bytes written.
 */
size_t kmqtt_props_encode(u8 *p, const struct kmqtt_props *props)
{
	u8 *start = p;
	int id;

	p += kmqtt_varint_encode(p, kmqtt_props_len(props));
	for (id = 0; id < KMQTT_PROPERTIES; id++) {
		if (id == KMQTT_PROP_USER || !kmqtt_prop_has(props, id))
			continue;
		*p++ = id;
		p = encode_value(p, rules[id].type,
				 (const u8 *)props + rules[id].offset);
	}
	return p - start;
}

/**
 * kmqtt_props_forward() - copy the properties that go on to subscribers
 * @props: decoded properties of a PUBLISH or a will
 * @to: room for them, at most @props->block_len bytes; NULL to count only
 *
 * They keep their order and their bytes ([MQTT-3.3.2-4], [MQTT-3.3.2-15] to
 * [MQTT-3.3.2-18], [MQTT-3.3.2-20]). Left out is what is between the broker and
 * one client: message expiry, topic alias, subscription identifiers, will
 * delay.
 *
 * Context: any.
 * Return: bytes.
 */
u32 kmqtt_props_forward(const struct kmqtt_props *props, u8 *to)
{
	struct kmqtt_cursor c = {
		.pos = props->block,
		.end = props->block + props->block_len,
	};
	struct kmqtt_props ignored;
	u32 len = 0;

	/* What has been decoded once doesn't fail. */
	while (kmqtt_cursor_left(&c)) {
		const u8 *start = c.pos;
		const struct prop_rule *rule = rule_of(*c.pos++);

		if (!rule || decode_value(&c, rule->type,
					  (u8 *)&ignored + rule->offset))
			break;
		if (BIT_ULL(*start) & HOP_ONLY)
			continue;
		if (to)
			memcpy(to + len, start, c.pos - start);
		len += c.pos - start;
	}
	return len;
}
