/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_CIPHER_H
#define _KMQTTD_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>

bool cipher_fits(const struct ssl_cipher_st *cipher);
bool cipher_set_list(SSL_CTX *ctx, const char *list);
bool cipher_set_suites(SSL_CTX *ctx, const char *suites);

#endif /* _KMQTTD_CIPHER_H */
