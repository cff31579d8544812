// SPDX-License-Identifier: GPL-2.0
/*
 * The PROXY protocol, versions 1 and 2: a header that a proxy sends in front
 * of what the client says.
 *
 * It is read in pieces that can't go beyond its end, since what follows belongs
 * to TLS, to HTTP, or to the broker.
 */
#include "proxy.h"

#include <string.h>
#include <arpa/inet.h>

/* "PROXY UNKNOWN\r\n" is the shortest line that there is. */
#define V1_MIN		15
#define V1_MAX		107

#define V2_HEADER	16

/* What a proxy adds to addresses (TLVs) has room in this, and isn't kept. */
#define V2_MAX		4096

#define V2_VERSION	0x20
#define V2_LOCAL	0x00
#define V2_PROXY	0x01
#define V2_TCP4		0x11
#define V2_TCP6		0x21
#define V2_UNIX		0x31

#define V2_LEN4		12
#define V2_LEN6		36
#define V2_LEN_UNIX	216

/* PP2_TYPE_SSL: what the client has, as bits, and whether it was verified. */
#define TLV_SSL		0x20
#define TLV_SSL_MIN	5
#define TLV_SSL_CLIENT	0x01

static const unsigned char v2_signature[12] = {
	'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
};

static size_t v2_len(const struct proxy *proxy)
{
	return proxy->buf[14] << 8 | proxy->buf[15];
}

/**
 * proxy_wants() - how much may be read next?
 * @proxy: a header that isn't complete
 *
 * Return: bytes, none of which are behind the header; PROXY_BUFFER at most.
 */
size_t proxy_wants(const struct proxy *proxy)
{
	size_t want, room;

	if (proxy->version == 1) {
		if (proxy->len < V1_MIN)
			return V1_MIN - proxy->len;
		return proxy->buf[proxy->len - 1] == '\r' ? 1 : 2;
	}
	if (proxy->len < V2_HEADER)
		return V2_HEADER - proxy->len;
	room = proxy->skip ? PROXY_BUFFER : PROXY_BUFFER - proxy->len;
	want = proxy->skip ?: V2_HEADER + v2_len(proxy) - proxy->len;
	return want < room ? want : room;
}

/* Take the next word of a line; each ends at exactly one blank. */
static char *next_word(char **rest)
{
	char *word = *rest, *end;

	if (!word)
		return NULL;
	end = strchr(word, ' ');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return word;
}

/* Decimal, without a sign and without zeros in front. */
static bool read_port(const char *word, in_port_t *port)
{
	size_t len = strspn(word, "0123456789"), i;
	unsigned int value = 0;

	if (!len || len > 5 || word[len] || (*word == '0' && len > 1))
		return false;
	for (i = 0; i < len; i++)
		value = value * 10 + word[i] - '0';
	*port = htons(value);
	return value <= UINT16_MAX;
}

static enum proxy_result v1_parse(char *line, union peer *peer)
{
	union peer source = { .in6.sin6_family = AF_UNSPEC }, destination;
	char *word[6], *rest = line;
	void *from, *to;
	in_port_t port;
	int i;

	for (i = 0; i < 6; i++)
		word[i] = next_word(&rest);
	if (!word[1] || strcmp(word[0], "PROXY"))
		return PROXY_BAD;
	/* Whatever may follow then. */
	if (!strcmp(word[1], "UNKNOWN"))
		return PROXY_LOCAL;
	if (!strcmp(word[1], "TCP4")) {
		source.in4.sin_family = AF_INET;
		from = &source.in4.sin_addr;
		to = &destination.in4.sin_addr;
	} else if (!strcmp(word[1], "TCP6")) {
		source.in6.sin6_family = AF_INET6;
		from = &source.in6.sin6_addr;
		to = &destination.in6.sin6_addr;
	} else {
		return PROXY_BAD;
	}
	if (!word[5] || rest ||
	    inet_pton(source.sa.sa_family, word[2], from) != 1 ||
	    inet_pton(source.sa.sa_family, word[3], to) != 1 ||
	    !read_port(word[5], &port) || !read_port(word[4], &port))
		return PROXY_BAD;
	/* The port is at the same place in both. */
	source.in4.sin_port = port;
	*peer = source;
	return PROXY_PEER;
}

static enum proxy_result v1_feed(struct proxy *proxy, union peer *peer)
{
	char *line = (char *)proxy->buf;
	size_t len = proxy->len;
	const char *end;

	if (memcmp(line, "PROXY ", len < 6 ? len : 6))
		return PROXY_BAD;
	end = memchr(line, '\n', len);
	if (!end)
		return len < V1_MAX ? PROXY_MORE : PROXY_BAD;
	/* It wasn't read beyond "\r\n"; it may have been beyond less. */
	if (end != line + len - 1 || end[-1] != '\r')
		return PROXY_BAD;
	line[len - 2] = '\0';
	if (strlen(line) != len - 2 || strpbrk(line, "\r\n"))
		return PROXY_BAD;
	return v1_parse(line, peer);
}

/* The addresses in front of TLVs, by the family and whatever the transport. */
static size_t v2_addresses_len(const struct proxy *proxy)
{
	switch (proxy->buf[13] >> 4) {
	case V2_TCP4 >> 4:
		return V2_LEN4;
	case V2_TCP6 >> 4:
		return V2_LEN6;
	case V2_UNIX >> 4:
		return V2_LEN_UNIX;
	default:
		return 0;
	}
}

/*
 * A proxy may have a TLV of TLS for clients without it, too: what they have is
 * told by its first byte.
 */
static void tlvs_look_at(struct proxy_tlvs *tlvs, unsigned char byte)
{
	switch (tlvs->at++) {
	case 0:
		tlvs->type = byte;
		return;
	case 1:
		tlvs->len = byte << 8;
		return;
	case 2:
		tlvs->len |= byte;
		if (tlvs->type == TLV_SSL && tlvs->len >= TLV_SSL_MIN)
			return;
		tlvs->skip = tlvs->len;
		break;
	default:
		tlvs->tls |= byte & TLV_SSL_CLIENT;
		tlvs->skip = tlvs->len - 1;
		break;
	}
	tlvs->at = 0;
}

static void tlvs_feed(struct proxy_tlvs *tlvs, const unsigned char *data,
		      size_t len)
{
	size_t skipped;

	while (len) {
		skipped = tlvs->skip < len ? tlvs->skip : len;
		tlvs->skip -= skipped;
		data += skipped;
		len -= skipped;
		if (len) {
			tlvs_look_at(tlvs, *data++);
			len--;
		}
	}
}

/* A TLV that goes on behind the header's end is none. */
static bool tlvs_tell_tls(const struct proxy_tlvs *tlvs)
{
	return tlvs->tls && !tlvs->skip && !tlvs->at;
}

static bool v2_header_ok(const struct proxy *proxy)
{
	unsigned char command = proxy->buf[12];
	size_t len = v2_len(proxy);

	if (command != (V2_VERSION | V2_LOCAL) &&
	    command != (V2_VERSION | V2_PROXY))
		return false;
	if (len > V2_MAX)
		return false;
	if (command == (V2_VERSION | V2_LOCAL))
		return true;
	switch (proxy->buf[13]) {
	case V2_TCP4:
		return len >= V2_LEN4;
	case V2_TCP6:
		return len >= V2_LEN6;
	default:
		return true;
	}
}

static enum proxy_result v2_peer(const struct proxy *proxy, union peer *peer)
{
	const unsigned char *addresses = proxy->buf + V2_HEADER;

	switch (proxy->buf[13]) {
	case V2_TCP4:
		*peer = (union peer){ .in6.sin6_family = AF_INET };
		memcpy(&peer->in4.sin_addr, addresses, 4);
		memcpy(&peer->in4.sin_port, addresses + 8, 2);
		return PROXY_PEER;
	case V2_TCP6:
		*peer = (union peer){ .in6.sin6_family = AF_INET6 };
		memcpy(&peer->in6.sin6_addr, addresses, 16);
		memcpy(&peer->in6.sin6_port, addresses + 32, 2);
		return PROXY_PEER;
	default:
		/* A client of a kind that TCP does not have, or UNSPEC. */
		return PROXY_LOCAL;
	}
}

static enum proxy_result v2_finish(const struct proxy *proxy,
				   union peer *peer)
{
	enum proxy_result result;

	/*
	 * The proxy itself, to see whether anybody is there, or, with HAProxy, a
	 * client whose addresses it doesn't know.
	 */
	if (proxy->buf[12] == (V2_VERSION | V2_LOCAL))
		result = PROXY_LOCAL;
	else
		result = v2_peer(proxy, peer);
	return proxy->require_tls && !tlvs_tell_tls(&proxy->tlvs) ?
	       PROXY_PLAIN : result;
}

static enum proxy_result v2_feed(struct proxy *proxy, size_t len,
				 union peer *peer)
{
	size_t whole;

	if (memcmp(proxy->buf, v2_signature, proxy->len < 12 ? proxy->len : 12))
		return PROXY_BAD;
	if (proxy->len < V2_HEADER)
		return PROXY_MORE;
	if (!v2_header_ok(proxy))
		return PROXY_BAD;
	/* A piece is of the header or of what follows, never of both. */
	if (proxy->len == V2_HEADER)
		proxy->tlvs.skip = v2_addresses_len(proxy);
	else
		tlvs_feed(&proxy->tlvs, proxy->buf + proxy->len - len, len);
	whole = V2_HEADER + v2_len(proxy);
	if (proxy->len < V2_HEADER + V2_LEN6 && proxy->len < whole)
		return PROXY_MORE;
	/* All that counts is there: the rest needs no room. */
	proxy->skip = whole - proxy->len;
	return proxy->skip ? PROXY_MORE : v2_finish(proxy, peer);
}

/**
 * proxy_feed() - take what was read
 * @proxy: a header that isn't complete
 * @data: its next bytes
 * @len: how many, at most what proxy_wants() said
 * @peer: set to the client's address with PROXY_PEER, and maybe with PROXY_PLAIN
 *
 * Return: what is known now.
 */
enum proxy_result proxy_feed(struct proxy *proxy, const void *data, size_t len,
			     union peer *peer)
{
	if (proxy->skip) {
		tlvs_feed(&proxy->tlvs, data, len);
		proxy->skip -= len;
		return proxy->skip ? PROXY_MORE : v2_finish(proxy, peer);
	}
	memcpy(proxy->buf + proxy->len, data, len);
	proxy->len += len;
	return proxy->version == 1 ? v1_feed(proxy, peer) :
				     v2_feed(proxy, len, peer);
}
