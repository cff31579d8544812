/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_CONN_H
#define _KMQTTD_CONN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "adopt.h"
#include "peer.h"
#include "proxy.h"
#include "service.h"
#include "tls.h"

/* What became of connections. */
struct conn_counts {
	atomic_ulong adopted;
	atomic_ulong failed;
	atomic_ulong limited;		/* there were too many */
};

/* The thread that a connection is in. */
struct conn_env {
	const struct adopter *adopter;
	void *state;			/* of the adopter */
	struct conn_counts *counts;
};

enum conn_stage {
	CONN_PROXY,
	CONN_TLS,
	CONN_UPGRADE,
	CONN_ADOPT,
	CONN_DRAIN,		/* refused, and to be told */
};

/* What a connection waits for. */
enum conn_wait {
	CONN_READ,
	CONN_WRITE,
	CONN_END,
};

/* Between accept() and the broker. It belongs to one thread at a time. */
struct conn {
	LIST_ENTRY(conn) link;		/* of its loop */
	enum conn_wait wait;
	enum conn_stage stage;
	int fd;
	int64_t deadline;		/* for all stages together */
	struct service *service;
	struct gate_source *source;	/* NULL until it is known */
	union peer peer;
	bool proxied;
	struct proxy proxy;
	struct tls *tls;
	struct identity *identity;	/* NULL without TLS */
	char *request;			/* of HTTP, as far as it is there */
	size_t request_len;
	size_t request_size;		/* room for it */
};

struct conn *conn_create(int fd, const union peer *peer,
			 struct service *service, struct conn_counts *counts);
enum conn_wait conn_advance(struct conn *conn, const struct conn_env *env);
void conn_expire(struct conn *conn, const struct conn_env *env);
void conn_free(struct conn *conn);
int64_t conn_now(void);

#endif /* _KMQTTD_CONN_H */
