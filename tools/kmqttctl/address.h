/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_ADDRESS_H
#define _KMQTTCTL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for an IPv6 address with an interface. */
#define ADDRESS_HOST_MAX	80

/*
 * An address as the family's attributes have it: with a length of 4 or 16
 * bytes, or none for all addresses.
 */
struct address {
	uint8_t bytes[16];
	unsigned int len;
	uint32_t ifindex;
	uint16_t port;
};

bool address_read(const char *text, struct address *address);
bool address_read_network(const char *text, struct address *address,
			  unsigned int *prefix);
void address_write_host(const struct address *address,
			char host[ADDRESS_HOST_MAX]);
bool address_same(const struct address *a, const struct address *b);

#endif /* _KMQTTCTL_ADDRESS_H */
