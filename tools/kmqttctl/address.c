// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses with ports: 127.0.0.1:1883, [::1]:1883, [fe80::1%eth0]:1883 and
 * *:1883. Addresses and networks without: 127.0.0.1, 127.0.0.0/8, fe80::/10.
 */
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static bool read_ipv6(char *host, struct address *address)
{
	char *zone = strchr(host, '%');
	uint64_t number;

	if (zone) {
		*zone++ = '\0';
		address->ifindex = if_nametoindex(zone);
		if (!address->ifindex &&
		    text_to_number(zone, UINT32_MAX, &number))
			address->ifindex = number;
		if (!address->ifindex)
			return false;
	}
	address->len = 16;
	return inet_pton(AF_INET6, host, address->bytes) == 1;
}

/**
 * address_read() - read an address with a port
 * @text: as above
 * @address: what it means
 *
 * Return: true if @text is such an address.
 */
bool address_read(const char *text, struct address *address)
{
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_HOST_MAX];
	uint64_t port;
	size_t len;

	if (!colon || !text_to_number(colon + 1, UINT16_MAX, &port))
		return false;
	len = colon - text;
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*address = (struct address){ .port = port };
	if (!strcmp(host, "*"))
		return true;
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return read_ipv6(host + 1, address);
	}
	address->len = 4;
	return inet_pton(AF_INET, host, address->bytes) == 1;
}

/**
 * address_read_network() - read an address or a network, without a port
 * @text: as above
 * @address: the address
 * @prefix: bits of it that count
 *
 * Return: true if @text is such a thing.
 */
bool address_read_network(const char *text, struct address *address,
			  unsigned int *prefix)
{
	size_t len = strcspn(text, "/");
	char host[ADDRESS_HOST_MAX];
	uint64_t bits;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*address = (struct address){ .len = 4 };
	if (inet_pton(AF_INET, host, address->bytes) != 1) {
		address->len = 16;
		if (inet_pton(AF_INET6, host, address->bytes) != 1)
			return false;
	}
	bits = 8 * address->len;
	if (text[len] && !text_to_number(text + len + 1, bits, &bits))
		return false;
	*prefix = bits;
	return true;
}

/**
 * address_write_host() - write an address without its port
 * @address: what to write
 * @host: where to
 */
void address_write_host(const struct address *address,
			char host[ADDRESS_HOST_MAX])
{
	char name[IF_NAMESIZE];
	size_t len;

	if (!address->len) {
		snprintf(host, ADDRESS_HOST_MAX, "*");
		return;
	}
	inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, host,
		  ADDRESS_HOST_MAX);
	if (!address->ifindex)
		return;
	len = strlen(host);
	if (if_indextoname(address->ifindex, name))
		snprintf(host + len, ADDRESS_HOST_MAX - len, "%%%s", name);
	else
		snprintf(host + len, ADDRESS_HOST_MAX - len, "%%%u",
			 address->ifindex);
}

/**
 * address_same() - are two addresses the same, with their ports?
 * @a: an address
 * @b: another one
 *
 * Return: true if they are.
 */
bool address_same(const struct address *a, const struct address *b)
{
	return a->len == b->len && a->port == b->port &&
	       a->ifindex == b->ifindex && !memcmp(a->bytes, b->bytes, a->len);
}
