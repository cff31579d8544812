// SPDX-License-Identifier: GPL-2.0
/*
 * The patterns of connections that carry no messages: a storm of them, and
 * many that are idle.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "pattern.h"
#include "worker.h"

struct connecting {
	/* In a storm, clients leave at once and come again. */
	bool storm;
	uint32_t n_clients;
	struct client *clients;
	/* Client identifiers used in turn; 0 for another one each time. */
	uint32_t identifiers;
	atomic_llong left;
};

static struct connecting *connecting_of(const struct client *c)
{
	return c->worker->bench->private;
}

/* Connect once more, or be done. */
static void connect_again(struct client *c)
{
	struct connecting *connecting = connecting_of(c);
	int64_t left;

	if (!connecting->storm)
		return;
	left = atomic_fetch_sub(&connecting->left, 1);
	if (left <= 0) {
		bench_done(c->worker->bench, 1);
		return;
	}
	if (!connecting->identifiers)
		c->index = left - 1;
	client_open(c);
}

/* No two clients at a time have the same identifier. */
static void next_identifier(struct client *c)
{
	const struct connecting *connecting = connecting_of(c);

	if (!connecting->identifiers)
		return;
	c->index += connecting->n_clients;
	if (c->index >= connecting->identifiers)
		c->index %= connecting->n_clients;
}

static void connecting_ready(struct client *c)
{
	struct worker *w = c->worker;

	histogram_add(&w->latency, clock_ns() - c->opened_at);
	w->counts.delivered++;
	if (!connecting_of(c)->storm) {
		worker_opened(w);
		return;
	}
	client_close(c);
	next_identifier(c);
	worker_touch(w, c);
}

static const struct client_ops connecting_ops = {
	.role = "con",
	.ready = connecting_ready,
	.closed = connect_again,
};

static void storm_begin(struct worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_clients; i++)
		connect_again(w->clients[i]);
}

static void storm_stop(struct worker *w)
{
	struct connecting *connecting = w->bench->private;

	connecting->left = 0;
}

static void init_clients(struct bench *b, uint32_t n)
{
	struct connecting *connecting = b->private;
	uint32_t i;

	connecting->n_clients = n;
	connecting->clients = must_alloc(n, sizeof(*connecting->clients));
	for (i = 0; i < n; i++)
		worker_add_client(&b->workers[i % b->options->threads],
				  &connecting->clients[i], &connecting_ops, i);
	bench_start_threads(b);
}

/* Close what is open and take only so many clients from now on. */
static void reduce_clients(struct worker *w)
{
	struct connecting *connecting = w->bench->private;
	uint32_t i, kept = 0;

	for (i = 0; i < w->n_clients; i++) {
		client_free(w->clients[i]);
		if (i * w->bench->options->threads + w->index <
		    connecting->n_clients)
			kept++;
	}
	w->n_clients = kept;
	bench_done(w->bench, 1);
}

static uint32_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Connect with each identifier once more to end the session. */
static void end_sessions(struct bench *b, uint32_t identifiers)
{
	const struct options *o = b->options;
	struct connecting *connecting = b->private;

	if (!o->session || o->keep)
		return;
	connecting->storm = true;
	connecting->n_clients = smaller(connecting->n_clients, o->concurrent);
	connecting->identifiers = 0;
	connecting->left = identifiers;
	b->end_sessions = true;
	bench_phase(b, reduce_clients, o->threads, 0, NULL);
	bench_phase(b, storm_begin, connecting->n_clients, 0, NULL);
}

static void finish(struct bench *b)
{
	struct connecting *connecting = b->private;

	bench_stop_threads(b);
	bench_free_clients(b);
	free(connecting->clients);
}

static void connect_run(struct bench *b)
{
	const struct options *o = b->options;
	struct connecting connecting = { .storm = true };
	uint32_t n = smaller(o->concurrent, o->count);

	b->private = &connecting;
	if (o->session) {
		n = smaller(n, o->number);
		connecting.identifiers = o->number;
	}
	init_clients(b, n);
	connecting.left = o->warmup;
	if (o->warmup)
		bench_phase(b, storm_begin, n, 0, NULL);
	connecting.left = o->seconds > 0 ? INT64_MAX : (int64_t)o->count;
	bench_measure(b, NULL, "connection", storm_begin, n, o->seconds,
		      storm_stop);
	end_sessions(b, o->number);
	finish(b);
}

static void idle_run(struct bench *b)
{
	const struct options *o = b->options;
	struct connecting connecting = {};
	char what[48];

	b->private = &connecting;
	init_clients(b, o->number);
	bench_measure(b, NULL, "connection", worker_open_all, o->number, 0,
		      NULL);
	snprintf(what, sizeof(what), "%u connections", o->number);
	bench_hold(b, what);
	end_sessions(b, o->number);
	finish(b);
}

/* Enough identifiers for all that connect at a time. */
static void connect_defaults(struct options *o)
{
	if (!o->count)
		o->count = 10000;
	if (o->number < o->concurrent)
		o->number = o->concurrent;
}

const struct pattern connect_pattern = {
	.name = "connect",
	.help = "connect, leave and come again; N clients with --session",
	.defaults = connect_defaults,
	.run = connect_run,
};

const struct pattern idle_pattern = {
	.name = "idle",
	.help = "N connections that are held",
	.counted = true,
	.run = idle_run,
};
