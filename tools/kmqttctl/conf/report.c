// SPDX-License-Identifier: GPL-2.0
/*
 * What is wrong in files, and where: FILE:LINE: WHAT
 */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../text.h"

/* A file that is something else altogether would fill the screen. */
#define SHOWN_MAX	100

/**
 * report_place() - write where something is
 * @to: where to
 * @at: the place
 */
void report_place(FILE *to, const struct place *at)
{
	char *file = text_escape(at->file, strlen(at->file), false);

	if (at->line)
		fprintf(to, "%s:%u: ", file, at->line);
	else
		fprintf(to, "%s: ", file);
	free(file);
}

/* Names and values are foreign: nothing of them acts on a terminal. */
static void write_line(FILE *to, const struct place *at, const char *kind,
		       const char *format, va_list args)
{
	char *text, *shown;

	if (vasprintf(&text, format, args) < 0)
		return;
	shown = text_escape(text, strlen(text), false);
	report_place(to, at);
	fprintf(to, "%s%s\n", kind, shown);
	free(shown);
	free(text);
}

/**
 * report_error() - tell what is wrong
 * @report: where to
 * @at: where it is
 * @format: as of printf()
 */
void report_error(struct report *report, const struct place *at,
		  const char *format, ...)
{
	va_list args;

	if (++report->errors > SHOWN_MAX || !report->to)
		return;
	va_start(args, format);
	write_line(report->to, at, "", format, args);
	va_end(args);
}

/**
 * report_note() - tell what deserves to be known, and is not wrong
 * @report: where to
 * @at: where it is
 * @format: as of printf()
 */
void report_note(struct report *report, const struct place *at,
		 const char *format, ...)
{
	va_list args;

	if (++report->notes > SHOWN_MAX || !report->to)
		return;
	va_start(args, format);
	write_line(report->to, at, "note: ", format, args);
	va_end(args);
}

/**
 * report_end() - tell of what was not told
 * @report: nothing more will be found
 */
void report_end(struct report *report)
{
	if (!report->to)
		return;
	if (report->errors > SHOWN_MAX)
		fprintf(report->to, "and %u more errors\n",
			report->errors - SHOWN_MAX);
	if (report->notes > SHOWN_MAX)
		fprintf(report->to, "and %u more notes\n",
			report->notes - SHOWN_MAX);
}
