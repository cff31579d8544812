/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_PUBLISHER_H
#define _KMQTT_BENCH_PUBLISHER_H

#include "client.h"
#include "worker.h"

/* Topics to publish to in turn. All are of one length: so are the packets. */
struct topics {
	uint32_t count;
	size_t len;
	char *text;
};

/* What the ring knows of a message: its number, and what is to come yet. */
#define RING_ACK		0x80000000ull
#define RING_COPIES_MASK	(RING_ACK - 1)
#define RING_LEFT_MASK		0xffffffffull

struct publisher {
	struct client client;
	const struct topics *topics;
	uint32_t copies;
	uint32_t topic;
	bool retain;
	bool fence;
	bool fenced;
	/* All subscribers are the same thread's: no need for atomics. */
	bool local;
	bool active;
	/* Messages of the phase: the first, the next, and after the last. */
	uint64_t first;
	uint64_t next;
	uint64_t end;
	/* Those before are complete; how many are in all; how many acked. */
	uint64_t base;
	atomic_ullong completed;
	uint64_t acked;
	atomic_ullong *ring;
	uint64_t ring_mask;

	/* In an open loop, how many are due. */
	uint64_t due;
	double start;
	double period;

	/* Packets side by side in the client's burst, and where in each. */
	uint32_t slots;
	size_t packet_len;
	size_t topic_at;
	size_t packet_id_at;
	size_t stamp_at;

	/* As of publisher_deliver(). */
	struct publisher *next_in_inbox;
	atomic_bool in_inbox;
};

extern const struct client_ops publisher_ops;

void topics_init(struct topics *topics, uint32_t count,
		 void (*text)(const struct bench *b, uint32_t n,
			      char text[MQTT_TOPIC_MAX]),
		 const struct bench *b);
void topics_free(struct topics *topics);

void publisher_init(struct publisher *p, const struct topics *topics,
		    uint32_t size);
void publisher_free(struct publisher *p);
void publisher_begin(struct publisher *p, uint64_t count);
void publisher_stop(struct publisher *p);
void publisher_deliver(struct publisher *p);
void publisher_take_inbox(struct worker *w);
uint64_t publisher_missing(const struct publisher *p, uint64_t *first);

/* Something of a message has come. Return: what is to come yet. */
static inline uint64_t publisher_take(struct publisher *p, uint64_t sequence,
				      uint64_t what)
{
	atomic_ullong *slot = &p->ring[sequence & p->ring_mask];
	uint64_t value;

	if (p->local) {
		value = atomic_load_explicit(slot, memory_order_relaxed) - what;
		atomic_store_explicit(slot, value, memory_order_relaxed);
	} else {
		value = atomic_fetch_sub(slot, what) - what;
	}
	return value & RING_LEFT_MASK;
}

static inline void publisher_complete(struct publisher *p)
{
	uint64_t n;

	if (p->local) {
		n = atomic_load_explicit(&p->completed, memory_order_relaxed);
		atomic_store_explicit(&p->completed, n + 1,
				      memory_order_relaxed);
	} else {
		atomic_fetch_add(&p->completed, 1);
	}
}

/* Worker @w got a copy of a message. */
static inline void publisher_got_copy(struct publisher *p, uint64_t sequence,
				      struct worker *w)
{
	if (publisher_take(p, sequence, 1))
		return;
	publisher_complete(p);
	if (p->client.worker == w)
		worker_touch(w, &p->client);
	else
		publisher_deliver(p);
}

/* Return: whether copies of the message are still to come. */
static inline bool publisher_expects(struct publisher *p, uint64_t sequence)
{
	uint64_t value = p->ring[sequence & p->ring_mask];

	return value >> 32 == (uint32_t)sequence && (value & RING_COPIES_MASK);
}

#endif /* _KMQTT_BENCH_PUBLISHER_H */
