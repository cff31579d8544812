// SPDX-License-Identifier: GPL-2.0
/*
 * Lines on standard error, for a terminal or for the journal.
 */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_LEN	1024

/* A limited line may be said so often in so many seconds. */
#define LIMIT_LINES	20
#define LIMIT_SECONDS	10

static int highest = LOG_NOTICE;
static bool journal;
static pthread_mutex_t limits = PTHREAD_MUTEX_INITIALIZER;

/**
 * log_begin() - decide what is told, and in which form
 * @verbose: 0 for what an operator should know, 1 and 2 for more
 */
void log_begin(int verbose)
{
	highest = LOG_NOTICE + verbose;
	journal = getenv("JOURNAL_STREAM");
}

/**
 * log_wanted() - is it worth to make up a line?
 * @priority: of syslog
 */
bool log_wanted(int priority)
{
	return priority <= highest;
}

static void say(int priority, const char *format, va_list args)
{
	char line[LINE_MAX_LEN];
	int len, n;

	if (journal)
		len = snprintf(line, sizeof(line), "<%d>", priority);
	else
		len = snprintf(line, sizeof(line), "kmqttd: ");
	n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	if (n < 0)
		return;
	len += n;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* One call, so that lines of several threads don't mix. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

/**
 * log_say() - tell something
 * @priority: of syslog
 * @format: what, without a line's end; no bytes that are a client's
 */
void log_say(int priority, const char *format, ...)
{
	va_list args;

	if (!log_wanted(priority))
		return;
	va_start(args, format);
	say(priority, format, args);
	va_end(args);
}

/* How many lines were kept back is told with the next one that is not. */
static bool may_say(struct log_limit *limit, unsigned int *unsaid)
{
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*unsaid = 0;
	pthread_mutex_lock(&limits);
	if (!limit->begin || now.tv_sec - limit->begin >= LIMIT_SECONDS) {
		*unsaid = limit->unsaid;
		*limit = (struct log_limit){ .begin = now.tv_sec };
	}
	may = limit->said < LIMIT_LINES;
	if (may)
		limit->said++;
	else
		limit->unsaid++;
	pthread_mutex_unlock(&limits);
	return may;
}

/**
 * log_say_some() - tell something that may happen very often
 * @limit: what it is counted with
 * @priority: of syslog
 * @format: as for log_say()
 */
void log_say_some(struct log_limit *limit, int priority, const char *format,
		  ...)
{
	unsigned int unsaid;
	va_list args;

	if (!log_wanted(priority) || !may_say(limit, &unsaid))
		return;
	if (unsaid)
		log_say(priority, "%u lines like the next one were left out",
			unsaid);
	va_start(args, format);
	say(priority, format, args);
	va_end(args);
}
