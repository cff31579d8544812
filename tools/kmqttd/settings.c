// SPDX-License-Identifier: GPL-2.0
/*
 * The lines of mosquitto.conf that a listener's agent has to know.
 */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLS_1_2		0x0303
#define TLS_1_3		0x0304

#define TIMEOUT_DEFAULT		10
#define TIMEOUT_MAX		3600
#define HANDSHAKES_DEFAULT	1000
#define PER_SOURCE_DEFAULT	100
#define HANDSHAKES_MAX		65536

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define BLANKS	" \t\r"

enum kind {
	STRING,
	BOOL,
	NUMBER,			/* from 1 to max */
	TLS_VERSION,
	PROTOCOL,
	ORIGIN,			/* may be given several times */
};

static const struct option {
	const char *name;
	enum kind kind;
	size_t offset;
	unsigned int max;
} options[] = {
#define OPTION(text, type, field)	{ .name = text, .kind = type,	\
	.offset = offsetof(struct settings, field) }
#define COUNT(text, field, most)	{ .name = text, .kind = NUMBER,	\
	.offset = offsetof(struct settings, field), .max = most }
	OPTION("cafile", STRING, cafile),
	OPTION("capath", STRING, capath),
	OPTION("certfile", STRING, certfile),
	OPTION("keyfile", STRING, keyfile),
	OPTION("crlfile", STRING, crlfile),
	OPTION("dhparamfile", STRING, dhparamfile),
	OPTION("ciphers", STRING, ciphers),
	OPTION("ciphers_tls1.3", STRING, ciphersuites),
	OPTION("psk_file", STRING, psk_file),
	OPTION("psk_hint", STRING, psk_hint),
	OPTION("require_certificate", BOOL, require_certificate),
	OPTION("disable_client_cert_date_checks", BOOL, any_date),
	OPTION("use_identity_as_username", BOOL, identity_as_user),
	OPTION("use_subject_as_username", BOOL, subject_as_user),
	OPTION("tls_version", TLS_VERSION, min_tls),
	OPTION("protocol", PROTOCOL, websocket),
	OPTION("websockets_origin", ORIGIN, origins),
	COUNT("enable_proxy_protocol", proxy, 2),
	OPTION("proxy_protocol_v2_require_tls", BOOL, proxy_tls),
	COUNT("kmqtt_handshake_timeout", timeout, TIMEOUT_MAX),
	COUNT("kmqtt_max_handshakes", max_handshakes, HANDSHAKES_MAX),
	COUNT("kmqtt_max_handshakes_per_source", max_per_source,
	      HANDSHAKES_MAX),
#undef OPTION
#undef COUNT
};

/* Of the one that is read. */
struct reading {
	struct settings *settings;
	bool given[ARRAY_SIZE(options)];
	char *error;
};

static bool fail(const struct reading *reading, const char *option,
		 const char *why)
{
	snprintf(reading->error, SETTINGS_ERROR_MAX, "%s: %s", option, why);
	return false;
}

static bool read_bool(const char *value, bool *to)
{
	*to = !strcmp(value, "true") || !strcmp(value, "1");
	return *to || !strcmp(value, "false") || !strcmp(value, "0");
}

static bool read_number(const char *value, unsigned int max, unsigned int *to)
{
	size_t len = strspn(value, "0123456789");

	/* What has so few digits fits. */
	if (!len || len > 9 || value[len])
		return false;
	*to = strtoul(value, NULL, 10);
	return *to && *to <= max;
}

static bool read_tls_version(const char *value, unsigned int *to)
{
	if (!strcmp(value, "tlsv1.3"))
		*to = TLS_1_3;
	else if (!strcmp(value, "tlsv1.2"))
		*to = TLS_1_2;
	else
		return false;
	return true;
}

static bool read_protocol(const char *value, bool *websocket)
{
	*websocket = !strcmp(value, "websockets");
	return *websocket || !strcmp(value, "mqtt");
}

static bool add_origin(struct settings *settings, const char *value)
{
	char *copy;

	if (settings->nr_origins == SETTINGS_ORIGINS_MAX)
		return false;
	copy = strdup(value);
	if (copy)
		settings->origins[settings->nr_origins++] = copy;
	return copy;
}

static bool read_value(struct reading *reading, const struct option *option,
		       const char *value)
{
	void *to = (char *)reading->settings + option->offset;
	char text[64];

	switch (option->kind) {
	case STRING:
		*(char **)to = strdup(value);
		return *(char **)to || fail(reading, option->name,
					    "out of memory");
	case BOOL:
		return read_bool(value, to) ||
		       fail(reading, option->name, "neither true nor false");
	case NUMBER:
		snprintf(text, sizeof(text), "not a number from 1 to %u",
			 option->max);
		return read_number(value, option->max, to) ||
		       fail(reading, option->name, text);
	case TLS_VERSION:
		return read_tls_version(value, to) ||
		       fail(reading, option->name,
			    "neither tlsv1.2 nor tlsv1.3");
	case PROTOCOL:
		return read_protocol(value, to) ||
		       fail(reading, option->name,
			    "neither mqtt nor websockets");
	case ORIGIN:
		return add_origin(reading->settings, value) ||
		       fail(reading, option->name, "too many of them");
	}
	return false;
}

static bool read_line(struct reading *reading, char *line)
{
	const struct option *option;
	char *value, *end;
	size_t i;

	line += strspn(line, BLANKS);
	end = line + strlen(line);
	while (end > line && strchr(BLANKS, end[-1]))
		*--end = '\0';
	if (!*line || *line == '#')
		return true;
	value = line + strcspn(line, BLANKS);
	if (*value) {
		*value++ = '\0';
		value += strspn(value, BLANKS);
	}
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(options[i].name, line))
			break;
	if (i == ARRAY_SIZE(options))
		return fail(reading, line, "unknown option");
	option = &options[i];
	if (!*value)
		return fail(reading, line, "it has no value");
	if (reading->given[i] && option->kind != ORIGIN)
		return fail(reading, line, "given twice");
	reading->given[i] = true;
	return read_value(reading, option, value);
}

/* What goes with what. */
static bool check(const struct reading *reading)
{
	const struct settings *settings = reading->settings;

	if (settings->certfile && !settings->keyfile)
		return fail(reading, "certfile", "needs keyfile");
	if (settings->keyfile && !settings->certfile)
		return fail(reading, "keyfile", "needs certfile");
	if (settings->psk_hint && !settings->psk_file)
		return fail(reading, "psk_hint", "needs psk_file");
	if (settings->require_certificate && !settings->certfile)
		return fail(reading, "require_certificate", "needs certfile");
	if (settings->require_certificate && !settings->cafile &&
	    !settings->capath)
		return fail(reading, "require_certificate",
			    "needs cafile or capath");
	/* Who has a key would be let in without a certificate. */
	if (settings->require_certificate && settings->psk_file)
		return fail(reading, "require_certificate",
			    "not together with psk_file");
	if (settings->identity_as_user && settings->subject_as_user)
		return fail(reading, "use_subject_as_username",
			    "not together with use_identity_as_username");
	if (settings->identity_as_user && !settings_has_tls(settings))
		return fail(reading, "use_identity_as_username",
			    "needs certfile or psk_file");
	if (settings->subject_as_user && !settings_has_tls(settings))
		return fail(reading, "use_subject_as_username",
			    "needs certfile or psk_file");
	if (settings->nr_origins && !settings->websocket)
		return fail(reading, "websockets_origin",
			    "needs protocol websockets");
	if (settings->proxy_tls && settings->proxy != 2)
		return fail(reading, "proxy_protocol_v2_require_tls",
			    "needs enable_proxy_protocol 2");
	return true;
}

/**
 * settings_read() - read what the agent has to know of a listener
 * @settings: filled in; settings_free() is for the caller, if it fails, too
 * @text: a line for each option
 * @error: what is wrong, if anything is
 *
 * Return: true if nothing is.
 */
bool settings_read(struct settings *settings, const char *text,
		   char error[SETTINGS_ERROR_MAX])
{
	struct reading reading = { .settings = settings, .error = error };
	char *copy = strdup(text), *rest = copy, *line;
	bool good = copy;

	*settings = (struct settings){
		.min_tls = TLS_1_2,
		.timeout = TIMEOUT_DEFAULT,
		.max_handshakes = HANDSHAKES_DEFAULT,
		.max_per_source = PER_SOURCE_DEFAULT,
	};
	if (!copy)
		return fail(&reading, "agent", "out of memory");
	while (good && (line = strsep(&rest, "\n")))
		good = read_line(&reading, line);
	free(copy);
	return good && check(&reading);
}

/**
 * settings_has_tls() - do clients of this listener have to speak TLS?
 * @settings: of the listener
 */
bool settings_has_tls(const struct settings *settings)
{
	return settings->certfile || settings->psk_file;
}

/**
 * settings_free() - give back what settings hold
 * @settings: what settings_read() has filled in
 */
void settings_free(struct settings *settings)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].kind == STRING)
			free(*(char **)((char *)settings + options[i].offset));
	for (i = 0; i < settings->nr_origins; i++)
		free(settings->origins[i]);
	*settings = (struct settings){ .timeout = 0 };
}
