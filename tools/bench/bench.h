/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_BENCH_H
#define _KMQTT_BENCH_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "cpu.h"
#include "histogram.h"
#include "options.h"
#include "util.h"

struct bench;
struct client;
struct publisher;
struct ssl_ctx_st;
struct worker;

#define NS_PER_S	1000000000ull

static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* What the threads count; the controller reads it between phases only. */
struct counts {
	uint64_t published;
	uint64_t delivered;
	uint64_t duplicates;
	uint64_t missing;
	uint64_t misordered;
};

/* What is measured in one phase. */
struct result {
	const char *name;
	const char *unit;
	double seconds;
	uint64_t bytes;
	struct counts counts;
	struct histogram latency;
	struct histogram late;
	struct cpu_usage cpu;
};

#define RESULTS_MAX	3

struct pattern {
	const char *name;
	const char *help;
	/* What of struct options is the default, and what can't be. */
	void (*defaults)(struct options *o);
	/* It has an end of its own: seconds don't apply. */
	bool counted;
	void (*run)(struct bench *b);
};

/*
 * The controller, that is the main thread. It tells the workers to do
 * something, a phase, and waits until nothing of it is left.
 */
struct bench {
	const struct options *options;
	const struct pattern *pattern;
	void *private;
	/* Connecting is to end the sessions that were used. */
	bool end_sessions;
	char run[16];
	char prefix[64];

	struct sockaddr_storage address;
	socklen_t address_len;
	/* NULL without TLS. */
	struct ssl_ctx_st *tls;

	struct worker *workers;
	int event_fd;
	int signal_fd;

	atomic_ullong left;
	uint64_t start;
	uint64_t bytes_before;
	atomic_ullong end;
	bool stopped;

	/* The first message that was missed, and by whom. */
	atomic_ullong missed_at;

	pthread_mutex_t lock;
	atomic_bool failed;
	char error[256];

	struct cpu_state cpu;
	struct result results[RESULTS_MAX];
	unsigned int n_results;
};

int bench_init(struct bench *b);
void bench_free(struct bench *b);
void bench_start_threads(struct bench *b);
void bench_stop_threads(struct bench *b);
void bench_free_clients(struct bench *b);

void bench_fail(struct bench *b, const char *format, ...)
	FORMAT(2, 3);
void bench_explain(struct bench *b, const char *format, ...)
	FORMAT(2, 3);

/* What a worker does at the begin or the end of a phase. */
typedef void (*worker_fn)(struct worker *w);

bool bench_phase(struct bench *b, worker_fn begin, uint64_t units,
		 double seconds, worker_fn stop);
bool bench_measure(struct bench *b, const char *name, const char *unit,
		   worker_fn begin, uint64_t units, double seconds,
		   worker_fn stop);
void bench_hold(struct bench *b, const char *what);
void bench_done(struct bench *b, uint64_t units);

int report(const struct bench *b);

#endif /* _KMQTT_BENCH_BENCH_H */
