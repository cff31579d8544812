/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_OPTIONS_H
#define _KMQTT_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OPTIONS_LIST_MAX	16

struct json_t;

enum filter_kind {
	FILTER_PLUS,
	FILTER_HASH,
	FILTER_EXACT,
};

struct option_list {
	unsigned int count;
	const char *values[OPTIONS_LIST_MAX];
};

/* What was asked for; --help tells what each means. */
struct options {
	const char *host;
	const char *port;
	uint32_t version;
	uint32_t threads;
	uint32_t qos;
	uint32_t sub_qos;
	const char *user;
	const char *password;
	const char *tls;
	const char *tls_version;

	uint32_t number;
	uint32_t publishers;
	uint32_t size;
	uint32_t window;
	uint32_t burst;
	double rate;
	bool spin;

	uint64_t count;
	double seconds;
	uint64_t warmup;
	double timeout;

	uint32_t topics;
	uint32_t depth;
	uint32_t filter;
	uint32_t batch;
	uint32_t concurrent;
	bool session;
	bool keep;
	double hold;
	uint32_t sources;
	const char *prefix;

	struct option_list pids;
	struct option_list processes;
	const char *kworker;
	bool json;
};

int options_read(struct options *o, int argc, char **argv);
void options_help(void);
void options_to_json(const struct options *o, struct json_t *object);

#endif /* _KMQTT_BENCH_OPTIONS_H */
