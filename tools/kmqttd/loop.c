// SPDX-License-Identifier: GPL-2.0
/*
 * Threads with connections in them.
 *
 * Each thread has an epoll of its own, and a connection stays in the one that
 * it was given to: nothing here is shared, and no lock is needed. What takes
 * long, a private key's signature, is a matter of milliseconds, and holds up
 * neither the thread that accepts connections nor the other loops. A pool of
 * threads for that alone would need a queue, and a state for connections that
 * are in it, to do no better.
 */
#include "loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/epoll.h>

#define EVENTS		64

/* How often to look who takes too long, in milliseconds. */
#define TICK		250

struct loop {
	pthread_t thread;
	int epoll;
	int inbox[2];		/* a pipe of pointers; its end ends the loop */
	LIST_HEAD(, conn) conns;
	struct conn_env env;
};

struct loops {
	unsigned int nr;
	unsigned int next;
	struct loop loop[];
};

static void end_conn(struct loop *loop, struct conn *conn)
{
	LIST_REMOVE(conn, link);
	/* Closing it isn't enough if the broker has the socket. */
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
	conn_free(conn);
}

static void advance(struct loop *loop, struct conn *conn)
{
	struct epoll_event event = { .data.ptr = conn };
	enum conn_wait wait = conn_advance(conn, &loop->env);

	if (wait != CONN_END && wait != conn->wait) {
		conn->wait = wait;
		event.events = wait == CONN_WRITE ? EPOLLOUT : EPOLLIN;
		if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, conn->fd, &event))
			wait = CONN_END;
	}
	if (wait == CONN_END)
		end_conn(loop, conn);
}

static void take(struct loop *loop, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

	conn->wait = CONN_READ;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, conn->fd, &event)) {
		conn_free(conn);
		return;
	}
	LIST_INSERT_HEAD(&loop->conns, conn, link);
}

/* Returns false at the end. */
static bool read_inbox(struct loop *loop)
{
	struct conn *conns[EVENTS];
	ssize_t n, i;

	/* A write of a pointer is never torn. */
	n = read(loop->inbox[0], conns, sizeof(conns));
	for (i = 0; i < n / (ssize_t)sizeof(conns[0]); i++)
		take(loop, conns[i]);
	return n;
}

static int64_t expire(struct loop *loop, int64_t now)
{
	struct conn *conn, *next;

	for (conn = LIST_FIRST(&loop->conns); conn; conn = next) {
		next = LIST_NEXT(conn, link);
		if (conn->deadline > now)
			continue;
		conn_expire(conn, &loop->env);
		end_conn(loop, conn);
	}
	return now + TICK;
}

static void *run(void *arg)
{
	struct epoll_event events[EVENTS];
	int64_t next = 0, now;
	struct loop *loop = arg;
	bool go_on = true;
	int nr, i;

	loop->env.state = loop->env.adopter->open(loop->env.adopter->arg);
	while (go_on) {
		nr = epoll_wait(loop->epoll, events, EVENTS,
				LIST_EMPTY(&loop->conns) ? -1 : TICK);
		/* Nothing in @events can be freed but by its own event. */
		for (i = 0; i < nr; i++) {
			if (events[i].data.ptr)
				advance(loop, events[i].data.ptr);
			else
				go_on = read_inbox(loop);
		}
		now = conn_now();
		if (now >= next)
			next = expire(loop, now);
	}
	while (!LIST_EMPTY(&loop->conns))
		end_conn(loop, LIST_FIRST(&loop->conns));
	loop->env.adopter->close(loop->env.state);
	return NULL;
}

static bool start(struct loop *loop, const struct adopter *adopter,
		  struct conn_counts *counts)
{
	struct epoll_event event = { .events = EPOLLIN };

	loop->env = (struct conn_env){
		.adopter = adopter,
		.counts = counts,
	};
	LIST_INIT(&loop->conns);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0 || pipe2(loop->inbox, O_CLOEXEC | O_NONBLOCK))
		return false;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->inbox[0], &event))
		return false;
	return !pthread_create(&loop->thread, NULL, run, loop);
}

/**
 * loops_start() - start threads
 * @nr: how many
 * @adopter: where connections go
 * @counts: what became of them
 *
 * Return: for loops_stop(), or NULL; then there is no way to go on.
 */
struct loops *loops_start(unsigned int nr, const struct adopter *adopter,
			  struct conn_counts *counts)
{
	struct loops *loops = calloc(1, sizeof(*loops) +
				     nr * sizeof(loops->loop[0]));
	unsigned int i;

	if (!loops)
		return NULL;
	loops->nr = nr;
	for (i = 0; i < nr; i++)
		if (!start(&loops->loop[i], adopter, counts))
			return NULL;
	return loops;
}

/**
 * loops_give() - have a thread go on with a connection
 * @loops: the threads, which take turns
 * @conn: that of the thread from now on
 *
 * Context: one thread only calls it.
 */
void loops_give(struct loops *loops, struct conn *conn)
{
	struct loop *loop = &loops->loop[loops->next++ % loops->nr];

	/* Thousands have room in it: a thread is stuck, or lost. */
	if (write(loop->inbox[1], &conn, sizeof(conn)) != sizeof(conn))
		conn_free(conn);
}

/**
 * loops_stop() - end all threads, and the connections in them
 * @loops: the threads, gone afterwards
 */
void loops_stop(struct loops *loops)
{
	unsigned int i;

	for (i = 0; i < loops->nr; i++)
		close(loops->loop[i].inbox[1]);
	for (i = 0; i < loops->nr; i++) {
		pthread_join(loops->loop[i].thread, NULL);
		close(loops->loop[i].inbox[0]);
		close(loops->loop[i].epoll);
	}
	free(loops);
}
