// SPDX-License-Identifier: GPL-2.0
/*
 * What all nouns share: arguments into requests, answers into output, errors
 * into words.
 */
#include "ctl.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* How often to read a list again that changed while it was read. */
#define DUMP_TRIES	5

/**
 * ctl_next_arg() - take the next argument
 * @ctl: run
 *
 * Return: the argument or NULL.
 */
const char *ctl_next_arg(struct ctl *ctl)
{
	return *ctl->args ? *ctl->args++ : NULL;
}

/**
 * ctl_next_is() - take the next argument if it is a keyword
 * @ctl: run
 * @keyword: the keyword
 *
 * Return: true if it is.
 */
bool ctl_next_is(struct ctl *ctl, const char *keyword)
{
	if (!*ctl->args || strcmp(*ctl->args, keyword))
		return false;
	ctl->args++;
	return true;
}

static void print_prefix(const struct ctl *ctl)
{
	fprintf(stderr, "kmqttctl: ");
	if (ctl->noun)
		fprintf(stderr, "%s%s%s: ", ctl->noun->name,
			ctl->verb ? " " : "", ctl->verb ?: "");
}

static enum exit_code suggest_help(const struct ctl *ctl)
{
	fprintf(stderr, "\nTry 'kmqttctl %s%s--help'.\n",
		ctl->noun ? ctl->noun->name : "", ctl->noun ? " " : "");
	return EXIT_USAGE;
}

/**
 * ctl_usage() - complain about arguments
 * @ctl: run
 * @text: what is wrong with them
 *
 * Return: EXIT_USAGE.
 */
enum exit_code ctl_usage(const struct ctl *ctl, const char *text)
{
	print_prefix(ctl);
	fputs(text, stderr);
	return suggest_help(ctl);
}

/**
 * ctl_not() - complain about an argument
 * @ctl: run
 * @arg: the argument
 * @what: what it is not
 *
 * Return: EXIT_USAGE.
 */
enum exit_code ctl_not(const struct ctl *ctl, const char *arg, const char *what)
{
	char *shown = text_escape(arg, strlen(arg), false);

	print_prefix(ctl);
	fprintf(stderr, "'%s' is not %s", shown, what);
	free(shown);
	return suggest_help(ctl);
}

/**
 * ctl_put() - take the next argument into the request
 * @ctl: run with a request begun
 * @name: the field that it is; a flag takes no argument
 *
 * Return: EXIT_DONE or EXIT_USAGE.
 */
enum exit_code ctl_put(struct ctl *ctl, const char *name)
{
	const struct field *field = field_by_name(ctl->noun->fields, name);
	const char *arg;

	if (field->kind == FIELD_FLAG) {
		field_put(&ctl->nl, field, NULL);
		return EXIT_DONE;
	}
	arg = ctl_next_arg(ctl);
	if (!arg) {
		print_prefix(ctl);
		fprintf(stderr, "%s needs a value", name);
		return suggest_help(ctl);
	}
	if (field_put(&ctl->nl, field, arg))
		return EXIT_DONE;
	return ctl_not(ctl, arg, field_wants(field));
}

/**
 * ctl_end_args() - there must be no more arguments
 * @ctl: run
 *
 * Return: EXIT_DONE or EXIT_USAGE.
 */
enum exit_code ctl_end_args(const struct ctl *ctl)
{
	if (!*ctl->args)
		return EXIT_DONE;
	return ctl_not(ctl, *ctl->args, "expected here");
}

static void print_range(const struct field *field,
			const struct nl_error *error)
{
	char min[TEXT_NUMBER_MAX], max[TEXT_NUMBER_MAX];

	field_text_of_number(field, error->min, min, sizeof(min));
	field_text_of_number(field, error->max, max, sizeof(max));
	fprintf(stderr, ", %s to %s", min, max);
}

/**
 * ctl_print_error() - tell why a request failed, and end the line
 * @ctl: run
 * @fields: of the request
 */
void ctl_print_error(const struct ctl *ctl, const struct field *fields)
{
	const struct nl_error *error = &ctl->nl.error;
	const struct field *field = NULL;

	if (error->text[0])
		fputs(error->text, stderr);
	else if (error->missing)
		fputs("not enough is told", stderr);
	else if (error->err == EPERM)
		fputs("not permitted without CAP_NET_ADMIN", stderr);
	else
		fputs(strerror(error->err), stderr);
	if (error->attr && fields)
		field = field_by_attr(fields, error->attr);
	if (field) {
		fprintf(stderr, " (%s", field_name_of_attr(fields, error->attr));
		if (error->has_range)
			print_range(field, error);
		if (error->max_len)
			fprintf(stderr, ", up to %u bytes", error->max_len);
		fputc(')', stderr);
	}
	fputc('\n', stderr);
}

/**
 * ctl_report() - tell how a request ended, unless it was well
 * @ctl: run
 * @code: the end
 *
 * Return: @code.
 */
enum exit_code ctl_report(struct ctl *ctl, enum exit_code code)
{
	if (code == EXIT_PARTIAL) {
		print_prefix(ctl);
		fputs("the list changed while it was read, it may have gaps\n",
		      stderr);
	} else if (code != EXIT_DONE) {
		print_prefix(ctl);
		ctl_print_error(ctl, ctl->noun->fields);
	}
	return code;
}

/**
 * ctl_act() - send the request, which has no answer
 * @ctl: run with a complete request
 *
 * Return: how it ended.
 */
enum exit_code ctl_act(struct ctl *ctl)
{
	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	return ctl_report(ctl, nl_do(&ctl->nl, NULL, NULL));
}

/* Rows of an answer, read with the fields of a noun. */
struct answer {
	const struct field *fields;
	json_t *rows;
};

static void read_row(const struct nlmsghdr *nlh, void *arg)
{
	struct answer *answer = arg;

	if (json_array_append_new(answer->rows,
				  field_read_row(answer->fields, nlh)))
		errx(EXIT_FAILED, "out of memory");
}

/**
 * ctl_get_rows() - send the request and read what answers it
 * @ctl: run with a complete request
 * @fields: of the answer
 * @list: the answer is a list
 * @rows: JSON array of what came, for the caller to json_decref()
 *
 * Return: how it ended, for ctl_report().
 */
enum exit_code ctl_get_rows(struct ctl *ctl, const struct field *fields,
			    bool list, json_t **rows)
{
	struct answer answer = { .fields = fields, .rows = json_array() };
	enum exit_code ret;
	int tries = 0;

	if (!answer.rows)
		errx(EXIT_FAILED, "out of memory");
	do {
		json_array_clear(answer.rows);
		ret = list ? nl_dump(&ctl->nl, read_row, &answer) :
			     nl_do(&ctl->nl, read_row, &answer);
	} while (ret == EXIT_PARTIAL && ++tries < DUMP_TRIES);
	*rows = answer.rows;
	return ret;
}

static enum exit_code do_one(struct ctl *ctl,
			     void (*print)(const struct style *style,
					   const struct field *fields,
					   json_t *row))
{
	enum exit_code ret;
	json_t *rows;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	ret = ctl_report(ctl, ctl_get_rows(ctl, ctl->noun->fields, false,
					   &rows));
	if (ret == EXIT_DONE && json_array_size(rows))
		print(&ctl->style, ctl->noun->fields, json_array_get(rows, 0));
	json_decref(rows);
	return ret;
}

/**
 * ctl_get_object() - send the request and print its answer, line by line
 * @ctl: run with a complete request
 *
 * Return: how it ended.
 */
enum exit_code ctl_get_object(struct ctl *ctl)
{
	return do_one(ctl, print_object);
}

/**
 * ctl_act_line() - send the request and print its answer in one line
 * @ctl: run with a complete request
 *
 * Return: how it ended.
 */
enum exit_code ctl_act_line(struct ctl *ctl)
{
	return do_one(ctl, print_line);
}

/**
 * ctl_get_table() - send the request and print the list that answers it
 * @ctl: run with a complete request
 *
 * Return: how it ended.
 */
enum exit_code ctl_get_table(struct ctl *ctl)
{
	enum exit_code ret;
	json_t *rows;

	if (ctl_end_args(ctl))
		return EXIT_USAGE;
	ret = ctl_get_rows(ctl, ctl->noun->fields, true, &rows);
	if (ret == EXIT_DONE || ret == EXIT_PARTIAL)
		print_table(&ctl->style, ctl->noun->fields, rows);
	fflush(stdout);
	json_decref(rows);
	return ctl_report(ctl, ret);
}
