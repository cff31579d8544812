/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_LOG_H
#define _KMQTTD_LOG_H

#include <stdbool.h>
#include <syslog.h>
#include <time.h>

#define __printf(format, first)	\
	__attribute__((__format__(printf, format, first)))

/*
 * What clients can cause as often as they like: so many lines in so long. Static
 * storage is all that it needs to begin with.
 */
struct log_limit {
	time_t begin;
	unsigned int said;
	unsigned int unsaid;
};

void log_begin(int verbose);
bool log_wanted(int priority);
__printf(2, 3)
void log_say(int priority, const char *format, ...);
__printf(3, 4)
void log_say_some(struct log_limit *limit, int priority, const char *format,
		  ...);

#endif /* _KMQTTD_LOG_H */
