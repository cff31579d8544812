/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_AUTH_H
#define _KMQTT_ACCESS_AUTH_H

#include "port.h"

/* Bytes of one message of a client. */
#define KMQTT_AUTH_MESSAGE_MAX	1024

struct kmqtt_auth;

/**
 * struct kmqtt_auth_ops - a way to prove who one is
 * @name: as clients call it
 * @id: enum kmqtt_auth_method, for the method itself
 * @create: begin an exchange; returns NULL without memory
 * @step: take a message of the client, of up to KMQTT_AUTH_MESSAGE_MAX bytes
 * @destroy: end it, and zero what was secret
 *
 * @create and @step run in process context and may sleep, @destroy anywhere
 * but in hard interrupts.
 */
struct kmqtt_auth_ops {
	const char *name;
	unsigned int id;
	struct kmqtt_auth *(*create)(const struct kmqtt_auth_ops *ops,
				     struct kmqtt_port *port);
	enum kmqtt_reason (*step)(struct kmqtt_auth *auth,
				  const struct kmqtt_str *data);
	void (*destroy)(struct kmqtt_auth *auth);
};

/**
 * struct kmqtt_auth - an exchange
 * @ops: the method, constant
 * @port: what the client came through, which outlives this; constant
 * @out: what to send after a step
 * @out_len: bytes there
 * @user: proven name of the user, after a step that succeeded
 * @user_len: bytes there
 * @stamp: of the key that has proven it
 */
struct kmqtt_auth {
	const struct kmqtt_auth_ops *ops;
	struct kmqtt_port *port;
	const u8 *out;
	u32 out_len;
	const u8 *user;
	u16 user_len;
	u64 stamp;
};

struct kmqtt_auth *kmqtt_auth_create(struct kmqtt_port *port,
				     const struct kmqtt_str *method);
enum kmqtt_reason kmqtt_auth_step(struct kmqtt_auth *auth,
				  const struct kmqtt_str *data);
void kmqtt_auth_destroy(struct kmqtt_auth *auth);

#endif /* _KMQTT_ACCESS_AUTH_H */
