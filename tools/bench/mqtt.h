/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_MQTT_H
#define _KMQTT_BENCH_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum mqtt_type {
	MQTT_CONNECT		= 1,
	MQTT_CONNACK		= 2,
	MQTT_PUBLISH		= 3,
	MQTT_PUBACK		= 4,
	MQTT_PUBREC		= 5,
	MQTT_PUBREL		= 6,
	MQTT_PUBCOMP		= 7,
	MQTT_SUBSCRIBE		= 8,
	MQTT_SUBACK		= 9,
	MQTT_UNSUBSCRIBE	= 10,
	MQTT_UNSUBACK		= 11,
	MQTT_PINGREQ		= 12,
	MQTT_PINGRESP		= 13,
	MQTT_DISCONNECT		= 14,
};

#define MQTT_RETAIN	0x01
#define MQTT_DUP	0x08

#define MQTT_TOPIC_MAX	256

/* What CONNECT says, and what is of interest of a CONNACK. */
struct mqtt_connect {
	uint8_t version;
	bool session;
	const char *client_id;
	const char *user;
	const char *password;
};

struct mqtt_connack {
	uint8_t reason;
	uint16_t receive_max;
	uint32_t packet_max;
};

static inline uint16_t mqtt_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline void mqtt_put16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value;
}

/*
 * Read a variable byte integer. Return: its length, 0 if more bytes are needed,
 * -1 if it is none.
 */
static inline int mqtt_get_varint(const uint8_t *p, size_t len, uint32_t *value)
{
	unsigned int i;

	*value = 0;
	for (i = 0; i < 4 && i < len; i++) {
		*value |= (uint32_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80))
			return i + 1;
	}
	return i == 4 ? -1 : 0;
}

unsigned int mqtt_put_varint(uint8_t *p, uint32_t value);

/* A packet of which the length isn't known before its end. */
size_t mqtt_begin(struct buffer *b, uint8_t first);
void mqtt_end(struct buffer *b, size_t start);
void mqtt_put_text(struct buffer *b, const char *text);

void mqtt_put_connect(struct buffer *b, const struct mqtt_connect *connect);
void mqtt_put_disconnect(struct buffer *b);
void mqtt_put_pingreq(struct buffer *b);

/* PUBACK, PUBREC, PUBREL and PUBCOMP that tell of success. */
static inline void mqtt_put_ack(struct buffer *b, enum mqtt_type type,
				uint16_t packet_id)
{
	uint8_t *p = buffer_add(b, 4);

	p[0] = type << 4 | (type == MQTT_PUBREL ? 0x02 : 0);
	p[1] = 2;
	mqtt_put16(p + 2, packet_id);
}

bool mqtt_get_connack(const uint8_t *body, size_t len, uint8_t version,
		      struct mqtt_connack *connack);
bool mqtt_skip_properties(const uint8_t *body, size_t len, uint8_t version,
			  size_t *at);

#endif /* _KMQTT_BENCH_MQTT_H */
