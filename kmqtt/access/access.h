/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_ACCESS_H
#define _KMQTT_ACCESS_ACCESS_H

#include "../wire/packet.h"

/**
 * struct kmqtt_access - who may do what
 * @allow_anonymous: let clients in whose identity nobody has checked;
 *	READ_ONCE() and WRITE_ONCE()
 */
struct kmqtt_access {
	bool allow_anonymous;
};

enum kmqtt_reason kmqtt_access_connect(const struct kmqtt_access *access,
				       const struct kmqtt_connect *c);

#endif /* _KMQTT_ACCESS_ACCESS_H */
