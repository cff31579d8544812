// SPDX-License-Identifier: GPL-2.0
/*
 * TLS: the handshake is kmqttd's, from the other side, and the kernel goes on
 * with it. So reading and writing are the same with TLS and without.
 */
#include "secure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "cipher.h"
#include "ktls.h"
#include "tls.h"
#include "worker.h"

static int fail(const char *option, const char *value, const char *why)
{
	fprintf(stderr, "kmqtt-bench: --%s: %s: %s\n", option, value, why);
	return -1;
}

static int set_version(SSL_CTX *ctx, const char *text)
{
	int min = TLS1_2_VERSION, max = TLS1_3_VERSION;

	if (text && !strcmp(text, "1.2"))
		max = TLS1_2_VERSION;
	else if (text && !strcmp(text, "1.3"))
		min = TLS1_3_VERSION;
	else if (text)
		return fail("tls-version", text, "neither 1.2 nor 1.3");
	SSL_CTX_set_min_proto_version(ctx, min);
	SSL_CTX_set_max_proto_version(ctx, max);
	return 0;
}

/* The broker's certificate has to be for the address or the name. */
static int set_host(SSL_CTX *ctx, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, host) &&
	    !X509_VERIFY_PARAM_set1_host(param, host, 0))
		return fail("host", host, "no name for a certificate");
	return 0;
}

static int set_up(SSL_CTX *ctx, const struct options *o)
{
	if (set_version(ctx, o->tls_version) || set_host(ctx, o->host))
		return -1;
	if (!SSL_CTX_load_verify_file(ctx, o->tls))
		return fail("tls", o->tls, "cannot read certificates from it");
	/* Others are of no use to the kernel. */
	if (!cipher_set_list(ctx, "DEFAULT") ||
	    !cipher_set_suites(ctx, OSSL_default_ciphersuites()))
		return fail("tls", o->tls, "no ciphers for the kernel");
	tls_prepare(ctx);
	return 0;
}

/**
 * secure_create() - have OpenSSL do what the options say
 * @o: the options, with TLS
 *
 * Return: for SSL_CTX_free(), or NULL after it has told what is wrong.
 */
struct ssl_ctx_st *secure_create(const struct options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx) {
		fail("tls", o->tls, "OpenSSL does not begin");
		return NULL;
	}
	if (!set_up(ctx, o))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Read from one record, and of what type it is. Returns as recvmsg(). */
static ssize_t read_record(int fd, void *data, size_t size, unsigned char *type)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(1)];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	ssize_t n;

	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (n < 0)
		return n;
	header = CMSG_FIRSTHDR(&msg);
	*type = header ? *CMSG_DATA(header) : SSL3_RT_APPLICATION_DATA;
	return n;
}

/**
 * secure_read_control() - take a record that is none of data
 * @c: a client, for which read() has said EIO
 *
 * In TLS 1.3 tickets come after the handshake: nobody comes back with them.
 */
void secure_read_control(struct client *c)
{
	unsigned char record[SSL3_RT_MAX_PLAIN_LENGTH], type;
	ssize_t n = read_record(c->fd, record, sizeof(record), &type);

	if (n < 0)
		client_fail(c, "read: %s", strerror(errno));
	else if (type == SSL3_RT_ALERT && n == 2)
		client_fail(c, "TLS alert: %s",
			    SSL_alert_desc_string_long(record[1]));
	else if (type != SSL3_RT_HANDSHAKE || !n ||
		 record[0] != SSL3_MT_NEWSESSION_TICKET)
		client_fail(c, "unexpected TLS record of type %u", type);
}
