// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that are not let in, or have to go, since somebody does not want them
 * here. What they are told is for who refuses or closes them: MQTT 5 has 0x8A
 * for CONNACK (3.2.2.2), and 0x98 for DISCONNECT (3.14.2.1).
 */
#include "banned.h"

#include "event.h"

/* To note about those that the broker itself has banned. */
static const char too_often[] = "connected too often";

/**
 * kmqtt_banned_as() - is a client to be refused?
 * @client: the client, whose identity is known
 * @id: what it is called
 *
 * A user is what has been proven, where there was something to prove.
 *
 * Context: the client's receive side, or the client is online.
 * Return: true if its address, its identifier or its user is banned.
 */
bool kmqtt_banned_as(const struct kmqtt_client *client,
		     const struct kmqtt_str *id)
{
	struct kmqtt_bans *bans = &client->broker->access.bans;
	struct kmqtt_str user = {
		.data = client->identity->user,
		.len = client->identity->user_len,
	};

	if (!kmqtt_bans_any(bans))
		return false;
	return kmqtt_ban_has_address(bans, &client->peer) ||
	       kmqtt_ban_has_name(bans, KMQTT_BAN_CLIENT, id) ||
	       kmqtt_ban_has_name(bans, KMQTT_BAN_USER, &user);
}

static struct kmqtt_str id_of(const struct kmqtt_client *client)
{
	return (struct kmqtt_str) {
		.data = client->session->id,
		.len = client->session->id_len,
	};
}

/**
 * kmqtt_banned() - does a client have to go?
 * @client: the client, with a reference
 *
 * For those who have added a ban, about each connection. One that isn't online
 * yet asks by itself when it is. Whoever of the two comes second sees what the
 * other has done.
 *
 * Context: any but hard interrupts.
 * Return: true if it is banned.
 */
bool kmqtt_banned(const struct kmqtt_client *client)
{
	struct kmqtt_bans *bans = &client->broker->access.bans;
	struct kmqtt_str id;

	/* The ban comes before the state; pairs with cmpxchg() there. */
	smp_mb();
	if (kmqtt_client_state(client) != KMQTT_CLIENT_ONLINE)
		return kmqtt_ban_has_address(bans, &client->peer);
	/* What the state stands for was written before it. */
	smp_rmb();
	id = id_of(client);
	return kmqtt_banned_as(client, &id);
}

/* Whoever has taken over from @client meanwhile goes with it. */
static void close_all(struct kmqtt_client *client, const struct kmqtt_str *id)
{
	struct kmqtt_session *session;
	struct kmqtt_link *link;

	session = kmqtt_store_lookup(&client->broker->store, id->data, id->len);
	if (!session)
		return;
	spin_lock_bh(&session->lock);
	link = session->link;
	if (link)
		link->ops->close(link, KMQTT_REASON_BANNED);
	spin_unlock_bh(&session->lock);
	kmqtt_session_put(session);
}

/**
 * kmqtt_banned_count() - a client has connected: once too often?
 * @client: the client, which is online
 *
 * Whom there is no room or memory to ban stays.
 *
 * Context: the client's receive side.
 * Return: 0, -ECONNABORTED if it was banned, and the connection closed.
 */
int kmqtt_banned_count(struct kmqtt_client *client)
{
	struct kmqtt_access *access = &client->broker->access;
	struct kmqtt_str id = id_of(client);
	struct kmqtt_str reason = {
		.data = too_often,
		.len = sizeof(too_often) - 1,
	};
	struct kmqtt_ban_key key = { .kind = KMQTT_BAN_CLIENT, .value = id };
	int err;

	if (!kmqtt_flapping_count(&access->flapping, &id))
		return 0;
	err = kmqtt_ban_add(&access->bans, &key, READ_ONCE(access->flapping.ban),
			    KMQTT_BAN_ORIGIN_FLAPPING, &reason, GFP_ATOMIC);
	if (err && err != -EEXIST)
		return 0;
	if (!err)
		kmqtt_event_client(client, KMQTT_CMD_BAN_NTF, false);
	close_all(client, &id);
	return kmqtt_client_fail(client, KMQTT_REASON_BANNED);
}
