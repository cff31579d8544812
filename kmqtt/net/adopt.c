// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that an agent in userspace has accepted, as nbd, nfsd and ovpn
 * take theirs: handshakes are done with, TLS is the kernel's, and what comes
 * next is MQTT.
 */
#include "adopt.h"

#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tls.h>
#include "../broker.h"
#include "conn.h"
#include "listener.h"
#include "registry.h"

/* What carries a socket's bytes, or a negative errno. */
static int transport_of(const struct sock *sk, struct netlink_ext_ack *extack)
{
	if (sk->sk_type != SOCK_STREAM) {
		NL_SET_ERR_MSG(extack, "the socket is not a stream");
		return -ESOCKTNOSUPPORT;
	}
	switch (sk->sk_family) {
	case AF_INET:
	case AF_INET6:
		if (sk->sk_protocol == IPPROTO_TCP)
			return KMQTT_TRANSPORT_TCP;
		if (sk->sk_protocol == IPPROTO_MPTCP)
			return KMQTT_TRANSPORT_MPTCP;
		break;
	case AF_UNIX:
		return KMQTT_TRANSPORT_UNIX;
	case AF_VSOCK:
		return KMQTT_TRANSPORT_VSOCK;
	}
	NL_SET_ERR_MSG(extack, "the socket is not TCP, MPTCP, unix or vsock");
	return -EPROTONOSUPPORT;
}

/* Does the socket do TLS? In one direction only it is of no use. */
static int tls_of(struct sock *sk, struct netlink_ext_ack *extack)
{
	const struct tcp_ulp_ops *ulp;
	const struct tls_context *tls;

	if (!sk_is_tcp(sk))
		return false;
	ulp = inet_csk(sk)->icsk_ulp_ops;
	if (!ulp)
		return false;
	if (strcmp(ulp->name, "tls")) {
		NL_SET_ERR_MSG(extack, "the socket has a layer that is not TLS");
		return -EPROTONOSUPPORT;
	}
	tls = tls_get_ctx(sk);
	if (tls->tx_conf != TLS_BASE && tls->rx_conf != TLS_BASE)
		return true;
	NL_SET_ERR_MSG(extack, "the socket has no TLS in one of its directions");
	return -EPROTO;
}

/* Returns 0 with @transport and @tls, or a negative errno. */
static int check_socket(const struct net *net, struct sock *sk, u8 *transport,
			bool *tls, struct netlink_ext_ack *extack)
{
	int ret;

	if (!net_eq(sock_net(sk), net)) {
		NL_SET_ERR_MSG(extack, "the socket is of another namespace");
		return -EXDEV;
	}
	ret = transport_of(sk, extack);
	if (ret < 0)
		return ret;
	*transport = ret;
	lock_sock(sk);
	if (sk->sk_state != TCP_ESTABLISHED) {
		NL_SET_ERR_MSG(extack, "the socket is not connected");
		ret = -ENOTCONN;
	} else {
		ret = tls_of(sk, extack);
	}
	release_sock(sk);
	if (ret < 0)
		return ret;
	*tls = ret;
	return 0;
}

static void explain(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -EBUSY:
		NL_SET_ERR_MSG(extack, "the socket is in use by the kernel already");
		break;
	case -EACCES:
		NL_SET_ERR_MSG(extack, "the address is banned");
		break;
	case -EUSERS:
		NL_SET_ERR_MSG(extack, "there are too many connections");
		break;
	case -EDQUOT:
		NL_SET_ERR_MSG(extack, "there are too many connections from this address");
		break;
	}
}

static int adopt_socket(struct kmqtt_registry *registry, struct socket *sock,
			const struct kmqtt_adoption *adoption, u64 *id,
			struct netlink_ext_ack *extack)
{
	const struct sockaddr_in6 *peer = &adoption->peer;
	struct kmqtt_stream *stream;
	struct kmqtt_port *port;
	u8 transport;
	bool tls;
	int err;

	err = check_socket(registry->broker->net, sock->sk, &transport, &tls,
			   extack);
	if (err)
		return err;
	if (adoption->handshake.tls_version && !tls) {
		NL_SET_ERR_MSG(extack, "the socket has no TLS");
		return -EPROTO;
	}
	port = kmqtt_listener_let_in(registry, adoption->listener, extack);
	if (IS_ERR(port))
		return PTR_ERR(port);
	stream = kmqtt_stream_create(transport, &adoption->handshake);
	err = -ENOMEM;
	if (stream) {
		stream->tls = tls;
		err = kmqtt_conn_create(registry, sock, port, stream,
					peer->sin6_family ? peer : NULL, id);
	}
	if (err) {
		kmqtt_stream_free(stream);
		explain(err, extack);
	}
	kmqtt_port_put(port);
	return err;
}

/**
 * kmqtt_adopt() - take over a connection
 * @registry: the broker's connections
 * @adoption: what the agent says of it
 * @id: number of the connection, on success
 * @extack: what is wrong
 *
 * The socket's file is kept, whether the agent closes its own or not. On
 * failure the socket is as it was.
 *
 * Context: process that has the socket, may sleep; takes the registry's mutex.
 * Return: 0 or a negative errno.
 */
int kmqtt_adopt(struct kmqtt_registry *registry,
		const struct kmqtt_adoption *adoption, u64 *id,
		struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(adoption->fd, &err);
	if (!sock) {
		NL_SET_ERR_MSG(extack, "fd is not a socket");
		return err;
	}
	/* The listener doesn't go before the connection can be found. */
	mutex_lock(&registry->mutex);
	err = adopt_socket(registry, sock, adoption, id, extack);
	mutex_unlock(&registry->mutex);
	if (err)
		sockfd_put(sock);
	return err;
}
