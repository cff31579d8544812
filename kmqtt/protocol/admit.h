/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_ADMIT_H
#define _KMQTT_PROTOCOL_ADMIT_H

#include "client.h"
#include "../wire/decode.h"

int kmqtt_admit(struct kmqtt_client *client, const struct kmqtt_connect *c,
		struct kmqtt_batch *batch, bool *present);

#endif /* _KMQTT_PROTOCOL_ADMIT_H */
