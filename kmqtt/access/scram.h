/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_SCRAM_H
#define _KMQTT_ACCESS_SCRAM_H

#include "auth.h"

/* Bytes of a hash, at most. */
#define KMQTT_SCRAM_HASH_MAX	64
/* Characters of the broker's nonce: 18 random bytes in base64. */
#define KMQTT_SCRAM_NONCE_LEN	24
/* Those of tests may be longer. */
#define KMQTT_SCRAM_NONCE_MAX	32

extern const struct kmqtt_auth_ops kmqtt_scram_sha_256;
extern const struct kmqtt_auth_ops kmqtt_scram_sha_512;

int kmqtt_scram_module_init(void);
void kmqtt_scram_module_uninit(void);
u32 kmqtt_scram_hash_len(enum kmqtt_auth_method method);
void kmqtt_scram_set_nonce(struct kmqtt_auth *auth, const char *nonce);

#endif /* _KMQTT_ACCESS_SCRAM_H */
