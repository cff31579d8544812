// SPDX-License-Identifier: GPL-2.0
/*
 * PUBACK, PUBREC, PUBREL and PUBCOMP from a client (MQTT 5, 3.4 to 3.7).
 */
#include "ack.h"

#include "../wire/decode.h"
#include "reply.h"

/*
 * What the client says of a message that was sent to it. Returns false if it
 * means no message.
 */
static bool ack_sent(struct kmqtt_client *client, u8 type,
		     const struct kmqtt_ack *ack, struct kmqtt_batch *batch)
{
	struct kmqtt_session *session = client->session;
	struct kmqtt_outbox *outbox = &session->outbox;
	struct kmqtt_link *link = &client->link;
	int err = 0;

	spin_lock_bh(&session->lock);
	if (session->link == link) {
		if (type == KMQTT_PUBACK)
			err = kmqtt_outbox_puback(outbox, ack->id);
		else if (type == KMQTT_PUBCOMP)
			err = kmqtt_outbox_pubcomp(outbox, ack->id);
		else if (ack->reason < KMQTT_REASON_UNSPECIFIED)
			err = kmqtt_outbox_pubrec(outbox, ack->id);
		else
			err = kmqtt_outbox_reject(outbox, ack->id);
		/* The window may have opened. */
		kmqtt_link_touch(link, batch);
	}
	spin_unlock_bh(&session->lock);
	return !err;
}

/**
 * kmqtt_ack_packet() - handle an acknowledgment
 * @client: who sent it; its link has room for KMQTT_ACK_MAX bytes, if @packet
 *	is one that is answered
 * @packet: PUBACK, PUBREC, PUBREL or PUBCOMP
 * @batch: sends what follows from it
 *
 * Identifiers that stand for nothing are no error: a client that lost its
 * state, or got its acknowledgments crossed with a reconnect, sends them.
 * PUBREC and PUBREL are answered all the same, so that it gets to an end; 5.0
 * is told that the identifier wasn't found.
 *
 * A message that the client refuses is done with, and nobody else gets it
 * [MQTT-4.8.2-6].
 *
 * Context: the client's receive side.
 * Return: 0, or -ECONNABORTED if the connection was closed.
 */
int kmqtt_ack_packet(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet,
		     struct kmqtt_batch *batch)
{
	enum kmqtt_reason reason = KMQTT_REASON_SUCCESS;
	u8 type = packet->fixed.type;
	struct kmqtt_ack ack;
	bool known;
	int err;

	err = kmqtt_ack_decode(type, client->version, packet->body,
			       packet->fixed.remaining, &ack);
	if (err)
		return kmqtt_client_fail(client, kmqtt_decode_reason(err));
	known = type == KMQTT_PUBREL ?
		kmqtt_session_release(client->session, ack.id) :
		ack_sent(client, type, &ack, batch);
	if (!known)
		reason = KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND;
	if (type == KMQTT_PUBREL)
		return kmqtt_reply_ack(client, KMQTT_PUBCOMP, ack.id, reason,
				       batch);
	if (type == KMQTT_PUBREC && ack.reason < KMQTT_REASON_UNSPECIFIED)
		return kmqtt_reply_ack(client, KMQTT_PUBREL, ack.id, reason,
				       batch);
	return 0;
}
