// SPDX-License-Identifier: GPL-2.0
/*
 * The controller: phases, what is measured in them, and how a run fails.
 */
#include "bench.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "secure.h"
#include "worker.h"

/* How long a message that was overtaken may still be late, not lost. */
#define LATE_NS		(NS_PER_S / 2)

#define POLL_MS		200

static int resolve(struct bench *b)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct options *o = b->options;
	struct addrinfo *list;
	int error;

	error = getaddrinfo(o->host, o->port, &hints, &list);
	if (error) {
		fprintf(stderr, "kmqtt-bench: %s port %s: %s\n", o->host,
			o->port, gai_strerror(error));
		return -1;
	}
	memcpy(&b->address, list->ai_addr, list->ai_addrlen);
	b->address_len = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

/* Signals come when the controller asks for them: they end what it holds. */
static int init_signals(struct bench *b)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	b->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	return b->signal_fd;
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	/* Root may have more than that. */
	limit.rlim_max = 1 << 20;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	/* Timers of an open loop are not to be late by 50 microseconds. */
	prctl(PR_SET_TIMERSLACK, 1);
}

/**
 * bench_init() - set up a run
 * @b: has its options and its pattern
 *
 * Return: 0, or -1 after it has told what is wrong.
 */
int bench_init(struct bench *b)
{
	const struct options *o = b->options;
	uint32_t i;

	pthread_mutex_init(&b->lock, NULL);
	snprintf(b->run, sizeof(b->run), "%x", getpid());
	if (o->prefix)
		snprintf(b->prefix, sizeof(b->prefix), "%s", o->prefix);
	else
		snprintf(b->prefix, sizeof(b->prefix), "kmqtt-bench/%s",
			 b->run);
	raise_limits();
	b->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (resolve(b) || cpu_init(&b->cpu, o))
		return -1;
	if (o->tls) {
		b->tls = secure_create(o);
		if (!b->tls)
			return -1;
	}
	if (b->event_fd < 0 || init_signals(b) < 0) {
		perror("kmqtt-bench");
		return -1;
	}
	b->workers = must_alloc(o->threads, sizeof(*b->workers));
	for (i = 0; i < o->threads; i++) {
		if (worker_init(&b->workers[i], b, i)) {
			perror("kmqtt-bench: epoll");
			return -1;
		}
	}
	return 0;
}

/**
 * bench_free() - undo bench_init()
 * @b: the run
 */
void bench_free(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < b->options->threads; i++)
		worker_free(&b->workers[i]);
	free(b->workers);
	SSL_CTX_free(b->tls);
	free(b->cpu.kworkers);
	close(b->event_fd);
	close(b->signal_fd);
}

/**
 * bench_start_threads() - let the workers run
 * @b: the run
 */
void bench_start_threads(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < b->options->threads; i++) {
		if (pthread_create(&b->workers[i].thread, NULL, worker_thread,
				   &b->workers[i])) {
			fprintf(stderr, "kmqtt-bench: no threads\n");
			exit(1);
		}
	}
}

static void call_workers(struct bench *b, worker_fn fn)
{
	uint32_t i;

	for (i = 0; i < b->options->threads; i++) {
		b->workers[i].call = (uintptr_t)fn;
		worker_kick(&b->workers[i]);
	}
}

/**
 * bench_stop_threads() - end the workers, if they run; they keep their clients
 * @b: the run
 */
void bench_stop_threads(struct bench *b)
{
	uint32_t i;

	if (b->stopped)
		return;
	b->stopped = true;
	call_workers(b, worker_quit);
	for (i = 0; i < b->options->threads; i++)
		pthread_join(b->workers[i].thread, NULL);
}

/**
 * bench_free_clients() - close the connections, the threads being gone
 * @b: the run
 */
void bench_free_clients(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < b->options->threads; i++)
		worker_free_clients(&b->workers[i]);
}

static void wake(struct bench *b)
{
	uint64_t one = 1;

	if (write(b->event_fd, &one, sizeof(one)) < 0)
		perror("kmqtt-bench: eventfd");
}

/**
 * bench_fail() - end the run without success
 * @b: the run
 * @format: why; only the first reason counts
 */
void bench_fail(struct bench *b, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&b->lock);
	if (!b->failed) {
		va_start(args, format);
		vsnprintf(b->error, sizeof(b->error), format, args);
		va_end(args);
		b->failed = true;
	}
	pthread_mutex_unlock(&b->lock);
	wake(b);
}

/**
 * bench_explain() - tell more of why the run has failed
 * @b: the run
 * @format: more
 */
void bench_explain(struct bench *b, const char *format, ...)
{
	size_t len = strlen(b->error);
	va_list args;

	len += snprintf(b->error + len, sizeof(b->error) - len, "; ");
	if (len >= sizeof(b->error))
		return;
	va_start(args, format);
	vsnprintf(b->error + len, sizeof(b->error) - len, format, args);
	va_end(args);
}

/**
 * bench_done() - tell that something of the phase is done
 * @b: the run
 * @units: how much of it
 */
void bench_done(struct bench *b, uint64_t units)
{
	unsigned long long none = 0;

	if (atomic_fetch_sub(&b->left, units) != units)
		return;
	atomic_compare_exchange_strong(&b->end, &none, clock_ns());
	wake(b);
}

static uint64_t bytes(const struct bench *b)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < b->options->threads; i++)
		sum += b->workers[i].bytes;
	return sum;
}

static uint64_t delivered(const struct bench *b)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < b->options->threads; i++)
		sum += b->workers[i].counts.delivered;
	return sum;
}

static void show_progress(const struct bench *b, uint64_t now)
{
	static int tty = -1;

	if (tty < 0)
		tty = isatty(STDERR_FILENO);
	if (tty && !b->options->json)
		fprintf(stderr, "\r%s: %.1f s, %llu delivered\033[K\r",
			b->pattern->name, (now - b->start) / 1e9,
			(unsigned long long)delivered(b));
}

static void look_for_trouble(struct bench *b, uint64_t now,
			     uint64_t progress_at)
{
	uint64_t missed_at = b->missed_at;

	if (missed_at && now - missed_at > LATE_NS)
		bench_fail(b, "messages were lost or out of order");
	else if (now - progress_at > b->options->timeout * NS_PER_S)
		bench_fail(b, "nothing has arrived for %g s",
			   b->options->timeout);
}

/* Wait for something, but not long. */
static void doze(struct bench *b)
{
	struct pollfd fds[] = {
		{ .fd = b->event_fd, .events = POLLIN },
		{ .fd = b->signal_fd, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	uint64_t n;

	poll(fds, 2, POLL_MS);
	if (fds[0].revents && read(b->event_fd, &n, sizeof(n)) < 0)
		return;
	if (fds[1].revents && read(b->signal_fd, &info, sizeof(info)) > 0)
		bench_fail(b, "interrupted");
}

static void wait_for_end(struct bench *b, double seconds, worker_fn stop)
{
	uint64_t progress_at = b->start, last = bytes(b), now;

	while (!b->failed && (b->left || b->missed_at)) {
		doze(b);
		now = clock_ns();
		if (bytes(b) != last) {
			last = bytes(b);
			progress_at = now;
		}
		if (stop && seconds > 0 && now - b->start >=
					   seconds * NS_PER_S) {
			call_workers(b, stop);
			stop = NULL;
		}
		if (b->left || b->missed_at)
			look_for_trouble(b, now, progress_at);
		show_progress(b, now);
	}
}

/**
 * bench_phase() - let the workers do something and wait until it is done
 * @b: the run
 * @begin: what each of them begins with
 * @units: what has to be told by bench_done()
 * @seconds: after which @stop is called, 0 for never
 * @stop: what ends it soon
 *
 * Return: true if the run hasn't failed.
 */
bool bench_phase(struct bench *b, worker_fn begin, uint64_t units,
		 double seconds, worker_fn stop)
{
	if (b->failed)
		return false;
	b->left = units;
	b->end = 0;
	b->start = clock_ns();
	call_workers(b, begin);
	wait_for_end(b, seconds, stop);
	return !b->failed;
}

static void begin_counting(struct bench *b)
{
	uint32_t i;

	b->bytes_before = bytes(b);
	for (i = 0; i < b->options->threads; i++) {
		b->workers[i].counts = (struct counts){};
		histogram_clear(&b->workers[i].latency);
		histogram_clear(&b->workers[i].late);
	}
}

static void add_counts(struct counts *sum, const struct counts *counts)
{
	sum->published += counts->published;
	sum->delivered += counts->delivered;
	sum->duplicates += counts->duplicates;
	sum->missing += counts->missing;
	sum->misordered += counts->misordered;
}

static void end_counting(struct bench *b, struct result *result)
{
	uint64_t end = b->end;
	uint32_t i;

	/* Else the workers are between two phases. */
	if (b->failed)
		bench_stop_threads(b);
	result->seconds = ((end ? end : clock_ns()) - b->start) / 1e9;
	result->bytes = bytes(b) - b->bytes_before;
	for (i = 0; i < b->options->threads; i++) {
		add_counts(&result->counts, &b->workers[i].counts);
		histogram_merge(&result->latency, &b->workers[i].latency);
		histogram_merge(&result->late, &b->workers[i].late);
	}
}

/**
 * bench_measure() - bench_phase(), of which there is a result
 * @b: the run
 * @name: of the result, NULL for the main one
 * @unit: what is counted as delivered
 * @begin: as of bench_phase()
 * @units: as of bench_phase()
 * @seconds: as of bench_phase()
 * @stop: as of bench_phase()
 *
 * Return: true if the run hasn't failed.
 */
bool bench_measure(struct bench *b, const char *name, const char *unit,
		   worker_fn begin, uint64_t units, double seconds,
		   worker_fn stop)
{
	struct result *result = &b->results[b->n_results++];

	result->name = name;
	result->unit = unit;
	if (b->failed)
		return false;
	begin_counting(b);
	cpu_begin(&b->cpu);
	bench_phase(b, begin, units, seconds, stop);
	cpu_end(&b->cpu, &result->cpu);
	end_counting(b, result);
	return !b->failed;
}

/* Return: true when there is a reason to end it. */
static bool held_enough(struct bench *b, bool *input)
{
	const struct options *o = b->options;
	struct pollfd fds[] = {
		{ .fd = b->event_fd, .events = POLLIN },
		{ .fd = b->signal_fd, .events = POLLIN },
		{ .fd = *input ? STDIN_FILENO : -1, .events = POLLIN },
	};
	char skipped[256];

	poll(fds, 3, POLL_MS);
	if (fds[2].revents)
		*input = read(STDIN_FILENO, skipped, sizeof(skipped)) > 0;
	return b->failed || fds[1].revents || (fds[2].revents && !*input) ||
	       (o->hold > 0 && clock_ns() - b->start >= o->hold * NS_PER_S);
}

/**
 * bench_hold() - leave everything as it is for a while
 * @b: the run
 * @what: what is held
 *
 * Scripts wait for what it tells to stderr.
 */
void bench_hold(struct bench *b, const char *what)
{
	struct result *result = &b->results[b->n_results];
	bool input = !(b->options->hold > 0);

	if (b->failed)
		return;
	b->n_results++;
	result->name = "hold";
	fprintf(stderr, "kmqtt-bench: holding %s\n", what);
	cpu_begin(&b->cpu);
	b->start = clock_ns();
	while (!held_enough(b, &input))
		;
	cpu_end(&b->cpu, &result->cpu);
	result->seconds = (clock_ns() - b->start) / 1e9;
}
