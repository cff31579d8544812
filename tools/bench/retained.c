// SPDX-License-Identifier: GPL-2.0
/*
 * Retained messages: store them, and let subscribers of a wildcard get them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"
#include "publisher.h"

struct replayed {
	struct client client;
	uint64_t subscribed_at;
	uint32_t got;
	uint8_t *seen;
};

struct retained {
	struct publisher publisher;
	struct topics topics;
	struct replayed *replayed;
};

static void replayed_ready(struct client *c)
{
	worker_opened(c->worker);
}

static void replayed_message(struct client *c, const struct message *m,
			     uint64_t now)
{
	struct replayed *r = container_of(c, struct replayed, client);
	uint32_t topics = c->worker->bench->options->topics;
	struct worker *w = c->worker;
	uint64_t n = m->stamp.id;

	if (n >= topics || m->payload_len != w->bench->options->size) {
		client_fail(c, "a PUBLISH that is not of this run");
		return;
	}
	if (!(m->flags & MQTT_RETAIN)) {
		client_fail(c, "message %u without RETAIN", (uint32_t)n);
		return;
	}
	if (r->seen[n / 8] & 1 << n % 8) {
		w->counts.duplicates++;
		if ((m->flags >> 1 & 3) != 1)
			client_fail(c, "message %u came twice", (uint32_t)n);
		return;
	}
	r->seen[n / 8] |= 1 << n % 8;
	histogram_add(&w->latency, now - r->subscribed_at);
	w->counts.delivered++;
	if (++r->got == topics)
		bench_done(w->bench, 1);
}

static void replayed_acked(struct client *c, enum mqtt_type type,
			   uint16_t packet_id, uint64_t now)
{
	(void)packet_id;
	(void)now;
	if (type != MQTT_SUBACK)
		client_fail(c, "unexpected packet of type %u", type);
}

static const struct client_ops replayed_ops = {
	.role = "sub",
	.ready = replayed_ready,
	.message = replayed_message,
	.acked = replayed_acked,
};

static void retained_topic(const struct bench *b, uint32_t n,
			   char text[MQTT_TOPIC_MAX])
{
	snprintf(text, MQTT_TOPIC_MAX, "%s/%03u/%07u", b->prefix, n % 256, n);
}

static void all_of_it(struct client *c, uint32_t n, char text[MQTT_TOPIC_MAX])
{
	(void)n;
	snprintf(text, MQTT_TOPIC_MAX, "%s/#", c->worker->bench->prefix);
}

static bool is_publisher(const struct client *c)
{
	return c->ops == &publisher_ops;
}

static void store_begin(struct worker *w)
{
	struct retained *retained = w->bench->private;

	if (retained->publisher.client.worker == w)
		publisher_begin(&retained->publisher, retained->topics.count);
}

static void replay_begin(struct worker *w)
{
	struct replayed *r;
	uint32_t i;

	for (i = 0; i < w->n_clients; i++) {
		if (is_publisher(w->clients[i]))
			continue;
		r = container_of(w->clients[i], struct replayed, client);
		r->subscribed_at = clock_ns();
		client_subscribe(&r->client, MQTT_SUBSCRIBE, 0, 1, all_of_it);
	}
}

/* They would get what clears the topics, else. */
static void leave_all(struct worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_clients; i++)
		if (!is_publisher(w->clients[i]))
			client_close(w->clients[i]);
	bench_done(w->bench, 1);
}

static void init_clients(struct bench *b, struct retained *retained)
{
	const struct options *o = b->options;
	struct publisher *p = &retained->publisher;
	struct replayed *r;
	uint32_t i;

	topics_init(&retained->topics, o->topics, retained_topic, b);
	worker_add_client(&b->workers[0], &p->client, &publisher_ops, 0);
	p->retain = true;
	p->fence = true;
	p->local = true;
	publisher_init(p, &retained->topics, o->size);
	retained->replayed = must_alloc(o->number, sizeof(*r));
	for (i = 0; i < o->number; i++) {
		r = &retained->replayed[i];
		r->seen = must_alloc(o->topics / 8 + 1, 1);
		worker_add_client(&b->workers[i % o->threads], &r->client,
				  &replayed_ops, i);
	}
}

static void clear(struct bench *b, struct retained *retained)
{
	if (b->options->keep || b->failed)
		return;
	bench_phase(b, leave_all, b->options->threads, 0, NULL);
	publisher_init(&retained->publisher, &retained->topics, 0);
	bench_phase(b, store_begin, 1, 0, NULL);
}

static void retained_run(struct bench *b)
{
	const struct options *o = b->options;
	struct retained *retained = must_alloc(1, sizeof(*retained));
	struct result *store = &b->results[0];
	uint32_t i;

	b->private = retained;
	init_clients(b, retained);
	bench_start_threads(b);
	bench_phase(b, worker_open_all, o->number + 1, 0, NULL);
	bench_measure(b, "store", "message", store_begin, 1, 0, NULL);
	store->counts.delivered = store->counts.published;
	bench_measure(b, NULL, "message", replay_begin, o->number, 0, NULL);
	clear(b, retained);
	bench_stop_threads(b);
	bench_free_clients(b);
	for (i = 0; i < o->number; i++)
		free(retained->replayed[i].seen);
	free(retained->replayed);
	publisher_free(&retained->publisher);
	topics_free(&retained->topics);
	free(retained);
}

/* What is delivered is known from the topics and the subscribers. */
static void retained_defaults(struct options *o)
{
	o->count = (uint64_t)o->topics * o->number;
	o->rate = 0;
	if (!o->window)
		o->window = 100;
}

const struct pattern retained_pattern = {
	.name = "retained",
	.help = "retained messages in many topics, replayed to N subscribers",
	.counted = true,
	.defaults = retained_defaults,
	.run = retained_run,
};
