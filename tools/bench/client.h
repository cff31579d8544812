/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_CLIENT_H
#define _KMQTT_BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "mqtt.h"
#include "util.h"

struct client;
struct tls;
struct worker;

/*
 * What a payload begins with, in the byte order of the host: the message's
 * publisher and number, and when it was sent.
 */
struct stamp {
	uint64_t id;
	uint64_t time;
};

#define STAMP_SEQUENCE_BITS	40
#define STAMP_SEQUENCE_MASK	((1ull << STAMP_SEQUENCE_BITS) - 1)

/* A PUBLISH of which the end may not have come yet. */
struct message {
	struct stamp stamp;
	uint32_t payload_len;
	uint16_t packet_id;
	uint8_t flags;
};

struct client_ops {
	const char *role;
	/* CONNACK came. */
	void (*ready)(struct client *c);
	/* A PUBLISH came, whole, at @now. */
	void (*message)(struct client *c, const struct message *m,
			uint64_t now);
	/* So did PUBACK, PUBCOMP, SUBACK, UNSUBACK or PINGRESP. */
	void (*acked)(struct client *c, enum mqtt_type type,
		      uint16_t packet_id, uint64_t now);
	/* There may be room to write: put something into @burst. */
	void (*fill)(struct client *c);
	/* It is closed, was touched and may be opened again. */
	void (*closed)(struct client *c);
};

enum client_state {
	CLIENT_CLOSED,
	CLIENT_CONNECTING,
	CLIENT_SHAKING_HANDS,
	CLIENT_CONNECTED,
	CLIENT_READY,
};

struct client {
	struct worker *worker;
	const struct client_ops *ops;
	struct client *next_dirty;
	/* A handshake that isn't done. */
	struct tls *tls;
	uint64_t opened_at;
	/* Rest of a payload that is coming; rest of a read otherwise. */
	uint64_t skip;
	struct message message;
	struct buffer rest;
	struct buffer out;
	struct buffer burst;
	int fd;
	uint32_t index;
	/* Of subscriptions: which filter is the next, and after the last. */
	uint32_t next_filter;
	uint32_t filters;
	uint32_t packet_max;
	uint16_t receive_max;
	uint8_t state;
	bool dirty;
	bool wants_write;
};

void client_open(struct client *c);
void client_event(struct client *c, uint32_t events);
void client_flush(struct client *c);
void client_close(struct client *c);
void client_free(struct client *c);

void client_fail(struct client *c, const char *format, ...)
	FORMAT(2, 3);

/* Write the text of the client's topic filter @n. */
typedef void (*filter_fn)(struct client *c, uint32_t n,
			  char text[MQTT_TOPIC_MAX]);

void client_subscribe(struct client *c, enum mqtt_type type, uint32_t first,
		      uint32_t n, filter_fn filter);

#endif /* _KMQTT_BENCH_CLIENT_H */
