// SPDX-License-Identifier: GPL-2.0
/*
 * Headers of the PROXY protocol, good and bad.
 */
#include "../../tools/kmqttd/proxy.h"

#include <string.h>

#include "test.h"

/* More than a header, that must not be asked for. */
#define BEHIND	"MORE"

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

/* Feed a header and what is behind it; @used is how much was asked for. */
static enum proxy_result feed(struct proxy proxy, const char *data,
			      size_t len, size_t step, union peer *peer,
			      size_t *used)
{
	enum proxy_result result = PROXY_MORE;
	size_t want;

	*used = 0;
	while (result == PROXY_MORE) {
		want = proxy_wants(&proxy);
		CLAIM(want > 0);
		if (step && want > step)
			want = step;
		if (!want || *used + want > len)
			break;
		result = proxy_feed(&proxy, data + *used, want, peer);
		*used += want;
	}
	return result;
}

/* All ways to cut it must have the same end. */
static enum proxy_result try_all(struct proxy proxy, const char *header,
				 size_t len, char text[PEER_TEXT_MAX])
{
	enum proxy_result result = PROXY_MORE, again;
	char data[8192];
	union peer peer;
	size_t step, used;

	memcpy(data, header, len);
	strcpy(data + len, BEHIND);
	for (step = 0; step < 20; step++) {
		peer = (union peer){ .in6.sin6_family = AF_UNSPEC };
		again = feed(proxy, data, len + strlen(BEHIND), step, &peer,
			     &used);
		CLAIM(!step || again == result);
		CLAIM(again == PROXY_BAD || used == len);
		result = again;
	}
	peer_text(text, &peer);
	return result;
}

static enum proxy_result try(unsigned int version, const char *header,
			     size_t len, char text[PEER_TEXT_MAX])
{
	return try_all((struct proxy){ .version = version }, header, len, text);
}

static void v1_good(void)
{
	char text[PEER_TEXT_MAX];

#define V1(line)	try(1, line, strlen(line), text)
	CLAIM(V1("PROXY TCP4 192.0.2.1 198.51.100.7 4711 1883\r\n") ==
	      PROXY_PEER);
	CLAIM(!strcmp(text, "192.0.2.1:4711"));
	CLAIM(V1("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n") == PROXY_PEER);
	CLAIM(!strcmp(text, "[2001:db8::1]:65535"));
	CLAIM(V1("PROXY TCP6 ffff:f...f:ffff ::1 1 2\r\n") == PROXY_BAD);
	CLAIM(V1("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n") ==
	      PROXY_PEER);
	CLAIM(V1("PROXY UNKNOWN\r\n") == PROXY_LOCAL);
	CLAIM(V1("PROXY UNKNOWN what ever 1 2 3 4 5 6 7\r\n") == PROXY_LOCAL);
}

static void v1_bad(void)
{
	static const char *const lines[] = {
		"PROXY TCP4 192.0.2.1 198.51.100.7 4711\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 4711 1883 1\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 4711 1883 \r\n",
		"PROXY TCP4  192.0.2.1 198.51.100.7 4711 1883\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 65536 1883\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 04711 1883\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 -1 1883\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 1 x\r\n",
		"PROXY TCP4 192.0.2.256 198.51.100.7 1 1\r\n",
		"PROXY TCP4 2001:db8::1 198.51.100.7 1 1\r\n",
		"PROXY TCP6 192.0.2.1 198.51.100.7 1 1\r\n",
		"PROXY TCP5 192.0.2.1 198.51.100.7 1 1\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.7 4711 1883\n",
		"PROXY TCP4\r192.0.2.1 198.51.100.7 4711 1883\r\n",
		"PROXY UNKNOWN\n\n\r\n",
		"PROXYUNKNOWNXX\r\n",
		"GET / HTTP/1.1\r\n",
		"\x10\x20\x01\4MQTT\4\2\1\1\1\1\1\1",
	};
	char text[PEER_TEXT_MAX], line[200] = "PROXY UNKNOWN ";
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CLAIM(V1(lines[i]) == PROXY_BAD);
	/* The longest line has 107 bytes. */
	memset(line + 14, 'x', 107 - 14 - 2);
	strcpy(line + 105, "\r\n");
	CLAIM(V1(line) == PROXY_LOCAL);
	memcpy(line + 105, "xxxxx\r\n", 8);
	CLAIM(V1(line) == PROXY_BAD);
#undef V1
}

/* Returns the length; @len is what the header says. */
static size_t v2(char *header, unsigned char command, unsigned char family,
		 size_t len)
{
	size_t i;

	memcpy(header, signature, 12);
	header[12] = command;
	header[13] = family;
	header[14] = len >> 8;
	header[15] = len;
	for (i = 0; i < len; i++)
		header[16 + i] = i + 1;
	return 16 + len;
}

static void v2_good(void)
{
	char header[5000], text[PEER_TEXT_MAX];

#define V2(command, family, len)	\
	try(2, header, v2(header, command, family, len), text)
	CLAIM(V2(0x21, 0x11, 12) == PROXY_PEER);
	CLAIM(!strcmp(text, "1.2.3.4:2314"));
	CLAIM(V2(0x21, 0x11, 12 + 77) == PROXY_PEER);
	CLAIM(!strcmp(text, "1.2.3.4:2314"));
	CLAIM(V2(0x21, 0x21, 36) == PROXY_PEER);
	CLAIM(!strcmp(text,
		      "[102:304:506:708:90a:b0c:d0e:f10]:8482"));
	CLAIM(V2(0x21, 0x21, 4096) == PROXY_PEER);
	CLAIM(!strcmp(text,
		      "[102:304:506:708:90a:b0c:d0e:f10]:8482"));
	/* Health checks, and what TCP doesn't have. */
	CLAIM(V2(0x20, 0x00, 0) == PROXY_LOCAL);
	CLAIM(V2(0x20, 0x11, 12) == PROXY_LOCAL);
	CLAIM(V2(0x20, 0x11, 3) == PROXY_LOCAL);
	CLAIM(V2(0x21, 0x00, 0) == PROXY_LOCAL);
	CLAIM(V2(0x21, 0x31, 216) == PROXY_LOCAL);
	CLAIM(V2(0x21, 0x12, 12) == PROXY_LOCAL);
}

static void v2_bad(void)
{
	char header[5000], text[PEER_TEXT_MAX];

	CLAIM(V2(0x11, 0x11, 12) == PROXY_BAD);
	CLAIM(V2(0x22, 0x11, 12) == PROXY_BAD);
	CLAIM(V2(0x21, 0x11, 11) == PROXY_BAD);
	CLAIM(V2(0x21, 0x21, 35) == PROXY_BAD);
	CLAIM(V2(0x21, 0x11, 4097) == PROXY_BAD);
	v2(header, 0x21, 0x11, 12);
	header[11] = '\r';
	CLAIM(try(2, header, 28, text) == PROXY_BAD);
	/* Neither version is the other one. */
	v2(header, 0x21, 0x11, 12);
	CLAIM(try(1, header, 28, text) == PROXY_BAD);
	CLAIM(try(2, "PROXY UNKNOWN..\r\n", 17, text) == PROXY_BAD);
#undef V2
}

/* A header with TLVs of which the client has to speak TLS. */
static enum proxy_result tls(unsigned char command, unsigned char family,
			     size_t addresses, const char *tlvs, size_t len)
{
	struct proxy proxy = { .version = 2, .require_tls = true };
	char header[5000], text[PEER_TEXT_MAX];
	enum proxy_result result;
	size_t whole;

	whole = v2(header, command, family, addresses + len);
	memcpy(header + 16 + addresses, tlvs, len);
	result = try_all(proxy, header, whole, text);
	/* Who it was is told of who is refused, too. */
	if (command == 0x21 && family == 0x11)
		CLAIM(!strcmp(text, "1.2.3.4:2314"));
	proxy.require_tls = false;
	CLAIM(result == PROXY_PLAIN ||
	      result == try_all(proxy, header, whole, text));
	return result;
}

#define TLS(command, family, addresses, tlvs)	\
	tls(command, family, addresses, tlvs, sizeof(tlvs) - 1)
#define SSL	"\x20\0\5\1\0\0\0\0"
#define NO_SSL	"\x20\0\5\0\0\0\0\0"
#define ALPN	"\1\0\4mqtt"
#define NOOP	"\4\0\0"

static void v2_tls(void)
{
	char tlvs[4096] = "\xee";

	CLAIM(TLS(0x21, 0x11, 12, SSL) == PROXY_PEER);
	CLAIM(TLS(0x21, 0x21, 36, SSL) == PROXY_PEER);
	CLAIM(TLS(0x21, 0x11, 12, ALPN NOOP SSL ALPN NOOP) == PROXY_PEER);
	CLAIM(TLS(0x21, 0x11, 12, NO_SSL SSL) == PROXY_PEER);
	CLAIM(TLS(0x21, 0x11, 12, "\x20\0\0" SSL) == PROXY_PEER);
	/* With a certificate, and its subject. */
	CLAIM(TLS(0x21, 0x11, 12, "\x20\0\x0a\7\0\0\0\0\x22\0\2me" NOOP) ==
	      PROXY_PEER);
	/* Also of what TCP doesn't have. */
	CLAIM(TLS(0x21, 0x31, 216, SSL) == PROXY_LOCAL);
	CLAIM(TLS(0x21, 0x00, 0, SSL) == PROXY_LOCAL);
	CLAIM(TLS(0x21, 0x12, 12, SSL) == PROXY_LOCAL);
	/* A long value, and TLS at the end of the longest header. */
	tlvs[1] = (4096 - 12 - 3 - 8) >> 8;
	tlvs[2] = (char)(4096 - 12 - 3 - 8);
	memcpy(tlvs + 4096 - 12 - 8, SSL, 8);
	CLAIM(tls(0x21, 0x11, 12, tlvs, 4096 - 12) == PROXY_PEER);
	CLAIM(TLS(0x20, 0x00, 0, SSL) == PROXY_LOCAL);
}

static void v2_plain(void)
{
	char tlvs[256];
	size_t i;

	CLAIM(TLS(0x21, 0x11, 12, "") == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x21, 36, "") == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x31, 216, "") == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x00, 0, "") == PROXY_PLAIN);
	CLAIM(TLS(0x20, 0x00, 0, "") == PROXY_PLAIN);
	CLAIM(TLS(0x20, 0x11, 12, "") == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x11, 12, ALPN NOOP) == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x11, 12, NO_SSL) == PROXY_PLAIN);
	/* Neither a certificate nor a value that is too short says it. */
	CLAIM(TLS(0x21, 0x11, 12, "\x20\0\5\6\0\0\0\0") == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x11, 12, "\x20\0\4\1\0\0\0") == PROXY_PLAIN);
	/* In an address, or in another value, it is none. */
	CLAIM(TLS(0x21, 0x31, 208, SSL) == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x41, 12, SSL) == PROXY_PLAIN);
	CLAIM(TLS(0x21, 0x11, 12, "\1\0\x8" SSL) == PROXY_PLAIN);
	/* Nor if it or what is behind it ends too late. */
	for (i = 1; i < 8; i++) {
		CLAIM(tls(0x21, 0x11, 12, SSL, i) == PROXY_PLAIN);
		memcpy(tlvs, SSL ALPN, 15);
		if (i < 7)
			CLAIM(tls(0x21, 0x11, 12, tlvs, 8 + i) == PROXY_PLAIN);
	}
}

#undef TLS
#undef SSL
#undef NO_SSL
#undef ALPN
#undef NOOP

const struct test proxy_tests[] = {
	{ "PROXY protocol 1: headers", v1_good },
	{ "PROXY protocol 1: what is none", v1_bad },
	{ "PROXY protocol 2: headers", v2_good },
	{ "PROXY protocol 2: what is none", v2_bad },
	{ "PROXY protocol 2: clients with TLS", v2_tls },
	{ "PROXY protocol 2: clients without TLS", v2_plain },
	{ NULL, NULL }
};
