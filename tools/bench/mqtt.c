// SPDX-License-Identifier: GPL-2.0
/*
 * MQTT 3.1.1 and 5 as far as a load generator needs it.
 */
#include "mqtt.h"

#include <string.h>

#define PROPERTY_SESSION_EXPIRY	0x11
#define PROPERTY_RECEIVE_MAX	0x21
#define PROPERTY_PACKET_MAX	0x27

/* The longest fixed header. */
#define FIXED_HEADER_MAX	5

/**
 * mqtt_put_varint() - write a variable byte integer
 * @p: where to, four bytes at most
 * @value: below 2^28
 *
 * Return: its length
 */
unsigned int mqtt_put_varint(uint8_t *p, uint32_t value)
{
	unsigned int n = 0;

	while (value >= 0x80) {
		p[n++] = value | 0x80;
		value >>= 7;
	}
	p[n++] = value;
	return n;
}

/**
 * mqtt_begin() - begin a packet
 * @b: where to write it
 * @first: its first byte
 *
 * Return: what mqtt_end() needs
 */
size_t mqtt_begin(struct buffer *b, uint8_t first)
{
	size_t start = b->len;

	buffer_add(b, FIXED_HEADER_MAX)[0] = first;
	return start;
}

/**
 * mqtt_end() - end a packet: write its length
 * @b: where it was written
 * @start: what mqtt_begin() returned
 *
 * The length must not have more bytes than it needs, hence the move.
 */
void mqtt_end(struct buffer *b, size_t start)
{
	uint8_t *p = b->data + start;
	size_t len = b->len - start - FIXED_HEADER_MAX;
	unsigned int n = mqtt_put_varint(p + 1, len);

	memmove(p + 1 + n, p + FIXED_HEADER_MAX, len);
	b->len = start + 1 + n + len;
}

/**
 * mqtt_put_text() - write a UTF-8 encoded string
 * @b: where to
 * @text: the string
 */
void mqtt_put_text(struct buffer *b, const char *text)
{
	size_t len = strlen(text);

	mqtt_put16(buffer_add(b, 2), len);
	buffer_put(b, text, len);
}

static void put_connect_properties(struct buffer *b, bool session)
{
	static const uint8_t forever[] = {
		5, PROPERTY_SESSION_EXPIRY, 0xff, 0xff, 0xff, 0xff
	};

	if (session)
		buffer_put(b, forever, sizeof(forever));
	else
		*buffer_add(b, 1) = 0;
}

/**
 * mqtt_put_connect() - write a CONNECT without a will and without keep alive
 * @b: where to
 * @connect: what it says
 */
void mqtt_put_connect(struct buffer *b, const struct mqtt_connect *connect)
{
	size_t start = mqtt_begin(b, MQTT_CONNECT << 4);
	uint8_t *p;

	mqtt_put_text(b, "MQTT");
	p = buffer_add(b, 4);
	p[0] = connect->version;
	p[1] = (connect->user ? 0x80 : 0) | (connect->password ? 0x40 : 0) |
	       (connect->session ? 0 : 0x02);
	mqtt_put16(p + 2, 0);
	if (connect->version == 5)
		put_connect_properties(b, connect->session);
	mqtt_put_text(b, connect->client_id);
	if (connect->user)
		mqtt_put_text(b, connect->user);
	if (connect->password)
		mqtt_put_text(b, connect->password);
	mqtt_end(b, start);
}

void mqtt_put_disconnect(struct buffer *b)
{
	uint8_t *p = buffer_add(b, 2);

	p[0] = MQTT_DISCONNECT << 4;
	p[1] = 0;
}

void mqtt_put_pingreq(struct buffer *b)
{
	uint8_t *p = buffer_add(b, 2);

	p[0] = MQTT_PINGREQ << 4;
	p[1] = 0;
}

/* The length of a property's value; 0 if there is no such property. */
static size_t property_len(uint8_t id, const uint8_t *value, size_t len)
{
	size_t n;

	switch (id) {
	case 0x24: case 0x25: case 0x28: case 0x29: case 0x2a:
		return 1;
	case 0x13: case PROPERTY_RECEIVE_MAX: case 0x22:
		return 2;
	case PROPERTY_SESSION_EXPIRY: case PROPERTY_PACKET_MAX:
		return 4;
	case 0x12: case 0x15: case 0x16: case 0x1a: case 0x1c: case 0x1f:
		return len < 2 ? 0 : 2 + mqtt_get16(value);
	case 0x26:
		if (len < 2)
			return 0;
		n = 2 + mqtt_get16(value);
		return n + 2 > len ? 0 : n + 2 + mqtt_get16(value + n);
	default:
		return 0;
	}
}

static bool get_connack_properties(const uint8_t *p, size_t len,
				   struct mqtt_connack *connack)
{
	size_t n;

	while (len) {
		n = property_len(p[0], p + 1, len - 1);
		if (!n || n > len - 1)
			return false;
		if (p[0] == PROPERTY_RECEIVE_MAX)
			connack->receive_max = mqtt_get16(p + 1);
		else if (p[0] == PROPERTY_PACKET_MAX)
			connack->packet_max =
				(uint32_t)mqtt_get16(p + 1) << 16 |
				mqtt_get16(p + 3);
		p += 1 + n;
		len -= 1 + n;
	}
	return true;
}

/**
 * mqtt_skip_properties() - find what follows the properties
 * @body: of the packet
 * @len: of @body
 * @version: without properties if not 5
 * @at: where the properties begin; becomes where they end
 *
 * Return: false if they are malformed.
 */
bool mqtt_skip_properties(const uint8_t *body, size_t len, uint8_t version,
			  size_t *at)
{
	uint32_t properties;
	int n;

	if (version != 5)
		return *at <= len;
	if (*at > len)
		return false;
	n = mqtt_get_varint(body + *at, len - *at, &properties);
	if (n <= 0 || properties > len - *at - n)
		return false;
	*at += n + properties;
	return true;
}

/**
 * mqtt_get_connack() - read a CONNACK
 * @body: what follows its fixed header
 * @len: of @body
 * @version: of the connection
 * @connack: what it says
 *
 * Return: false if it is malformed.
 */
bool mqtt_get_connack(const uint8_t *body, size_t len, uint8_t version,
		      struct mqtt_connack *connack)
{
	uint32_t properties;
	int n;

	if (len < 2)
		return false;
	connack->reason = body[1];
	connack->receive_max = UINT16_MAX;
	connack->packet_max = UINT32_MAX;
	/* A broker without MQTT 5 refuses in the way of 3.1.1. */
	if (version != 5 || (len == 2 && body[1]))
		return true;
	n = mqtt_get_varint(body + 2, len - 2, &properties);
	return n > 0 && properties == len - 2 - n &&
	       get_connack_properties(body + 2 + n, properties, connack);
}
