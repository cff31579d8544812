// SPDX-License-Identifier: GPL-2.0
/*
 * What subscriptions cost: many SUBSCRIBEs, then as many UNSUBSCRIBEs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"
#include "worker.h"

struct requester {
	struct client client;
	enum mqtt_type type;
	uint32_t sent;
	uint32_t answered;
	uint32_t packets;
	/* When each was sent, by its packet identifier. */
	uint64_t *sent_at;
};

struct subscribing {
	enum mqtt_type type;
	struct requester *requesters;
};

static struct requester *requester_of(struct client *c)
{
	return container_of(c, struct requester, client);
}

static void requester_filter(struct client *c, uint32_t n,
			     char text[MQTT_TOPIC_MAX])
{
	static const char *const formats[] = {
		[FILTER_PLUS] = "%s/%07u/+/%07u",
		[FILTER_HASH] = "%s/%07u/%07u/#",
		[FILTER_EXACT] = "%s/%07u/%07u",
	};
	const struct bench *b = c->worker->bench;

	snprintf(text, MQTT_TOPIC_MAX, formats[b->options->filter], b->prefix,
		 c->index, n);
}

static void send_requests(struct requester *r)
{
	const struct options *o = r->client.worker->bench->options;
	uint64_t now = clock_ns();
	uint32_t first, left;

	while (r->sent < r->packets && r->sent - r->answered < o->window) {
		first = r->sent * o->batch;
		left = r->client.filters - first;
		r->sent_at[r->sent % UINT16_MAX] = now;
		client_subscribe(&r->client, r->type, first,
				 left < o->batch ? left : o->batch,
				 requester_filter);
		r->sent++;
	}
}

static void requester_acked(struct client *c, enum mqtt_type type,
			    uint16_t packet_id, uint64_t now)
{
	struct requester *r = requester_of(c);
	struct worker *w = c->worker;
	uint32_t batch = w->bench->options->batch;

	if (!packet_id || packet_id > r->packets || r->answered == r->sent ||
	    type != r->type + 1) {
		client_fail(c, "answer to packet %u, which is not in flight",
			    packet_id);
		return;
	}
	histogram_add(&w->latency, now - r->sent_at[packet_id - 1]);
	r->answered++;
	if (r->answered < r->packets) {
		w->counts.delivered += batch;
		send_requests(r);
		return;
	}
	w->counts.delivered += c->filters - (r->packets - 1) * batch;
	bench_done(w->bench, 1);
}

static void requester_ready(struct client *c)
{
	worker_opened(c->worker);
}

static const struct client_ops requester_ops = {
	.role = "sub",
	.ready = requester_ready,
	.acked = requester_acked,
};

static void requests_begin(struct worker *w)
{
	const struct subscribing *subscribing = w->bench->private;
	struct requester *r;
	uint32_t i;

	for (i = 0; i < w->n_clients; i++) {
		r = requester_of(w->clients[i]);
		r->type = subscribing->type;
		r->sent = 0;
		r->answered = 0;
		if (r->packets)
			send_requests(r);
		else
			bench_done(w->bench, 1);
	}
}

static void init_requesters(struct bench *b, struct subscribing *subscribing)
{
	const struct options *o = b->options;
	struct requester *r;
	uint32_t i, size;

	subscribing->requesters = must_alloc(o->number, sizeof(*r));
	for (i = 0; i < o->number; i++) {
		r = &subscribing->requesters[i];
		worker_add_client(&b->workers[i % o->threads], &r->client,
				  &requester_ops, i);
		r->client.filters = o->count / o->number +
				    (i < o->count % o->number);
		r->packets = (r->client.filters + o->batch - 1) / o->batch;
		size = r->packets < UINT16_MAX ? r->packets : UINT16_MAX;
		r->sent_at = must_alloc(size, sizeof(*r->sent_at));
	}
}

static void subscribe_run(struct bench *b)
{
	const struct options *o = b->options;
	struct subscribing subscribing = { .type = MQTT_SUBSCRIBE };
	char what[48];
	uint32_t i;

	b->private = &subscribing;
	init_requesters(b, &subscribing);
	bench_start_threads(b);
	bench_phase(b, worker_open_all, o->number, 0, NULL);
	bench_measure(b, NULL, "subscription", requests_begin, o->number, 0,
		      NULL);
	if (o->keep) {
		snprintf(what, sizeof(what), "%llu subscriptions",
			 (unsigned long long)o->count);
		bench_hold(b, what);
	} else {
		subscribing.type = MQTT_UNSUBSCRIBE;
		bench_measure(b, "unsubscribe", "subscription", requests_begin,
			      o->number, 0, NULL);
	}
	bench_stop_threads(b);
	bench_free_clients(b);
	for (i = 0; i < o->number; i++)
		free(subscribing.requesters[i].sent_at);
	free(subscribing.requesters);
}

static void subscribe_defaults(struct options *o)
{
	if (!o->count)
		o->count = 10000;
	if (o->filter > FILTER_EXACT)
		o->filter = FILTER_EXACT;
	if (o->window >= UINT16_MAX)
		o->window = UINT16_MAX - 1;
}

const struct pattern subscribe_pattern = {
	.name = "subscribe",
	.help = "subscribe and unsubscribe on N connections",
	.counted = true,
	.defaults = subscribe_defaults,
	.run = subscribe_run,
};
