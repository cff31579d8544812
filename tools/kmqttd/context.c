// SPDX-License-Identifier: GPL-2.0
/*
 * What OpenSSL has to know of a listener: from settings to an SSL_CTX.
 */
#include "context.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "cipher.h"

/* Bytes of a client's certificates: what one handshake may cost is bounded. */
#define CERTIFICATES_MAX	(24 * 1024)

static const unsigned char session_context[] = "kmqtt";

static int psk_index;

/* Something is being made into something. */
struct making {
	SSL_CTX *ctx;
	const struct settings *settings;
	char *error;
};

static void free_psk(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx,
		     long argl, void *argp)
{
	psk_free(ptr);
}

static void init_index(void)
{
	psk_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_psk);
}

static const char *reason_of(unsigned long code)
{
	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	/* Some of OpenSSL's words tell nobody what is the matter. */
	switch (ERR_GET_REASON(code)) {
	case ERR_R_UNSUPPORTED:
		return "nothing of this kind is in it";
	case ERR_R_INTERRUPTED_OR_CANCELLED:
		return "it is encrypted, and nobody is asked for the password";
	}
	return ERR_reason_error_string(code);
}

/* What OpenSSL found first is the cause, what it says then are the effects. */
static bool fail(const struct making *making, const char *option,
		 const char *value)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? reason_of(code) : NULL;

	snprintf(making->error, SETTINGS_ERROR_MAX, "%s: %s%s%s", option,
		 value ?: "", value ? ": " : "",
		 reason ?: "OpenSSL does not take it");
	ERR_clear_error();
	return false;
}

static bool fail_because(const struct making *making, const char *option,
			 const char *why)
{
	snprintf(making->error, SETTINGS_ERROR_MAX, "%s: %s", option, why);
	ERR_clear_error();
	return false;
}

/* An agent has no terminal to ask for a key's password. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	return -1;
}

static bool set_certificate(const struct making *making)
{
	const struct settings *settings = making->settings;

	if (!settings->certfile)
		return true;
	SSL_CTX_set_default_passwd_cb(making->ctx, no_password);
	if (!SSL_CTX_use_certificate_chain_file(making->ctx,
						settings->certfile))
		return fail(making, "certfile", settings->certfile);
	if (!SSL_CTX_use_PrivateKey_file(making->ctx, settings->keyfile,
					 SSL_FILETYPE_PEM))
		return fail(making, "keyfile", settings->keyfile);
	if (!SSL_CTX_check_private_key(making->ctx))
		return fail(making, "keyfile", settings->keyfile);
	return true;
}

static bool set_authorities(const struct making *making)
{
	const struct settings *settings = making->settings;
	struct stack_st_X509_NAME *names;

	if (settings->cafile) {
		if (!SSL_CTX_load_verify_file(making->ctx, settings->cafile))
			return fail(making, "cafile", settings->cafile);
		names = SSL_load_client_CA_file(settings->cafile);
		if (!names)
			return fail(making, "cafile", settings->cafile);
		SSL_CTX_set_client_CA_list(making->ctx, names);
	}
	if (settings->capath) {
		/* OpenSSL looks in there when somebody comes, not before. */
		if (!SSL_CTX_load_verify_dir(making->ctx, settings->capath))
			return fail(making, "capath", settings->capath);
	}
	return true;
}

static bool set_revoked(const struct making *making)
{
	X509_STORE *store = SSL_CTX_get_cert_store(making->ctx);
	const char *crlfile = making->settings->crlfile;
	X509_LOOKUP *lookup;

	if (!crlfile)
		return true;
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, crlfile, X509_FILETYPE_PEM) < 1)
		return fail(making, "crlfile", crlfile);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return true;
}

static bool set_ciphers(const struct making *making)
{
	static const char none[] =
		"none of AES-GCM and ChaCha20-Poly1305, which the kernel needs";
	const struct settings *settings = making->settings;

	if (!cipher_set_list(making->ctx, settings->ciphers ?: "DEFAULT"))
		return settings->ciphers && ERR_peek_error() ?
		       fail(making, "ciphers", settings->ciphers) :
		       fail_because(making, "ciphers", none);
	if (!cipher_set_suites(making->ctx, settings->ciphersuites ?:
			       OSSL_default_ciphersuites()))
		return settings->ciphersuites && ERR_peek_error() ?
		       fail(making, "ciphers_tls1.3", settings->ciphersuites) :
		       fail_because(making, "ciphers_tls1.3", none);
	return true;
}

static bool set_dh_parameters(const struct making *making)
{
	const char *dhparamfile = making->settings->dhparamfile;
	EVP_PKEY *pkey = NULL;
	OSSL_DECODER_CTX *decoder;
	BIO *file;
	bool good;

	if (!dhparamfile) {
		SSL_CTX_set_dh_auto(making->ctx, 1);
		return true;
	}
	file = BIO_new_file(dhparamfile, "r");
	if (!file)
		return fail(making, "dhparamfile", dhparamfile);
	decoder = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL,
						EVP_PKEY_KEY_PARAMETERS, NULL,
						NULL);
	good = decoder && OSSL_DECODER_from_bio(decoder, file) &&
	       SSL_CTX_set0_tmp_dh_pkey(making->ctx, pkey);
	OSSL_DECODER_CTX_free(decoder);
	BIO_free(file);
	if (good)
		return true;
	EVP_PKEY_free(pkey);
	return fail(making, "dhparamfile", dhparamfile);
}

static bool set_keys(const struct making *making)
{
	const struct settings *settings = making->settings;
	char why[SETTINGS_ERROR_MAX - sizeof("psk_file: ")];
	struct psk *psk;

	if (!settings->psk_file)
		return true;
	psk = psk_read(settings->psk_file, why, sizeof(why));
	if (!psk)
		return fail_because(making, "psk_file", why);
	if (!SSL_CTX_set_ex_data(making->ctx, psk_index, psk)) {
		psk_free(psk);
		return fail(making, "psk_file", settings->psk_file);
	}
	if (settings->psk_hint &&
	    !SSL_CTX_use_psk_identity_hint(making->ctx, settings->psk_hint))
		return fail(making, "psk_hint", settings->psk_hint);
	/*
	 * Coming back with a ticket would save no effort to a client with a
	 * key, and its identity would have to be in the ticket.
	 */
	SSL_CTX_set_options(making->ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(making->ctx, 0);
	return true;
}

/* As ALPN has it: a length and so many bytes. */
static const unsigned char mqtt[] = "\4mqtt", http[] = "\10http/1.1";

/* Who asks for a protocol by its name has to ask for the one spoken here. */
static int select_protocol(SSL *ssl, const unsigned char **out,
			   unsigned char *outlen, const unsigned char *in,
			   unsigned int inlen, void *arg)
{
	const unsigned char *ours = arg;
	unsigned char *found;

	if (SSL_select_next_proto(&found, outlen, ours, 1 + ours[0], in,
				  inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

/*
 * For listeners that take certificates of any date, of authorities, too. Lists
 * of what is revoked have dates as well: those count, so OpenSSL can't be told
 * to look at no date at all. The verdict must not be left behind with an error.
 */
static int forgive_date(int good, X509_STORE_CTX *store)
{
	switch (good ? X509_V_OK : X509_STORE_CTX_get_error(store)) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED:
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	default:
		return good;
	}
}

static bool is_over(SSL *ssl, SSL_SESSION *session)
{
	X509 *certificate = SSL_SESSION_get0_peer(session);

	return certificate && SSL_get_verify_callback(ssl) != forgive_date &&
	       X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0;
}

/*
 * A certificate is not verified again with a ticket. If it would be refused by
 * now the ticket is worth nothing: all begins anew, with the certificate.
 */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session,
				      const unsigned char *name, size_t len,
				      SSL_TICKET_STATUS status, void *arg)
{
	bool good = status == SSL_TICKET_SUCCESS ||
		    status == SSL_TICKET_SUCCESS_RENEW;

	if (!good || is_over(ssl, session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE :
					      SSL_TICKET_RETURN_USE_RENEW;
}

/*
 * All certificates but the first one, the client's, have had their use when that
 * is verified. As OpenSSL has them they take a dozen times as much as on the way,
 * and would be kept for as long as the handshake takes.
 */
static int verify_certificate(X509_STORE_CTX *store, void *arg)
{
	struct stack_st_X509 *sent = X509_STORE_CTX_get0_untrusted(store);
	int ret = X509_verify_cert(store);

	while (sk_X509_num(sent) > 1)
		X509_free(sk_X509_pop(sent));
	return ret;
}

static bool set_protocol(const struct making *making)
{
	const struct settings *settings = making->settings;
	SSL_CTX *ctx = making->ctx;

	if (!SSL_CTX_set_min_proto_version(ctx, settings->min_tls) ||
	    !SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION))
		return fail(making, "tls_version", NULL);
	/*
	 * The kernel can't negotiate anew. What was compressed or came early
	 * would be lost on the way to it.
	 */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
			    SSL_OP_NO_COMPRESSION |
			    SSL_OP_CIPHER_SERVER_PREFERENCE |
			    SSL_OP_PRIORITIZE_CHACHA);
#ifdef SSL_OP_NO_RECORD_SIZE_LIMIT_EXT
	/* The kernel's records are as long as they like. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RECORD_SIZE_LIMIT_EXT);
#endif
	SSL_CTX_set_max_early_data(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(ctx, CERTIFICATES_MAX);
	/* Sessions are kept by clients, in tickets: no memory is needed here. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, session_context,
				       sizeof(session_context) - 1);
	SSL_CTX_set_session_ticket_cb(ctx, NULL, judge_ticket, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol,
				   (void *)(settings->websocket ? http : mqtt));
	SSL_CTX_set_cert_verify_callback(ctx, verify_certificate, NULL);
	if (settings->require_certificate)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
				   SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   settings->any_date ? forgive_date : NULL);
	return true;
}

/**
 * context_create() - have OpenSSL do what the settings of a listener say
 * @settings: with TLS
 * @error: the option that is wrong, and why
 *
 * The tickets that are given out with it are worth nothing to another one.
 *
 * Return: for SSL_CTX_free(), or NULL.
 */
SSL_CTX *context_create(const struct settings *settings,
			char error[SETTINGS_ERROR_MAX])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct making making = { .settings = settings, .error = error };

	pthread_once(&once, init_index);
	ERR_clear_error();
	making.ctx = SSL_CTX_new(TLS_server_method());
	if (!making.ctx) {
		fail(&making, "agent", NULL);
		return NULL;
	}
	if (set_protocol(&making) && set_ciphers(&making) &&
	    set_certificate(&making) && set_authorities(&making) &&
	    set_revoked(&making) && set_dh_parameters(&making) &&
	    set_keys(&making))
		return making.ctx;
	SSL_CTX_free(making.ctx);
	return NULL;
}

/**
 * context_psk() - find the pre-shared keys
 * @ctx: what context_create() has made
 *
 * Return: the keys, or NULL if there are none.
 */
const struct psk *context_psk(SSL_CTX *ctx)
{
	return SSL_CTX_get_ex_data(ctx, psk_index);
}
