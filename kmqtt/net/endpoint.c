// SPDX-License-Identifier: GPL-2.0
/*
 * Where listeners are, and the sockets there.
 */
#include "endpoint.h"

#include <linux/in.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <linux/un.h>
#include <linux/vm_sockets.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include "../compat.h"

/**
 * kmqtt_endpoint_equal() - are two the same?
 * @a: one
 * @b: another
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_endpoint_equal(const struct kmqtt_endpoint *a,
			  const struct kmqtt_endpoint *b)
{
	return a->transport == b->transport && a->agent == b->agent &&
	       !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/**
 * kmqtt_endpoint_is_ip() - is it an address and port of IP?
 * @endpoint: the endpoint
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_endpoint_is_ip(const struct kmqtt_endpoint *endpoint)
{
	return endpoint->transport == KMQTT_TRANSPORT_TCP ||
	       endpoint->transport == KMQTT_TRANSPORT_MPTCP;
}

/* An IPv6 address takes IPv6 only, AF_UNSPEC takes all there is. */
static bool overlap_ip(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;

	/* Ports stand at the same place for both families. */
	if (a4->sin_port != b4->sin_port)
		return false;
	if (a->ss_family == AF_UNSPEC || b->ss_family == AF_UNSPEC)
		return true;
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr ||
		       !a4->sin_addr.s_addr || !b4->sin_addr.s_addr;
	return ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr) ||
	       ipv6_addr_any(&a6->sin6_addr) || ipv6_addr_any(&b6->sin6_addr);
}

static bool overlap_vsock(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	const struct sockaddr_vm *va = (const struct sockaddr_vm *)a;
	const struct sockaddr_vm *vb = (const struct sockaddr_vm *)b;

	return va->svm_port == vb->svm_port &&
	       (va->svm_cid == vb->svm_cid || va->svm_cid == VMADDR_CID_ANY ||
		vb->svm_cid == VMADDR_CID_ANY);
}

/**
 * kmqtt_endpoint_overlap() - does one take what comes in at the other?
 * @a: one
 * @b: the other
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_endpoint_overlap(const struct kmqtt_endpoint *a,
			    const struct kmqtt_endpoint *b)
{
	if (kmqtt_endpoint_is_ip(a) && kmqtt_endpoint_is_ip(b))
		return overlap_ip(&a->addr, &b->addr);
	if (a->transport != b->transport)
		return false;
	if (a->transport == KMQTT_TRANSPORT_VSOCK)
		return overlap_vsock(&a->addr, &b->addr);
	return !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/**
 * kmqtt_endpoint_is_local() - does only this machine get there?
 * @endpoint: the endpoint
 *
 * Context: any.
 * Return: true for loopback addresses and paths.
 */
bool kmqtt_endpoint_is_local(const struct kmqtt_endpoint *endpoint)
{
	const struct sockaddr_storage *addr = &endpoint->addr;

	switch (addr->ss_family) {
	case AF_INET:
		return ipv4_is_loopback(((const struct sockaddr_in *)
					 addr)->sin_addr.s_addr);
	case AF_INET6:
		return ipv6_addr_loopback(&((const struct sockaddr_in6 *)
					    addr)->sin6_addr);
	case AF_UNIX:
		return true;
	default:
		return false;
	}
}

static int addr_len(const struct sockaddr_storage *addr)
{
	switch (addr->ss_family) {
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	case AF_UNIX:
		return sizeof(struct sockaddr_un);
	case AF_VSOCK:
		return sizeof(struct sockaddr_vm);
	default:
		return sizeof(struct sockaddr_in);
	}
}

/* Multipath TCP has other sockets below, which only this way hear of it. */
static int set_option(struct socket *sock, int level, int option, int value)
{
	return sock->ops->setsockopt(sock, level, option,
				     KERNEL_SOCKPTR(&value), sizeof(value));
}

static int set_mptcp_options(struct socket *sock, bool only6)
{
	return set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1) ?:
	       only6 ? set_option(sock, SOL_IPV6, IPV6_V6ONLY, 1) : 0;
}

/* A socket of IP, and in @addr what to bind it to. */
static int make_ip(const struct kmqtt_endpoint *endpoint, struct net *net,
		   bool force, struct sockaddr_storage *addr,
		   struct socket **sock)
{
	int protocol = endpoint->transport == KMQTT_TRANSPORT_MPTCP ?
		       IPPROTO_MPTCP : IPPROTO_TCP;
	bool all = addr->ss_family == AF_UNSPEC;
	struct sock *sk;
	int err;

	if (all)
		addr->ss_family = AF_INET6;
	err = sock_create_kern(net, addr->ss_family, SOCK_STREAM, protocol,
			       sock);
	if (err == -EAFNOSUPPORT && all) {
		/* No IPv6 here; the port is at the same place in both. */
		addr->ss_family = AF_INET;
		err = sock_create_kern(net, AF_INET, SOCK_STREAM, protocol,
				       sock);
	}
	if (err)
		return err;
	if (protocol == IPPROTO_MPTCP) {
		err = set_mptcp_options(*sock, !all && addr->ss_family ==
					       AF_INET6);
		if (err)
			sock_release(*sock);
		return err;
	}
	sk = (*sock)->sk;
	tcp_sock_set_nodelay(sk);
	lock_sock(sk);
	sk->sk_reuse = force ? SK_FORCE_REUSE : SK_CAN_REUSE;
	if (addr->ss_family == AF_INET6)
		sk->sk_ipv6only = !all;
	release_sock(sk);
	return 0;
}

/* Port 0 has become another one. */
static int note_port(struct kmqtt_endpoint *endpoint, struct socket *sock)
{
	struct sockaddr_storage bound;
	int len;

	if (!kmqtt_endpoint_is_ip(endpoint))
		return 0;
	len = kernel_getsockname(sock, (struct sockaddr *)&bound);
	if (len < 0)
		return len;
	((struct sockaddr_in *)&endpoint->addr)->sin_port =
		((struct sockaddr_in *)&bound)->sin_port;
	return 0;
}

/**
 * kmqtt_endpoint_bind() - make a socket there
 * @endpoint: the endpoint; port 0 becomes the port that it got
 * @net: network namespace
 * @force: even if another socket listens there, if it is of TCP
 * @extack: what is wrong, or NULL
 *
 * A path is that of the calling process, and so are the rights to make a file.
 *
 * Context: process, may sleep.
 * Return: the socket, which listens not yet, or an ERR_PTR().
 */
struct socket *kmqtt_endpoint_bind(struct kmqtt_endpoint *endpoint,
				   struct net *net, bool force,
				   struct netlink_ext_ack *extack)
{
	struct sockaddr_storage addr = endpoint->addr;
	struct socket *sock;
	int err;

	if (kmqtt_endpoint_is_ip(endpoint))
		err = make_ip(endpoint, net, force, &addr, &sock);
	else
		err = sock_create_kern(net, addr.ss_family, SOCK_STREAM, 0,
				       &sock);
	if (err) {
		NL_SET_ERR_MSG(extack, "no socket of this kind");
		return ERR_PTR(err);
	}
	err = kernel_bind(sock, kmqtt_sockaddr(&addr), addr_len(&addr));
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "address and port are in use");
	else if (err)
		NL_SET_ERR_MSG(extack, "can't bind to this address");
	err = err ?: note_port(endpoint, sock);
	if (!err)
		return sock;
	sock_release(sock);
	return ERR_PTR(err);
}
