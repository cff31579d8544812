/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_PASSWORD_H
#define _KMQTT_ACCESS_PASSWORD_H

#include <linux/types.h>
#include "../wire/packet.h"

#define KMQTT_PASSWORD_SALT_MAX		64
#define KMQTT_PASSWORD_HASH_LEN		64
#define KMQTT_PASSWORD_ITERATIONS_MAX	10000000

/**
 * struct kmqtt_password - what a password is told by, as mosquitto_passwd has it
 * @iterations: of the key derivation, 1 where there is none; 0 for no password
 * @method: enum kmqtt_password_method
 * @salt_len: bytes of @salt
 * @salt: zeroes behind those bytes
 * @hash: what has to come out
 */
struct kmqtt_password {
	u32 iterations;
	u8 method;
	u8 salt_len;
	u8 salt[KMQTT_PASSWORD_SALT_MAX];
	u8 hash[KMQTT_PASSWORD_HASH_LEN];
};

int kmqtt_password_module_init(void);
void kmqtt_password_module_uninit(void);
int kmqtt_password_check(const struct kmqtt_password *password,
			 const struct kmqtt_str *text, const bool *stop);

#endif /* _KMQTT_ACCESS_PASSWORD_H */
