// SPDX-License-Identifier: GPL-2.0
/*
 * DISCONNECT from a client (MQTT 5, 3.14).
 */
#include "disconnect.h"

#include "../wire/decode.h"

/* The good-bye of 5.0. Returns the reason that the connection ends with. */
static int say_goodbye(struct kmqtt_client *client,
		       const struct kmqtt_packet *packet)
{
	u32 max = READ_ONCE(client->broker->limits.max_session_expiry);
	struct kmqtt_reasoned r;
	const u32 *expiry = NULL;
	int err;

	err = kmqtt_reasoned_decode(KMQTT_DISCONNECT, packet->body,
				    packet->fixed.remaining, &r);
	if (err)
		return kmqtt_client_fail(client, kmqtt_decode_reason(err));
	if (kmqtt_prop_has(&r.props, KMQTT_PROP_SESSION_EXPIRY)) {
		/* What was to end with the connection does (3.14.2.2.2). */
		if (!client->expiry && r.props.session_expiry)
			return kmqtt_client_fail(client,
						 KMQTT_REASON_PROTOCOL_ERROR);
		r.props.session_expiry = min(r.props.session_expiry, max);
		expiry = &r.props.session_expiry;
	}
	client->goodbye = true;
	/* It may give up before it has a session (4.12). */
	if (!client->session)
		return kmqtt_client_fail(client, r.reason);
	kmqtt_session_goodbye(client->session, &client->link,
			      r.reason == KMQTT_REASON_NORMAL_DISCONNECTION,
			      expiry);
	return kmqtt_client_fail(client, r.reason);
}

/**
 * kmqtt_disconnect_packet() - handle a DISCONNECT
 * @client: who sent it
 * @packet: the packet
 * @batch: not used
 *
 * Context: the client's receive side.
 * Return: -ECONNABORTED: the connection was closed.
 */
int kmqtt_disconnect_packet(struct kmqtt_client *client,
			    const struct kmqtt_packet *packet,
			    struct kmqtt_batch *batch)
{
	if (client->version == KMQTT_V5)
		return say_goodbye(client, packet);
	if (packet->fixed.remaining)
		return kmqtt_client_fail(client, KMQTT_REASON_MALFORMED_PACKET);
	kmqtt_session_goodbye(client->session, &client->link, true, NULL);
	return kmqtt_client_fail(client, KMQTT_REASON_NORMAL_DISCONNECTION);
}
