/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_SCRAM_H
#define _KMQTTCTL_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base64.h"

#define SCRAM_KEY_MAX		BASE64_BYTES_MAX
#define SCRAM_ITERATIONS	210000

/* What a broker keeps instead of a password (RFC 5802, 3). */
struct scram {
	uint32_t iterations;
	size_t salt_len;
	uint8_t salt[SCRAM_KEY_MAX];
	size_t key_len;
	uint8_t stored_key[SCRAM_KEY_MAX];
	uint8_t server_key[SCRAM_KEY_MAX];
};

bool scram_derive(struct scram *scram, bool sha_512, const char *password,
		  uint32_t iterations);
bool scram_read(struct scram *scram, bool sha_512, const char *text);

#endif /* _KMQTTCTL_SCRAM_H */
