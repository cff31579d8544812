// SPDX-License-Identifier: GPL-2.0
/*
 * Keys of connections, from secrets that others have made keys of, too.
 */
#include "../../tools/kmqttd/keys.h"

#include <string.h>
#include <openssl/crypto.h>

#include "test.h"

static bool is(const unsigned char *bytes, size_t len, const char *hex)
{
	unsigned char expected[64];
	size_t n;

	return OPENSSL_hexstr2buf_ex(expected, sizeof(expected), &n, hex, 0) &&
	       n == len && !memcmp(bytes, expected, len);
}

/* RFC 8448, section 3: application data of the server and of the client. */
static void tls13(void)
{
	static const struct {
		const char *secret;
		const char *key;
		const char *iv;
	} sides[] = {
		{ "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
		  "9f02283b6c9c07efc26bb9f2ac92e356",
		  "cf782b88dd83549aadf1e984" },
		{ "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
		  "17422dda596ed5d9acd890e3c63f5051",
		  "5b78923dee08579033e523d9" },
	};
	unsigned char secret[KEYS_SECRET_MAX];
	struct keys keys;
	size_t i, len;

	for (i = 0; i < 2; i++) {
		keys = (struct keys){ .key_len = 16, .iv_len = 12 };
		CLAIM(OPENSSL_hexstr2buf_ex(secret, sizeof(secret), &len,
					    sides[i].secret, 0));
		CLAIM(keys_of_tls13(EVP_sha256(), secret, &keys));
		CLAIM(is(keys.key, 16, sides[i].key));
		CLAIM(is(keys.iv, 12, sides[i].iv));
	}
}

/* P_hash() of RFC 5246, written down another time, has made these. */
static void tls12(void)
{
	static const struct {
		const EVP_MD *(*md)(void);
		size_t key_len;
		size_t iv_len;
		const char *client_key;
		const char *server_key;
		const char *client_iv;
		const char *server_iv;
	} suites[] = {
		{ EVP_sha256, 16, 4,
		  "de62d3ee5dc8b42d2f657afce5c1a5bd",
		  "07033d2a02facf4db7c22ce88bf3cca3",
		  "5f352e46", "b91ee32d" },
		{ EVP_sha384, 32, 4,
		  "2df9d6055794d3c919f265a64be20e36531b6c808ce08bd7d5d8e219524579d0",
		  "1f4ccfad325acca3ca0b05d6db158d68c6eb35277fe2e12273c0cccee39a4e53",
		  "e8534ed7", "6aaad589" },
		{ EVP_sha256, 32, 12,
		  "de62d3ee5dc8b42d2f657afce5c1a5bd07033d2a02facf4db7c22ce88bf3cca3",
		  "5f352e46b91ee32d419c4f53c604599625ee4e7a5eb33026440c206cf046931b",
		  "15997d79a841d73916832493", "177294f30b8d166c80af4fdb" },
	};
	struct keys client, server;
	struct keys_master master;
	size_t i;

	for (i = 0; i < sizeof(master.secret); i++)
		master.secret[i] = i;
	for (i = 0; i < KEYS_RANDOM_SIZE; i++) {
		master.client_random[i] = 100 + i;
		master.server_random[i] = 200 + i;
	}
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		client = (struct keys){ .key_len = suites[i].key_len,
					.iv_len = suites[i].iv_len };
		server = client;
		CLAIM(keys_of_tls12(suites[i].md(), &master, &client,
				    &server));
		CLAIM(is(client.key, client.key_len, suites[i].client_key));
		CLAIM(is(server.key, server.key_len, suites[i].server_key));
		CLAIM(is(client.iv, client.iv_len, suites[i].client_iv));
		CLAIM(is(server.iv, server.iv_len, suites[i].server_iv));
	}
}

const struct test keys_tests[] = {
	{ "keys: TLS 1.3, RFC 8448", tls13 },
	{ "keys: TLS 1.2", tls12 },
	{ NULL, NULL }
};
