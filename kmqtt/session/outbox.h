/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_OUTBOX_H
#define _KMQTT_SESSION_OUTBOX_H

#include "delivery.h"

/* Entries a ring has room for before it needs memory of its own. */
#define KMQTT_RING_FIRST	2

/**
 * enum kmqtt_entry_flags - what is known of a queued message
 * @KMQTT_ENTRY_RETAIN: deliver with the RETAIN flag
 * @KMQTT_ENTRY_DUP: was sent on an earlier connection
 * @KMQTT_ENTRY_RELEASED: PUBREC came: PUBREL is what to send, @msg is gone
 * @KMQTT_ENTRY_DONE: needs nothing any more; the slot waits for those before it
 * @KMQTT_ENTRY_EXTRA: @extra is valid
 */
enum kmqtt_entry_flags {
	KMQTT_ENTRY_RETAIN	= BIT(0),
	KMQTT_ENTRY_DUP		= BIT(1),
	KMQTT_ENTRY_RELEASED	= BIT(2),
	KMQTT_ENTRY_DONE	= BIT(3),
	KMQTT_ENTRY_EXTRA	= BIT(4),
};

/**
 * struct kmqtt_entry - a message in an outbox
 * @msg: holds a reference, or NULL
 * @sub_id: subscription identifier, 0 for none
 * @extra: holds a reference
 * @seq: order among both rings of an outbox
 * @qos: of the delivery
 * @flags: enum kmqtt_entry_flags
 */
struct kmqtt_entry {
	struct kmqtt_msg *msg;
	union {
		u32 sub_id;
		struct kmqtt_extra *extra;
	};
	u32 seq;
	u8 qos;
	u8 flags;
};

/**
 * struct kmqtt_ring - a queue that is sent from its middle
 * @slots: a power of two of them
 * @size: how many
 * @skipped: entries from @next on that are KMQTT_ENTRY_DONE
 * @head: the oldest entry: not yet sent, or not yet acknowledged
 * @next: the next entry to send
 * @tail: one past the newest entry
 * @first: @slots of a short queue
 *
 * The positions only grow; slot number is position modulo @size.
 */
struct kmqtt_ring {
	struct kmqtt_entry *slots;
	u32 size;
	u32 skipped;
	u64 head;
	u64 next;
	u64 tail;
	struct kmqtt_entry first[KMQTT_RING_FIRST];
};

/**
 * struct kmqtt_outbox_limits - how much an outbox takes
 * @max_inflight: messages sent and not acknowledged
 * @max_inflight_bytes: topics and payloads of them; a single message may be larger
 * @max_queued: messages not sent
 * @max_bytes: topics and payloads of both; a single message may be larger
 * @queue_qos0: of QoS 0 also while there is no connection
 * @upgrade_qos: with the QoS of the subscription, also if they were published
 *	with a lower one
 */
struct kmqtt_outbox_limits {
	u32 max_inflight;
	u32 max_queued;
	u64 max_bytes;
	u64 max_inflight_bytes;
	bool queue_qos0;
	bool upgrade_qos;
};

/**
 * kmqtt_outbox_keeps() - does a message wait where there is no connection?
 * @limits: limits of outboxes
 * @qos: that it is to be delivered with
 *
 * Context: any.
 * Return: true if it does.
 */
static inline bool kmqtt_outbox_keeps(const struct kmqtt_outbox_limits *limits,
				      u8 qos)
{
	return qos || READ_ONCE(limits->queue_qos0);
}

/**
 * kmqtt_outbox_max_qos() - with which QoS is a message delivered at most?
 * @limits: limits of outboxes
 * @qos: that it was published with
 *
 * Context: any.
 * Return: @qos, unless the operator wants what MQTT forbids.
 */
static inline u8 kmqtt_outbox_max_qos(const struct kmqtt_outbox_limits *limits,
				      u8 qos)
{
	return unlikely(READ_ONCE(limits->upgrade_qos)) ? KMQTT_QOS2 : qos;
}

/**
 * struct kmqtt_outbox - all messages on their way to one subscriber
 * @memory: account for grown rings
 * @best_effort: QoS 0
 * @assured: QoS 1 and 2; an entry's position makes its packet identifier
 * @inflight: entries of @assured sent and not acknowledged
 * @inflight_bytes: topics and payloads of these
 * @seq: of the next entry
 * @restarted: @seq when the session got its connection
 * @bytes: topics and payloads of all entries
 *
 * Guarded by the lock of the session around it.
 */
struct kmqtt_outbox {
	struct kmqtt_memory *memory;
	struct kmqtt_ring best_effort;
	struct kmqtt_ring assured;
	u32 inflight;
	u32 seq;
	u32 restarted;
	u64 bytes;
	u64 inflight_bytes;
};

/**
 * struct kmqtt_outbox_mark - a place in an outbox to go back to
 * @best_effort: position in that ring
 * @assured: position in that ring
 */
struct kmqtt_outbox_mark {
	u64 best_effort;
	u64 assured;
};

void kmqtt_outbox_init(struct kmqtt_outbox *outbox,
		       struct kmqtt_memory *memory);
void kmqtt_outbox_uninit(struct kmqtt_outbox *outbox);
int kmqtt_outbox_push(struct kmqtt_outbox *outbox,
		      const struct kmqtt_offer *offer,
		      const struct kmqtt_outbox_limits *limits);
u32 kmqtt_outbox_push_run(struct kmqtt_outbox *outbox,
			  struct kmqtt_offer *offer, struct kmqtt_msg **msgs,
			  u32 nr, const struct kmqtt_outbox_limits *limits,
			  int *err);
bool kmqtt_outbox_next(struct kmqtt_outbox *outbox, u32 max_inflight,
		       struct kmqtt_delivery *delivery);
void kmqtt_outbox_discard(struct kmqtt_outbox *outbox,
			  const struct kmqtt_delivery *delivery);
bool kmqtt_outbox_take_shared(struct kmqtt_outbox *outbox, bool ended,
			      u64 *pos, struct kmqtt_entry *entry);
bool kmqtt_outbox_put_back(struct kmqtt_outbox *outbox, u64 pos,
			   const struct kmqtt_entry *entry);
void kmqtt_outbox_rewind(struct kmqtt_outbox *outbox,
			 const struct kmqtt_outbox_mark *mark);
void kmqtt_outbox_sent(struct kmqtt_outbox *outbox);
void kmqtt_outbox_restart(struct kmqtt_outbox *outbox);
void kmqtt_outbox_drop_best_effort(struct kmqtt_outbox *outbox);
int kmqtt_outbox_puback(struct kmqtt_outbox *outbox, u16 id);
int kmqtt_outbox_pubrec(struct kmqtt_outbox *outbox, u16 id);
int kmqtt_outbox_reject(struct kmqtt_outbox *outbox, u16 id);
int kmqtt_outbox_pubcomp(struct kmqtt_outbox *outbox, u16 id);

/**
 * kmqtt_ring_count() - entries between two positions
 * @from: earlier position
 * @to: later position
 *
 * Context: any.
 * Return: how many.
 */
static inline u32 kmqtt_ring_count(u64 from, u64 to)
{
	return to - from;
}

/**
 * kmqtt_outbox_mark() - remember what is next
 * @outbox: the outbox
 * @mark: the place
 *
 * Context: under the session's lock, on the connection's transmit side.
 */
static inline void kmqtt_outbox_mark(const struct kmqtt_outbox *outbox,
				     struct kmqtt_outbox_mark *mark)
{
	mark->best_effort = outbox->best_effort.next;
	mark->assured = outbox->assured.next;
}

/**
 * kmqtt_outbox_is_old() - was this queued before kmqtt_outbox_restart()?
 * @outbox: the outbox
 * @delivery: the packet taken last
 *
 * Context: under the session's lock, on the connection's transmit side.
 * Return: true if so.
 */
static inline bool kmqtt_outbox_is_old(const struct kmqtt_outbox *outbox,
				       const struct kmqtt_delivery *delivery)
{
	const struct kmqtt_ring *ring = delivery->id ? &outbox->assured :
						       &outbox->best_effort;
	u64 pos = ring->next - 1;

	return (s32)(ring->slots[pos & (ring->size - 1)].seq -
		     outbox->restarted) < 0;
}

/**
 * kmqtt_outbox_queued() - messages not sent
 * @outbox: the outbox
 *
 * Context: under the session's lock.
 * Return: how many.
 */
static inline u32 kmqtt_outbox_queued(const struct kmqtt_outbox *outbox)
{
	const struct kmqtt_ring *low = &outbox->best_effort;
	const struct kmqtt_ring *high = &outbox->assured;

	return kmqtt_ring_count(low->next, low->tail) - low->skipped +
	       kmqtt_ring_count(high->next, high->tail) - high->skipped;
}

/**
 * kmqtt_outbox_max_inflight() - how many messages may be in flight now
 * @outbox: the outbox
 * @limits: limits of outboxes
 * @receive_max: messages that the client takes before it acknowledges one
 *
 * Context: under the session's lock.
 * Return: a number for kmqtt_outbox_next(); 0 if there are enough bytes.
 */
static inline u32
kmqtt_outbox_max_inflight(const struct kmqtt_outbox *outbox,
			  const struct kmqtt_outbox_limits *limits,
			  u16 receive_max)
{
	if (unlikely(outbox->inflight_bytes >=
		     READ_ONCE(limits->max_inflight_bytes)))
		return 0;
	return min_t(u32, receive_max, READ_ONCE(limits->max_inflight));
}

#endif /* _KMQTT_SESSION_OUTBOX_H */
