/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_ENDPOINT_H
#define _KMQTT_NET_ENDPOINT_H

#include <linux/socket.h>
#include <uapi/linux/kmqtt.h>

struct net;
struct netlink_ext_ack;

/**
 * struct kmqtt_endpoint - where a listener is
 * @addr: address and port: IPv4, IPv6, AF_UNIX or AF_VSOCK; AF_UNSPEC with an
 *	empty IPv6 address for all addresses, of IPv6 and IPv4; zero behind it
 * @transport: enum kmqtt_transport
 * @agent: an agent in userspace has the socket
 */
struct kmqtt_endpoint {
	struct sockaddr_storage addr;
	u8 transport;
	bool agent;
};

bool kmqtt_endpoint_equal(const struct kmqtt_endpoint *a,
			  const struct kmqtt_endpoint *b);
bool kmqtt_endpoint_overlap(const struct kmqtt_endpoint *a,
			    const struct kmqtt_endpoint *b);
bool kmqtt_endpoint_is_ip(const struct kmqtt_endpoint *endpoint);
bool kmqtt_endpoint_is_local(const struct kmqtt_endpoint *endpoint);
struct socket *kmqtt_endpoint_bind(struct kmqtt_endpoint *endpoint,
				   struct net *net, bool force,
				   struct netlink_ext_ack *extack);

#endif /* _KMQTT_NET_ENDPOINT_H */
