/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_CONTEXT_H
#define _KMQTTD_CONTEXT_H

#include <openssl/ssl.h>

#include "psk.h"
#include "settings.h"

struct ssl_ctx_st *context_create(const struct settings *settings,
				  char error[SETTINGS_ERROR_MAX]);
const struct psk *context_psk(SSL_CTX *ctx);

#endif /* _KMQTTD_CONTEXT_H */
