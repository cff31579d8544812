// SPDX-License-Identifier: GPL-2.0
/*
 * A client that gets what publishers of this run publish, and sees to it that
 * this is all of it, once and in order.
 */
#include <stdlib.h>

#include "flow.h"

/**
 * subscriber_init() - set up a subscriber
 * @s: has its client and the publishers that it hears
 * @flow: what it is part of
 */
void subscriber_init(struct subscriber *s, struct flow *flow)
{
	uint32_t stride = flow->shape->stride;
	uint32_t i;

	s->flow = flow;
	s->client.filters = flow->shape->filters;
	s->expected = must_alloc(s->publishers, sizeof(*s->expected));
	for (i = 0; i < s->publishers; i++)
		s->expected[i] = stride > 1 ? s->client.index % stride : 0;
}

static void subscribe_next(struct client *c)
{
	struct subscriber *s = container_of(c, struct subscriber, client);
	uint32_t batch = c->worker->bench->options->batch;
	uint32_t left = c->filters - c->next_filter;
	uint32_t n = left < batch ? left : batch;

	client_subscribe(c, MQTT_SUBSCRIBE, c->next_filter, n,
			 s->flow->shape->filter);
	c->next_filter += n;
}

static void subscriber_acked(struct client *c, enum mqtt_type type,
			     uint16_t packet_id, uint64_t now)
{
	(void)packet_id;
	(void)now;
	if (type != MQTT_SUBACK)
		client_fail(c, "unexpected packet of type %u", type);
	else if (c->next_filter < c->filters)
		subscribe_next(c);
	else
		worker_opened(c->worker);
}

/* A message that came again; QoS 1 allows that. */
static bool duplicate(struct client *c, uint64_t sequence)
{
	c->worker->counts.duplicates++;
	if ((c->message.flags >> 1 & 3) != 1)
		client_fail(c, "message %llu came twice",
			    (unsigned long long)sequence);
	return false;
}

/*
 * A message that isn't the expected one. What is missing may come late, which
 * is wrong, too, but another thing than a loss: the controller waits a moment
 * for it.
 *
 * Return: true if it is to be counted.
 */
static bool unexpected(struct subscriber *s, struct publisher *p,
		       uint64_t *expected, uint64_t sequence)
{
	struct worker *w = s->client.worker;
	uint32_t stride = s->flow->shape->stride;
	bool expects = publisher_expects(p, sequence);
	unsigned long long never = 0;

	if (!expects)
		return duplicate(&s->client, sequence);
	if (!stride && sequence >= *expected) {
		*expected = sequence + 1;
		return true;
	}
	if (stride && (sequence - *expected) % stride) {
		client_fail(&s->client, "message %llu is not for it",
			    (unsigned long long)sequence);
		return false;
	}
	atomic_compare_exchange_strong(&w->bench->missed_at, &never,
				       clock_ns());
	if (sequence < *expected) {
		if (stride && !w->counts.missing)
			return duplicate(&s->client, sequence);
		w->counts.missing -= stride ? 1 : 0;
		w->counts.misordered++;
		return true;
	}
	w->counts.missing += (sequence - *expected) / stride;
	*expected = sequence + stride;
	return true;
}

static void subscriber_message(struct client *c, const struct message *m,
			       uint64_t now)
{
	struct subscriber *s = container_of(c, struct subscriber, client);
	uint64_t sequence = m->stamp.id & STAMP_SEQUENCE_MASK;
	uint32_t index = m->stamp.id >> STAMP_SEQUENCE_BITS;
	struct worker *w = c->worker;
	struct publisher *p;
	uint64_t *expected;

	if (index - s->first_publisher >= s->publishers ||
	    m->payload_len != w->bench->options->size) {
		client_fail(c, "a PUBLISH that is not of this run");
		return;
	}
	p = &s->flow->publishers[index];
	expected = &s->expected[index - s->first_publisher];
	if (__builtin_expect(sequence == *expected && s->flow->shape->stride,
			     1))
		*expected += s->flow->shape->stride;
	else if (!unexpected(s, p, expected, sequence))
		return;
	histogram_add(&w->latency, now - m->stamp.time);
	w->counts.delivered++;
	publisher_got_copy(p, sequence, w);
}

const struct client_ops subscriber_ops = {
	.role = "sub",
	.ready = subscribe_next,
	.message = subscriber_message,
	.acked = subscriber_acked,
};
