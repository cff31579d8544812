/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_ADOPT_H
#define _KMQTT_NET_ADOPT_H

#include <linux/in6.h>
#include "stream.h"

struct kmqtt_registry;
struct netlink_ext_ack;

/**
 * struct kmqtt_adoption - a connection that an agent has accepted
 * @fd: the calling process's socket
 * @listener: number of the listener that it came through
 * @peer: where the client is, AF_INET6; AF_UNSPEC: where the socket says it is
 * @handshake: what has come before
 */
struct kmqtt_adoption {
	int fd;
	u32 listener;
	struct sockaddr_in6 peer;
	struct kmqtt_handshake handshake;
};

int kmqtt_adopt(struct kmqtt_registry *registry,
		const struct kmqtt_adoption *adoption, u64 *id,
		struct netlink_ext_ack *extack);

#endif /* _KMQTT_NET_ADOPT_H */
