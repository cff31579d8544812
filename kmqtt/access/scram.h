/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_SCRAM_H
#define _KMQTT_ACCESS_SCRAM_H

#include <linux/kconfig.h>
#include "auth.h"

/* Bytes of a hash, at most. */
#define KMQTT_SCRAM_HASH_MAX	64

extern const struct kmqtt_auth_ops kmqtt_scram_sha_256;
extern const struct kmqtt_auth_ops kmqtt_scram_sha_512;

int kmqtt_scram_module_init(void);
void kmqtt_scram_module_uninit(void);
u32 kmqtt_scram_hash_len(enum kmqtt_auth_method method);
#if IS_ENABLED(CONFIG_KMQTT_KUNIT_TEST)
void kmqtt_scram_set_nonce(struct kmqtt_auth *auth, const char *nonce);
#endif

#endif /* _KMQTT_ACCESS_SCRAM_H */
