/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_ENDPOINT_H
#define _KMQTTCTL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kmqtt.h>

#include "address.h"

struct nl;
struct nlattr;

/* All context identifiers that a machine has, as AF_VSOCK spells it. */
#define ENDPOINT_CID_ANY	UINT32_MAX

/* Where a listener is. */
struct endpoint {
	enum kmqtt_transport transport;
	struct address address;		/* of TCP and MPTCP */
	char path[KMQTT_PATH_MAX + 1];	/* of a Unix socket */
	uint32_t cid;			/* of vsock, as the port is */
	uint32_t port;
};

/* By enum kmqtt_transport, NULL at the end. */
extern const char *const endpoint_transports[];

bool endpoint_is_ip(const struct endpoint *endpoint);
bool endpoint_is_local(const struct endpoint *endpoint);
bool endpoint_same(const struct endpoint *a, const struct endpoint *b);
void endpoint_read(struct endpoint *endpoint,
		   const struct nlattr *const *attrs);
void endpoint_put(struct nl *nl, const struct endpoint *endpoint);

#endif /* _KMQTTCTL_ENDPOINT_H */
