// SPDX-License-Identifier: GPL-2.0
/*
 * What the options do that are honoured.
 */
#include "apply.h"

#include <stdlib.h>
#include <string.h>
#include <linux/kmqtt.h>

#include "lines.h"
#include "outside.h"
#include "spec.h"

static struct security *security_of(struct reader *reader)
{
	return reader->per_listener ? &spec_of(reader)->security :
				      &reader->security;
}

/* A setting that goes into a request as @value. */
static void set_number(struct reader *reader, const struct field *field,
		       const char *name, uint64_t value)
{
	char text[24];

	if (value < field->min || (field->max && value > field->max)) {
		report_error(reader->report, &reader->at,
			     "%s is out of range: %ju to %ju", name,
			     (uintmax_t)field->min,
			     (uintmax_t)(field->max ?: INT64_MAX));
		return;
	}
	if (field->kind == FIELD_CHOICE)
		snprintf(text, sizeof(text), "%s", field->names[value]);
	else if (field->kind == FIELD_SWITCH)
		snprintf(text, sizeof(text), value ? "on" : "off");
	else
		snprintf(text, sizeof(text), "%ju", (uintmax_t)value);
	conf_set(reader->conf, &reader->at, field, text);
}

static void set_setting_text(struct reader *reader, const struct field *field,
			     const char *name, const char *text)
{
	if (strlen(text) > KMQTT_TEXT_MAX)
		report_error(reader->report, &reader->at,
			     "%s has more than %d bytes", name,
			     KMQTT_TEXT_MAX);
	else
		conf_set(reader->conf, &reader->at, field, text);
}

/**
 * apply_own() - set a setting of the broker by its own name
 * @reader: what was read up to here
 * @field: the setting
 * @name: the option's name
 * @rest: what follows it in the line
 */
void apply_own(struct reader *reader, const struct field *field,
	       const char *name, char *rest)
{
	char *text = line_rest(&rest);
	uint64_t value;

	if (field->kind == FIELD_TEXT)
		set_setting_text(reader, field, name, text ?: "");
	else if (!text)
		report_error(reader->report, &reader->at, "%s needs a value",
			     name);
	else if (field_number(field, text, &value))
		set_number(reader, field, name, value);
	else
		report_error(reader->report, &reader->at,
			     "%s: '%.80s' is not %s", name, text,
			     field_wants(field));
}

/**
 * apply_setting() - set a setting of the broker by the name that Mosquitto has
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_setting(struct reader *reader, const struct option *option,
		   const struct value *value)
{
	const struct field *field = option_setting(option);
	uint64_t number = value->number;

	if (option_is_text(option)) {
		set_setting_text(reader, field, option->name, value->text);
		return;
	}
	if (option->unlimited && value->number <= 0)
		field_number(field, option->unlimited, &number);
	if (field->size && number > UINT64_MAX >> (64 - 8 * field->size))
		report_error(reader->report, &reader->at,
			     "%s does not fit in %u bits", option->name,
			     8 * field->size);
	else
		set_number(reader, field, option->name, number);
}

/**
 * apply_listener_attr() - set what a listener has for itself
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_listener_attr(struct reader *reader, const struct option *option,
			 const struct value *value)
{
	struct conf_number *attr = &spec_of(reader)->attrs[option->attr];

	attr->at = reader->at;
	attr->value = value->number;
	attr->set = true;
	if (conf_is_limit(option->attr) && value->number <= 0)
		attr->set = false;
}

static void set_text(struct reader *reader, struct conf_text *text,
		     const char *value)
{
	free(text->text);
	text->at = reader->at;
	text->text = conf_strdup(value);
}

/**
 * apply_acl_file() - remember an ACL file
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_acl_file(struct reader *reader, const struct option *option,
		    const struct value *value)
{
	set_text(reader, &security_of(reader)->acl_file, value->text);
}

/**
 * apply_password_file() - remember a password file
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_password_file(struct reader *reader, const struct option *option,
			 const struct value *value)
{
	set_text(reader, &security_of(reader)->password_file, value->text);
}

/**
 * apply_allow_anonymous() - let in who gives no name, or not
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_allow_anonymous(struct reader *reader, const struct option *option,
			   const struct value *value)
{
	security_of(reader)->anonymous = (struct conf_number){
		.at = reader->at,
		.set = true,
		.value = value->number,
	};
}

/**
 * apply_zero_length_clientid() - let in who has no identifier, or not
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_zero_length_clientid(struct reader *reader,
				const struct option *option,
				const struct value *value)
{
	security_of(reader)->assign_client_id = (struct conf_number){
		.at = reader->at,
		.set = true,
		.value = value->number,
	};
}

static void set_prefix(struct reader *reader, const struct option *option,
		       struct conf_text *prefix, const char *value)
{
	if (strlen(value) > KMQTT_CLIENT_ID_PREFIX_MAX)
		report_error(reader->report, &reader->at,
			     "%s has more than %d bytes", option->name,
			     KMQTT_CLIENT_ID_PREFIX_MAX);
	else
		set_text(reader, prefix, value);
}

/**
 * apply_auto_id_prefix() - what identifiers begin with that the broker assigns
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_auto_id_prefix(struct reader *reader, const struct option *option,
			  const struct value *value)
{
	set_prefix(reader, option, &security_of(reader)->client_id_prefix,
		   value->text);
}

/**
 * apply_listener_auto_id_prefix() - the same for one listener
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_listener_auto_id_prefix(struct reader *reader,
				   const struct option *option,
				   const struct value *value)
{
	set_prefix(reader, option, &spec_of(reader)->client_id_prefix,
		   value->text);
}

/**
 * apply_per_listener() - what follows is of each listener, not of all
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_per_listener(struct reader *reader, const struct option *option,
			const struct value *value)
{
	const struct security *all = &reader->security;

	/* Once it is so it stays so, also with Mosquitto. */
	if (reader->per_listener || !value->number)
		return;
	reader->per_listener = true;
	if (all->password_file.text || all->acl_file.text ||
	    all->psk_file.text || all->client_id_prefix.text ||
	    all->anonymous.set || all->assign_client_id.set)
		report_error(reader->report, &reader->at,
			     "%s has to stand in front of what it is about: acl_file, allow_anonymous, allow_zero_length_clientid, auto_id_prefix, password_file and psk_file",
			     option->name);
}

/**
 * apply_local_listeners() - listen locally if nothing else is said, or nowhere
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_local_listeners(struct reader *reader, const struct option *option,
			   const struct value *value)
{
	reader->local_listeners = value->number;
}

/**
 * apply_protocol_versions() - let in who speaks one of these versions
 * @reader: what was read up to here
 * @option: the option
 * @value: its value, numbers between commas and white space
 */
void apply_protocol_versions(struct reader *reader, const struct option *option,
			     const struct value *value)
{
	char *text = value->text, *word, *state;
	unsigned int named = 0;

	for (word = strtok_r(text, ", \t", &state); word;
	     word = strtok_r(NULL, ", \t", &state)) {
		if (word[0] >= '3' && word[0] <= '5' && !word[1])
			named |= 1 << (word[0] - '3');
		else
			report_error(reader->report, &reader->at,
				     "%s: there is no version '%.80s'",
				     option->name, word);
	}
	if (!named)
		report_error(reader->report, &reader->at,
			     "%s: no client could speak any version",
			     option->name);
	spec_of(reader)->attrs[CONF_PROTOCOL_VERSIONS] = (struct conf_number){
		.at = reader->at,
		.set = true,
		.value = named,
	};
}

/**
 * apply_log_dest() - there is no log, but messages with one would be missed
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_log_dest(struct reader *reader, const struct option *option,
		    const struct value *value)
{
	static const char *const others[] = {
		"none", "stdout", "stderr", "syslog", "file", "dlt", "android",
	};
	size_t i;

	if (!strcmp(value->text, "topic")) {
		report_error(reader->report, &reader->at,
			     "%s topic: the broker keeps no log that it could publish",
			     option->name);
		return;
	}
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(value->text, others[i]))
			continue;
		report_note(reader->report, &reader->at, "%s: %s",
			    option->name, option->text);
		return;
	}
	report_error(reader->report, &reader->at, "%s can't be '%.80s'",
		     option->name, value->text);
}

/**
 * apply_include_dir() - read the files of a directory
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void apply_include_dir(struct reader *reader, const struct option *option,
		       const struct value *value)
{
	const char *why = NULL;
	char **paths;
	size_t nr, i;

	if (reader->depth) {
		report_error(reader->report, &reader->at,
			     "%s can stand in the main file only",
			     option->name);
		return;
	}
	paths = outside_list(value->text, &nr, &why);
	if (!paths) {
		report_error(reader->report, &reader->at, "%s %s: %s",
			     option->name, value->text, why);
		return;
	}
	reader->depth++;
	for (i = 0; i < nr; i++) {
		read_file(reader, paths[i]);
		free(paths[i]);
	}
	reader->depth--;
	free(paths);
}
