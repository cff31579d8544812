/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_PEER_H
#define _KMQTTD_PEER_H

#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* "[address%interface]:port" */
#define PEER_TEXT_MAX	80

/* An address of TCP; AF_UNSPEC if it is not known. */
union peer {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Whom limits are for: an IPv4 address, or a network of IPv6. */
struct peer_source {
	uint64_t family;
	uint64_t address;
};

void peer_unmap(union peer *peer);
struct peer_source peer_source(const union peer *peer);
void peer_text(char text[PEER_TEXT_MAX], const union peer *peer);

#endif /* _KMQTTD_PEER_H */
