// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a connection before MQTT begins: TLS, WebSockets, the PROXY
 * protocol. An agent in userspace does it, which has the socket of such a
 * listener; what it has to know are lines of this language, which the kernel
 * keeps for it.
 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>
#include <linux/kmqtt.h>

#include "../text.h"
#include "apply.h"
#include "check.h"
#include "outside.h"
#include "spec.h"

/**
 * agent_find() - find what is said of something
 * @spec: a listener
 * @name: of the option
 *
 * Return: the line, or the first of several, or NULL.
 */
const struct agent_line *agent_find(const struct spec *spec, const char *name)
{
	size_t i;

	for (i = 0; i < spec->nr_agent; i++)
		if (!strcmp(spec->agent[i].option->name, name))
			return &spec->agent[i];
	return NULL;
}

/**
 * agent_adds_up() - may an option stand there several times?
 * @option: the option
 *
 * Return: true for origins; of all others the last one counts.
 */
bool agent_adds_up(const struct option *option)
{
	return option->agent == OPTION_WEBSOCKETS;
}

static void take_out(struct spec *spec, const struct option *option)
{
	struct agent_line *line;
	size_t i;

	for (i = 0; i < spec->nr_agent; i++) {
		line = &spec->agent[i];
		if (line->option != option)
			continue;
		free(line->value);
		spec->nr_agent--;
		memmove(line, line + 1, (spec->nr_agent - i) * sizeof(*line));
		return;
	}
}

/* In the order of the table: what is the same shall look the same. */
static void put_in(struct spec *spec, const struct place *at,
		   const struct option *option, const char *value)
{
	struct agent_line *line;
	size_t i;

	if (!agent_adds_up(option))
		take_out(spec, option);
	spec->agent = conf_check(reallocarray(spec->agent, spec->nr_agent + 1,
					      sizeof(*spec->agent)));
	for (i = spec->nr_agent++; i; i--) {
		if (spec->agent[i - 1].option <= option)
			break;
		spec->agent[i] = spec->agent[i - 1];
	}
	line = &spec->agent[i];
	line->at = *at;
	line->option = option;
	line->value = conf_strdup(value);
}

/* The whole path of what an option names, to free; or NULL. */
static char *path_of(struct reader *reader, const struct option *option,
		     const char *value)
{
	const char *why = NULL;
	char *whole = outside_whole(value, &why);

	if (whole && outside_probe(whole, option->type == OPTION_DIRECTORY,
				   &why))
		return whole;
	report_error(reader->report, &reader->at, "%s %s: %s", option->name,
		     value, why);
	/* It is named nevertheless: nothing else is wrong because of it. */
	free(whole);
	return conf_strdup(value);
}

/**
 * agent_apply() - remember an option for the agent
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void agent_apply(struct reader *reader, const struct option *option,
		 const struct value *value)
{
	struct spec *spec = spec_of(reader);
	char number[24];
	char *path;

	if (option->type == OPTION_BOOL && !value->number) {
		take_out(spec, option);
	} else if (option->type == OPTION_BOOL) {
		put_in(spec, &reader->at, option, "true");
	} else if (option->type == OPTION_INT) {
		snprintf(number, sizeof(number), "%jd",
			 (intmax_t)value->number);
		put_in(spec, &reader->at, option, number);
	} else if (option->type == OPTION_FILE ||
		   option->type == OPTION_DIRECTORY) {
		path = path_of(reader, option, value->text);
		put_in(spec, &reader->at, option, path);
		free(path);
	} else {
		put_in(spec, &reader->at, option, value->text);
	}
}

/**
 * agent_apply_protocol() - let a listener take WebSockets, or not
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void agent_apply_protocol(struct reader *reader, const struct option *option,
			  const struct value *value)
{
	if (!strcmp(value->text, "mqtt"))
		take_out(spec_of(reader), option);
	else if (!strcmp(value->text, "websockets"))
		agent_apply(reader, option, value);
	else if (!strcmp(value->text, "http_api"))
		report_error(reader->report, &reader->at,
			     "%s http_api: there is no HTTP but for WebSockets",
			     option->name);
	else
		report_error(reader->report, &reader->at,
			     "%s is mqtt or websockets, not '%.80s'",
			     option->name, value->text);
}

/**
 * agent_apply_version() - the oldest version of TLS
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void agent_apply_version(struct reader *reader, const struct option *option,
			 const struct value *value)
{
	if (!strcmp(value->text, "tlsv1.2") || !strcmp(value->text, "tlsv1.3"))
		agent_apply(reader, option, value);
	else
		report_error(reader->report, &reader->at,
			     "%s is tlsv1.2 or tlsv1.3, not '%.80s': the kernel knows no other",
			     option->name, value->text);
}

/**
 * agent_apply_psk_file() - remember where keys are
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 *
 * Behind the line of a listener it is about this one, whatever
 * per_listener_settings is: otherwise two of them could not be told apart.
 */
void agent_apply_psk_file(struct reader *reader, const struct option *option,
			  const struct value *value)
{
	struct conf_text *of_all = &reader->security.psk_file;

	if (reader->spec || reader->per_listener)
		agent_apply(reader, option, value);
	if (reader->per_listener)
		return;
	reader->psk_used = reader->spec;
	free(of_all->text);
	of_all->at = reader->at;
	of_all->text = reader->spec ?
		conf_strdup(agent_find(reader->spec, option->name)->value) :
		path_of(reader, option, value->text);
}

/* A listener with psk_hint and no keys of its own has those of all. */
static void inherit_keys(struct reader *reader, struct spec *spec)
{
	const struct conf_text *of_all = &reader->security.psk_file;

	if (!of_all->text || reader->per_listener ||
	    !agent_find(spec, "psk_hint") || agent_find(spec, "psk_file"))
		return;
	reader->psk_used = true;
	put_in(spec, &of_all->at, option_find("psk_file"), of_all->text);
}

/* Where the option is that stands in front of a colon. */
static const struct place *place_of(const struct spec *spec, const char *error)
{
	size_t len = strcspn(error, ":"), i;
	const char *name;

	for (i = 0; i < spec->nr_agent; i++) {
		name = spec->agent[i].option->name;
		if (strlen(name) == len && !strncmp(name, error, len))
			return &spec->agent[i].at;
	}
	return &spec->at;
}

/* Is everything there that is named? What isn't was told of. */
static bool all_there(const struct spec *spec)
{
	const struct agent_line *line;
	const char *why;
	size_t i;

	for (i = 0; i < spec->nr_agent; i++) {
		line = &spec->agent[i];
		if ((line->option->type == OPTION_FILE ||
		     line->option->type == OPTION_DIRECTORY) &&
		    !outside_probe(line->value,
				   line->option->type == OPTION_DIRECTORY,
				   &why))
			return false;
	}
	return true;
}

/* Is there in the files what the agent needs of them? */
static void try_out(struct reader *reader, const struct spec *spec,
		    const char *text)
{
	char *error = outside_agent(text);

	if (error)
		report_error(reader->report, place_of(spec, error), "%s", error);
	free(error);
}

/**
 * agent_finish() - end what is for the agent of a listener
 * @reader: all files were read
 * @spec: the listener
 *
 * Return: what the agent has to know, to free; or NULL if there is none.
 */
char *agent_finish(struct reader *reader, struct spec *spec)
{
	unsigned int errors = reader->report->errors;
	size_t len, i;
	char *text;
	FILE *to;

	inherit_keys(reader, spec);
	if (!spec->nr_agent)
		return NULL;
	check_agent(reader, spec);
	to = conf_check(open_memstream(&text, &len));
	for (i = 0; i < spec->nr_agent; i++)
		fprintf(to, "%s %s\n", spec->agent[i].option->name,
			spec->agent[i].value);
	fclose(to);
	conf_check(text);
	if (len > KMQTT_AGENT_MAX)
		report_error(reader->report, &spec->at,
			     "the options for TLS, WebSockets and PROXY protocol have more than %d bytes",
			     KMQTT_AGENT_MAX);
	/* One error is enough, as others may come of it. */
	if (reader->report->errors == errors && all_there(spec))
		try_out(reader, spec, text);
	return text;
}

/**
 * agent_finish_all() - end what is for the agents of all listeners
 * @reader: all listeners were ended
 */
void agent_finish_all(struct reader *reader)
{
	if (reader->security.psk_file.text && !reader->psk_used &&
	    !reader->per_listener)
		report_error(reader->report, &reader->security.psk_file.at,
			     "psk_file: no listener uses it: psk_hint makes one do so");
}

/**
 * agent_is_proxied() - may a client be somewhere else than its address is?
 * @spec: a listener
 *
 * Return: true if a proxy stands in between.
 */
bool agent_is_proxied(const struct spec *spec)
{
	return agent_find(spec, "enable_proxy_protocol");
}

/**
 * agent_unwritable() - can a file have this?
 * @text: what an agent has to know, from the kernel
 *
 * Return: why not, or NULL.
 */
const char *agent_unwritable(const char *text)
{
	const struct option *option;
	char name[64];
	size_t len;

	if (text_utf8_len(text, strlen(text)) != strlen(text))
		return "it is not UTF-8";
	for (; *text; text += strspn(text, "\n")) {
		len = strcspn(text, "\n ");
		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		option = option_find(name);
		if (!option || !option->agent)
			return "it has a line that is not for an agent";
		text += strcspn(text, "\n");
	}
	return NULL;
}

/**
 * agent_read() - read what an agent has to know
 * @report: where it is told what is wrong
 * @path: name of the file
 *
 * Return: what it has to know, to free; or NULL if there is something wrong.
 */
char *agent_read(struct report *report, const char *path)
{
	struct conf conf = { .settings = NULL };
	struct reader reader = {
		.conf = &conf,
		.report = report,
		.only_agent = true,
		.per_listener = true,
	};
	char *text;

	read_file(&reader, path);
	reader.at = (struct place){ .file = conf.files[0] };
	text = agent_finish(&reader, spec_default(&reader));
	if (!text && !report->errors)
		report_error(report, &reader.at, "there is nothing for an agent");
	report_end(report);
	spec_free_all(&reader);
	conf_free(&conf);
	if (!report->errors)
		return text;
	free(text);
	return NULL;
}

/**
 * agent_free() - give back what is for the agent
 * @spec: a listener
 */
void agent_free(struct spec *spec)
{
	size_t i;

	for (i = 0; i < spec->nr_agent; i++)
		free(spec->agent[i].value);
	free(spec->agent);
}
