// SPDX-License-Identifier: GPL-2.0
/*
 * The HTTP request that makes a connection one of WebSocket, RFC 6455 (4.2),
 * and the answer to it.
 */
#include "upgrade.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#include "base64.h"

#define KEY_SIZE	16
#define KEY_TEXT_SIZE	24
#define SHA1_SIZE	20

#define BLANKS		" \t"

enum status {
	SWITCHING	= UPGRADE_DONE,
	BAD_REQUEST	= 400,
	FORBIDDEN	= 403,
	NOT_FOUND	= 404,
	NOT_ALLOWED	= 405,
	UPGRADE_NEEDED	= 426,
	TOO_LONG	= 431,
	WRONG_VERSION	= 505,
};

/* What was found in the headers. */
struct request {
	bool host_given;		/* whatever is in there */
	bool version_given;
	bool host;
	bool upgrade;
	bool connection;
	bool version;
	bool body;
	char key[KEY_TEXT_SIZE + 1];
	const char *protocol;
	const char *origin;
	bool twice;			/* what may be there only once */
};

static const struct {
	enum status status;
	const char *text;
	const char *header;
} answers[] = {
	{ BAD_REQUEST, "Bad Request", "" },
	{ FORBIDDEN, "Forbidden", "" },
	{ NOT_FOUND, "Not Found", "" },
	{ NOT_ALLOWED, "Method Not Allowed", "Allow: GET\r\n" },
	{ UPGRADE_NEEDED, "Upgrade Required",
	  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" },
	{ TOO_LONG, "Request Header Fields Too Large", "" },
	{ WRONG_VERSION, "HTTP Version Not Supported", "" },
};

/**
 * upgrade_wants() - how much of a request may be read next?
 * @request: what has come in
 * @len: bytes of it
 *
 * Return: bytes, none of which are behind the request; 0 if it is complete.
 */
size_t upgrade_wants(const char *request, size_t len)
{
	static const char end[] = "\r\n\r\n";
	size_t had = sizeof(end) - 1;

	/* As much of the end as there is already. */
	while (had && (had > len || memcmp(request + len - had, end, had)))
		had--;
	return sizeof(end) - 1 - had;
}

/* Take the next element of a list, without the blanks around it. */
static char *next_element(char **list)
{
	char *element = strsep(list, ","), *end;

	if (!element)
		return NULL;
	element += strspn(element, BLANKS);
	end = element + strlen(element);
	while (end > element && strchr(BLANKS, end[-1]))
		*--end = '\0';
	return element;
}

static bool list_has(char *list, const char *name)
{
	char *element;
	bool has = false;

	while ((element = next_element(&list)))
		has |= !strcasecmp(element, name);
	return has;
}

/* Of what the client offers, the first that is spoken here. */
static const char *choose_protocol(char *list)
{
	char *element;

	while ((element = next_element(&list))) {
		if (!strcmp(element, "mqtt"))
			return "mqtt";
		if (!strcmp(element, "mqttv3.1"))
			return "mqttv3.1";
	}
	return NULL;
}

static bool take_key(struct request *request, const char *value)
{
	uint8_t bytes[BASE64_BYTES_MAX];
	size_t len;

	if (strlen(value) != KEY_TEXT_SIZE ||
	    !base64_read(value, "", bytes, &len) || len != KEY_SIZE)
		return false;
	memcpy(request->key, value, KEY_TEXT_SIZE);
	return true;
}

static bool take_header(struct request *request, const char *name, char *value)
{
	if (!strcasecmp(name, "Host")) {
		request->twice |= request->host_given;
		request->host_given = true;
		request->host = *value;
	} else if (!strcasecmp(name, "Upgrade")) {
		request->upgrade |= list_has(value, "websocket");
	} else if (!strcasecmp(name, "Connection")) {
		request->connection |= list_has(value, "upgrade");
	} else if (!strcasecmp(name, "Sec-WebSocket-Version")) {
		request->twice |= request->version_given;
		request->version_given = true;
		request->version = !strcmp(value, "13");
	} else if (!strcasecmp(name, "Sec-WebSocket-Key")) {
		request->twice |= *request->key;
		return take_key(request, value);
	} else if (!strcasecmp(name, "Sec-WebSocket-Protocol")) {
		if (!request->protocol)
			request->protocol = choose_protocol(value);
	} else if (!strcasecmp(name, "Origin")) {
		request->twice |= !!request->origin;
		request->origin = value;
	} else if (!strcasecmp(name, "Content-Length")) {
		request->body |= strcmp(value, "0");
	} else if (!strcasecmp(name, "Transfer-Encoding")) {
		request->body = true;
	}
	return true;
}

/* Neither a blank nor what else ends a word of HTTP. */
static bool is_token(const char *text)
{
	const char *c;

	for (c = text; *c; c++)
		if (!isalnum((unsigned char)*c) &&
		    !strchr("!#$%&'*+-.^_`|~", *c))
			return false;
	return c > text;
}

static bool is_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && *text != '\t')
			return false;
	return true;
}

static bool read_header(struct request *request, char *line)
{
	char *value = strchr(line, ':'), *end;

	if (!value)
		return false;
	*value++ = '\0';
	value += strspn(value, BLANKS);
	end = value + strlen(value);
	while (end > value && strchr(BLANKS, end[-1]))
		*--end = '\0';
	return is_token(line) && is_text(value) &&
	       take_header(request, line, value);
}

static enum status read_request_line(char *line)
{
	char *method = strsep(&line, " ");
	char *target = strsep(&line, " ");

	if (!line || !is_token(method) || !*target || !is_text(target) ||
	    strchr(target, '\t'))
		return BAD_REQUEST;
	if (strncmp(line, "HTTP/", 5))
		return BAD_REQUEST;
	/* One that has upgrades. */
	if (strcmp(line, "HTTP/1.1"))
		return WRONG_VERSION;
	if (strcmp(method, "GET"))
		return NOT_ALLOWED;
	return *target == '/' ? SWITCHING : BAD_REQUEST;
}

/* Who sends no origin is no web page that somebody was lured to. */
static bool origin_ok(const struct settings *settings, const char *origin)
{
	size_t i;

	if (!settings->nr_origins || !origin)
		return true;
	for (i = 0; i < settings->nr_origins; i++)
		if (!strcasecmp(settings->origins[i], origin))
			return true;
	return false;
}

static enum status judge(const struct settings *settings,
			 const struct request *request)
{
	if (!request->host || request->twice || request->body)
		return BAD_REQUEST;
	/* There are no pages here. */
	if (!request->upgrade)
		return NOT_FOUND;
	if (!request->version)
		return UPGRADE_NEEDED;
	if (!request->connection || !*request->key || !request->protocol)
		return BAD_REQUEST;
	return origin_ok(settings, request->origin) ? SWITCHING : FORBIDDEN;
}

static enum status read_request(const struct settings *settings, char *text,
				size_t len, struct request *request)
{
	enum status status;
	char *line, *end;

	/* Lines become strings. */
	if (memchr(text, '\0', len))
		return BAD_REQUEST;
	text[len - 2] = '\0';
	line = text;
	end = strstr(line, "\r\n");
	*end = '\0';
	status = read_request_line(line);
	if (status != SWITCHING)
		return status;
	for (line = end + 2; *line; line = end + 2) {
		end = strstr(line, "\r\n");
		*end = '\0';
		if (!read_header(request, line))
			return BAD_REQUEST;
	}
	return judge(settings, request);
}

static bool write_accept(char accept[BASE64_TEXT_MAX], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_TEXT_SIZE + sizeof(guid)];
	unsigned char hash[SHA1_SIZE];

	snprintf(text, sizeof(text), "%s%s", key, guid);
	if (!EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL))
		return false;
	base64_write(accept, hash, sizeof(hash));
	return true;
}

static void write_refusal(enum status status, char *answer)
{
	size_t i = 0;

	while (answers[i].status != status)
		i++;
	snprintf(answer, UPGRADE_ANSWER_MAX,
		 "HTTP/1.1 %d %s\r\n%sConnection: close\r\nContent-Length: 0\r\n\r\n",
		 status, answers[i].text, answers[i].header);
}

/**
 * upgrade_too_long() - answer a request that is not complete when it should be
 * @answer: what to send
 *
 * Return: the status.
 */
int upgrade_too_long(char answer[UPGRADE_ANSWER_MAX])
{
	write_refusal(TOO_LONG, answer);
	return TOO_LONG;
}

/**
 * upgrade_answer() - answer a request
 * @settings: of the listener
 * @request: the request, complete; it is written into
 * @len: bytes of it
 * @answer: what to send
 *
 * Return: the status: UPGRADE_DONE, or why it was refused.
 */
int upgrade_answer(const struct settings *settings, char *request, size_t len,
		   char answer[UPGRADE_ANSWER_MAX])
{
	struct request parsed = { .host = false };
	char accept[BASE64_TEXT_MAX];
	enum status status;

	status = read_request(settings, request, len, &parsed);
	if (status == SWITCHING && !write_accept(accept, parsed.key))
		status = BAD_REQUEST;
	if (status == SWITCHING)
		snprintf(answer, UPGRADE_ANSWER_MAX,
			 "HTTP/1.1 101 Switching Protocols\r\n"
			 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: %s\r\n"
			 "Sec-WebSocket-Protocol: %s\r\n\r\n",
			 accept, parsed.protocol);
	else
		write_refusal(status, answer);
	return status;
}
