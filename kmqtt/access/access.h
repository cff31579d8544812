/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_ACCESS_H
#define _KMQTT_ACCESS_ACCESS_H

#include "../wire/decode.h"
#include "user.h"

/**
 * struct kmqtt_access - who may do what
 * @allow_anonymous: let clients in whose identity nobody has checked;
 *	READ_ONCE() and WRITE_ONCE()
 * @users: those who can prove who they are
 * @probe_key: makes what those are told who are no users; constant
 */
struct kmqtt_access {
	bool allow_anonymous;
	struct kmqtt_users users;
	u8 probe_key[32];
};

int kmqtt_access_init(struct kmqtt_access *access,
		      struct kmqtt_memory *memory);
void kmqtt_access_uninit(struct kmqtt_access *access);
enum kmqtt_reason kmqtt_access_connect(const struct kmqtt_access *access,
				       const struct kmqtt_connect *c);

#endif /* _KMQTT_ACCESS_ACCESS_H */
