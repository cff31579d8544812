// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a handshake has proven the client to be.
 */
#include "identity.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "context.h"
#include "text.h"

/* A name that was cut, or that ends where it doesn't seem to, is another's. */
static bool take_user(struct identity *identity, const char *name, size_t len,
		      const char **why)
{
	if (len > KMQTT_USER_MAX) {
		*why = "the name is too long for a user";
		return false;
	}
	if (memchr(name, '\0', len) || text_utf8_len(name, len) != len) {
		*why = "the name is not UTF-8";
		return false;
	}
	memcpy(identity->user, name, len);
	identity->user[len] = '\0';
	return true;
}

/* The first CN; mosquitto means that one, too. */
static bool take_common_name(struct identity *identity, X509_NAME *subject,
			     const char **why)
{
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	X509_NAME_ENTRY *entry;
	unsigned char *name;
	bool good;
	int len;

	if (at < 0)
		return true;
	entry = X509_NAME_get_entry(subject, at);
	len = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(entry));
	if (len < 0) {
		*why = "the name is not UTF-8";
		return false;
	}
	good = take_user(identity, (char *)name, len, why);
	OPENSSL_free(name);
	return good;
}

static bool read_certificate(struct identity *identity, X509 *certificate,
			     const struct settings *settings, const char **why)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = false;
	char *text;
	long len;

	if (!bio || X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) < 0) {
		*why = "the subject is not readable";
	} else {
		/* In this form it is ASCII: it can be cut anywhere. */
		len = BIO_get_mem_data(bio, &text);
		snprintf(identity->subject, sizeof(identity->subject), "%.*s",
			 (int)len, text);
		if (settings->identity_as_user)
			good = take_common_name(identity, subject, why);
		else
			good = !settings->subject_as_user ||
			       take_user(identity, text, len, why);
	}
	BIO_free(bio);
	return good;
}

/* What was claimed is kept: psk_identity() asks whether it was proven. */
static unsigned int find_psk(SSL *ssl, const char *identity,
			     unsigned char *key, unsigned int size)
{
	const struct psk *psk = context_psk(SSL_get_SSL_CTX(ssl));
	struct tls *tls = tls_of(ssl);
	size_t len;

	if (!identity || strlen(identity) > PSK_IDENTITY_MAX)
		return 0;
	len = psk_find(psk, identity, key, size);
	if (len)
		snprintf(tls->psk_identity, sizeof(tls->psk_identity), "%s",
			 identity);
	return len;
}

/**
 * identity_prepare() - have clients asked who they are
 * @ctx: what context_create() has made
 */
void identity_prepare(SSL_CTX *ctx)
{
	if (context_psk(ctx))
		SSL_CTX_set_psk_server_callback(ctx, find_psk);
}

/*
 * Who has proven to know a pre-shared key? A client may name one and then take
 * another way to be let in: NULL.
 */
static const char *psk_identity(const struct tls *tls)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);

	if (!*tls->psk_identity)
		return NULL;
	switch (SSL_CIPHER_get_kx_nid(cipher)) {
	case NID_kx_psk:
	case NID_kx_ecdhe_psk:
	case NID_kx_dhe_psk:
	case NID_kx_rsa_psk:
		return tls->psk_identity;
	case NID_kx_any:
		/* TLS 1.3; there are no tickets where there are such keys. */
		return SSL_session_reused(tls->ssl) ? tls->psk_identity : NULL;
	default:
		return NULL;
	}
}

static bool read_psk(struct identity *identity, const char *name, bool is_user,
		     const char **why)
{
	size_t len = strlen(name);

	if (text_utf8_len(name, len) == len)
		memcpy(identity->subject, name, len + 1);
	return !is_user || take_user(identity, name, len, why);
}

/**
 * identity_read() - find out who a client is
 * @identity: for the answer
 * @tls: a handshake that is done
 * @settings: of the listener
 * @why: what is wrong, if the client must not be let in
 *
 * Return: true if it may.
 */
bool identity_read(struct identity *identity, const struct tls *tls,
		   const struct settings *settings, const char **why)
{
	const char *psk = psk_identity(tls);
	X509 *certificate;

	*identity = (struct identity){
		.has_user = settings->identity_as_user ||
			    settings->subject_as_user,
		.tls_version = SSL_version(tls->ssl),
	};
	snprintf(identity->cipher, sizeof(identity->cipher), "%s",
		 SSL_CIPHER_get_name(SSL_get_current_cipher(tls->ssl)));
	if (psk)
		return read_psk(identity, psk, settings->identity_as_user,
				why);
	certificate = SSL_get0_peer_certificate(tls->ssl);
	return !certificate ||
	       read_certificate(identity, certificate, settings, why);
}
