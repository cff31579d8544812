/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_PACKET_H
#define _KMQTT_BENCH_PACKET_H

#include "client.h"

size_t packet_parse(struct client *c, const uint8_t *data, size_t len,
		    uint64_t now);
void packet_client_id(const struct client *c, char *id, size_t size);

#endif /* _KMQTT_BENCH_PACKET_H */
