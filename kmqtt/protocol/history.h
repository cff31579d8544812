/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_HISTORY_H
#define _KMQTT_PROTOCOL_HISTORY_H

#include <linux/cache.h>
#include <linux/jiffies.h>
#include <linux/types.h>

struct kmqtt_client;

/* Packets of each direction that a connection remembers. */
#define KMQTT_HISTORY_PACKETS	7

/**
 * struct kmqtt_past - the last packets of one direction
 * @packets: jiffies, four bits of packet type, 28 bits of remaining length;
 *	zero for none
 * @next: the oldest of them, which the next one replaces
 *
 * Written by who owns the direction's side, read by anybody, who may see a
 * packet that is newer than its place says.
 */
struct kmqtt_past {
	u64 packets[KMQTT_HISTORY_PACKETS];
	u8 next;
};

/**
 * struct kmqtt_history - the last packets of a connection
 * @in: received and handled
 * @out: sent, or begun to be sent
 *
 * Each side has a cache line, so that they don't get in each other's way.
 */
struct kmqtt_history {
	struct kmqtt_past in;
	struct kmqtt_past out;
};

/**
 * struct kmqtt_past_packet - a packet of the past
 * @age: milliseconds since
 * @len: bytes of the whole packet
 * @type: enum kmqtt_packet_type
 */
struct kmqtt_past_packet {
	u32 age;
	u32 len;
	u8 type;
};

u32 kmqtt_history_sent(struct kmqtt_client *client, u8 first, u32 remaining,
		       const u8 *body, u32 len);
u32 kmqtt_history_answers(struct kmqtt_client *client, u32 rest,
			  const u8 *data, u32 len, u32 sent);
bool kmqtt_history_read(const struct kmqtt_past *past, unsigned int nr,
			struct kmqtt_past_packet *packet);

/**
 * kmqtt_history_note() - remember a packet
 * @past: packets of its direction
 * @type: enum kmqtt_packet_type
 * @remaining: its remaining length
 *
 * Context: the direction's side.
 */
static inline void kmqtt_history_note(struct kmqtt_past *past, u8 type,
				      u32 remaining)
{
	u32 now = jiffies;	/* 32 bits are months */
	u8 at = past->next;

	WRITE_ONCE(past->packets[at],
		   (u64)now << 32 | (u32)type << 28 | remaining);
	WRITE_ONCE(past->next, at + 1 == KMQTT_HISTORY_PACKETS ? 0 : at + 1);
}

#endif /* _KMQTT_PROTOCOL_HISTORY_H */
