// SPDX-License-Identifier: GPL-2.0
/*
 * Requests for WebSocket, good and bad.
 */
#include "../../tools/kmqttd/upgrade.h"

#include <string.h>

#include "test.h"

#define GET	"GET /mqtt HTTP/1.1\r\n"
#define HOST	"Host: broker\r\n"
#define UPGRADE	"Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION	"Sec-WebSocket-Version: 13\r\n"
/* Of RFC 6455. */
#define KEY	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define MQTT	"Sec-WebSocket-Protocol: mqtt\r\n"
#define ALL	GET HOST UPGRADE VERSION KEY MQTT

static char answer[UPGRADE_ANSWER_MAX];

static int try(const struct settings *settings, const char *text)
{
	char request[UPGRADE_REQUEST_MAX];
	size_t len = strlen(text);

	/* Without the byte that ends a string. */
	memcpy(request, text, len);
	CLAIM(!upgrade_wants(request, len));
	return upgrade_answer(settings, request, len, answer);
}

static void good(void)
{
	struct settings settings = { .websocket = true };

	CLAIM(try(&settings, ALL "\r\n") == UPGRADE_DONE);
	CLAIM(!strcmp(answer, "HTTP/1.1 101 Switching Protocols\r\n"
		      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		      "Sec-WebSocket-Protocol: mqtt\r\n\r\n"));
	/* Names in any case, lists, blanks, and what is no concern here. */
	CLAIM(try(&settings, "GET / HTTP/1.1\r\nhOST:broker\r\n"
		  "upgrade:\t h2c ,\tWebSocket \r\n"
		  "Connection: keep-alive, upgrade\r\n"
		  "Sec-WebSocket-Extensions: permessage-deflate\r\n"
		  "X-Empty:\r\n" VERSION KEY
		  "Sec-WebSocket-Protocol: x, mqttv3.1, mqtt\r\n\r\n") ==
	      UPGRADE_DONE);
	CLAIM(strstr(answer, "Sec-WebSocket-Protocol: mqttv3.1\r\n"));
	CLAIM(!strstr(answer, "Extensions"));
	CLAIM(try(&settings, GET HOST UPGRADE VERSION KEY
		  "Sec-WebSocket-Protocol: x\r\n" MQTT "\r\n") ==
	      UPGRADE_DONE);
}

static void bad(void)
{
	static const struct {
		int status;
		const char *text;
	} requests[] = {
		{ 400, "\r\n\r\n" },
		{ 400, "GET\r\n\r\n" },
		{ 400, "GET /mqtt\r\n\r\n" },
		{ 400, "GET  HTTP/1.1\r\n\r\n" },
		{ 400, "GET mqtt HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /m\tqtt HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /mqtt HTCPCP/1.0\r\n\r\n" },
		{ 505, "GET /mqtt HTTP/1.0\r\n\r\n" },
		{ 505, "GET /mqtt HTTP/2.0\r\n\r\n" },
		{ 505, "GET /mqtt HTTP/1.10\r\n\r\n" },
		{ 405, "POST /mqtt HTTP/1.1\r\n" HOST "\r\n" },
		{ 404, GET HOST "\r\n" },
		{ 400, GET UPGRADE VERSION KEY MQTT "\r\n" },
		{ 400, ALL HOST "\r\n" },
		{ 400, GET "Host:\r\n" HOST UPGRADE VERSION KEY MQTT "\r\n" },
		{ 400, ALL VERSION "\r\n" },
		{ 400, GET HOST UPGRADE "Sec-WebSocket-Version: 8\r\n"
		  VERSION KEY MQTT "\r\n" },
		{ 400, ALL KEY "\r\n" },
		{ 400, ALL "Content-Length: 1\r\n\r\n" },
		{ 400, ALL "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, ALL "no colon\r\n\r\n" },
		{ 400, ALL "blank : x\r\n\r\n" },
		{ 400, ALL ": x\r\n\r\n" },
		{ 400, ALL " folded: x\r\n\r\n" },
		{ 400, ALL "X: a\rb\r\n\r\n" },
		{ 400, ALL "X: a\nb: c\r\n\r\n" },
		{ 400, GET HOST "Upgrade: websocket\r\n" VERSION KEY MQTT
		  "\r\n" },
		{ 400, GET HOST UPGRADE VERSION MQTT "\r\n" },
		{ 400, GET HOST UPGRADE VERSION KEY "\r\n" },
		{ 400, GET HOST UPGRADE VERSION KEY
		  "Sec-WebSocket-Protocol: MQTT\r\n\r\n" },
		{ 400, GET HOST UPGRADE VERSION MQTT
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n" },
		{ 400, GET HOST UPGRADE VERSION MQTT
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=\r\n\r\n" },
		{ 400, GET HOST UPGRADE VERSION MQTT
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSEh\r\n\r\n" },
		{ 400, GET HOST UPGRADE VERSION MQTT
		  "Sec-WebSocket-Key: dGhlIHNhb-BsZSBub25jZQ==\r\n\r\n" },
		{ 426, GET HOST UPGRADE KEY MQTT "\r\n" },
		{ 426, GET HOST UPGRADE KEY MQTT
		  "Sec-WebSocket-Version: 8\r\n\r\n" },
		{ 426, GET HOST UPGRADE KEY MQTT
		  "Sec-WebSocket-Version: 13, 8\r\n\r\n" },
	};
	struct settings settings = { .websocket = true };
	char start[16];
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		CLAIM(try(&settings, requests[i].text) == requests[i].status);
		if (test_failed)
			printf("# request %zu\n", i);
		snprintf(start, sizeof(start), "HTTP/1.1 %d ",
			 requests[i].status);
		CLAIM(!strncmp(answer, start, strlen(start)));
		CLAIM(strstr(answer, "\r\nContent-Length: 0\r\n\r\n"));
		CLAIM(!strstr(answer, "Version: 13") ==
		      (requests[i].status != 426));
	}
}

static void zero(void)
{
	static const char text[] = GET HOST UPGRADE VERSION KEY MQTT
				   "X: a\0b\r\n\r\n";
	struct settings settings = { .websocket = true };
	char request[sizeof(text)];

	memcpy(request, text, sizeof(text));
	CLAIM(upgrade_answer(&settings, request, sizeof(text) - 1, answer) ==
	      400);
}

static void end(void)
{
	static const struct {
		const char *text;
		size_t wants;
	} texts[] = {
		{ "", 4 }, { "G", 4 }, { "\r", 3 }, { "\n", 4 }, { "\r\n", 2 },
		{ "\n\r\n", 2 }, { "x\r\n\r", 1 }, { "x\r\n\n", 4 },
		{ "x\r\n\r\r", 3 }, { "\n\n", 4 }, { "x\r\n\r\n", 0 },
	};
	static const char text[] = ALL "\r\n\x82\x01";
	size_t len, want, i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CLAIM(upgrade_wants(texts[i].text, strlen(texts[i].text)) ==
		      texts[i].wants);
		if (test_failed)
			printf("# text %zu\n", i);
	}
	for (len = 0; len < sizeof(ALL "\r\n") - 1; len += want) {
		want = upgrade_wants(text, len);
		CLAIM(want);
		if (!want)
			return;
	}
	CLAIM(len == sizeof(ALL "\r\n") - 1 && !upgrade_wants(text, len));
	CLAIM(upgrade_too_long(answer) == 431);
}

static void origins(void)
{
	char one[] = "https://one.example", two[] = "http://two.example:8080";
	struct settings settings = {
		.websocket = true,
		.origins = { one, two },
		.nr_origins = 2,
	};

	CLAIM(try(&settings, ALL "Origin: https://one.example\r\n\r\n") ==
	      UPGRADE_DONE);
	CLAIM(try(&settings, ALL "Origin: http://Two.example:8080\r\n\r\n") ==
	      UPGRADE_DONE);
	CLAIM(try(&settings, ALL "Origin: http://one.example\r\n\r\n") == 403);
	CLAIM(try(&settings, ALL "Origin: null\r\n\r\n") == 403);
	CLAIM(try(&settings, ALL "Origin:\r\n\r\n") == 403);
	CLAIM(try(&settings, ALL "Origin: https://one.example\r\n"
		  "Origin: https://evil.example\r\n\r\n") == 400);
	/* No browser. */
	CLAIM(try(&settings, ALL "\r\n") == UPGRADE_DONE);
	settings.nr_origins = 0;
	CLAIM(try(&settings, ALL "Origin: null\r\n\r\n") == UPGRADE_DONE);
}

const struct test upgrade_tests[] = {
	{ "WebSocket: requests", good },
	{ "WebSocket: requests that are refused", bad },
	{ "WebSocket: a zero in a request", zero },
	{ "WebSocket: where a request ends", end },
	{ "WebSocket: origins", origins },
	{ NULL, NULL }
};
