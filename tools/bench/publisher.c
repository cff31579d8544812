// SPDX-License-Identifier: GPL-2.0
/*
 * A client that publishes as its window and its rate allow.
 *
 * Its packets are all of one length and lie side by side, ready but for what
 * is different in each: a burst is stamped and written.
 */
#include "publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a burst, if the messages aren't larger. */
#define BURST_BYTES_MAX	(256 << 10)

/* A packet identifier belongs to one message of so many. */
#define RING_QOS_MAX	32768

/**
 * topics_init() - write the names of topics
 * @topics: to be set up
 * @count: how many
 * @text: writes one; all have to be of one length
 * @b: what it is for
 */
void topics_init(struct topics *topics, uint32_t count,
		 void (*text)(const struct bench *b, uint32_t n,
			      char text[MQTT_TOPIC_MAX]),
		 const struct bench *b)
{
	char name[MQTT_TOPIC_MAX];
	uint32_t i;

	text(b, 0, name);
	topics->count = count;
	topics->len = strlen(name);
	topics->text = must_alloc(count, topics->len);
	for (i = 0; i < count; i++) {
		text(b, i, name);
		memcpy(topics->text + i * topics->len, name, topics->len);
	}
}

void topics_free(struct topics *topics)
{
	free(topics->text);
	topics->text = NULL;
}

/* Write one packet into the burst. */
static void make_packet(struct publisher *p, uint32_t size)
{
	const struct options *o = p->client.worker->bench->options;
	size_t topic_len = p->topics->len;
	size_t len = 2 + topic_len + (o->qos ? 2 : 0) +
		     (o->version == 5 ? 1 : 0) + size;
	struct buffer *burst = &p->client.burst;
	uint8_t first = MQTT_PUBLISH << 4 | o->qos << 1 |
			(p->retain ? MQTT_RETAIN : 0);
	unsigned int n;

	burst->off = 0;
	burst->len = 0;
	memset(buffer_add(burst, 5 + len), 0, 5 + len);
	burst->data[0] = first;
	n = 1 + mqtt_put_varint(burst->data + 1, len);
	p->packet_len = n + len;
	mqtt_put16(burst->data + n, topic_len);
	p->topic_at = n + 2;
	memcpy(burst->data + p->topic_at, p->topics->text, topic_len);
	p->packet_id_at = p->topic_at + topic_len;
	p->stamp_at = size ? p->packet_len - size : 0;
	burst->len = p->packet_len;
}

static void make_burst(struct publisher *p)
{
	const struct options *o = p->client.worker->bench->options;
	struct buffer *burst = &p->client.burst;
	size_t slots = BURST_BYTES_MAX / p->packet_len;
	uint32_t i;

	if (slots > o->window)
		slots = o->window;
	p->slots = slots > o->burst ? slots : o->burst;
	buffer_add(burst, (p->slots - 1) * p->packet_len);
	for (i = 1; i < p->slots; i++)
		memcpy(burst->data + i * p->packet_len, burst->data,
		       p->packet_len);
	burst->len = 0;
}

static uint64_t ring_size(const struct options *o)
{
	uint64_t size = 64;

	/* Twice the window: an old message may be missing for a while. */
	while (size < 2ull * o->window)
		size *= 2;
	return o->qos && size > RING_QOS_MAX ? RING_QOS_MAX : size;
}

/**
 * publisher_init() - set up a publisher
 * @p: has its client, ->copies, ->local and ->retain set up
 * @topics: what to publish to
 * @size: of the payload, 0 or with room for the stamp
 */
void publisher_init(struct publisher *p, const struct topics *topics,
		    uint32_t size)
{
	const struct options *o = p->client.worker->bench->options;

	p->topics = topics;
	p->topic = 0;
	make_packet(p, size);
	make_burst(p);
	free(p->ring);
	p->ring = must_alloc(ring_size(o), sizeof(*p->ring));
	p->ring_mask = ring_size(o) - 1;
}

void publisher_free(struct publisher *p)
{
	free(p->ring);
	p->ring = NULL;
}

/**
 * publisher_begin() - begin a phase
 * @p: the publisher
 * @count: messages to publish, UINT64_MAX for those until publisher_stop()
 */
void publisher_begin(struct publisher *p, uint64_t count)
{
	const struct options *o = p->client.worker->bench->options;

	p->first = p->next;
	p->end = count == UINT64_MAX ? count : p->next + count;
	p->due = 0;
	p->fenced = false;
	p->active = true;
	if (o->qos && p->packet_len > p->client.packet_max)
		client_fail(&p->client, "the broker takes packets of %u bytes",
			    p->client.packet_max);
	worker_touch(p->client.worker, &p->client);
}

/**
 * publisher_stop() - publish no more
 * @p: the publisher
 */
void publisher_stop(struct publisher *p)
{
	if (p->end == UINT64_MAX)
		p->end = p->next;
	worker_touch(p->client.worker, &p->client);
}

/* A QoS 0 PUBLISH has no answer: that of a PINGREQ follows it. */
static void publisher_finish(struct publisher *p)
{
	if (p->fence && !p->fenced) {
		p->fenced = true;
		mqtt_put_pingreq(&p->client.out);
		return;
	}
	if (p->fence)
		return;
	p->active = false;
	bench_done(p->client.worker->bench, 1);
}

static inline uint64_t at_most(uint64_t value, uint64_t max)
{
	return value < max ? value : max;
}

/* How many messages may be published now. */
static uint64_t publisher_room(struct publisher *p)
{
	const struct options *o = p->client.worker->bench->options;
	uint64_t completed = p->completed;
	uint64_t left = p->end - p->next;
	uint64_t room;

	if (!left) {
		if (completed == p->next)
			publisher_finish(p);
		return 0;
	}
	while (p->base < p->next &&
	       !(p->ring[p->base & p->ring_mask] & RING_LEFT_MASK))
		p->base++;
	if (p->next - completed >= o->window)
		return 0;
	room = o->window - (p->next - completed);
	room = at_most(room, p->ring_mask + 1 - (p->next - p->base));
	if (o->qos)
		room = at_most(room, p->client.receive_max -
				     (p->next - p->acked));
	room = at_most(room, left);
	if (o->rate > 0)
		room = at_most(room, p->due);
	else if (room < o->burst && room < left)
		return 0;
	return at_most(room, p->slots);
}

/* When the next message was to be sent, whether it could be or not. */
static uint64_t publisher_due_at(const struct publisher *p)
{
	return p->start + (p->next - p->first) * p->period;
}

static void publisher_fill(struct client *c)
{
	struct publisher *p = container_of(c, struct publisher, client);
	const struct options *o = c->worker->bench->options;
	uint64_t id = (uint64_t)c->index << STAMP_SEQUENCE_BITS;
	uint64_t left = p->copies | (o->qos ? RING_ACK : 0);
	struct stamp stamp;
	uint8_t *packet;
	uint64_t now, n, i;

	n = p->active ? publisher_room(p) : 0;
	if (!n)
		return;
	packet = c->burst.data;
	now = clock_ns();
	stamp.time = now;
	for (i = 0; i < n; i++, packet += p->packet_len) {
		if (o->rate > 0) {
			stamp.time = publisher_due_at(p);
			histogram_add(&c->worker->late, now - stamp.time);
		}
		stamp.id = id | p->next;
		if (p->stamp_at)
			memcpy(packet + p->stamp_at, &stamp, sizeof(stamp));
		if (o->qos)
			mqtt_put16(packet + p->packet_id_at,
				   p->next % UINT16_MAX + 1);
		if (p->topics->count > 1) {
			memcpy(packet + p->topic_at, p->topics->text +
			       p->topic * p->topics->len, p->topics->len);
			if (++p->topic == p->topics->count)
				p->topic = 0;
		}
		atomic_store_explicit(&p->ring[p->next & p->ring_mask],
				      p->next << 32 | left,
				      memory_order_relaxed);
		p->next++;
	}
	if (!left)
		p->completed += n;
	p->due -= o->rate > 0 ? n : 0;
	c->burst.len = n * p->packet_len;
	c->worker->counts.published += n;
}

static void publisher_ready(struct client *c)
{
	worker_opened(c->worker);
}

static void publisher_acked(struct client *c, enum mqtt_type type,
			    uint16_t packet_id, uint64_t now)
{
	struct publisher *p = container_of(c, struct publisher, client);
	uint64_t sequence;

	(void)now;
	if (type == MQTT_PINGRESP) {
		p->active = false;
		bench_done(c->worker->bench, 1);
		return;
	}
	sequence = p->base + (packet_id - 1 + UINT16_MAX -
			      p->base % UINT16_MAX) % UINT16_MAX;
	if (sequence >= p->next ||
	    !(p->ring[sequence & p->ring_mask] & RING_ACK)) {
		client_fail(c, "acknowledgment of packet %u, which is not in flight",
			    packet_id);
		return;
	}
	p->acked++;
	worker_touch(c->worker, c);
	if (!publisher_take(p, sequence, RING_ACK))
		publisher_complete(p);
}

/**
 * publisher_deliver() - let another thread's publisher see what is complete
 * @p: the publisher
 */
void publisher_deliver(struct publisher *p)
{
	struct worker *w = p->client.worker;
	uintptr_t head;

	if (atomic_exchange(&p->in_inbox, true))
		return;
	head = w->inbox;
	do {
		p->next_in_inbox = (struct publisher *)head;
	} while (!atomic_compare_exchange_weak(&w->inbox, &head,
						(uintptr_t)p));
	if (!head)
		worker_kick(w);
}

/**
 * publisher_take_inbox() - look after the publishers of publisher_deliver()
 * @w: their worker
 */
void publisher_take_inbox(struct worker *w)
{
	uintptr_t head = atomic_exchange(&w->inbox, 0);
	struct publisher *p = (struct publisher *)head, *next;

	for (; p; p = next) {
		next = p->next_in_inbox;
		p->in_inbox = false;
		worker_touch(w, &p->client);
	}
}

/**
 * publisher_missing() - what hasn't come of what was published
 * @p: the publisher, whose thread is gone
 * @first: the first message that isn't complete
 *
 * Return: copies that are missing
 */
uint64_t publisher_missing(const struct publisher *p, uint64_t *first)
{
	uint64_t sequence, value, missing = 0;

	for (sequence = p->base; sequence < p->next; sequence++) {
		value = p->ring[sequence & p->ring_mask] & RING_COPIES_MASK;
		if (value && !missing)
			*first = sequence;
		missing += value;
	}
	return missing;
}

const struct client_ops publisher_ops = {
	.role = "pub",
	.ready = publisher_ready,
	.acked = publisher_acked,
	.fill = publisher_fill,
};
