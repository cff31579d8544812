/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_PROOF_H
#define _KMQTT_PROTOCOL_PROOF_H

#include "client.h"

struct kmqtt_auth;
struct kmqtt_login;

/**
 * struct kmqtt_proof - how a client proves who it is
 * @stamp: of the key or password that has proven it; READ_ONCE() by others than
 *	the receive side
 * @connect: the CONNECT that goes on when it has, or NULL
 * @connect_len: bytes there
 * @auth: enhanced authentication that is under way, or NULL
 * @login: password that is being checked, or NULL
 * @method_len: bytes of @method, 0 if it is by password
 * @method: method of enhanced authentication, as in CONNECT
 *
 * There is one for as long as the client is connected. It is the receive
 * side's.
 */
struct kmqtt_proof {
	u64 stamp;
	u8 *connect;
	u32 connect_len;
	struct kmqtt_auth *auth;
	struct kmqtt_login *login;
	u16 method_len;
	u8 method[];
};

int kmqtt_proof_create(struct kmqtt_client *client,
		       const struct kmqtt_str *method, gfp_t gfp);
void kmqtt_proof_destroy(struct kmqtt_client *client);
int kmqtt_proof_keep(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet, gfp_t gfp);
void kmqtt_proof_forget(struct kmqtt_client *client);

#endif /* _KMQTT_PROTOCOL_PROOF_H */
