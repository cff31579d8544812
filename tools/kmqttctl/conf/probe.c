// SPDX-License-Identifier: GPL-2.0
/*
 * Which listener is to blame? The kernel opens listeners when it was told all of
 * a configuration, and says why it can't, but not which of them it was.
 */
#include "probe.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_open(const struct conf *present, const struct address *address)
{
	size_t i;

	for (i = 0; i < present->nr_listeners; i++)
		if (address_same(&present->listeners[i].address, address))
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

/* As the kernel does it, but for a moment. */
static bool can_bind(const struct address *address)
{
	struct sockaddr_storage addr;
	socklen_t len = make_sockaddr(address, &addr);
	int fd, only_v6 = address->len == 16, one = 1;
	bool ok;

	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6,
			   sizeof(only_v6));
	ok = !bind(fd, (const struct sockaddr *)&addr, len) && !listen(fd, 1);
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
	const struct address *address;
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++) {
		address = &conf->listeners[i].address;
		if (!is_open(present, address) && !can_bind(address))
			return &conf->listeners[i];
	}
	return NULL;
}
