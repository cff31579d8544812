// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a session. Two rings, so that a client that doesn't
 * acknowledge holds up only what needs acknowledgment; numbered entries, so
 * that what isn't held up leaves in the order in which it came.
 *
 * An entry's packet identifier follows from its position in the ring. All
 * identifiers in flight are within one turn of 65535, so none is used twice
 * and finding the entry of an acknowledgment is arithmetic.
 */
#include "outbox.h"

#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "../wire/encode.h"

/* Packet identifiers there are: 1 to 65535. */
#define NR_IDS	65535

static struct kmqtt_entry *slot(const struct kmqtt_ring *ring, u64 pos)
{
	return &ring->slots[pos & (ring->size - 1)];
}

static u16 pos_to_id(u64 pos)
{
	u32 rest;

	div_u64_rem(pos, NR_IDS, &rest);
	return rest + 1;
}

static void ring_init(struct kmqtt_ring *ring)
{
	ring->slots = ring->first;
	ring->size = KMQTT_RING_FIRST;
	ring->head = 0;
	ring->next = 0;
	ring->tail = 0;
}

static void ring_free_slots(struct kmqtt_ring *ring, struct kmqtt_memory *memory)
{
	if (ring->slots == ring->first)
		return;
	kmqtt_memory_uncharge(memory, ring->size * sizeof(*ring->slots));
	kvfree(ring->slots);
}

static int ring_grow(struct kmqtt_ring *ring, struct kmqtt_memory *memory)
{
	u32 size = ring->size * 2;
	struct kmqtt_entry *slots;
	u64 pos;

	if (!kmqtt_memory_charge(memory, size * sizeof(*slots)))
		return -ENOMEM;
	slots = kvmalloc_array(size, sizeof(*slots), GFP_ATOMIC | __GFP_NOWARN);
	if (!slots) {
		kmqtt_memory_uncharge(memory, size * sizeof(*slots));
		return -ENOMEM;
	}
	for (pos = ring->head; pos != ring->tail; pos++)
		slots[pos & (size - 1)] = *slot(ring, pos);
	ring_free_slots(ring, memory);
	ring->slots = slots;
	ring->size = size;
	return 0;
}

/* An empty ring keeps no memory but its own. */
static void ring_shrink(struct kmqtt_ring *ring, struct kmqtt_memory *memory)
{
	if (ring->head != ring->tail)
		return;
	ring_free_slots(ring, memory);
	ring->slots = ring->first;
	ring->size = KMQTT_RING_FIRST;
}

/**
 * kmqtt_outbox_init() - make an empty outbox
 * @outbox: the outbox
 * @memory: account for grown rings
 *
 * Context: any.
 */
void kmqtt_outbox_init(struct kmqtt_outbox *outbox, struct kmqtt_memory *memory)
{
	outbox->memory = memory;
	ring_init(&outbox->best_effort);
	ring_init(&outbox->assured);
	outbox->inflight = 0;
	outbox->seq = 0;
	outbox->bytes = 0;
}

static void entry_drop_msg(struct kmqtt_outbox *outbox, struct kmqtt_entry *e)
{
	if (!e->msg)
		return;
	outbox->bytes -= kmqtt_msg_size(e->msg);
	kmqtt_msg_put(e->msg);
	e->msg = NULL;
}

static void ring_drop_to(struct kmqtt_outbox *outbox, struct kmqtt_ring *ring,
			 u64 pos)
{
	for (; ring->head != pos; ring->head++)
		entry_drop_msg(outbox, slot(ring, ring->head));
	ring->next = max(ring->next, ring->head);
	ring_shrink(ring, outbox->memory);
}

/**
 * kmqtt_outbox_uninit() - drop all messages
 * @outbox: the outbox, empty and usable afterwards
 *
 * Context: under the session's lock.
 */
void kmqtt_outbox_uninit(struct kmqtt_outbox *outbox)
{
	ring_drop_to(outbox, &outbox->best_effort, outbox->best_effort.tail);
	ring_drop_to(outbox, &outbox->assured, outbox->assured.tail);
	outbox->inflight = 0;
}

/**
 * kmqtt_outbox_drop_best_effort() - drop the QoS 0 messages
 * @outbox: the outbox of a session that has no connection
 *
 * Context: under the session's lock.
 */
void kmqtt_outbox_drop_best_effort(struct kmqtt_outbox *outbox)
{
	ring_drop_to(outbox, &outbox->best_effort, outbox->best_effort.tail);
}

/**
 * kmqtt_outbox_push() - queue a message
 * @outbox: the outbox
 * @msg: a filled message; the entry takes a reference of its own
 * @qos: of the delivery
 * @retain: deliver with the RETAIN flag
 * @limits: how much the outbox takes
 *
 * Rings grow before they are full, so that an allocation may fail now and then
 * and nothing is lost by it.
 *
 * Context: under the session's lock.
 * Return: 0, -ENOBUFS if a limit is reached, -ENOMEM.
 */
int kmqtt_outbox_push(struct kmqtt_outbox *outbox, struct kmqtt_msg *msg,
		      u8 qos, bool retain,
		      const struct kmqtt_outbox_limits *limits)
{
	struct kmqtt_ring *ring = qos ? &outbox->assured : &outbox->best_effort;
	size_t size = kmqtt_msg_size(msg);
	u32 used = kmqtt_ring_count(ring->head, ring->tail);

	if (kmqtt_outbox_queued(outbox) >= READ_ONCE(limits->max_queued))
		return -ENOBUFS;
	if (outbox->bytes &&
	    outbox->bytes + size > READ_ONCE(limits->max_bytes))
		return -ENOBUFS;
	if (used >= ring->size - ring->size / 4 &&
	    ring_grow(ring, outbox->memory) && used == ring->size)
		return -ENOMEM;

	*slot(ring, ring->tail++) = (struct kmqtt_entry) {
		.msg = kmqtt_msg_get(msg),
		.seq = outbox->seq++,
		.qos = qos,
		.flags = retain ? KMQTT_ENTRY_RETAIN : 0,
	};
	outbox->bytes += size;
	return 0;
}

/* The ring whose next entry is due first, or NULL. */
static struct kmqtt_ring *due_ring(struct kmqtt_outbox *outbox, u32 max_inflight)
{
	struct kmqtt_ring *low = &outbox->best_effort, *high = &outbox->assured;
	bool low_due = low->next != low->tail;
	bool high_due;

	while (high->next != high->tail &&
	       slot(high, high->next)->flags & KMQTT_ENTRY_DONE) {
		/* Acknowledged, though it was taken back: nobody frees it. */
		if (high->head == high->next)
			high->head++;
		high->next++;
	}
	high_due = high->next != high->tail && outbox->inflight < max_inflight &&
		   kmqtt_ring_count(high->head, high->next) < NR_IDS;
	if (low_due && high_due)
		return (s32)(slot(low, low->next)->seq -
			     slot(high, high->next)->seq) < 0 ? low : high;
	if (low_due)
		return low;
	return high_due ? high : NULL;
}

/**
 * kmqtt_outbox_next() - take the next packet to send
 * @outbox: the outbox
 * @max_inflight: messages that may be sent and not acknowledged
 * @delivery: the packet, with a reference to its message
 *
 * The entry stays in its ring and counts as sent from now on, because its
 * acknowledgment may come before the caller gets to say so.
 *
 * Context: under the session's lock, on the connection's transmit side.
 * Return: false if nothing is due.
 */
bool kmqtt_outbox_next(struct kmqtt_outbox *outbox, u32 max_inflight,
		       struct kmqtt_delivery *delivery)
{
	struct kmqtt_ring *ring = due_ring(outbox, max_inflight);
	struct kmqtt_entry *e;

	if (!ring)
		return false;
	e = slot(ring, ring->next);
	delivery->id = 0;
	if (ring == &outbox->assured) {
		delivery->id = pos_to_id(ring->next);
		outbox->inflight++;
	}
	ring->next++;
	if (e->flags & KMQTT_ENTRY_RELEASED) {
		delivery->msg = NULL;
		delivery->first = KMQTT_PUBREL << 4 | 2;
		return true;
	}
	delivery->msg = kmqtt_msg_get(e->msg);
	delivery->first = KMQTT_PUBLISH << 4 | e->qos << 1 |
			  (e->flags & KMQTT_ENTRY_RETAIN ?
			   KMQTT_PUBLISH_RETAIN : 0) |
			  (e->flags & KMQTT_ENTRY_DUP ? KMQTT_PUBLISH_DUP : 0);
	return true;
}

/**
 * kmqtt_outbox_mark() - remember what is next
 * @outbox: the outbox
 * @mark: the place
 *
 * Context: under the session's lock, on the connection's transmit side.
 */
void kmqtt_outbox_mark(const struct kmqtt_outbox *outbox,
		       struct kmqtt_outbox_mark *mark)
{
	mark->best_effort = outbox->best_effort.next;
	mark->assured = outbox->assured.next;
}

/**
 * kmqtt_outbox_rewind() - these packets were not sent after all
 * @outbox: the outbox
 * @mark: the first that was not
 *
 * Context: under the session's lock, on the connection's transmit side, before
 * kmqtt_outbox_sent() for anything taken since @mark.
 */
void kmqtt_outbox_rewind(struct kmqtt_outbox *outbox,
			 const struct kmqtt_outbox_mark *mark)
{
	struct kmqtt_ring *ring = &outbox->assured;

	outbox->best_effort.next = max(mark->best_effort,
				       outbox->best_effort.head);
	while (ring->next > max(mark->assured, ring->head)) {
		ring->next--;
		if (!(slot(ring, ring->next)->flags & KMQTT_ENTRY_DONE))
			outbox->inflight--;
	}
}

/**
 * kmqtt_outbox_sent() - forget the QoS 0 messages that were taken
 * @outbox: the outbox
 *
 * Context: under the session's lock, on the connection's transmit side.
 */
void kmqtt_outbox_sent(struct kmqtt_outbox *outbox)
{
	ring_drop_to(outbox, &outbox->best_effort, outbox->best_effort.next);
}

/**
 * kmqtt_outbox_restart() - send again what is not acknowledged
 * @outbox: the outbox of a session that gets a new connection
 *
 * Context: under the session's lock.
 */
void kmqtt_outbox_restart(struct kmqtt_outbox *outbox)
{
	struct kmqtt_ring *ring = &outbox->assured;
	u64 pos;

	for (pos = ring->head; pos != ring->next; pos++)
		slot(ring, pos)->flags |= KMQTT_ENTRY_DUP;
	ring->next = ring->head;
	outbox->inflight = 0;
}

/* The entry that was sent with @id and is not yet acknowledged. */
static struct kmqtt_entry *find_sent(struct kmqtt_outbox *outbox, u16 id)
{
	struct kmqtt_ring *ring = &outbox->assured;
	struct kmqtt_entry *e;
	u64 pos;

	if (!id)
		return NULL;
	pos = ring->head + (id + NR_IDS - pos_to_id(ring->head)) % NR_IDS;
	if (pos >= ring->next)
		return NULL;
	e = slot(ring, pos);
	return e->flags & KMQTT_ENTRY_DONE ? NULL : e;
}

static void entry_done(struct kmqtt_outbox *outbox, struct kmqtt_entry *e)
{
	struct kmqtt_ring *ring = &outbox->assured;
	u64 pos = ring->head;

	entry_drop_msg(outbox, e);
	e->flags |= KMQTT_ENTRY_DONE;
	outbox->inflight--;
	while (pos != ring->next && slot(ring, pos)->flags & KMQTT_ENTRY_DONE)
		pos++;
	ring_drop_to(outbox, ring, pos);
}

/**
 * kmqtt_outbox_puback() - a QoS 1 message has arrived
 * @outbox: the outbox
 * @id: packet identifier
 *
 * Context: under the session's lock.
 * Return: 0, or -ENOENT if no such message waits for a PUBACK.
 */
int kmqtt_outbox_puback(struct kmqtt_outbox *outbox, u16 id)
{
	struct kmqtt_entry *e = find_sent(outbox, id);

	if (!e || e->qos != KMQTT_QOS1)
		return -ENOENT;
	entry_done(outbox, e);
	return 0;
}

/**
 * kmqtt_outbox_pubrec() - a QoS 2 message has arrived
 * @outbox: the outbox
 * @id: packet identifier
 *
 * Context: under the session's lock.
 * Return: 0, or -ENOENT if no such message waits for a PUBREC.
 */
int kmqtt_outbox_pubrec(struct kmqtt_outbox *outbox, u16 id)
{
	struct kmqtt_entry *e = find_sent(outbox, id);

	if (!e || e->qos != KMQTT_QOS2)
		return -ENOENT;
	entry_drop_msg(outbox, e);
	e->flags |= KMQTT_ENTRY_RELEASED;
	return 0;
}

/**
 * kmqtt_outbox_pubcomp() - a QoS 2 message has arrived, once
 * @outbox: the outbox
 * @id: packet identifier
 *
 * Context: under the session's lock.
 * Return: 0, or -ENOENT if no such message waits for a PUBCOMP.
 */
int kmqtt_outbox_pubcomp(struct kmqtt_outbox *outbox, u16 id)
{
	struct kmqtt_entry *e = find_sent(outbox, id);

	if (!e || !(e->flags & KMQTT_ENTRY_RELEASED))
		return -ENOENT;
	entry_done(outbox, e);
	return 0;
}

/* Length of the variable header and the payload. */
static u32 delivery_remaining(const struct kmqtt_delivery *delivery)
{
	const struct kmqtt_msg *msg = delivery->msg;

	return (msg ? 2 + msg->topic_len + msg->payload_len : 0) +
	       (delivery->id ? 2 : 0);
}

/**
 * kmqtt_delivery_len() - length of the whole packet
 * @delivery: the packet
 *
 * Context: any.
 * Return: bytes.
 */
u32 kmqtt_delivery_len(const struct kmqtt_delivery *delivery)
{
	u32 remaining = delivery_remaining(delivery);
	u8 fixed[KMQTT_FIXED_HEADER_MAX];

	return kmqtt_fixed_encode(fixed, delivery->first, remaining) + remaining;
}

/**
 * kmqtt_delivery_copied() - length of what is copied to send the packet
 * @delivery: the packet
 *
 * Context: any.
 * Return: bytes: the whole packet, or what comes before a payload in pages.
 */
u32 kmqtt_delivery_copied(const struct kmqtt_delivery *delivery)
{
	const struct kmqtt_msg *msg = delivery->msg;

	return kmqtt_delivery_len(delivery) -
	       (msg && msg->pages ? msg->payload_len : 0);
}

/**
 * kmqtt_delivery_copy() - write what is copied to send the packet
 * @delivery: the packet
 * @to: room for kmqtt_delivery_copied() bytes
 *
 * Context: any.
 * Return: bytes written.
 */
u32 kmqtt_delivery_copy(const struct kmqtt_delivery *delivery, u8 *to)
{
	const struct kmqtt_msg *msg = delivery->msg;
	u8 *p = to;

	p += kmqtt_fixed_encode(p, delivery->first, delivery_remaining(delivery));
	if (msg) {
		memcpy(p, msg->data, 2 + msg->topic_len);
		p += 2 + msg->topic_len;
	}
	if (delivery->id) {
		put_unaligned_be16(delivery->id, p);
		p += 2;
	}
	if (msg && !msg->pages) {
		kmqtt_msg_read(msg, 0, p, msg->payload_len);
		p += msg->payload_len;
	}
	return p - to;
}
