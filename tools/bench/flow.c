// SPDX-License-Identifier: GPL-2.0
/*
 * Publishers, subscribers and what of the one's messages the others expect:
 * the engine of pair, fanout, fanin, topics and shared.
 */
#include "flow.h"

#include <stdlib.h>

static uint32_t thread_of(const struct flow *flow, uint32_t index)
{
	return index % flow->bench->options->threads;
}

static void init_subscribers(struct flow *flow)
{
	const struct shape *shape = flow->shape;
	struct bench *b = flow->bench;
	struct subscriber *s;
	uint32_t i;

	flow->subscribers = must_alloc(shape->subscribers,
				       sizeof(*flow->subscribers));
	for (i = 0; i < shape->subscribers; i++) {
		s = &flow->subscribers[i];
		worker_add_client(&b->workers[thread_of(flow, i)], &s->client,
				  &subscriber_ops, i);
		s->first_publisher = shape->pairs ? i : 0;
		s->publishers = shape->pairs ? 1 : shape->publishers;
		subscriber_init(s, flow);
	}
}

static void init_topics(struct flow *flow)
{
	const struct shape *shape = flow->shape;
	uint32_t i;

	if (!shape->pairs) {
		flow->topics = must_alloc(1, sizeof(*flow->topics));
		topics_init(flow->topics, shape->topics, shape->topic,
			    flow->bench);
		return;
	}
	/* All topics in one table, of which each publisher sees its own. */
	flow->topics = must_alloc(shape->publishers, sizeof(*flow->topics));
	topics_init(flow->topics, shape->publishers, shape->topic,
		    flow->bench);
	for (i = shape->publishers; i--;) {
		flow->topics[i].count = 1;
		flow->topics[i].len = flow->topics->len;
		flow->topics[i].text = flow->topics->text +
				       i * flow->topics->len;
	}
}

static void init_publishers(struct flow *flow)
{
	const struct shape *shape = flow->shape;
	struct bench *b = flow->bench;
	struct publisher *p;
	uint32_t i;

	flow->publishers = must_alloc(shape->publishers,
				      sizeof(*flow->publishers));
	init_topics(flow);
	for (i = 0; i < shape->publishers; i++) {
		p = &flow->publishers[i];
		worker_add_client(&b->workers[thread_of(flow, i)], &p->client,
				  &publisher_ops, i);
		p->copies = shape->copies;
		p->local = shape->pairs || b->options->threads == 1;
		publisher_init(p, &flow->topics[shape->pairs ? i : 0],
			       b->options->size);
	}
}

/* Publisher @i's part of the messages that are to be delivered. */
static uint64_t share_of(const struct flow *flow, uint32_t i)
{
	uint32_t copies = flow->shape->copies, n = flow->shape->publishers;
	uint64_t messages = (flow->count + copies - 1) / copies;

	if (flow->count == UINT64_MAX)
		return UINT64_MAX;
	return messages / n + (i < messages % n);
}

static bool is_mine(const struct worker *w, uint64_t publisher)
{
	return publisher % w->bench->options->threads == w->index;
}

/*
 * Let what is due be sent. The publishers' turns follow each other evenly, so
 * that the next one is known without looking at them all.
 */
static void flow_tick(struct worker *w)
{
	struct flow *flow = w->bench->private;
	double period = NS_PER_S / w->bench->options->rate;
	uint64_t now = clock_ns(), n;
	struct publisher *p;

	for (;; w->ticks++) {
		n = w->ticks % flow->shape->publishers;
		if (!is_mine(w, n))
			continue;
		w->next_tick = w->bench->start + w->ticks * period + 1;
		if (w->next_tick > now)
			break;
		p = &flow->publishers[n];
		p->due++;
		worker_touch(w, &p->client);
	}
}

static void flow_begin(struct worker *w)
{
	struct flow *flow = w->bench->private;
	double rate = w->bench->options->rate;
	struct publisher *p;
	uint32_t i;

	for (i = w->index; i < flow->shape->publishers;
	     i += w->bench->options->threads) {
		p = &flow->publishers[i];
		if (rate > 0) {
			p->period = NS_PER_S / rate * flow->shape->publishers;
			p->start = w->bench->start + i * (NS_PER_S / rate);
		}
		publisher_begin(p, share_of(flow, i));
	}
	if (rate > 0 && w->index < flow->shape->publishers) {
		w->ticks = 0;
		w->tick = flow_tick;
		flow_tick(w);
	}
}

static void flow_stop(struct worker *w)
{
	struct flow *flow = w->bench->private;
	uint32_t i;

	for (i = w->index; i < flow->shape->publishers;
	     i += w->bench->options->threads)
		publisher_stop(&flow->publishers[i]);
	w->next_tick = 0;
}

/* What hasn't come, if the run has failed for that. */
static void tell_missing(struct flow *flow)
{
	struct counts *counts = &flow->bench->results[0].counts;
	uint64_t missing = 0, n, first = 0, sequence;
	uint32_t i, publisher = 0;

	for (i = 0; i < flow->shape->publishers; i++) {
		n = publisher_missing(&flow->publishers[i], &sequence);
		if (n && !missing) {
			publisher = i;
			first = sequence;
		}
		missing += n;
	}
	counts->missing = missing;
	if (missing)
		bench_explain(flow->bench,
			      "%llu missing, first of them message %llu of publisher %u",
			      (unsigned long long)missing,
			      (unsigned long long)first, publisher);
}

static void flow_free(struct flow *flow)
{
	uint32_t i;

	for (i = 0; i < flow->shape->publishers; i++)
		publisher_free(&flow->publishers[i]);
	for (i = 0; i < flow->shape->subscribers; i++)
		free(flow->subscribers[i].expected);
	topics_free(flow->topics);
	free(flow->topics);
}

/**
 * flow_run() - run such a pattern
 * @b: what is run
 * @shape: what is special of the pattern
 */
void flow_run(struct bench *b, const struct shape *shape)
{
	const struct options *o = b->options;
	struct flow flow = { .bench = b, .shape = shape };
	uint64_t clients = shape->publishers + shape->subscribers;

	b->private = &flow;
	init_publishers(&flow);
	init_subscribers(&flow);
	bench_start_threads(b);
	bench_phase(b, worker_open_all, clients, 0, NULL);
	flow.count = o->warmup;
	if (o->warmup)
		bench_phase(b, flow_begin, shape->publishers, 0, NULL);
	flow.count = o->seconds > 0 ? UINT64_MAX : o->count;
	bench_measure(b, NULL, "message", flow_begin, shape->publishers,
		      o->seconds, flow_stop);
	bench_stop_threads(b);
	if (b->failed)
		tell_missing(&flow);
	bench_free_clients(b);
	flow_free(&flow);
	free(flow.publishers);
	free(flow.subscribers);
}
