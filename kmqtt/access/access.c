// SPDX-License-Identifier: GPL-2.0
/*
 * Who may connect. There are no users yet: a broker is open to all or to none.
 */
#include "access.h"

#include <linux/compiler.h>

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
