/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_GATE_H
#define _KMQTTD_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "peer.h"

#define GATE_BUCKETS	256

struct gate_source;

/* Counts the handshakes of a listener that are under way. */
struct gate {
	atomic_uint refs;
	atomic_uint terms;	/* which settings the listener has */
	pthread_mutex_t mutex;	/* guards what follows */
	unsigned int pending;
	uint64_t seed;
	struct gate_source *buckets[GATE_BUCKETS];
};

struct gate *gate_create(void);
struct gate *gate_get(struct gate *gate);
void gate_put(struct gate *gate);
bool gate_enter(struct gate *gate, unsigned int max);
void gate_leave(struct gate *gate);
unsigned int gate_pending(struct gate *gate);
struct gate_source *gate_enter_source(struct gate *gate,
				      const union peer *peer,
				      unsigned int max);
void gate_leave_source(struct gate *gate, struct gate_source *source);

#endif /* _KMQTTD_GATE_H */
