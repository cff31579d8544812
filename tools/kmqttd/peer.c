// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses of clients.
 */
#include "peer.h"

#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <net/if.h>

/**
 * peer_unmap() - have one form for an IPv4 address
 * @peer: from a socket that may be of IPv6
 */
void peer_unmap(union peer *peer)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };

	if (peer->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&peer->in6.sin6_addr))
		return;
	in4.sin_port = peer->in6.sin6_port;
	memcpy(&in4.sin_addr, &peer->in6.sin6_addr.s6_addr[12],
	       sizeof(in4.sin_addr));
	peer->in4 = in4;
}

/**
 * peer_source() - whom to count a connection for
 * @peer: where it comes from
 *
 * Who has an IPv6 address has a network of them, a /64 at least.
 */
struct peer_source peer_source(const union peer *peer)
{
	struct peer_source source = { .family = peer->sa.sa_family };

	if (source.family == AF_INET)
		source.address = peer->in4.sin_addr.s_addr;
	else if (source.family == AF_INET6)
		memcpy(&source.address, &peer->in6.sin6_addr,
		       sizeof(source.address));
	return source;
}

/**
 * peer_text() - write an address
 * @text: where to
 * @peer: the address
 */
void peer_text(char text[PEER_TEXT_MAX], const union peer *peer)
{
	char address[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	const struct sockaddr_in6 *in6 = &peer->in6;
	const char *interface = NULL;

	if (peer->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &peer->in4.sin_addr, address,
			  sizeof(address));
		snprintf(text, PEER_TEXT_MAX, "%s:%u", address,
			 ntohs(peer->in4.sin_port));
		return;
	}
	if (peer->sa.sa_family != AF_INET6) {
		snprintf(text, PEER_TEXT_MAX, "unknown address");
		return;
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
	if (in6->sin6_scope_id)
		interface = if_indextoname(in6->sin6_scope_id, name);
	snprintf(text, PEER_TEXT_MAX, "[%s%s%s]:%u", address,
		 interface ? "%" : "", interface ?: "",
		 ntohs(in6->sin6_port));
}
