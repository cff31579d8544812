// SPDX-License-Identifier: GPL-2.0
/*
 * The ceiling on what a broker may hold. Each object charges its size when it
 * is made and gives it back when it is freed, nobody else does.
 */
#include "memory.h"

/*
 * Bytes a CPU may be off by before it tells the others. The ceiling is exact
 * to this much for each CPU, and no cache line is shared in between.
 */
#define MEMORY_BATCH	(64 << 10)

/**
 * kmqtt_memory_init() - start counting
 * @memory: the account
 * @limit: ceiling in bytes
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_memory_init(struct kmqtt_memory *memory, u64 limit)
{
	int err;

	memory->limit = limit;
	memory->held = alloc_percpu(struct kmqtt_held);
	if (!memory->held)
		return -ENOMEM;
	err = percpu_counter_init(&memory->used, 0, GFP_KERNEL);
	if (err)
		free_percpu(memory->held);
	return err;
}

/**
 * kmqtt_memory_uninit() - stop counting
 * @memory: the account; everything charged must have been given back
 *
 * Context: process.
 */
void kmqtt_memory_uninit(struct kmqtt_memory *memory)
{
	WARN_ON_ONCE(percpu_counter_sum(&memory->used));
	percpu_counter_destroy(&memory->used);
	free_percpu(memory->held);
}

/**
 * kmqtt_memory_charge() - ask for room
 * @memory: the account
 * @bytes: how much
 *
 * Context: any but hard interrupts.
 * Return: true if @bytes are charged, false if the ceiling is reached.
 */
bool kmqtt_memory_charge(struct kmqtt_memory *memory, size_t bytes)
{
	u64 used = percpu_counter_read_positive(&memory->used);

	if (used + bytes > READ_ONCE(memory->limit))
		return false;
	percpu_counter_add_batch(&memory->used, bytes, MEMORY_BATCH);
	return true;
}

/**
 * kmqtt_memory_force() - count what is needed even above the ceiling
 * @memory: the account
 * @bytes: how much: little, and for something that is limited otherwise
 *
 * Context: any but hard interrupts.
 */
void kmqtt_memory_force(struct kmqtt_memory *memory, size_t bytes)
{
	percpu_counter_add_batch(&memory->used, bytes, MEMORY_BATCH);
}

/**
 * kmqtt_memory_uncharge() - give room back
 * @memory: the account
 * @bytes: what was charged
 *
 * Context: any but hard interrupts.
 */
void kmqtt_memory_uncharge(struct kmqtt_memory *memory, size_t bytes)
{
	percpu_counter_add_batch(&memory->used, -(s64)bytes, MEMORY_BATCH);
}

/**
 * kmqtt_memory_used() - how much is charged
 * @memory: the account
 *
 * Context: any but hard interrupts; visits every CPU.
 * Return: bytes.
 */
u64 kmqtt_memory_used(struct kmqtt_memory *memory)
{
	return percpu_counter_sum_positive(&memory->used);
}

/**
 * kmqtt_memory_held() - how many messages there are
 * @memory: the account
 * @sum: messages, and bytes of their payloads
 *
 * They come and go meanwhile.
 *
 * Context: any; visits every CPU.
 */
void kmqtt_memory_held(const struct kmqtt_memory *memory,
		       struct kmqtt_held *sum)
{
	s64 messages = 0, bytes = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kmqtt_held *held = per_cpu_ptr(memory->held, cpu);

		messages += READ_ONCE(held->messages);
		bytes += READ_ONCE(held->bytes);
	}
	/* One that has moved on while we looked may be missing twice. */
	sum->messages = max_t(s64, messages, 0);
	sum->bytes = max_t(s64, bytes, 0);
}
