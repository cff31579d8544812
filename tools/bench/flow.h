/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_FLOW_H
#define _KMQTT_BENCH_FLOW_H

#include "publisher.h"

struct flow;

/* What makes a flow of messages one of a pattern. */
struct shape {
	uint32_t publishers;
	uint32_t subscribers;
	/* Subscribers that get each message. */
	uint32_t copies;
	/*
	 * A subscriber gets each so manyeth of a publisher's messages, the
	 * first being that of the subscriber's number. 0 for any of them.
	 */
	uint32_t stride;
	/* Each publisher has a subscriber and topics of its own. */
	bool pairs;
	uint32_t topics;
	void (*topic)(const struct bench *b, uint32_t n,
		      char text[MQTT_TOPIC_MAX]);
	/* Of each subscriber. */
	uint32_t filters;
	filter_fn filter;
};

struct subscriber {
	struct client client;
	struct flow *flow;
	/* The publishers it hears, and what is next of each. */
	uint32_t first_publisher;
	uint32_t publishers;
	uint64_t *expected;
};

struct flow {
	struct bench *bench;
	const struct shape *shape;
	struct publisher *publishers;
	struct subscriber *subscribers;
	struct topics *topics;
	/* Messages of the phase, of all publishers. */
	uint64_t count;
};

extern const struct client_ops subscriber_ops;

void subscriber_init(struct subscriber *s, struct flow *flow);
void flow_run(struct bench *b, const struct shape *shape);

#endif /* _KMQTT_BENCH_FLOW_H */
