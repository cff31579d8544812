// SPDX-License-Identifier: GPL-2.0
/*
 * What listeners say to their agent.
 */
#include "../../tools/kmqttd/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../tools/kmqttd/context.h"
#include "../../tools/kmqttd/psk.h"
#include "test.h"

static void good(void)
{
	struct settings settings;
	char error[SETTINGS_ERROR_MAX];

	CLAIM(settings_read(&settings, "", error));
	CLAIM(settings.timeout == 10 && settings.max_handshakes == 1000 &&
	      settings.max_per_source == 100 && settings.min_tls == 0x0303);
	CLAIM(!settings_has_tls(&settings));
	settings_free(&settings);
	CLAIM(settings_read(&settings,
			    "cafile /a b/ca.pem \n\n# nothing\ncapath /c\n"
			    "\tcertfile\t/c.pem\nkeyfile /k.pem\r\n"
			    "crlfile /r.pem\nrequire_certificate false\n"
			    "disable_client_cert_date_checks true\n"
			    "use_identity_as_username 1\n"
			    "use_subject_as_username false\n"
			    "tls_version tlsv1.3\nciphers HIGH\n"
			    "ciphers_tls1.3 TLS_AES_128_GCM_SHA256\n"
			    "dhparamfile /d\npsk_file /p\npsk_hint h i\n"
			    "protocol websockets\nwebsockets_origin a\n"
			    "websockets_origin b\nenable_proxy_protocol 2\n"
			    "proxy_protocol_v2_require_tls true\n"
			    "kmqtt_handshake_timeout 5\n"
			    "kmqtt_max_handshakes 65536\n"
			    "kmqtt_max_handshakes_per_source 1", error));
	CLAIM(!strcmp(settings.cafile, "/a b/ca.pem"));
	CLAIM(!strcmp(settings.certfile, "/c.pem"));
	CLAIM(!strcmp(settings.keyfile, "/k.pem"));
	CLAIM(!strcmp(settings.psk_hint, "h i"));
	CLAIM(!settings.require_certificate && settings.identity_as_user &&
	      !settings.subject_as_user && settings.websocket &&
	      settings.any_date && settings.proxy_tls);
	CLAIM(settings.min_tls == 0x0304 && settings.proxy == 2);
	CLAIM(settings.nr_origins == 2 && !strcmp(settings.origins[1], "b"));
	CLAIM(settings.timeout == 5 && settings.max_handshakes == 65536 &&
	      settings.max_per_source == 1);
	CLAIM(settings_has_tls(&settings));
	settings_free(&settings);
	CLAIM(settings_read(&settings, "certfile /c\nkeyfile /k\ncafile /a\n"
			    "require_certificate true", error));
	CLAIM(settings.require_certificate && !settings.any_date);
	settings_free(&settings);
}

#define CERT	"certfile /c\nkeyfile /k\n"

static void bad(void)
{
	static const struct {
		const char *text;
		const char *error;
	} texts[] = {
		{ "colour blue", "colour: unknown option" },
		{ "listener 1883", "listener: unknown option" },
		{ "certfile", "certfile: it has no value" },
		{ "certfile /c", "certfile: needs keyfile" },
		{ "keyfile /k", "keyfile: needs certfile" },
		{ CERT "keyfile /l", "keyfile: given twice" },
		{ "protocol mqttsn", "protocol: neither mqtt nor websockets" },
		{ "tls_version tlsv1.1",
		  "tls_version: neither tlsv1.2 nor tlsv1.3" },
		{ "require_certificate yes",
		  "require_certificate: neither true nor false" },
		{ "disable_client_cert_date_checks yes",
		  "disable_client_cert_date_checks: neither true nor false" },
		{ "require_certificate true",
		  "require_certificate: needs certfile" },
		{ CERT "require_certificate true",
		  "require_certificate: needs cafile or capath" },
		{ CERT "require_certificate true\ncafile /a\npsk_file /p",
		  "require_certificate: not together with psk_file" },
		{ CERT "use_identity_as_username true\n"
		  "use_subject_as_username true",
		  "use_subject_as_username: not together with use_identity_as_username" },
		{ "psk_hint x", "psk_hint: needs psk_file" },
		{ "use_identity_as_username true",
		  "use_identity_as_username: needs certfile or psk_file" },
		{ "use_subject_as_username true",
		  "use_subject_as_username: needs certfile or psk_file" },
		{ "websockets_origin x",
		  "websockets_origin: needs protocol websockets" },
		{ "enable_proxy_protocol 0",
		  "enable_proxy_protocol: not a number from 1 to 2" },
		{ "enable_proxy_protocol 3",
		  "enable_proxy_protocol: not a number from 1 to 2" },
		{ "enable_proxy_protocol 1\nproxy_protocol_v2_require_tls true",
		  "proxy_protocol_v2_require_tls: needs enable_proxy_protocol 2" },
		{ "proxy_protocol_v2_require_tls true",
		  "proxy_protocol_v2_require_tls: needs enable_proxy_protocol 2" },
		{ "kmqtt_handshake_timeout 99999999999",
		  "kmqtt_handshake_timeout: not a number from 1 to 3600" },
		{ "kmqtt_max_handshakes -1",
		  "kmqtt_max_handshakes: not a number from 1 to 65536" },
		{ "kmqtt_max_handshakes_per_source 1x",
		  "kmqtt_max_handshakes_per_source: not a number from 1 to 65536" },
	};
	char error[SETTINGS_ERROR_MAX];
	struct settings settings;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*error = '\0';
		CLAIM(!settings_read(&settings, texts[i].text, error));
		CLAIM(!strcmp(error, texts[i].error));
		if (test_failed)
			printf("# %s\n", error);
		settings_free(&settings);
	}
}

/* What is wrong with a context names the option and the file. */
static void contexts(void)
{
	static const struct {
		const char *text;
		const char *error;
	} texts[] = {
		{ "psk_file /none", "psk_file: /none: No such file" },
		{ CERT, "certfile: /c: No such file" },
		{ CERT "ciphers NONE\n", "ciphers: NONE: no cipher match" },
		{ CERT "ciphers AES128-SHA\n",
		  "ciphers: none of AES-GCM" },
		{ CERT "ciphers ADH-AES128-GCM-SHA256:@SECLEVEL=0\n",
		  "ciphers: none of AES-GCM" },
		{ CERT "ciphers_tls1.3 TLS_AES_128_CCM_SHA256\n",
		  "ciphers_tls1.3: none of AES-GCM" },
		{ CERT "ciphers_tls1.3 NONE\n", "ciphers_tls1.3: NONE" },
		{ "psk_file /dev/null\ndhparamfile /none\n",
		  "dhparamfile: /none: No such file" },
		{ "psk_file /dev/null\ndhparamfile /dev/null\n",
		  "dhparamfile: /dev/null" },
		{ "psk_file /dev/null\ncafile /none\n",
		  "cafile: /none: No such file" },
		{ "psk_file /dev/null\ncrlfile /dev/null\n",
		  "crlfile: /dev/null" },
	};
	char error[SETTINGS_ERROR_MAX];
	struct settings settings;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*error = '\0';
		CLAIM(settings_read(&settings, texts[i].text, error));
		CLAIM(!context_create(&settings, error));
		CLAIM(!strncmp(error, texts[i].error, strlen(texts[i].error)));
		if (test_failed)
			printf("# %s\n", error);
		settings_free(&settings);
	}
}

static struct psk *read_keys(const char *text, char *error, size_t size)
{
	char path[] = "/tmp/kmqttd-psk-XXXXXX";
	int fd = mkstemp(path);
	struct psk *psk;

	CLAIM(fd >= 0 && write(fd, text, strlen(text)) ==
	      (ssize_t)strlen(text));
	psk = psk_read(path, error, size);
	close(fd);
	unlink(path);
	return psk;
}

static void keys(void)
{
	unsigned char key[PSK_KEY_MAX];
	char error[200];
	struct psk *psk;

	psk = read_keys("# nobody\n\nzoe:0123\nadam:DEADbeef\r\nbob:00",
			error, sizeof(error));
	CLAIM(psk);
	if (!psk)
		return;
	CLAIM(psk_find(psk, "adam", key, sizeof(key)) == 4 && key[0] == 0xde);
	CLAIM(psk_find(psk, "zoe", key, sizeof(key)) == 2 && key[1] == 0x23);
	CLAIM(psk_find(psk, "bob", key, sizeof(key)) == 1 && !key[0]);
	CLAIM(!psk_find(psk, "eve", key, sizeof(key)));
	CLAIM(!psk_find(psk, "adam", key, 3));
	psk_free(psk);
	psk = read_keys("# nobody\n", error, sizeof(error));
	CLAIM(psk && !psk_find(psk, "eve", key, sizeof(key)));
	psk_free(psk);
	CLAIM(!read_keys("adam\n", error, sizeof(error)));
	CLAIM(strstr(error, ":1: not of the form identity:key"));
	CLAIM(!read_keys("a:00\n:00\n", error, sizeof(error)));
	CLAIM(strstr(error, ":2: not of the form identity:key"));
	CLAIM(!read_keys("a:0\n", error, sizeof(error)));
	CLAIM(!read_keys("a:\n", error, sizeof(error)));
	CLAIM(!read_keys("a:0x00\n", error, sizeof(error)));
	CLAIM(strstr(error, ":1: the key is not hexadecimal or too long"));
	CLAIM(!read_keys("a:00\nb:00\na:01\n", error, sizeof(error)));
	CLAIM(strstr(error, "an identity is there twice"));
}

const struct test settings_tests[] = {
	{ "settings: all of them", good },
	{ "settings: wrong ones", bad },
	{ "settings: files and ciphers that are wrong", contexts },
	{ "settings: pre-shared keys", keys },
	{ NULL, NULL }
};
