// SPDX-License-Identifier: GPL-2.0
/*
 * The last packets of a connection, for those who look at a client: there is
 * no other way to see what it did before they came.
 */
#include "history.h"

#include "../trace.h"
#include "../wire/decode.h"
#include "../wire/cursor.h"
#include "tap.h"

static_assert(sizeof(struct kmqtt_history) == 128);
static_assert(KMQTT_REMAINING_MAX >> 28 == 0);

/* Bytes of an answer that have all that is told: identifier and reason. */
#define HEAD_MAX	(KMQTT_FIXED_HEADER_MAX + 3)

/**
 * kmqtt_history_sent() - a packet was sent, or a part of it
 * @client: to whom
 * @first: its first byte
 * @remaining: its remaining length
 * @body: what follows its fixed header
 * @len: bytes there, maybe few
 *
 * Who looks on is told, too.
 *
 * Context: the client's transmit side.
 * Return: how often it was shown to somebody.
 */
u32 kmqtt_history_sent(struct kmqtt_client *client, u8 first, u32 remaining,
		       const u8 *body, u32 len)
{
	u32 shown = 0;

	kmqtt_history_note(&client->history->out, first >> 4, remaining);
	if (unlikely(kmqtt_tap_any(client->broker)))
		shown = kmqtt_tap_sent(client, first, remaining, body, len);
	trace_kmqtt_packet_out(client, first >> 4, remaining);
	return shown;
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
	u8 head[HEAD_MAX];
	struct kmqtt_fixed fixed;
	u32 pos = rest, n;

	while (pos < sent) {
		/* Most of them are short. */
		if (pos + 1 < len && data[pos + 1] < 0x80 &&
		    pos + 2 + data[pos + 1] <= len) {
			kmqtt_history_sent(client, data[pos], data[pos + 1],
					   data + pos + 2, data[pos + 1]);
			pos += 2 + data[pos + 1];
			continue;
		}
		/* What was copied may end within this one's head. */
		n = kmqtt_link_peek_acks(&client->link, pos, head, sizeof(head));
		if (WARN_ON_ONCE(kmqtt_fixed_decode(head, n, &fixed)))
			return 0;
		kmqtt_history_sent(client, head[0], fixed.remaining,
				   head + fixed.len,
				   min(n - fixed.len, fixed.remaining));
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
	packet->age = min_t(u64, U32_MAX,
			    jiffies64_to_msecs((u32)jiffies -
					       (u32)(value >> 32)));
	packet->type = value >> 28 & 0xf;
	packet->len = 1 + kmqtt_varint_len(remaining) + remaining;
	return true;
}
