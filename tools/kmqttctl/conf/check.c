// SPDX-License-Identifier: GPL-2.0
/*
 * Which options of TLS, WebSockets and the PROXY protocol go together. What is
 * of no use to a listener is an error: who wrote it thinks that it is.
 */
#include "check.h"

#include <string.h>

#include "agent.h"

/* As many as the agent takes. */
#define ORIGINS_MAX	64

static bool has_certificate(const struct spec *spec)
{
	/* Half of it is wrong by itself. */
	return agent_find(spec, "certfile") || agent_find(spec, "keyfile");
}

static bool has_tls(const struct spec *spec)
{
	return has_certificate(spec) || agent_find(spec, "psk_file");
}

/* Why an option is of no use to the listener, or NULL. */
static const char *useless(const struct spec *spec, const struct option *option)
{
	if (spec->endpoint.transport == KMQTT_TRANSPORT_MPTCP)
		return "not together with kmqtt_mptcp";
	if (!endpoint_is_ip(&spec->endpoint))
		return "only for listeners of TCP";
	switch (option->agent) {
	case OPTION_CERTIFICATE:
		return has_certificate(spec) ? NULL :
		       "the listener has no certfile and keyfile";
	case OPTION_TLS:
		return has_tls(spec) ? NULL :
		       "the listener has no certfile and keyfile, and no psk_file";
	case OPTION_WEBSOCKETS:
		return agent_find(spec, "protocol") ? NULL :
		       "the listener has no protocol websockets";
	case OPTION_HANDSHAKE:
		return has_tls(spec) || agent_find(spec, "protocol") ||
		       agent_find(spec, "enable_proxy_protocol") ? NULL :
		       "the listener has no TLS, WebSockets or PROXY protocol";
	default:
		return NULL;
	}
}

/* What an option can't do without: one of these. */
static const struct {
	const char *name;
	const char *needs;
	const char *instead;
} needs[] = {
	{ "certfile", "keyfile", NULL },
	{ "keyfile", "certfile", NULL },
	{ "proxy_protocol_v2_require_tls", "enable_proxy_protocol", NULL },
	{ "psk_hint", "psk_file", NULL },
	{ "require_certificate", "cafile", "capath" },
};

static void check_needs(struct reader *reader, const struct spec *spec,
			const struct agent_line *line)
{
	const char *instead;
	size_t i;

	for (i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		instead = needs[i].instead;
		if (!strcmp(needs[i].name, line->option->name) &&
		    !agent_find(spec, needs[i].needs) &&
		    !(instead && agent_find(spec, instead)))
			report_error(reader->report, &line->at,
				     "%s needs %s%s%s", needs[i].name,
				     needs[i].needs, instead ? " or " : "",
				     instead ?: "");
	}
}

static const char *const apart[][2] = {
	{ "psk_file", "certfile" },
	{ "psk_hint", "certfile" },
	{ "use_subject_as_username", "use_identity_as_username" },
};

static void check_apart(struct reader *reader, const struct spec *spec)
{
	const struct agent_line *line;
	size_t i;

	for (i = 0; i < sizeof(apart) / sizeof(*apart); i++) {
		line = agent_find(spec, apart[i][0]);
		if (line && agent_find(spec, apart[i][1]))
			report_error(reader->report, &line->at,
				     "%s: not together with %s", apart[i][0],
				     apart[i][1]);
	}
}

/* A header of version 1 has nothing to say of TLS: nobody would get in. */
static void check_proxy(struct reader *reader, const struct spec *spec)
{
	const struct agent_line *proxy, *line;

	proxy = agent_find(spec, "enable_proxy_protocol");
	line = agent_find(spec, "proxy_protocol_v2_require_tls");
	if (line && proxy && strcmp(proxy->value, "2"))
		report_error(reader->report, &line->at,
			     "%s: only with version 2 of enable_proxy_protocol",
			     line->option->name);
}

/* As Mosquitto, the agent asks for no certificate unless it is required. */
static void check_unasked(struct reader *reader, const struct spec *spec)
{
	static const struct {
		const char *name;
		const char *so;
	} unasked[] = {
		{ "crlfile", "nobody is asked for a certificate" },
		{ "disable_client_cert_date_checks",
		  "nobody is asked for a certificate" },
		{ "use_identity_as_username", "nobody gets in" },
		{ "use_subject_as_username", "nobody gets in" },
	};
	const struct agent_line *line;
	size_t i;

	if (!has_certificate(spec) || agent_find(spec, "require_certificate"))
		return;
	for (i = 0; i < sizeof(unasked) / sizeof(*unasked); i++) {
		line = agent_find(spec, unasked[i].name);
		if (line)
			report_note(reader->report, &line->at,
				    "%s: without require_certificate, %s",
				    unasked[i].name, unasked[i].so);
	}
}

/**
 * check_agent() - tell what is wrong with what an agent is to know
 * @reader: all files were read
 * @spec: the listener
 */
void check_agent(struct reader *reader, const struct spec *spec)
{
	const struct agent_line *line;
	unsigned int origins = 0;
	const char *why;
	size_t i;

	for (i = 0; i < spec->nr_agent; i++) {
		line = &spec->agent[i];
		why = useless(spec, line->option);
		if (why)
			report_error(reader->report, &line->at, "%s: %s",
				     line->option->name, why);
		else
			check_needs(reader, spec, line);
		if (agent_adds_up(line->option) && ++origins == ORIGINS_MAX + 1)
			report_error(reader->report, &line->at,
				     "more than %d of %s", ORIGINS_MAX,
				     line->option->name);
	}
	check_apart(reader, spec);
	check_proxy(reader, spec);
	check_unasked(reader, spec);
}
