// SPDX-License-Identifier: GPL-2.0
/*
 * How many handshakes a listener has under way, and how many of them are of
 * one source. There are never more sources than handshakes: the limit of those
 * bounds the memory here.
 */
#include "gate.h"

#include <stdlib.h>
#include <sys/random.h>

struct gate_source {
	struct gate_source *next;
	struct peer_source key;
	unsigned int pending;
};

/**
 * gate_create() - begin to count
 *
 * Return: for gate_put(), or NULL without memory.
 */
struct gate *gate_create(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	gate->refs = 1;
	pthread_mutex_init(&gate->mutex, NULL);
	/* Without it, somebody may know which sources share a bucket. */
	if (getrandom(&gate->seed, sizeof(gate->seed), 0) < 0)
		gate->seed = (uintptr_t)gate;
	return gate;
}

/**
 * gate_get() - hold a gate
 * @gate: the gate
 */
struct gate *gate_get(struct gate *gate)
{
	gate->refs++;
	return gate;
}

/**
 * gate_put() - hold it no longer
 * @gate: the gate
 */
void gate_put(struct gate *gate)
{
	if (--gate->refs)
		return;
	pthread_mutex_destroy(&gate->mutex);
	free(gate);
}

/**
 * gate_enter() - count a handshake
 * @gate: of its listener
 * @max: how many there may be
 *
 * Return: false if there are as many already.
 */
bool gate_enter(struct gate *gate, unsigned int max)
{
	bool enters;

	pthread_mutex_lock(&gate->mutex);
	enters = gate->pending < max;
	if (enters)
		gate->pending++;
	pthread_mutex_unlock(&gate->mutex);
	return enters;
}

/**
 * gate_leave() - a handshake has ended
 * @gate: that it entered
 */
void gate_leave(struct gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	gate->pending--;
	pthread_mutex_unlock(&gate->mutex);
}

/**
 * gate_pending() - how many handshakes are there?
 * @gate: of a listener
 */
unsigned int gate_pending(struct gate *gate)
{
	unsigned int pending;

	pthread_mutex_lock(&gate->mutex);
	pending = gate->pending;
	pthread_mutex_unlock(&gate->mutex);
	return pending;
}

static struct gate_source **bucket_of(struct gate *gate,
				      const struct peer_source *key)
{
	uint64_t hash = key->address ^ gate->seed;

	/* The finalizer of MurmurHash3 spreads each bit over all of them. */
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdull;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ull;
	hash ^= hash >> 33;
	return &gate->buckets[hash % GATE_BUCKETS];
}

static bool is_source(const struct gate_source *source,
		      const struct peer_source *key)
{
	return source->key.family == key->family &&
	       source->key.address == key->address;
}

/**
 * gate_enter_source() - count a handshake for its source
 * @gate: that it has entered
 * @peer: who it is
 * @max: how many one source may have
 *
 * Return: for gate_leave_source(), or NULL if there are as many already.
 */
struct gate_source *gate_enter_source(struct gate *gate,
				      const union peer *peer, unsigned int max)
{
	struct peer_source key = peer_source(peer);
	struct gate_source **bucket, *source;

	pthread_mutex_lock(&gate->mutex);
	bucket = bucket_of(gate, &key);
	for (source = *bucket; source; source = source->next)
		if (is_source(source, &key))
			break;
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (source) {
			source->key = key;
			source->next = *bucket;
			*bucket = source;
		}
	} else if (source->pending >= max) {
		source = NULL;
	}
	if (source)
		source->pending++;
	pthread_mutex_unlock(&gate->mutex);
	return source;
}

/**
 * gate_leave_source() - a handshake of a source has ended
 * @gate: that it entered
 * @source: what gate_enter_source() returned, or NULL
 */
void gate_leave_source(struct gate *gate, struct gate_source *source)
{
	struct gate_source **at;

	if (!source)
		return;
	pthread_mutex_lock(&gate->mutex);
	if (!--source->pending) {
		at = bucket_of(gate, &source->key);
		while (*at != source)
			at = &(*at)->next;
		*at = source->next;
		free(source);
	}
	pthread_mutex_unlock(&gate->mutex);
}
