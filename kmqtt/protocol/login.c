// SPDX-License-Identifier: GPL-2.0
/*
 * A CONNECT whose password has to be checked (MQTT 5, 3.1.3.5 and 3.1.3.6).
 * That takes its time, and not the connection's threads; until it is over the
 * receive side rests.
 */
#include "login.h"

#include <linux/slab.h>
#include "../access/check.h"
#include "connect.h"
#include "proof.h"

/**
 * struct kmqtt_login - a client whose password is being checked
 * @check: the check, about what is in the kept CONNECT
 * @client: the client, whose link it has a reference to until the check ends
 * @ended: the check has
 */
struct kmqtt_login {
	struct kmqtt_check check;
	struct kmqtt_client *client;
	bool ended;
};

/* In a thread that is none of the connection's. */
static void check_done(struct kmqtt_check *check)
{
	struct kmqtt_login *login =
		container_of(check, struct kmqtt_login, check);
	struct kmqtt_link *link = &login->client->link;

	/* Pairs with kmqtt_login_conclude(), which frees it when it sees this. */
	smp_store_release(&login->ended, true);
	link->ops->receive(link);
	kmqtt_link_put(link);
}

static int begin(struct kmqtt_client *client, gfp_t gfp)
{
	struct kmqtt_proof *proof = client->proof;
	struct kmqtt_login *login;
	struct kmqtt_connect c;
	int err;

	login = kzalloc(sizeof(*login), gfp | __GFP_NOWARN);
	if (!login)
		return -ENOMEM;
	/* It has been decoded before, from where it doesn't stay. */
	kmqtt_connect_decode(proof->connect, proof->connect_len, &c);
	login->client = client;
	login->check.port = client->port;
	login->check.user = c.user;
	if (c.has_password)
		login->check.password = c.password;
	login->check.done = check_done;

	kmqtt_link_get(&client->link);
	proof->login = login;
	err = kmqtt_check_begin(&client->broker->checks, &login->check,
				&client->peer, gfp);
	if (!err)
		return 0;
	proof->login = NULL;
	kmqtt_link_put(&client->link);
	kfree(login);
	return err;
}

/**
 * kmqtt_login_connect() - a CONNECT has a password to be checked
 * @client: who sent it
 * @packet: the CONNECT, with which all else is well
 * @batch: sends what follows from it
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ECONNABORTED if the
 * connection was closed.
 */
int kmqtt_login_connect(struct kmqtt_client *client,
			const struct kmqtt_packet *packet,
			struct kmqtt_batch *batch)
{
	int err;

	err = kmqtt_proof_create(client, NULL, batch->gfp);
	if (!err) {
		err = kmqtt_proof_keep(client, packet, batch->gfp) ?:
		      begin(client, batch->gfp);
		if (err)
			kmqtt_proof_destroy(client);
	}
	if (err == -EBUSY)
		return kmqtt_connect_refuse(client, KMQTT_REASON_SERVER_BUSY,
					    batch);
	if (err && batch->bh)
		return -EAGAIN;
	if (err)
		return kmqtt_connect_refuse(client,
					    KMQTT_REASON_SERVER_UNAVAILABLE,
					    batch);
	/*
	 * Fails if somebody has closed the connection meanwhile. The check may
	 * have ended, but only who receives, as we do, concludes it.
	 */
	if (!kmqtt_client_set_state(client, KMQTT_CLIENT_NEW,
				    KMQTT_CLIENT_CHECK))
		return -ECONNABORTED;
	return 0;
}

static int let_in(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	struct kmqtt_proof *proof = client->proof;
	struct kmqtt_connect c;

	kmqtt_connect_decode(proof->connect, proof->connect_len, &c);
	client->trust = KMQTT_TRUST_PASSWORD;
	proof->stamp = proof->login->check.stamp;
	return kmqtt_connect_accept(client, &c, NULL, batch);
}

/**
 * kmqtt_login_conclude() - let a client in, or not, if it is known by now
 * @client: a client that was KMQTT_CLIENT_CHECK
 * @batch: sends the CONNACK and what a session has waiting
 *
 * Context: the client's receive side.
 * Return: 0 if the client is online; -EALREADY if its password is still being
 * checked; -EAGAIN if a thread is to try again; -ECONNABORTED if the connection
 * was closed.
 */
int kmqtt_login_conclude(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	struct kmqtt_login *login = client->proof->login;
	int ret;

	/* Pairs with check_done(). */
	if (!smp_load_acquire(&login->ended))
		return -EALREADY;
	switch (login->check.result) {
	case 0:
		ret = let_in(client, batch);
		break;
	case -EACCES:
		ret = kmqtt_connect_refuse(client,
					   KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD,
					   batch);
		break;
	default:
		ret = kmqtt_connect_refuse(client,
					   KMQTT_REASON_SERVER_UNAVAILABLE,
					   batch);
		break;
	}
	if (ret != -EAGAIN) {
		kmqtt_login_uninit(client);
		kmqtt_proof_forget(client);
	}
	return ret;
}

/**
 * kmqtt_login_cancel() - nobody waits for the check any more
 * @client: a client that is KMQTT_CLIENT_CLOSING and receives nothing more
 *
 * Context: any but hard interrupts.
 */
void kmqtt_login_cancel(struct kmqtt_client *client)
{
	struct kmqtt_proof *proof = client->proof;

	if (proof && proof->login &&
	    kmqtt_check_cancel(&client->broker->checks, &proof->login->check))
		kmqtt_link_put(&client->link);
}

/**
 * kmqtt_login_uninit() - free what a check has left
 * @client: a client whose check has ended or was cancelled, or that had none
 *
 * Context: the client's receive side, or its end.
 */
void kmqtt_login_uninit(struct kmqtt_client *client)
{
	kfree(client->proof->login);
	client->proof->login = NULL;
}
