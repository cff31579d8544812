// SPDX-License-Identifier: GPL-2.0
/*
 * Where a listener is: at an address, at a path, or at a port of vsock.
 */
#include "endpoint.h"

#include <string.h>
#include <libmnl/libmnl.h>

#include "ctl.h"

const char *const endpoint_transports[] = {
	[KMQTT_TRANSPORT_TCP] = "tcp",
	[KMQTT_TRANSPORT_MPTCP] = "mptcp",
	[KMQTT_TRANSPORT_UNIX] = "unix",
	[KMQTT_TRANSPORT_VSOCK] = "vsock",
	NULL
};

/**
 * endpoint_is_ip() - is it an address with a port of TCP?
 * @endpoint: where a listener is
 *
 * Return: true for TCP and MPTCP, which share their ports.
 */
bool endpoint_is_ip(const struct endpoint *endpoint)
{
	return endpoint->transport == KMQTT_TRANSPORT_TCP ||
	       endpoint->transport == KMQTT_TRANSPORT_MPTCP;
}

/**
 * endpoint_is_local() - does only this machine get there?
 * @endpoint: where a listener is
 *
 * Return: true for loopback addresses and Unix sockets.
 */
bool endpoint_is_local(const struct endpoint *endpoint)
{
	static const uint8_t v6[16] = { [15] = 1 };
	const struct address *address = &endpoint->address;

	if (!endpoint_is_ip(endpoint))
		return endpoint->transport == KMQTT_TRANSPORT_UNIX;
	return address->len == 4 ? address->bytes[0] == 127 :
	       address->len == 16 && !memcmp(address->bytes, v6, sizeof(v6));
}

/**
 * endpoint_same() - can there be only one of two listeners?
 * @a: where one is
 * @b: where the other is
 *
 * Return: true if they are at the same place.
 */
bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	if (endpoint_is_ip(a) && endpoint_is_ip(b))
		return address_same(&a->address, &b->address);
	if (a->transport != b->transport)
		return false;
	if (a->transport == KMQTT_TRANSPORT_UNIX)
		return !strcmp(a->path, b->path);
	return a->cid == b->cid && a->port == b->port;
}

static void read_path(struct endpoint *endpoint, const struct nlattr *attr)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len && len < sizeof(endpoint->path))
		memcpy(endpoint->path, mnl_attr_get_payload(attr), len);
}

/**
 * endpoint_read() - take it out of a message about a listener
 * @endpoint: where it is
 * @attrs: of the message, by their types
 */
void endpoint_read(struct endpoint *endpoint,
		   const struct nlattr *const *attrs)
{
	uint64_t value;

	*endpoint = (struct endpoint){ .cid = ENDPOINT_CID_ANY };
	if (field_uint(attrs[KMQTT_A_LISTENER_TRANSPORT], &value) &&
	    value <= KMQTT_TRANSPORT_VSOCK)
		endpoint->transport = value;
	if (field_uint(attrs[KMQTT_A_LISTENER_CID], &value))
		endpoint->cid = value;
	if (field_uint(attrs[KMQTT_A_LISTENER_VSOCK_PORT], &value))
		endpoint->port = value;
	read_path(endpoint, attrs[KMQTT_A_LISTENER_PATH]);
	field_read_address(field_by_name(listener_noun.fields, "address"),
			   attrs, &endpoint->address);
}

/**
 * endpoint_put() - add it to a request about a listener
 * @nl: with a request begun
 * @endpoint: where the listener is
 */
void endpoint_put(struct nl *nl, const struct endpoint *endpoint)
{
	if (endpoint->transport != KMQTT_TRANSPORT_TCP)
		nl_put_uint(nl, KMQTT_A_LISTENER_TRANSPORT,
			    endpoint->transport, 1);
	if (endpoint_is_ip(endpoint)) {
		field_put_address(nl, field_by_name(listener_noun.fields,
						    "address"),
				  &endpoint->address);
	} else if (endpoint->transport == KMQTT_TRANSPORT_UNIX) {
		nl_put(nl, KMQTT_A_LISTENER_PATH, endpoint->path,
		       strlen(endpoint->path));
	} else {
		nl_put_uint(nl, KMQTT_A_LISTENER_VSOCK_PORT, endpoint->port,
			    sizeof(endpoint->port));
		if (endpoint->cid != ENDPOINT_CID_ANY)
			nl_put_uint(nl, KMQTT_A_LISTENER_CID, endpoint->cid,
				    sizeof(endpoint->cid));
	}
}
