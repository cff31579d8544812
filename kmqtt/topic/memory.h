/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_TOPIC_MEMORY_H
#define _KMQTT_TOPIC_MEMORY_H

#include <linux/percpu_counter.h>

/**
 * struct kmqtt_held - messages among what is held, as one CPU sees it
 * @messages: made here less those freed here
 * @bytes: the same for the bytes of their payloads
 */
struct kmqtt_held {
	u64 messages;
	u64 bytes;
};

/**
 * struct kmqtt_memory - what a broker's messages, trees and sessions hold
 * @used: bytes charged
 * @limit: bytes allowed; read and written with READ_ONCE() and WRITE_ONCE()
 * @held: only their sum over all CPUs says something
 */
struct kmqtt_memory {
	struct percpu_counter used;
	u64 limit;
	struct kmqtt_held __percpu *held;
};

int kmqtt_memory_init(struct kmqtt_memory *memory, u64 limit);
void kmqtt_memory_uninit(struct kmqtt_memory *memory);
bool kmqtt_memory_charge(struct kmqtt_memory *memory, size_t bytes);
void kmqtt_memory_force(struct kmqtt_memory *memory, size_t bytes);
void kmqtt_memory_uncharge(struct kmqtt_memory *memory, size_t bytes);
u64 kmqtt_memory_used(struct kmqtt_memory *memory);
void kmqtt_memory_held(const struct kmqtt_memory *memory,
		       struct kmqtt_held *sum);

#endif /* _KMQTT_TOPIC_MEMORY_H */
