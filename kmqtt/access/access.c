// SPDX-License-Identifier: GPL-2.0
/*
 * Who may connect. Users can prove who they are by enhanced authentication;
 * without, a broker is open to all or to none.
 */
#include "access.h"

#include <linux/compiler.h>
#include <linux/random.h>
#include <linux/string.h>

/**
 * kmqtt_access_init() - no rules and no users yet
 * @access: the broker's rules
 * @memory: account to charge
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_access_init(struct kmqtt_access *access, struct kmqtt_memory *memory)
{
	access->allow_anonymous = true;
	get_random_bytes(access->probe_key, sizeof(access->probe_key));
	return kmqtt_users_init(&access->users, memory);
}

/**
 * kmqtt_access_uninit() - forget all rules and users
 * @access: the broker's rules; nobody asks for them any more
 *
 * Context: process, may sleep.
 */
void kmqtt_access_uninit(struct kmqtt_access *access)
{
	kmqtt_users_uninit(&access->users);
	memzero_explicit(access->probe_key, sizeof(access->probe_key));
}

/**
 * kmqtt_access_connect() - may this client connect?
 * @access: the broker's rules
 * @c: the CONNECT
 *
 * Context: any.
 * Return: 0, or the reason to refuse it with.
 */
enum kmqtt_reason kmqtt_access_connect(const struct kmqtt_access *access,
				       const struct kmqtt_connect *c)
{
	if (READ_ONCE(access->allow_anonymous))
		return KMQTT_REASON_SUCCESS;
	return c->has_user ? KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD :
			     KMQTT_REASON_NOT_AUTHORIZED;
}
