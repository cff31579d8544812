// SPDX-License-Identifier: GPL-2.0
/*
 * PUBACK, PUBREC, PUBREL and PUBCOMP from a client (MQTT 3.1.1, 3.4 to 3.7).
 */
#include "ack.h"

#include "../wire/decode.h"

/* What the client says of a message that was sent to it. */
static void ack_sent(struct kmqtt_client *client, u8 type, u16 id,
		     struct kmqtt_batch *batch)
{
	struct kmqtt_session *session = client->session;
	struct kmqtt_link *link = &client->link;

	spin_lock_bh(&session->lock);
	if (session->link == link) {
		switch (type) {
		case KMQTT_PUBACK:
			kmqtt_outbox_puback(&session->outbox, id);
			break;
		case KMQTT_PUBREC:
			kmqtt_outbox_pubrec(&session->outbox, id);
			break;
		default:
			kmqtt_outbox_pubcomp(&session->outbox, id);
			break;
		}
		/* The window may have opened. */
		kmqtt_link_touch(link, batch);
	}
	spin_unlock_bh(&session->lock);
}

/**
 * kmqtt_ack_packet() - handle an acknowledgment
 * @client: who sent it; its link has room for KMQTT_ACK_MAX bytes
 * @packet: PUBACK, PUBREC, PUBREL or PUBCOMP
 * @batch: sends what follows from it
 *
 * Identifiers that stand for nothing are no error in 3.x: a client that lost
 * its state, or got its acknowledgments crossed with a reconnect, sends them.
 * PUBREC and PUBREL are answered all the same, so that it gets to an end.
 *
 * Context: the client's receive side.
 * Return: 0, or -ECONNABORTED if the connection was closed.
 */
int kmqtt_ack_packet(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet,
		     struct kmqtt_batch *batch)
{
	u8 type = packet->fixed.type;
	u16 id;

	if (kmqtt_ack_decode(packet->body, packet->fixed.remaining, &id))
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	if (type == KMQTT_PUBREL) {
		kmqtt_session_release(client->session, id);
		return kmqtt_client_ack(client, KMQTT_PUBCOMP, id, batch);
	}
	ack_sent(client, type, id, batch);
	if (type == KMQTT_PUBREC)
		return kmqtt_client_ack(client, KMQTT_PUBREL, id, batch);
	return 0;
}
