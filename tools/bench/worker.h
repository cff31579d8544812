/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_WORKER_H
#define _KMQTT_BENCH_WORKER_H

#include <pthread.h>

#include "bench.h"
#include "client.h"

/* Bytes that one read takes at most. */
#define WORKER_READ_MAX	262144

/* A thread with its clients. */
struct worker {
	struct bench *bench;
	unsigned int index;
	pthread_t thread;
	int epoll_fd;
	int event_fd;
	bool quit;

	struct client **clients;
	uint32_t n_clients;
	uint32_t size_clients;

	/* Those to be opened, and how many are being opened. */
	uint32_t next_open;
	uint32_t opening;

	struct client *dirty;
	uint8_t *rx;

	/* When tick is due, 0 for never. */
	uint64_t next_tick;
	uint64_t ticks;
	worker_fn tick;

	struct counts counts;
	struct histogram latency;
	/* Of an open loop: from when messages were due to when they were sent. */
	struct histogram late;
	/* Bytes read, by which the controller sees that something goes on. */
	atomic_ullong bytes;

	/* From other threads: what to do, and publishers to look after. */
	atomic_uintptr_t call;
	atomic_uintptr_t inbox;
};

int worker_init(struct worker *w, struct bench *b, unsigned int index);
void worker_free(struct worker *w);
void worker_free_clients(struct worker *w);
void *worker_thread(void *arg);
void worker_kick(struct worker *w);
void worker_quit(struct worker *w);

void worker_add_client(struct worker *w, struct client *c,
		       const struct client_ops *ops, uint32_t index);
void worker_open_all(struct worker *w);
void worker_opened(struct worker *w);

/* Look at what @c has to write before the worker sleeps again. */
static inline void worker_touch(struct worker *w, struct client *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = w->dirty;
	w->dirty = c;
}

#endif /* _KMQTT_BENCH_WORKER_H */
