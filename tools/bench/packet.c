// SPDX-License-Identifier: GPL-2.0
/*
 * What a client does with the packets of the broker.
 */
#include "packet.h"

#include <stdio.h>
#include <string.h>

#include "reason.h"
#include "worker.h"

#define REASON_FAILURE	0x80

static uint8_t version(const struct client *c)
{
	return c->worker->bench->options->version;
}

/**
 * packet_client_id() - the client identifier
 * @c: the client
 * @id: where to write it
 * @size: of @id
 *
 * It is ROLE-GROUP-NUMBER: the relay takes from it what belongs together. Only
 * pairs are more than one group of a run.
 */
void packet_client_id(const struct client *c, char *id, size_t size)
{
	const struct bench *b = c->worker->bench;
	bool pairs = !strcmp(b->pattern->name, "pair");

	snprintf(id, size, "%s-%s.%u-%u", c->ops->role, b->run,
		 pairs ? c->index : 0, c->index);
}

/* Names are those of MQTT 5; 3.1.1 has small numbers. */
static void fail_with_reason(struct client *c, const char *what,
			     uint8_t reason)
{
	const char *name = reason >= REASON_FAILURE ? reason_name(reason) :
						      NULL;

	client_fail(c, "%s: reason code 0x%02x%s%s", what, reason,
		    name ? " " : "", name ? name : "");
}

static void got_connack(struct client *c, const uint8_t *body, size_t len)
{
	struct mqtt_connack connack;

	if (!mqtt_get_connack(body, len, version(c), &connack)) {
		client_fail(c, "malformed CONNACK");
		return;
	}
	if (connack.reason) {
		fail_with_reason(c, "connection refused", connack.reason);
		return;
	}
	c->receive_max = connack.receive_max;
	c->packet_max = connack.packet_max;
	c->state = CLIENT_READY;
	c->ops->ready(c);
}

static void got_suback(struct client *c, enum mqtt_type type,
		       const uint8_t *body, size_t len, uint64_t now)
{
	uint32_t wanted = c->worker->bench->options->sub_qos;
	bool has_codes = type == MQTT_SUBACK || version(c) == 5;
	size_t at = 2;

	if (len < 2 || !mqtt_skip_properties(body, len, version(c), &at) ||
	    (has_codes && at == len)) {
		client_fail(c, "malformed %s",
			    type == MQTT_SUBACK ? "SUBACK" : "UNSUBACK");
		return;
	}
	for (; at < len; at++) {
		if (type == MQTT_SUBACK && body[at] < REASON_FAILURE &&
		    body[at] != wanted)
			client_fail(c, "granted QoS %u instead of %u",
				    body[at], wanted);
		else if (type == MQTT_SUBACK && body[at] >= REASON_FAILURE)
			fail_with_reason(c, "subscription refused", body[at]);
		else if (type == MQTT_UNSUBACK && body[at])
			fail_with_reason(c, "not unsubscribed", body[at]);
	}
	c->ops->acked(c, type, mqtt_get16(body), now);
}

static void got_ack(struct client *c, enum mqtt_type type,
		    const uint8_t *body, size_t len, uint64_t now)
{
	if (len < 2)
		client_fail(c, "malformed acknowledgment");
	else if (len > 2 && body[2] >= REASON_FAILURE)
		fail_with_reason(c, "publish refused", body[2]);
	else if (type == MQTT_PUBREC)
		mqtt_put_ack(&c->out, MQTT_PUBREL, mqtt_get16(body));
	else if (type == MQTT_PUBREL)
		mqtt_put_ack(&c->out, MQTT_PUBCOMP, mqtt_get16(body));
	else if (c->ops->acked)
		c->ops->acked(c, type, mqtt_get16(body), now);
}

/* All but PUBLISH. */
static void got_packet(struct client *c, uint8_t first, const uint8_t *body,
		       size_t len, uint64_t now)
{
	enum mqtt_type type = first >> 4;

	if (c->state == CLIENT_READY ? type == MQTT_CONNACK :
				       type != MQTT_CONNACK) {
		client_fail(c, "unexpected packet of type %u", type);
		return;
	}
	switch (type) {
	case MQTT_CONNACK:
		got_connack(c, body, len);
		break;
	case MQTT_SUBACK:
	case MQTT_UNSUBACK:
		got_suback(c, type, body, len, now);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		got_ack(c, type, body, len, now);
		break;
	case MQTT_PINGRESP:
		c->ops->acked(c, type, 0, now);
		break;
	case MQTT_DISCONNECT:
		fail_with_reason(c, "the broker disconnected it",
				 len ? body[0] : 0);
		break;
	default:
		client_fail(c, "unexpected packet of type %u", type);
	}
}

static inline void got_message(struct client *c, const struct message *m,
			       uint64_t now)
{
	uint8_t qos = m->flags >> 1 & 3;

	c->ops->message(c, m, now);
	if (qos)
		mqtt_put_ack(&c->out, qos == 1 ? MQTT_PUBACK : MQTT_PUBREC,
			     m->packet_id);
}

/* What precedes the payload. Return: its length, 0 for more, -1 if wrong. */
static inline ssize_t publish_head(const struct client *c, const uint8_t *p,
				   size_t len, size_t at, size_t end,
				   struct message *m)
{
	uint32_t properties;
	int n;

	if (at + 2 > len)
		return at + 2 > end ? -1 : 0;
	at += 2 + mqtt_get16(p + at);
	m->packet_id = 0;
	if (m->flags >> 1 & 3) {
		if (at + 2 > len)
			return at + 2 > end ? -1 : 0;
		m->packet_id = mqtt_get16(p + at);
		at += 2;
	}
	if (version(c) == 5) {
		if (at >= len)
			return at >= end ? -1 : 0;
		n = mqtt_get_varint(p + at, len - at, &properties);
		if (n <= 0)
			return n;
		at += n + properties;
	}
	return at > end ? -1 : (ssize_t)at;
}

/*
 * A PUBLISH at @p that has @body for its fixed header and ends at @end; @len
 * bytes are there. Return: how many of them are used, 0 if more are needed.
 */
static inline size_t got_publish(struct client *c, const uint8_t *p,
				 size_t len, size_t body, size_t end,
				 uint64_t now)
{
	struct message *m = &c->message;
	ssize_t head;

	m->flags = p[0] & 0x0f;
	head = publish_head(c, p, len, body, end, m);
	if (head < 0 || !c->ops->message || c->state != CLIENT_READY ||
	    (head && end - head < sizeof(m->stamp))) {
		client_fail(c, "a PUBLISH that is not of this run");
		return 0;
	}
	if (!head || head + sizeof(m->stamp) > len)
		return 0;
	m->payload_len = end - head;
	memcpy(&m->stamp, p + head, sizeof(m->stamp));
	if (end > len) {
		c->skip = end - len;
		return len;
	}
	got_message(c, m, now);
	return end;
}

/* Return: how many bytes the packet at @p has, 0 if more are needed. */
static inline size_t parse_one(struct client *c, const uint8_t *p, size_t len,
			       uint64_t now)
{
	uint32_t remaining;
	size_t end;
	int n;

	n = mqtt_get_varint(p + 1, len - 1, &remaining);
	if (n < 0)
		client_fail(c, "malformed packet");
	if (n <= 0)
		return 0;
	end = 1 + n + remaining;
	if (p[0] >> 4 == MQTT_PUBLISH)
		return got_publish(c, p, len, 1 + n, end, now);
	if (end > len)
		return 0;
	got_packet(c, p[0], p + 1 + n, remaining, now);
	return end;
}

/**
 * packet_parse() - take what was read
 * @c: who read it
 * @data: the bytes
 * @len: how many
 * @now: when they came
 *
 * Return: how many of them were used; the rest is an incomplete packet.
 */
size_t packet_parse(struct client *c, const uint8_t *data, size_t len,
		    uint64_t now)
{
	size_t at = 0, used;

	while (at < len) {
		if (c->skip) {
			used = c->skip < len - at ? c->skip : len - at;
			c->skip -= used;
			if (!c->skip)
				got_message(c, &c->message, now);
		} else {
			used = parse_one(c, data + at, len - at, now);
		}
		if (!used || c->state == CLIENT_CLOSED)
			break;
		at += used;
	}
	return at;
}
