/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_IDENTITY_H
#define _KMQTT_ACCESS_IDENTITY_H

#include <linux/gfp.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include "../wire/packet.h"

struct kmqtt_port;

/* Bytes of a user name that a client may come with. */
#define KMQTT_IDENTITY_USER_MAX	4096

/**
 * struct kmqtt_identity - who a client is, as far as rules are concerned
 * @rcu: readers of a session's may stand on it while it is freed; with a port's
 *	own, that goes
 * @port: what it came through, constant; holds a reference, unless it is that
 *	port's own for all who come without a user name
 * @number: no other identity ever has it, constant
 * @refs: the connection's, its session's, that of a will being published, that of
 *	the author of retained messages; unused in a port's own
 * @user_len: bytes of @user, constant; 0 for nobody
 * @user: user name, constant
 *
 * Together with a client identifier it decides what rules apply.
 */
struct kmqtt_identity {
	struct rcu_head rcu;
	struct kmqtt_port *port;
	u64 number;
	refcount_t refs;
	u16 user_len;
	u8 user[];
};

u64 kmqtt_identity_number(void);
struct kmqtt_identity *kmqtt_identity_create(struct kmqtt_port *port,
					     const struct kmqtt_str *user,
					     gfp_t gfp);
struct kmqtt_identity *kmqtt_identity_get(struct kmqtt_identity *identity);
void kmqtt_identity_put(struct kmqtt_identity *identity);

#endif /* _KMQTT_ACCESS_IDENTITY_H */
