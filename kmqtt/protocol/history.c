// SPDX-License-Identifier: GPL-2.0
/*
 * The last packets of a connection, for those who look at a client: there is
 * no other way to see what it did before they came.
 */
#include "history.h"

#include "../trace.h"
#include "../wire/decode.h"
#include "../wire/cursor.h"

static_assert(sizeof(struct kmqtt_history) == 128);
static_assert(KMQTT_REMAINING_MAX >> 28 == 0);

/**
 * kmqtt_history_sent() - a packet was sent, or a part of it
 * @client: to whom
 * @type: enum kmqtt_packet_type
 * @remaining: its remaining length
 *
 * Context: the client's transmit side.
 */
void kmqtt_history_sent(struct kmqtt_client *client, u8 type, u32 remaining)
{
	kmqtt_history_note(&client->history->out, type, remaining);
	trace_kmqtt_packet_out(client, type, remaining);
}

/**
 * kmqtt_history_answers() - answers were sent, the last one maybe in part
 * @client: to whom
 * @rest: bytes at the beginning that belong to one that was begun before
 * @data: what kmqtt_link_copy_acks() gave, not yet dropped
 * @len: bytes there
 * @sent: bytes of them that were sent
 *
 * Context: the client's transmit side.
 * Return: bytes behind those sent that belong to an answer that was begun.
 */
u32 kmqtt_history_answers(struct kmqtt_client *client, u32 rest,
			  const u8 *data, u32 len, u32 sent)
{
	u8 head[KMQTT_FIXED_HEADER_MAX];
	struct kmqtt_fixed fixed;
	u32 pos = rest, n;

	while (pos < sent) {
		/* Most of them are short. */
		if (pos + 1 < len && data[pos + 1] < 0x80) {
			kmqtt_history_sent(client, data[pos] >> 4,
					   data[pos + 1]);
			pos += 2 + data[pos + 1];
			continue;
		}
		/* What was copied may end within this one's header. */
		n = kmqtt_link_peek_acks(&client->link, pos, head, sizeof(head));
		if (WARN_ON_ONCE(kmqtt_fixed_decode(head, n, &fixed)))
			return 0;
		kmqtt_history_sent(client, fixed.type, fixed.remaining);
		pos += fixed.len + fixed.remaining;
	}
	return pos - sent;
}

/**
 * kmqtt_history_read() - look at a packet of the past
 * @past: packets of its direction
 * @nr: which, 0 for the last one
 * @packet: filled on success
 *
 * Context: any.
 * Return: false if there were no more.
 */
bool kmqtt_history_read(const struct kmqtt_past *past, unsigned int nr,
			struct kmqtt_past_packet *packet)
{
	unsigned int at = READ_ONCE(past->next);
	u64 value;
	u32 remaining;

	if (nr >= KMQTT_HISTORY_PACKETS)
		return false;
	at = (at + KMQTT_HISTORY_PACKETS - 1 - nr) % KMQTT_HISTORY_PACKETS;
	value = READ_ONCE(past->packets[at]);
	if (!value)
		return false;
	remaining = value & (BIT(28) - 1);
	packet->age = jiffies_to_msecs((u32)jiffies - (u32)(value >> 32));
	packet->type = value >> 28 & 0xf;
	packet->len = 1 + kmqtt_varint_len(remaining) + remaining;
	return true;
}
