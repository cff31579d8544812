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

/* Packet identifiers there are: 1 to 65535. */
#define NR_IDS	65535

/*
 * Slots that a ring gets first when its own are too few, and then: most of those
 * that are not sent at once stay few, and bursts come to rings that were empty.
 */
#define RING_SMALL	8
#define RING_BURST	128

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
	ring->skipped = 0;
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
	u32 size = ring->size < RING_SMALL ? RING_SMALL :
		   max(2 * ring->size, RING_BURST);
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
	outbox->inflight_bytes = 0;
	outbox->seq = 0;
	outbox->restarted = 0;
	outbox->bytes = 0;
}

static bool is_done(const struct kmqtt_ring *ring, u64 pos)
{
	return slot(ring, pos)->flags & KMQTT_ENTRY_DONE;
}

/* Topic and payload, if it still has them. */
static size_t entry_size(const struct kmqtt_entry *e)
{
	return e->msg ? kmqtt_msg_size(e->msg) : 0;
}

static void entry_drop_msg(struct kmqtt_outbox *outbox, struct kmqtt_entry *e)
{
	if (e->flags & KMQTT_ENTRY_EXTRA)
		kmqtt_extra_put(e->extra);
	e->flags &= ~KMQTT_ENTRY_EXTRA;
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
	for (; ring->next < ring->head; ring->next++)
		ring->skipped -= is_done(ring, ring->next);
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
	outbox->inflight_bytes = 0;
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

/*
 * What there is besides the message goes into the slot for the next entry.
 * Returns false without memory.
 */
static bool entry_set_ids(struct kmqtt_outbox *outbox, struct kmqtt_entry *e,
			  const struct kmqtt_offer *offer)
{
	struct kmqtt_extra *extra;

	e->flags = offer->retain ? KMQTT_ENTRY_RETAIN : 0;
	if (!offer->group && offer->nr_ids <= 1) {
		e->sub_id = offer->nr_ids ? offer->ids[0] : 0;
		return true;
	}
	extra = kmqtt_extra_create(outbox->memory, offer->group, offer->ids,
				   offer->nr_ids);
	if (!extra)
		return false;
	e->extra = extra;
	e->flags |= KMQTT_ENTRY_EXTRA;
	return true;
}

/* Step over what needs nothing any more. */
static void ring_skip_done(struct kmqtt_ring *ring, struct kmqtt_memory *memory)
{
	while (ring->next != ring->tail && is_done(ring, ring->next)) {
		/* It was never sent, or taken back: nobody else frees it. */
		if (ring->head == ring->next)
			ring->head++;
		ring->next++;
		ring->skipped--;
	}
	ring_shrink(ring, memory);
}

/*
 * Rings grow before they are full, so that an allocation may fail now and then
 * and nothing is lost by it.
 */
static int push(struct kmqtt_outbox *outbox, const struct kmqtt_offer *offer,
		const struct kmqtt_outbox_limits *limits)
{
	struct kmqtt_ring *ring = offer->qos ? &outbox->assured :
					       &outbox->best_effort;
	u32 used = kmqtt_ring_count(ring->head, ring->tail);
	size_t size = kmqtt_msg_size(offer->msg);
	struct kmqtt_entry *e;

	if (kmqtt_outbox_queued(outbox) >= READ_ONCE(limits->max_queued))
		return -ENOBUFS;
	if (outbox->bytes &&
	    outbox->bytes + size > READ_ONCE(limits->max_bytes))
		return -ENOBUFS;
	if (used >= ring->size - ring->size / 8 &&
	    ring_grow(ring, outbox->memory) && used == ring->size)
		return -ENOMEM;
	e = slot(ring, ring->tail);
	if (!entry_set_ids(outbox, e, offer))
		return -ENOMEM;

	e->msg = kmqtt_msg_get(offer->msg);
	e->seq = outbox->seq++;
	e->qos = offer->qos;
	ring->tail++;
	outbox->bytes += size;
	return 0;
}

/**
 * kmqtt_outbox_push() - queue a message
 * @outbox: the outbox
 * @offer: the message; the entry takes references of its own
 * @limits: how much the outbox takes
 *
 * Context: under the session's lock.
 * Return: 0, -ENOBUFS if a limit is reached, -ENOMEM.
 */
int kmqtt_outbox_push(struct kmqtt_outbox *outbox,
		      const struct kmqtt_offer *offer,
		      const struct kmqtt_outbox_limits *limits)
{
	return push(outbox, offer, limits);
}

/**
 * kmqtt_outbox_push_run() - queue messages
 * @outbox: the outbox
 * @offer: for all of them; its @msg is set here
 * @msgs: the messages; the entries take references of their own
 * @nr: how many
 * @limits: how much the outbox takes
 * @err: why not all were queued, as kmqtt_outbox_push(), or 0
 *
 * Context: under the session's lock.
 * Return: how many were.
 */
u32 kmqtt_outbox_push_run(struct kmqtt_outbox *outbox,
			  struct kmqtt_offer *offer, struct kmqtt_msg **msgs,
			  u32 nr, const struct kmqtt_outbox_limits *limits,
			  int *err)
{
	u32 i;

	*err = 0;
	for (i = 0; i < nr; i++) {
		offer->msg = msgs[i];
		*err = push(outbox, offer, limits);
		if (*err)
			break;
	}
	return i;
}

/* The ring whose next entry is due first, or NULL. */
static struct kmqtt_ring *due_ring(struct kmqtt_outbox *outbox, u32 max_inflight)
{
	struct kmqtt_ring *low = &outbox->best_effort, *high = &outbox->assured;
	bool low_due, high_due;

	if (low->skipped)
		ring_skip_done(low, outbox->memory);
	if (high->skipped)
		ring_skip_done(high, outbox->memory);
	low_due = low->next != low->tail;
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
 * @delivery: the packet, with references to what it holds
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
	*delivery = (struct kmqtt_delivery) {};
	if (ring == &outbox->assured) {
		delivery->id = pos_to_id(ring->next);
		outbox->inflight++;
		outbox->inflight_bytes += entry_size(e);
	}
	ring->next++;
	if (e->flags & KMQTT_ENTRY_RELEASED) {
		delivery->first = KMQTT_PUBREL << 4 | 2;
		return true;
	}
	delivery->msg = kmqtt_msg_get(e->msg);
	delivery->first = KMQTT_PUBLISH << 4 | e->qos << 1 |
			  (e->flags & KMQTT_ENTRY_RETAIN ?
			   KMQTT_PUBLISH_RETAIN : 0) |
			  (e->flags & KMQTT_ENTRY_DUP ? KMQTT_PUBLISH_DUP : 0);
	if (e->flags & KMQTT_ENTRY_EXTRA)
		delivery->extra = kmqtt_extra_get(e->extra);
	else
		delivery->sub_id = e->sub_id;
	return true;
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
	struct kmqtt_ring *low = &outbox->best_effort, *ring = &outbox->assured;

	while (low->next > max(mark->best_effort, low->head)) {
		low->next--;
		low->skipped += is_done(low, low->next);
	}
	while (ring->next > max(mark->assured, ring->head)) {
		ring->next--;
		if (is_done(ring, ring->next)) {
			ring->skipped++;
			continue;
		}
		outbox->inflight--;
		outbox->inflight_bytes -= entry_size(slot(ring, ring->next));
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

	for (pos = ring->head; pos != ring->next; pos++) {
		slot(ring, pos)->flags |= KMQTT_ENTRY_DUP;
		ring->skipped += is_done(ring, pos);
	}
	ring->next = ring->head;
	outbox->inflight = 0;
	outbox->inflight_bytes = 0;
	outbox->restarted = outbox->seq;
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

	outbox->inflight_bytes -= entry_size(e);
	entry_drop_msg(outbox, e);
	e->flags |= KMQTT_ENTRY_DONE;
	outbox->inflight--;
	while (pos != ring->next && is_done(ring, pos))
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
	outbox->inflight_bytes -= entry_size(e);
	entry_drop_msg(outbox, e);
	e->flags |= KMQTT_ENTRY_RELEASED;
	return 0;
}

/**
 * kmqtt_outbox_reject() - the client doesn't take a QoS 2 message
 * @outbox: the outbox
 * @id: packet identifier
 *
 * Context: under the session's lock.
 * Return: 0, or -ENOENT if no such message waits for a PUBREC.
 */
int kmqtt_outbox_reject(struct kmqtt_outbox *outbox, u16 id)
{
	struct kmqtt_entry *e = find_sent(outbox, id);

	if (!e || e->qos != KMQTT_QOS2 || e->flags & KMQTT_ENTRY_RELEASED)
		return -ENOENT;
	entry_done(outbox, e);
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

/**
 * kmqtt_outbox_discard() - the packet taken last is not to be sent at all
 * @outbox: the outbox
 * @delivery: the packet, a PUBLISH; its references stay the caller's
 *
 * Context: under the session's lock, on the connection's transmit side.
 */
void kmqtt_outbox_discard(struct kmqtt_outbox *outbox,
			  const struct kmqtt_delivery *delivery)
{
	struct kmqtt_ring *ring = delivery->id ? &outbox->assured :
						 &outbox->best_effort;
	struct kmqtt_entry *e = slot(ring, ring->next - 1);

	if (delivery->id) {
		entry_done(outbox, e);
		return;
	}
	entry_drop_msg(outbox, e);
	e->flags |= KMQTT_ENTRY_DONE;
	/* Behind what is being sent it goes with that, otherwise nothing comes. */
	if (ring->head == ring->next - 1)
		ring_drop_to(outbox, ring, ring->next);
}

/* May another member of its group get this message (MQTT 5, 4.8.2)? */
static bool is_movable(const struct kmqtt_ring *ring, u64 pos, bool ended)
{
	const struct kmqtt_entry *e = slot(ring, pos);
	bool begun = pos < ring->next || e->flags & KMQTT_ENTRY_DUP;

	if (e->flags & (KMQTT_ENTRY_DONE | KMQTT_ENTRY_RELEASED) ||
	    !(e->flags & KMQTT_ENTRY_EXTRA) || !e->extra->group)
		return false;
	/* What was begun with QoS 2 is this client's alone [MQTT-4.8.2-5]. */
	return !begun || (ended && e->qos == KMQTT_QOS1);
}

/**
 * kmqtt_outbox_take_shared() - take a message out that another may get
 * @outbox: the outbox of a session that has no connection
 * @ended: the session has ended, so that what was begun may start again
 * @pos: where to go on; 0 at first
 * @entry: the message, with the references that the outbox had
 *
 * Context: under the session's lock.
 * Return: false if there is none.
 */
bool kmqtt_outbox_take_shared(struct kmqtt_outbox *outbox, bool ended,
			      u64 *pos, struct kmqtt_entry *entry)
{
	struct kmqtt_ring *ring = &outbox->assured;
	struct kmqtt_entry *e;

	for (*pos = max(*pos, ring->head); *pos != ring->tail; ++*pos) {
		if (!is_movable(ring, *pos, ended))
			continue;
		e = slot(ring, *pos);
		*entry = *e;
		outbox->bytes -= entry_size(e);
		if (*pos < ring->next) {
			outbox->inflight--;
			outbox->inflight_bytes -= entry_size(e);
		} else {
			ring->skipped++;
		}
		e->msg = NULL;
		e->flags = KMQTT_ENTRY_DONE;
		++*pos;
		return true;
	}
	ring_skip_done(ring, outbox->memory);
	return false;
}

/**
 * kmqtt_outbox_put_back() - nobody else takes a message
 * @outbox: the outbox that it was taken out of, not having been begun
 * @pos: what kmqtt_outbox_take_shared() made of its @pos
 * @entry: the message; the outbox takes references of its own
 *
 * No limit keeps out what was there before.
 *
 * Context: under the session's lock.
 * Return: false if its place is gone: the client was back meanwhile.
 */
bool kmqtt_outbox_put_back(struct kmqtt_outbox *outbox, u64 pos,
			   const struct kmqtt_entry *entry)
{
	struct kmqtt_ring *ring = &outbox->assured;

	if (pos <= ring->next || pos > ring->tail)
		return false;
	kmqtt_msg_get(entry->msg);
	kmqtt_extra_get(entry->extra);
	*slot(ring, pos - 1) = *entry;
	ring->skipped--;
	outbox->bytes += kmqtt_msg_size(entry->msg);
	return true;
}
