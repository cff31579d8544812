// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that waits for its clients' sockets.
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "publisher.h"

#define EVENTS_MAX	256

/**
 * worker_init() - set up a worker
 * @w: the worker
 * @b: what it is of
 * @index: which one it is
 *
 * Return: 0, or -1 with errno.
 */
int worker_init(struct worker *w, struct bench *b, unsigned int index)
{
	struct epoll_event event = { .events = EPOLLIN };

	w->bench = b;
	w->index = index;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->rx = must_alloc(1, WORKER_READ_MAX);
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->event_fd, &event);
}

/**
 * worker_free() - undo worker_init(), the thread being gone
 * @w: the worker
 */
void worker_free(struct worker *w)
{
	free(w->clients);
	free(w->rx);
	close(w->epoll_fd);
	close(w->event_fd);
}

/**
 * worker_free_clients() - close all connections, the thread being gone
 * @w: the worker
 */
void worker_free_clients(struct worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_clients; i++)
		client_free(w->clients[i]);
	w->n_clients = 0;
}

/**
 * worker_kick() - let a worker look at what other threads want
 * @w: the worker
 */
void worker_kick(struct worker *w)
{
	uint64_t one = 1;

	if (write(w->event_fd, &one, sizeof(one)) < 0)
		perror("kmqtt-bench: eventfd");
}

void worker_quit(struct worker *w)
{
	w->quit = true;
}

/**
 * worker_add_client() - give a worker a client, before its thread runs
 * @w: the worker
 * @c: the client, zeroed
 * @ops: what it does
 * @index: its number within its role
 */
void worker_add_client(struct worker *w, struct client *c,
		       const struct client_ops *ops, uint32_t index)
{
	if (w->n_clients == w->size_clients) {
		w->size_clients = w->size_clients * 2 + 16;
		w->clients = realloc(w->clients, w->size_clients *
						 sizeof(*w->clients));
		if (!w->clients)
			abort();
	}
	w->clients[w->n_clients++] = c;
	c->worker = w;
	c->ops = ops;
	c->index = index;
}

static uint32_t open_max(const struct worker *w)
{
	const struct options *o = w->bench->options;
	uint32_t share = o->concurrent / o->threads;

	return share ? share : 1;
}

/**
 * worker_open_all() - begin to open all clients, a few at a time
 * @w: the worker
 */
void worker_open_all(struct worker *w)
{
	while (w->next_open < w->n_clients && w->opening < open_max(w)) {
		w->opening++;
		client_open(w->clients[w->next_open++]);
	}
}

/**
 * worker_opened() - tell that a client has all it needs to begin
 * @w: its worker
 */
void worker_opened(struct worker *w)
{
	w->opening--;
	worker_open_all(w);
	bench_done(w->bench, 1);
}

static void worker_kicked(struct worker *w)
{
	worker_fn fn;
	uint64_t n;

	if (read(w->event_fd, &n, sizeof(n)) < 0)
		return;
	publisher_take_inbox(w);
	fn = (worker_fn)atomic_exchange(&w->call, 0);
	if (fn)
		fn(w);
}

static int worker_wait(struct worker *w, struct epoll_event *events)
{
	struct timespec timeout = {};
	uint64_t now;

	if (w->bench->options->spin)
		return epoll_wait(w->epoll_fd, events, EVENTS_MAX, 0);
	if (!w->next_tick)
		return epoll_wait(w->epoll_fd, events, EVENTS_MAX, -1);
	now = clock_ns();
	if (w->next_tick > now) {
		timeout.tv_sec = (w->next_tick - now) / NS_PER_S;
		timeout.tv_nsec = (w->next_tick - now) % NS_PER_S;
	}
	return epoll_pwait2(w->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
}

static void flush_dirty(struct worker *w)
{
	struct client *c;

	while ((c = w->dirty)) {
		w->dirty = c->next_dirty;
		c->dirty = false;
		client_flush(c);
	}
}

/**
 * worker_thread() - be a worker
 * @arg: the worker
 *
 * Return: NULL after worker_quit().
 */
void *worker_thread(void *arg)
{
	struct epoll_event events[EVENTS_MAX];
	struct worker *w = arg;
	int i, n;

	while (!w->quit) {
		n = worker_wait(w, events);
		if (n < 0 && errno != EINTR)
			bench_fail(w->bench, "epoll: %s", strerror(errno));
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				client_event(events[i].data.ptr,
					     events[i].events);
			else
				worker_kicked(w);
		}
		if (w->next_tick && clock_ns() >= w->next_tick)
			w->tick(w);
		flush_dirty(w);
	}
	return NULL;
}
