// SPDX-License-Identifier: GPL-2.0
/*
 * A TLS handshake on a socket that the kernel is to go on with.
 *
 * OpenSSL sees memory only. What it gets from the socket is one record at a
 * time, so that nothing behind the handshake is taken from there; and what it
 * did is watched closely enough to tell the kernel where it stands. OpenSSL has
 * support for kTLS of its own, but up to 3.1 not to receive with TLS 1.3.
 */
#include "tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* A record with all that encryption may add to it. */
#define BODY_MAX	(16384 + 256)

/* The longest certificates that are taken, and much for all else. */
#define TOTAL_MAX	(64 * 1024)

#define CHUNK		4096

static int tls_index;

static void init_index(void)
{
	tls_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/**
 * tls_of() - find the handshake of an SSL
 * @ssl: what tls_new() has made
 */
struct tls *tls_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, tls_index);
}

/* "LABEL RANDOM SECRET", the last two in hexadecimal. */
static void note_secret(const SSL *ssl, const char *line)
{
	static const char client[] = "CLIENT_TRAFFIC_SECRET_0 ";
	static const char server[] = "SERVER_TRAFFIC_SECRET_0 ";
	struct tls *tls = tls_of(ssl);
	unsigned char *to;

	if (!strncmp(line, client, sizeof(client) - 1))
		to = tls->client_secret;
	else if (!strncmp(line, server, sizeof(server) - 1))
		to = tls->server_secret;
	else
		return;
	if (!OPENSSL_hexstr2buf_ex(to, KEYS_SECRET_MAX, &tls->secret_len,
				   strrchr(line, ' ') + 1, '\0'))
		tls->secret_len = 0;
}

/*
 * TLS 1.3 counts records from the first one on that follows our Finished: the
 * message is told after its own records, the records of others before them.
 */
static void note_message(int written, int version, int type, const void *buf,
			 size_t len, SSL *ssl, void *arg)
{
	const unsigned char *byte = buf;
	struct tls *tls = tls_of(ssl);

	if (!written || !len)
		return;
	if (type == SSL3_RT_HANDSHAKE && *byte == SSL3_MT_FINISHED)
		tls->finished = true;
	else if (type == SSL3_RT_HEADER && tls->finished)
		tls->records++;
}

static enum tls_step fail(struct tls *tls, const char *why)
{
	snprintf(tls->why, sizeof(tls->why), "%s", why);
	return TLS_FAILED;
}

/* OpenSSL would agree to short records, and the kernel doesn't send them. */
static int check_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *data;
	size_t len;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_max_fragment_length,
				       &data, &len))
		return SSL_CLIENT_HELLO_SUCCESS;
	fail(tls_of(ssl), "max_fragment_length: the kernel's records are longer");
	*alert = SSL_AD_HANDSHAKE_FAILURE;
	return SSL_CLIENT_HELLO_ERROR;
}

/**
 * tls_prepare() - make an SSL_CTX fit for tls_new()
 * @ctx: of a server or of a client
 */
void tls_prepare(SSL_CTX *ctx)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_index);
	SSL_CTX_set_keylog_callback(ctx, note_secret);
	SSL_CTX_set_msg_callback(ctx, note_message);
	SSL_CTX_set_client_hello_cb(ctx, check_hello, NULL);
}

/* What is wrong with a certificate says more than that it was refused. */
static enum tls_step fail_openssl(struct tls *tls)
{
	long verified = SSL_get_verify_result(tls->ssl);
	unsigned long code = ERR_peek_error();
	const char *reason = NULL;

	/* Of check_hello(). */
	if (*tls->why)
		return TLS_FAILED;
	if (code)
		reason = ERR_reason_error_string(code);
	if (verified != X509_V_OK && code &&
	    ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		reason = X509_verify_cert_error_string(verified);
	return fail(tls, reason ?: "OpenSSL doesn't say why");
}

/* The nonce of TLS 1.2 and AES-GCM is in front of what it was used for. */
static void note_nonce(struct tls *tls, const unsigned char *data, size_t len)
{
	size_t body;

	while (len >= TLS_HEADER_SIZE) {
		body = data[3] << 8 | data[4];
		data += TLS_HEADER_SIZE;
		len -= TLS_HEADER_SIZE;
		if (body > len)
			return;
		if (body >= KTLS_NONCE_SIZE)
			memcpy(tls->nonce, data, KTLS_NONCE_SIZE);
		data += body;
		len -= body;
	}
}

/* A handshake is done, but can the kernel go on with it? */
static enum tls_step check_done(struct tls *tls)
{
	/* The record was all that there was, or the kernel would miss a part. */
	if (BIO_pending(tls->in) || SSL_has_pending(tls->ssl))
		return fail(tls, "data in the last record of the handshake");
	return TLS_DONE;
}

static enum tls_step call_openssl(struct tls *tls)
{
	enum tls_step step;
	char *data;
	long len;
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(tls->ssl);
	if (ret > 0)
		step = TLS_DONE;
	else if (SSL_get_error(tls->ssl, ret) == SSL_ERROR_WANT_READ)
		step = TLS_READ;
	else
		step = fail_openssl(tls);
	ERR_clear_error();
	len = BIO_get_mem_data(tls->out, &data);
	if (len > 0)
		note_nonce(tls, (unsigned char *)data, len);
	return step == TLS_DONE ? check_done(tls) : step;
}

/**
 * tls_new() - begin a handshake
 * @ctx: prepared; its method tells whether we are the server or the client
 *
 * Return: for tls_free(), or NULL without memory.
 */
struct tls *tls_new(SSL_CTX *ctx)
{
	struct tls *tls = OPENSSL_zalloc(sizeof(*tls));

	if (!tls)
		return NULL;
	tls->outcome = TLS_READ;
	tls->ssl = SSL_new(ctx);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out ||
	    !SSL_set_ex_data(tls->ssl, tls_index, tls)) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		SSL_free(tls->ssl);
		OPENSSL_free(tls);
		return NULL;
	}
	/* Empty means that more will come. */
	BIO_set_mem_eof_return(tls->in, -1);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	if (SSL_is_server(tls->ssl)) {
		SSL_set_accept_state(tls->ssl);
	} else {
		SSL_set_connect_state(tls->ssl);
		/* The client speaks first. */
		tls->outcome = call_openssl(tls);
	}
	return tls;
}

/* Send what there is; TLS_WRITE if the socket doesn't take it all. */
static enum tls_step flush(struct tls *tls, int fd)
{
	char sent[CHUNK];
	ssize_t n, i;
	char *data;
	long len;

	while ((len = BIO_get_mem_data(tls->out, &data)) > 0) {
		n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? TLS_WRITE : TLS_CLOSED;
		while (n > 0) {
			i = n < CHUNK ? n : CHUNK;
			BIO_read(tls->out, sent, i);
			n -= i;
		}
	}
	return TLS_DONE;
}

/* As far as can be told, before OpenSSL and its memory are called upon. */
static bool is_tls(const unsigned char *header, size_t body)
{
	return header[0] >= SSL3_RT_CHANGE_CIPHER_SPEC &&
	       header[0] <= SSL3_RT_APPLICATION_DATA &&
	       header[1] == SSL3_VERSION_MAJOR && body && body <= BODY_MAX;
}

/* Read up to the end of one record; TLS_DONE if that is reached. */
static enum tls_step read_record(struct tls *tls, int fd)
{
	unsigned char buf[CHUNK];
	ssize_t n;
	size_t want;

	do {
		want = tls->header_len < TLS_HEADER_SIZE ?
		       TLS_HEADER_SIZE - tls->header_len : tls->body_left;
		n = recv(fd, buf, want < CHUNK ? want : CHUNK, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return TLS_READ;
		if (n <= 0)
			return TLS_CLOSED;
		tls->total += n;
		if (tls->total > TOTAL_MAX)
			return fail(tls, "too much data");
		if (BIO_write(tls->in, buf, n) != n)
			return fail(tls, "out of memory");
		if (tls->header_len == TLS_HEADER_SIZE) {
			tls->body_left -= n;
			continue;
		}
		memcpy(tls->header + tls->header_len, buf, n);
		tls->header_len += n;
		if (tls->header_len < TLS_HEADER_SIZE)
			continue;
		tls->body_left = tls->header[3] << 8 | tls->header[4];
		if (!is_tls(tls->header, tls->body_left))
			return fail(tls, "this is not TLS");
	} while (tls->header_len < TLS_HEADER_SIZE || tls->body_left);
	tls->header_len = 0;
	return TLS_DONE;
}

/**
 * tls_advance() - go on with a handshake as far as the socket lets it
 * @tls: the handshake
 * @fd: its socket
 *
 * Return: what it needs now, or how it ended: if not well, @tls->why tells the
 * cause. What OpenSSL refuses, it has sent an alert about. What is refused here,
 * in what is read or when all is done, gets none: OpenSSL sends only its own.
 */
enum tls_step tls_advance(struct tls *tls, int fd)
{
	enum tls_step step;

	for (;;) {
		step = flush(tls, fd);
		if (step != TLS_DONE)
			return step;
		if (tls->outcome != TLS_READ)
			return tls->outcome;
		step = read_record(tls, fd);
		if (step != TLS_DONE)
			return step;
		tls->outcome = call_openssl(tls);
	}
}

static bool keys_tls12(const struct tls *tls, const EVP_MD *md,
		       struct keys *client, struct keys *server)
{
	struct keys_master master;
	bool good;

	good = SSL_SESSION_get_master_key(SSL_get_session(tls->ssl),
					  master.secret,
					  sizeof(master.secret)) ==
	       sizeof(master.secret);
	SSL_get_client_random(tls->ssl, master.client_random,
			      sizeof(master.client_random));
	SSL_get_server_random(tls->ssl, master.server_random,
			      sizeof(master.server_random));
	good = good && keys_of_tls12(md, &master, client, server);
	OPENSSL_cleanse(&master, sizeof(master));
	return good;
}

static bool keys_tls13(const struct tls *tls, const EVP_MD *md,
		       struct keys *client, struct keys *server)
{
	return tls->secret_len == (size_t)EVP_MD_get_size(md) &&
	       keys_of_tls13(md, tls->client_secret, client) &&
	       keys_of_tls13(md, tls->server_secret, server);
}

/* The one after the last. */
static void next_nonce(unsigned char *nonce)
{
	int i = KTLS_NONCE_SIZE;

	while (i-- && !++nonce[i])
		;
}

static bool read_states(struct tls *tls, struct ktls_state *receive,
			struct ktls_state *transmit)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
	const EVP_MD *md = SSL_CIPHER_get_handshake_digest(cipher);
	struct keys *client, *server;

	receive->version = SSL_version(tls->ssl);
	receive->cipher = SSL_CIPHER_get_cipher_nid(cipher);
	if (!md || !ktls_lengths(receive->version, receive->cipher,
				 &receive->keys))
		return false;
	*transmit = *receive;
	client = SSL_is_server(tls->ssl) ? &receive->keys : &transmit->keys;
	server = SSL_is_server(tls->ssl) ? &transmit->keys : &receive->keys;
	if (receive->version == TLS1_3_VERSION) {
		/* New keys: nothing that came with them has been read. */
		transmit->sequence = tls->records;
		return keys_tls13(tls, md, client, server);
	}
	/* Each has sent its Finished. */
	receive->sequence = 1;
	transmit->sequence = 1;
	memcpy(transmit->nonce, tls->nonce, sizeof(transmit->nonce));
	next_nonce(transmit->nonce);
	return keys_tls12(tls, md, client, server);
}

/**
 * tls_offload() - have the kernel go on
 * @tls: a handshake that is done
 * @fd: its socket
 *
 * Return: TLS_DONE; or TLS_CLOSED; or TLS_FAILED if it won't, and @tls->why
 * tells the cause.
 */
enum tls_step tls_offload(struct tls *tls, int fd)
{
	struct ktls_state receive = { .version = 0 }, transmit;
	enum tls_step step = TLS_DONE;

	if (!read_states(tls, &receive, &transmit)) {
		step = fail(tls, "no keys for the kernel");
	} else if (!ktls_begin(fd) || !ktls_set(fd, KTLS_SEND, &transmit) ||
		   !ktls_set(fd, KTLS_RECEIVE, &receive)) {
		/* The kernel doesn't begin with a peer that has ended. */
		step = errno == ENOTCONN ? TLS_CLOSED : TLS_FAILED;
		snprintf(tls->why, sizeof(tls->why), "no TLS in the kernel: %s",
			 strerror(errno));
	}
	OPENSSL_cleanse(&receive, sizeof(receive));
	OPENSSL_cleanse(&transmit, sizeof(transmit));
	return step;
}

/**
 * tls_free() - forget a handshake
 * @tls: the handshake, or NULL
 */
void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	OPENSSL_clear_free(tls, sizeof(*tls));
}
