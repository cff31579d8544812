// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of handshakes, and whom they are for.
 */
#include "../../tools/kmqttd/gate.h"

#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include "test.h"

static union peer peer_of(const char *address)
{
	union peer peer = { .sa.sa_family = AF_INET };

	if (inet_pton(AF_INET, address, &peer.in4.sin_addr) == 1)
		return peer;
	peer = (union peer){ .sa.sa_family = AF_INET6 };
	CLAIM(inet_pton(AF_INET6, address, &peer.in6.sin6_addr) == 1);
	return peer;
}

static void listener(void)
{
	struct gate *gate = gate_create();

	CLAIM(gate_enter(gate, 2) && gate_enter(gate, 2));
	CLAIM(!gate_enter(gate, 2));
	CLAIM(gate_pending(gate) == 2);
	/* Another limit, as after a change of the configuration. */
	CLAIM(gate_enter(gate, 3));
	gate_leave(gate);
	gate_leave(gate);
	CLAIM(gate_enter(gate, 2));
	CLAIM(gate_pending(gate) == 2);
	gate_put(gate);
}

static bool enters(struct gate *gate, const char *address, unsigned int max,
		   struct gate_source **source)
{
	union peer peer = peer_of(address);

	*source = gate_enter_source(gate, &peer, max);
	return *source;
}

static void sources(void)
{
	struct gate *gate = gate_create();
	struct gate_source *source[5], *none;

	CLAIM(enters(gate, "192.0.2.1", 1, &source[0]));
	CLAIM(!enters(gate, "192.0.2.1", 1, &none));
	CLAIM(enters(gate, "192.0.2.2", 1, &source[1]));
	/* A network of IPv6 is one source. */
	CLAIM(enters(gate, "2001:db8::1", 2, &source[2]));
	CLAIM(enters(gate, "2001:db8::ffff:1", 2, &source[3]));
	CLAIM(!enters(gate, "2001:db8::2", 2, &none));
	CLAIM(enters(gate, "2001:db8:0:1::1", 2, &source[4]));
	gate_leave_source(gate, source[0]);
	CLAIM(enters(gate, "192.0.2.1", 1, &source[0]));
	gate_leave_source(gate, source[3]);
	CLAIM(enters(gate, "2001:db8::2", 2, &source[3]));
	gate_leave_source(gate, none);
	for (size_t i = 0; i < 5; i++)
		gate_leave_source(gate, source[i]);
	gate_put(gate);
}

/* More than there are buckets, in an order that is none. */
static void many(void)
{
	struct gate_source *source[2000];
	struct gate *gate = gate_create();
	union peer peer = peer_of("10.0.0.0");
	size_t i;

	for (i = 0; i < 2000; i++) {
		peer.in4.sin_addr.s_addr = htonl(0x0a000000 + i);
		source[i] = gate_enter_source(gate, &peer, 1);
		CLAIM(source[i]);
		CLAIM(!gate_enter_source(gate, &peer, 1));
	}
	for (i = 0; i < 2000; i++)
		gate_leave_source(gate, source[i * 7 % 2000]);
	for (i = 0; i < GATE_BUCKETS; i++)
		CLAIM(!gate->buckets[i]);
	gate_put(gate);
}

static void addresses(void)
{
	union peer peer = peer_of("::ffff:192.0.2.9");
	char text[PEER_TEXT_MAX];

	peer.in6.sin6_port = htons(7);
	peer_unmap(&peer);
	peer_text(text, &peer);
	CLAIM(peer.sa.sa_family == AF_INET && !strcmp(text, "192.0.2.9:7"));
	peer = peer_of("2001:db8::1");
	peer_unmap(&peer);
	peer_text(text, &peer);
	CLAIM(!strcmp(text, "[2001:db8::1]:0"));
}

const struct test gate_tests[] = {
	{ "limits: a listener's", listener },
	{ "limits: a source's", sources },
	{ "limits: many sources", many },
	{ "limits: an address has one form", addresses },
	{ NULL, NULL }
};
