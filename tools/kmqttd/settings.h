/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_SETTINGS_H
#define _KMQTTD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Enough for what is wrong with a listener, with a path in it. */
#define SETTINGS_ERROR_MAX	512

/* Origins that one listener can have. */
#define SETTINGS_ORIGINS_MAX	64

/* What the agent has to know of a listener. Strings are NULL if not given. */
struct settings {
	char *cafile;
	char *capath;
	char *certfile;
	char *keyfile;
	char *crlfile;
	char *dhparamfile;
	char *ciphers;
	char *ciphersuites;		/* ciphers_tls1.3 */
	char *psk_file;
	char *psk_hint;
	bool require_certificate;
	bool any_date;			/* disable_client_cert_date_checks */
	bool identity_as_user;
	bool subject_as_user;
	unsigned int min_tls;		/* as TLS writes it */
	bool websocket;
	char *origins[SETTINGS_ORIGINS_MAX];
	size_t nr_origins;
	unsigned int proxy;		/* version of the protocol, or 0 */
	bool proxy_tls;			/* proxy_protocol_v2_require_tls */
	unsigned int timeout;		/* seconds */
	unsigned int max_handshakes;
	unsigned int max_per_source;
};

bool settings_read(struct settings *settings, const char *text,
		   char error[SETTINGS_ERROR_MAX]);
bool settings_has_tls(const struct settings *settings);
void settings_free(struct settings *settings);

#endif /* _KMQTTD_SETTINGS_H */
