/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_PROXY_H
#define _KMQTTD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

/* The longest line of version 1, and more than any address of version 2. */
#define PROXY_BUFFER	256

enum proxy_result {
	PROXY_MORE,		/* the header goes on */
	PROXY_LOCAL,		/* the socket's address is the client's */
	PROXY_PEER,		/* the proxy has told the client's address */
	PROXY_PLAIN,		/* the client has no TLS, and has to */
	PROXY_BAD,
};

/* What follows addresses in version 2, up to the byte that was read last. */
struct proxy_tlvs {
	size_t skip;		/* bytes to come that tell nothing of TLS */
	unsigned int at;	/* bytes of the TLV that were looked at */
	unsigned int type;
	size_t len;		/* of the TLV's value */
	bool tls;		/* one says that the client speaks TLS */
};

/* What a proxy sends ahead; all zero but the first two to begin with. */
struct proxy {
	unsigned int version;	/* 1 or 2, the only one that is taken */
	bool require_tls;	/* of the client, says version 2 */
	struct proxy_tlvs tlvs;
	size_t len;		/* bytes in the buffer */
	size_t skip;		/* bytes to come that nobody wants */
	unsigned char buf[PROXY_BUFFER];
};

size_t proxy_wants(const struct proxy *proxy);
enum proxy_result proxy_feed(struct proxy *proxy, const void *data, size_t len,
			     union peer *peer);

#endif /* _KMQTTD_PROXY_H */
