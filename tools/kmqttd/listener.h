/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_LISTENER_H
#define _KMQTTD_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "conn.h"
#include "loop.h"
#include "peer.h"

/* A listener of the broker that names an agent. */
struct listener_entry {
	uint32_t id;
	union peer addr;	/* AF_UNSPEC for all, with the port of in4 */
	const char *agent;
};

struct listener;

/* All of them; they are used in one thread. */
struct listeners {
	LIST_HEAD(, listener) list;
	int epoll;			/* with a listener as data */
	struct loops *loops;
	struct conn_counts *counts;
};

void listeners_begin(struct listeners *listeners);
void listeners_note(struct listeners *listeners,
		    const struct listener_entry *entry);
void listeners_commit(struct listeners *listeners, bool anew);
void listeners_close(struct listeners *listeners);
void listeners_retry(struct listeners *listeners);
unsigned int listeners_open(const struct listeners *listeners);
unsigned int listeners_pending(const struct listeners *listeners);
void listener_accept(struct listeners *listeners, struct listener *listener);

#endif /* _KMQTTD_LISTENER_H */
