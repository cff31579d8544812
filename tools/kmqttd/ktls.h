/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_KTLS_H
#define _KMQTTD_KTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "keys.h"

#define KTLS_SEQUENCE_SIZE	8
#define KTLS_NONCE_SIZE		8

enum ktls_way {
	KTLS_SEND,
	KTLS_RECEIVE,
};

/* Where one direction of a connection stands. */
struct ktls_state {
	unsigned int version;		/* as TLS writes it */
	int cipher;			/* NID of OpenSSL */
	struct keys keys;
	uint64_t sequence;		/* of the next record */
	unsigned char nonce[KTLS_NONCE_SIZE];	/* its own, AES-GCM and 1.2 */
};

bool ktls_lengths(unsigned int version, int cipher, struct keys *keys);
bool ktls_begin(int fd);
bool ktls_set(int fd, enum ktls_way way, const struct ktls_state *state);
void ktls_alert(int fd, unsigned char level, unsigned char description);

#endif /* _KMQTTD_KTLS_H */
