/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_PSK_H
#define _KMQTTD_PSK_H

#include <stdbool.h>
#include <stddef.h>

/* What OpenSSL takes, and user names. */
#define PSK_KEY_MAX		256
#define PSK_IDENTITY_MAX	256

struct psk;

struct psk *psk_read(const char *path, char *error, size_t size);
size_t psk_find(const struct psk *psk, const char *identity,
		unsigned char *key, size_t size);
void psk_free(struct psk *psk);

#endif /* _KMQTTD_PSK_H */
