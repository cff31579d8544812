/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_SERVICE_H
#define _KMQTTD_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "gate.h"
#include "settings.h"

/*
 * How connections of a listener are to be treated. It never changes: when
 * certificates are loaded anew there is another one, and handshakes that are
 * under way go on with theirs. With other settings, or without the listener,
 * all that there were are stale: nobody is let in any more on their terms.
 */
struct service {
	atomic_uint refs;
	uint32_t listener;		/* as the broker counts them */
	struct settings settings;
	SSL_CTX *ctx;			/* NULL without TLS */
	struct gate *gate;		/* shared by all of a listener */
	unsigned int terms;		/* of the gate, stale if it has others */
};

struct service *service_create(uint32_t listener, const char *agent,
			       struct gate *gate,
			       char error[SETTINGS_ERROR_MAX]);
struct service *service_get(struct service *service);
bool service_stale(const struct service *service);
void service_put(struct service *service);

#endif /* _KMQTTD_SERVICE_H */
