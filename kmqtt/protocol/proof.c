// SPDX-License-Identifier: GPL-2.0
/*
 * What the two ways to prove who one is have in common: a CONNECT that waits,
 * and what is remembered when it goes on.
 */
#include "proof.h"

#include <linux/slab.h>

/**
 * kmqtt_proof_create() - a client begins to prove who it is
 * @client: the client
 * @method: of enhanced authentication, or NULL if it is by password
 * @gfp: how to allocate
 *
 * Context: the client's receive side.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_proof_create(struct kmqtt_client *client,
		       const struct kmqtt_str *method, gfp_t gfp)
{
	u16 len = method ? method->len : 0;
	struct kmqtt_proof *proof;

	proof = kzalloc(struct_size(proof, method, len), gfp | __GFP_NOWARN);
	if (!proof)
		return -ENOMEM;
	proof->method_len = len;
	if (len)
		memcpy(proof->method, method->data, len);
	client->proof = proof;
	return 0;
}

/**
 * kmqtt_proof_destroy() - forget how a client has proven who it is
 * @client: the client
 *
 * Context: the client's receive side, or its end.
 */
void kmqtt_proof_destroy(struct kmqtt_client *client)
{
	kmqtt_proof_forget(client);
	kfree(client->proof);
	client->proof = NULL;
}

/**
 * kmqtt_proof_keep() - the CONNECT goes on when its client has proven who it is
 * @client: the client
 * @packet: the CONNECT
 * @gfp: how to allocate
 *
 * Context: the client's receive side.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_proof_keep(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet, gfp_t gfp)
{
	struct kmqtt_memory *memory = &client->broker->memory;
	struct kmqtt_proof *proof = client->proof;
	u32 len = packet->fixed.remaining;

	if (!kmqtt_memory_charge(memory, len))
		return -ENOMEM;
	proof->connect = kmemdup(packet->body, len, gfp | __GFP_NOWARN);
	if (!proof->connect) {
		kmqtt_memory_uncharge(memory, len);
		return -ENOMEM;
	}
	proof->connect_len = len;
	return 0;
}

/**
 * kmqtt_proof_forget() - the CONNECT has gone on, or never will
 * @client: the client
 *
 * Context: the client's receive side, or its end.
 */
void kmqtt_proof_forget(struct kmqtt_client *client)
{
	struct kmqtt_proof *proof = client->proof;

	/* There may be a password in it. */
	kfree_sensitive(proof->connect);
	kmqtt_memory_uncharge(&client->broker->memory, proof->connect_len);
	proof->connect = NULL;
	proof->connect_len = 0;
}
