/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_PASSWORD_H
#define _KMQTTCTL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base64.h"

/* What mosquitto_passwd does if nothing else is said. */
#define PASSWORD_ITERATIONS	1000
#define PASSWORD_ITERATIONS_MAX	10000000
#define PASSWORD_HASH_LEN	64

/* What a password file has instead of a password. */
struct password {
	uint32_t iterations;	/* 0 for a single SHA-512 */
	size_t salt_len;
	uint8_t salt[BASE64_BYTES_MAX];
	uint8_t hash[PASSWORD_HASH_LEN];
};

bool password_derive(struct password *password, const char *text,
		     uint32_t iterations);
const char *password_unsupported(const char *text);
bool password_read(struct password *password, const char *text);

#endif /* _KMQTTCTL_PASSWORD_H */
