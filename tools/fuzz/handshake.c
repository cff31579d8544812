// SPDX-License-Identifier: GPL-2.0
/*
 * What comes ahead of MQTT: a header of the PROXY protocol, or a request for
 * WebSocket. The first byte of the input picks which, and in which pieces it
 * comes in; the rest is what a client sends.
 *
 * What is asked for is never more than what belongs to the header, and the
 * pieces make no difference.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kmqttd/proxy.h"
#include "../kmqttd/upgrade.h"
#include "claim.h"

int fuzz_one(const uint8_t *data, size_t size);

static enum proxy_result feed(unsigned int version, bool require_tls,
			      const uint8_t *data, size_t size, size_t piece,
			      size_t *used, union peer *peer)
{
	struct proxy proxy = {
		.version = version,
		.require_tls = require_tls,
	};
	enum proxy_result result = PROXY_MORE;
	size_t want;

	*peer = (union peer){ .in6.sin6_family = AF_UNSPEC };
	for (*used = 0; result == PROXY_MORE && *used < size; *used += want) {
		want = proxy_wants(&proxy);
		CLAIM(want && want <= PROXY_BUFFER);
		if (want > piece)
			want = piece;
		if (want > size - *used)
			want = size - *used;
		result = proxy_feed(&proxy, data + *used, want, peer);
	}
	return result;
}

static void try_proxy(unsigned int version, size_t piece, const uint8_t *data,
		      size_t size)
{
	union peer whole_peer, peer;
	enum proxy_result whole, result;
	char text[PEER_TEXT_MAX];
	size_t whole_used, used;

	whole = feed(version, false, data, size, PROXY_BUFFER, &whole_used,
		     &whole_peer);
	result = feed(version, false, data, size, piece, &used, &peer);
	/* What is wrong may be found earlier. */
	if (whole == PROXY_BAD || result == PROXY_BAD)
		return;
	CLAIM(whole == result && whole_used == used);
	CLAIM((peer.sa.sa_family != AF_UNSPEC) == (result == PROXY_PEER));
	CLAIM(!memcmp(&whole_peer, &peer, sizeof(peer)));
	if (version == 1 && result != PROXY_MORE)
		CLAIM(!memcmp(data + used - 2, "\r\n", 2));
	peer_unmap(&peer);
	peer_text(text, &peer);
	/* Whoever gets in where TLS is a must gets in elsewhere, as the same. */
	result = feed(version, true, data, size, PROXY_BUFFER, &whole_used,
		      &peer);
	CLAIM(result == whole || (result == PROXY_PLAIN && version == 2));
	CLAIM(whole_used == used && !memcmp(&whole_peer, &peer, sizeof(peer)));
	CLAIM(feed(version, true, data, size, piece, &used, &peer) == result);
}

static void try_upgrade(size_t piece, const uint8_t *data, size_t size)
{
	char origin[] = "https://a.example", answer[UPGRADE_ANSWER_MAX];
	struct settings settings = {
		.websocket = true,
		.origins = { origin },
		.nr_origins = 1,
	};
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	size_t len, want, got;
	char *request;
	int status;

	/* As a socket would give it, in pieces that are as long or shorter. */
	for (len = 0; len < size; len += got) {
		want = upgrade_wants((const char *)data, len);
		if (!want)
			break;
		got = want < piece ? want : piece;
		if (got > size - len)
			got = size - len;
	}
	CLAIM(end ? len == (size_t)(end + 4 - (const char *)data) :
		    len == size);
	if (!end || len > UPGRADE_REQUEST_MAX)
		return;
	/* Memory that ends where the request does. */
	request = malloc(len);
	memcpy(request, data, len);
	status = upgrade_answer(&settings, request, len, answer);
	free(request);
	CLAIM(status == UPGRADE_DONE || (status >= 400 && status <= 505));
	CLAIM(strlen(answer) < UPGRADE_ANSWER_MAX - 1);
	CLAIM(!upgrade_wants(answer, strlen(answer)));
}

int fuzz_one(const uint8_t *data, size_t size)
{
	size_t piece;

	if (!size)
		return 0;
	piece = (data[0] >> 2) + 1;
	switch (data[0] & 3) {
	case 0:
		try_upgrade(piece, data + 1, size - 1);
		break;
	case 1:
	case 2:
		try_proxy(data[0] & 3, piece, data + 1, size - 1);
		break;
	}
	return 0;
}
