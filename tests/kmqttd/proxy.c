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
static enum proxy_result feed(unsigned int version, const char *data,
			      size_t len, size_t step, union peer *peer,
			      size_t *used)
{
	struct proxy proxy = { .version = version };
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
static enum proxy_result try(unsigned int version, const char *header,
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
		again = feed(version, data, len + strlen(BEHIND), step, &peer,
			     &used);
		CLAIM(!step || again == result);
		CLAIM(again == PROXY_BAD || used == len);
		result = again;
	}
	peer_text(text, &peer);
	return result;
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

const struct test proxy_tests[] = {
	{ "PROXY protocol 1: headers", v1_good },
	{ "PROXY protocol 1: what is none", v1_bad },
	{ "PROXY protocol 2: headers", v2_good },
	{ "PROXY protocol 2: what is none", v2_bad },
	{ NULL, NULL }
};
