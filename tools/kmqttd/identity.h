/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_IDENTITY_H
#define _KMQTTD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kmqtt.h>

#include "settings.h"
#include "tls.h"

/* What a handshake has proven. Strings are empty if there is none. */
struct identity {
	bool has_user;			/* it decides on the user name */
	char user[KMQTT_USER_MAX + 1];
	char subject[KMQTT_SUBJECT_MAX + 1];
	uint16_t tls_version;		/* 0 without TLS */
	char cipher[KMQTT_CIPHER_MAX + 1];
};

void identity_prepare(SSL_CTX *ctx);
bool identity_read(struct identity *identity, const struct tls *tls,
		   const struct settings *settings, const char **why);

#endif /* _KMQTTD_IDENTITY_H */
