// SPDX-License-Identifier: GPL-2.0
/*
 * What a broker has at present: for netlink and for $SYS.
 */
#include "present.h"

#include <linux/timekeeping.h>
#include "../broker.h"
#include "../net/registry.h"

static u64 retained_bytes(struct kmqtt_retained *retained)
{
	u64 bytes;

	spin_lock_bh(&retained->trie.lock);
	bytes = retained->bytes;
	spin_unlock_bh(&retained->trie.lock);
	return bytes;
}

/**
 * kmqtt_present_read() - see what there is
 * @broker: the broker
 * @sum: its counters, as of just before
 * @present: what there is
 *
 * Context: any but hard interrupts; visits every CPU, takes the lock of the
 * retained messages.
 */
void kmqtt_present_read(struct kmqtt_broker *broker,
			const struct kmqtt_stats *sum,
			struct kmqtt_present *present)
{
	struct kmqtt_held held;

	kmqtt_memory_held(&broker->memory, &held);
	*present = (struct kmqtt_present) {
		.uptime = ktime_get_seconds() - broker->started,
		.connections = READ_ONCE(broker->registry->nr_conns),
		/* The two were not counted at the same moment. */
		.clients = max_t(s64, sum->admitted - sum->left, 0),
		.sessions = atomic_read(&broker->store.nr),
		.subscriptions = READ_ONCE(broker->tree.nr_subs),
		.shared_subscriptions = READ_ONCE(broker->tree.nr_shared),
		.retained = READ_ONCE(broker->retained.nr),
		.retained_bytes = retained_bytes(&broker->retained),
		.messages = held.messages,
		.message_bytes = held.bytes,
		.memory = kmqtt_memory_used(&broker->memory),
		.bans = READ_ONCE(broker->access.bans.nr),
	};
}
