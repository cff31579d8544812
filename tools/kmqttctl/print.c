// SPDX-License-Identifier: GPL-2.0
/*
 * Rows as tables, lists and lines for people, or as JSON.
 */
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/**
 * print_json() - print JSON
 * @style: how
 * @value: what
 */
void print_json(const struct style *style, json_t *value)
{
	size_t flags = style->pretty ? JSON_INDENT(2) : JSON_COMPACT;

	/* Of times and rates, more digits would tell of nothing but doubles. */
	flags |= JSON_REAL_PRECISION(12);
	/* Foreign strings must not control a terminal. */
	if (isatty(STDOUT_FILENO))
		flags |= JSON_ENSURE_ASCII;
	json_dumpf(value, stdout, flags);
	putchar('\n');
}

static bool is_number(const struct field *field)
{
	return field->kind == FIELD_NUMBER || field->kind == FIELD_BYTES ||
	       field->kind == FIELD_SECONDS;
}

static void print_padding(size_t from, size_t to)
{
	for (; from < to; from++)
		putchar(' ');
}

/* Numbers to the right, all else to the left, nothing behind the last. */
static void print_cell(const struct field *field, const char *text,
		       size_t width, bool last)
{
	if (is_number(field))
		print_padding(text_width(text), width);
	fputs(text, stdout);
	if (!is_number(field) && !last)
		print_padding(text_width(text), width);
	fputs(last ? "\n" : "  ", stdout);
}

static size_t column_width(const struct field *field, json_t *rows)
{
	size_t width = strlen(field->title), w, i;
	json_t *row;
	char *text;

	json_array_foreach(rows, i, row) {
		text = field_text(field, row, false);
		w = text_width(text ?: "-");
		if (w > width)
			width = w;
		free(text);
	}
	return width;
}

static const struct field *next_column(const struct field *field)
{
	while (field->kind && !field->title)
		field++;
	return field->kind ? field : NULL;
}

/**
 * print_table() - print a list, a line for each row
 * @style: how
 * @fields: of the rows; those with a title make the columns
 * @rows: JSON array of rows
 */
void print_table(const struct style *style, const struct field *fields,
		 json_t *rows)
{
	const struct field *field, *next;
	size_t *widths, nr = 0, i;
	json_t *row;
	char *text;

	if (style->json) {
		print_json(style, rows);
		return;
	}
	for (field = fields; field->kind; field++)
		nr++;
	widths = calloc(nr, sizeof(*widths));
	if (!widths)
		abort();
	for (field = next_column(fields); field; field = next) {
		next = next_column(field + 1);
		widths[field - fields] = column_width(field, rows);
		print_cell(field, field->title, widths[field - fields], !next);
	}
	json_array_foreach(rows, i, row) {
		for (field = next_column(fields); field; field = next) {
			next = next_column(field + 1);
			text = field_text(field, row, false);
			print_cell(field, text ?: "-", widths[field - fields],
				   !next);
			free(text);
		}
	}
	free(widths);
}

/**
 * print_object() - print a row with a line for each field
 * @style: how
 * @fields: of the row
 * @row: the row
 */
void print_object(const struct style *style, const struct field *fields,
		  json_t *row)
{
	const struct field *field;
	size_t width = 0;
	char *text;

	if (style->json) {
		print_json(style, row);
		return;
	}
	for (field = fields; field->kind; field++)
		if (strlen(field->name) > width)
			width = strlen(field->name);
	for (field = fields; field->kind; field++) {
		text = field_text(field, row, false);
		if (text)
			printf("%-*s  %s\n", (int)width, field->name, text);
		free(text);
	}
}

/**
 * print_line() - print a row as one line of names and values
 * @style: how
 * @fields: of the row; bare ones without their names
 * @row: the row
 */
void print_line(const struct style *style, const struct field *fields,
		json_t *row)
{
	const char *separator = "";
	const struct field *field;
	char *text;

	if (style->json) {
		print_json(style, row);
		return;
	}
	for (field = fields; field->kind; field++) {
		text = field_text(field, row, true);
		if (!text)
			continue;
		fputs(separator, stdout);
		if (!field->bare)
			printf("%s ", field->name);
		fputs(text, stdout);
		separator = " ";
		free(text);
	}
	putchar('\n');
}
