// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files: lines into options with values, and what is wrong with
 * them. Everything is read, whatever was wrong before.
 */
#include "read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../text.h"
#include "apply.h"
#include "lines.h"
#include "listen.h"
#include "outside.h"
#include "spec.h"
#include "where.h"

static bool read_bool(const char *word, int64_t *value)
{
	*value = !strcmp(word, "true") || !strcmp(word, "1");
	return *value || !strcmp(word, "false") || !strcmp(word, "0");
}

/* In any base that C knows, as Mosquitto does. */
static bool read_int(const char *word, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(word, &end, 0);
	return end != word && !*end && !errno;
}

static bool read_bytes(const char *word, int64_t *value)
{
	uint64_t bytes;

	if (!text_to_bytes(word, INT64_MAX, &bytes))
		return false;
	*value = bytes;
	return true;
}

static bool read_time(char *word, int64_t *value)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {
		{ 's', 1 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 },
		{ 'm', 30 * 86400 }, { 'y', 365 * 86400 },
	};
	char *end;
	size_t i;

	errno = 0;
	*value = strtoll(word, &end, 10);
	if (end == word || errno || *value <= 0 || *value > UINT32_MAX)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (*end == units[i].unit && !end[1]) {
			*value *= units[i].seconds;
			return *value < UINT32_MAX;
		}
	}
	return false;
}

/**
 * read_end() - only a comment may follow a value
 * @reader: what was read up to here
 * @rest: what follows the value in the line
 */
void read_end(struct reader *reader, char *rest)
{
	const char *more = line_word(&rest);

	if (more && *more != '#')
		report_error(reader->report, &reader->at,
			     "'%.80s' is one word too many", more);
}

static bool read_kind(const struct option *option, char *word, int64_t *value,
		      const char **wanted)
{
	switch (option->type) {
	case OPTION_BOOL:
		*wanted = "true or false";
		return read_bool(word, value);
	case OPTION_TIME:
		*wanted = "a time as 12h, 14d or 2w";
		return read_time(word, value);
	case OPTION_BYTES:
		*wanted = "a size as 1000000 or 64M";
		return read_bytes(word, value);
	default:
		*wanted = "a number";
		return read_int(word, value);
	}
}

static bool read_number(struct reader *reader, const struct option *option,
			char *word, struct value *value)
{
	const char *wanted;

	if (!read_kind(option, word, &value->number, &wanted)) {
		report_error(reader->report, &reader->at, "%s is %s, not '%.80s'",
			     option->name, wanted, word);
		return false;
	}
	/* The others are in the range of what they set. */
	if (option->type != OPTION_INT && option->type != OPTION_BYTES)
		return true;
	if (option->max && (value->number < option->min ||
			    value->number > option->max)) {
		report_error(reader->report, &reader->at,
			     "%s is out of range: %jd to %jd", option->name,
			     (intmax_t)option->min, (intmax_t)option->max);
		return false;
	}
	return true;
}

static bool read_value(struct reader *reader, const struct option *option,
		       char *rest, struct value *value)
{
	char *text;

	*value = (struct value){ .rest = rest };
	if (option->type == OPTION_ANY)
		return true;
	if (option_is_text(option))
		text = line_rest(&value->rest);
	else
		text = line_word(&value->rest);
	if (!text) {
		report_error(reader->report, &reader->at, "%s needs a value",
			     option->name);
		return false;
	}
	value->text = text;
	return option_is_text(option) || option->type == OPTION_WORD ||
	       read_number(reader, option, text, value);
}

/* May this value stand, although others of the option are refused? */
static bool is_fine(const struct option *option, const struct value *value)
{
	char number[24];

	switch (option->type) {
	case OPTION_BOOL:
		return !strcmp(option->fine, value->number ? "true" : "false");
	case OPTION_INT:
		snprintf(number, sizeof(number), "%jd",
			 (intmax_t)value->number);
		return !strcmp(option->fine, number);
	default:
		return !strcmp(option->fine, value->text);
	}
}

static void refuse(struct reader *reader, const struct option *option,
		   const char *name, const struct value *value)
{
	if (!option->fine)
		report_error(reader->report, &reader->at, "%s: %s", name,
			     option->text);
	else if (!is_fine(option, value))
		report_error(reader->report, &reader->at,
			     "%s can only be %s: %s", name, option->fine,
			     option->text);
}

static void read_option(struct reader *reader, const struct option *option,
			const char *name, char *rest)
{
	struct value value = { .rest = rest };

	/* The first line of a bridge tells what is to be told of all. */
	if (option->scope == OPTION_BRIDGE && reader->in_bridge)
		return;
	if (option->scope == OPTION_BRIDGE)
		reader->in_bridge = !strcmp(name, "connection");
	if (option->fate == OPTION_REFUSED && !option->fine) {
		refuse(reader, option, name, &value);
		return;
	}
	if (!read_value(reader, option, rest, &value))
		return;
	if (option->fate == OPTION_REFUSED)
		refuse(reader, option, name, &value);
	else if (option->setting)
		apply_setting(reader, option, &value);
	else if (option->apply)
		option->apply(reader, option, &value);
	else if (option->fate == OPTION_VOID)
		report_note(reader->report, &reader->at, "%s: %s", name,
			    option->text);
	/* Some take apart themselves what follows. */
	if (option->type != OPTION_ANY && option->apply != where_listener &&
	    option->apply != where_vsock_listener &&
	    option->apply != apply_log_dest)
		read_end(reader, value.rest);
}

static void read_line(struct reader *reader, char *line)
{
	const struct option *option;
	const struct field *field;
	const char *name;

	name = line_word(&line);
	if (!name)
		return;
	option = option_find(name);
	field = option ? NULL : option_own(name);
	if (reader->only_agent && (field || (option && !option->agent)))
		report_error(reader->report, &reader->at,
			     "%s: nothing that an agent has to know", name);
	else if (option)
		read_option(reader, option, name, line);
	else if (field)
		apply_own(reader, field, name, line);
	else
		report_error(reader->report, &reader->at,
			     "there is no option '%.80s'%s", name,
			     strchr(name, '\t') ?
			     " (tabs don't separate words)" : "");
}

/**
 * read_file() - read a file, at the place where the reader is
 * @reader: what was read up to here
 * @path: its name
 */
void read_file(struct reader *reader, const char *path)
{
	struct place from = reader->at;
	bool in_bridge = reader->in_bridge;
	struct spec *spec = reader->spec;
	const char *why = NULL;
	struct lines lines;
	char *text, *line;
	size_t len;

	path = conf_file(reader->conf, path);
	reader->at = (struct place){ .file = path };
	text = outside_read(path, &len, &why);
	if (!text) {
		report_error(reader->report, &reader->at, "%s", why);
	} else {
		/* A file does not go on with the listener of another. */
		reader->spec = NULL;
		reader->in_bridge = false;
		lines_begin(&lines, reader->report, path, text, len);
		while ((line = lines_next(&lines))) {
			reader->at = lines.at;
			read_line(reader, line);
		}
		free(text);
	}
	reader->spec = spec;
	reader->in_bridge = in_bridge;
	reader->at = from;
}

/**
 * read_conf() - read a configuration
 * @conf: an empty one, which is given back also if there is something wrong
 * @report: where it is told what is wrong
 * @path: name of the main file
 *
 * Return: false if there is something wrong.
 */
bool read_conf(struct conf *conf, struct report *report, const char *path)
{
	struct reader reader = {
		.conf = conf,
		.report = report,
		.local_listeners = true,
	};

	read_file(&reader, path);
	reader.at = (struct place){ .file = conf->files[0] };
	listen_finish(&reader);
	report_end(report);
	spec_free_all(&reader);
	spec_free_security(&reader.security);
	return !report->errors;
}
