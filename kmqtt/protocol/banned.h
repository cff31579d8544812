/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_BANNED_H
#define _KMQTT_PROTOCOL_BANNED_H

#include "client.h"

bool kmqtt_banned_as(const struct kmqtt_client *client,
		     const struct kmqtt_str *id);
bool kmqtt_banned(const struct kmqtt_client *client);
int kmqtt_banned_count(struct kmqtt_client *client);

#endif /* _KMQTT_PROTOCOL_BANNED_H */
