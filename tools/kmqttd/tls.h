/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_TLS_H
#define _KMQTTD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>

#include "keys.h"
#include "ktls.h"
#include "psk.h"

#define TLS_HEADER_SIZE		5
#define TLS_WHY_MAX		160

/* What a handshake needs to go on. */
enum tls_step {
	TLS_READ,		/* the socket has to be readable */
	TLS_WRITE,		/* or writable */
	TLS_DONE,
	TLS_CLOSED,		/* the peer has gone */
	TLS_FAILED,
};

/* A handshake. */
struct tls {
	SSL *ssl;
	BIO *in;			/* both are the SSL's */
	BIO *out;
	unsigned char header[TLS_HEADER_SIZE];
	size_t header_len;
	size_t body_left;		/* of the record that is being read */
	size_t total;			/* bytes read */
	enum tls_step outcome;		/* when all is written */
	bool finished;			/* our Finished is out */
	unsigned int records;		/* written since then */
	unsigned char nonce[KTLS_NONCE_SIZE];	/* of the last record */
	unsigned char client_secret[KEYS_SECRET_MAX];
	unsigned char server_secret[KEYS_SECRET_MAX];
	size_t secret_len;
	char psk_identity[PSK_IDENTITY_MAX + 1];	/* claimed, or empty */
	char why[TLS_WHY_MAX];		/* it failed */
};

struct tls *tls_of(const SSL *ssl);
void tls_prepare(SSL_CTX *ctx);
struct tls *tls_new(SSL_CTX *ctx);
enum tls_step tls_advance(struct tls *tls, int fd);
enum tls_step tls_offload(struct tls *tls, int fd);
void tls_free(struct tls *tls);

#endif /* _KMQTTD_TLS_H */
