// SPDX-License-Identifier: GPL-2.0
/*
 * Which listener is to blame? The kernel opens listeners when it was told all of
 * a configuration, and says why it can't, but not which of them it was.
 */
#include "probe.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

static bool is_open(const struct conf *present, const struct endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < present->nr_listeners; i++)
		if (endpoint_same(&present->listeners[i].endpoint, endpoint))
			return true;
	return false;
}

static socklen_t make_sockaddr(const struct address *address,
			       struct sockaddr_storage *to)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (address->len == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(address->port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(address->port);
	in6->sin6_scope_id = address->ifindex;
	memcpy(&in6->sin6_addr, address->bytes, 16);
	return sizeof(*in6);
}

static socklen_t make_other(const struct endpoint *endpoint,
			    struct sockaddr_storage *to)
{
	struct sockaddr_un *un = (struct sockaddr_un *)to;
	struct sockaddr_vm *vm = (struct sockaddr_vm *)to;

	memset(to, 0, sizeof(*to));
	if (endpoint->transport == KMQTT_TRANSPORT_UNIX) {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, endpoint->path, sizeof(un->sun_path));
		return sizeof(*un);
	}
	vm->svm_family = AF_VSOCK;
	vm->svm_cid = endpoint->cid;
	vm->svm_port = endpoint->port;
	return sizeof(*vm);
}

/* As the kernel does it, but for a moment. */
static bool can_bind(const struct endpoint *endpoint)
{
	bool ip = endpoint_is_ip(endpoint), ok;
	int fd, only_v6 = endpoint->address.len == 16, one = 1;
	struct sockaddr_storage addr;
	socklen_t len;

	len = ip ? make_sockaddr(&endpoint->address, &addr) :
		   make_other(endpoint, &addr);
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
		    endpoint->transport == KMQTT_TRANSPORT_MPTCP ?
		    IPPROTO_MPTCP : 0);
	if (fd < 0)
		return false;
	if (ip)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6,
			   sizeof(only_v6));
	ok = !bind(fd, (const struct sockaddr *)&addr, len);
	if (ok && addr.ss_family == AF_UNIX)
		unlink(endpoint->path);
	ok = ok && !listen(fd, 1);
	close(fd);
	return ok;
}

/**
 * probe_blame() - find the listener that can't be opened
 * @conf: a configuration that the kernel refused
 * @present: a configuration with the listeners that are open
 *
 * Return: the first that can't, or NULL if all can.
 */
const struct conf_listener *probe_blame(const struct conf *conf,
					const struct conf *present)
{
	const struct conf_listener *listener;
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++) {
		listener = &conf->listeners[i];
		/* The kernel opens nothing that an agent has. */
		if (!listener->agent &&
		    !is_open(present, &listener->endpoint) &&
		    !can_bind(&listener->endpoint))
			return listener;
	}
	return NULL;
}
