/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_KEYS_H
#define _KMQTTD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

#define KEYS_KEY_MAX		32
#define KEYS_IV_MAX		12
#define KEYS_SECRET_MAX		64
#define KEYS_MASTER_SIZE	48
#define KEYS_RANDOM_SIZE	32

/* One direction of a connection. */
struct keys {
	size_t key_len;
	size_t iv_len;		/* of what is secret in it */
	unsigned char key[KEYS_KEY_MAX];
	unsigned char iv[KEYS_IV_MAX];
};

/* What both sides have agreed on. */
struct keys_master {
	unsigned char secret[KEYS_MASTER_SIZE];
	unsigned char client_random[KEYS_RANDOM_SIZE];
	unsigned char server_random[KEYS_RANDOM_SIZE];
};

bool keys_of_tls12(const EVP_MD *md, const struct keys_master *master,
		   struct keys *client, struct keys *server);
bool keys_of_tls13(const EVP_MD *md, const unsigned char *secret,
		   struct keys *keys);

#endif /* _KMQTTD_KEYS_H */
