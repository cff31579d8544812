// SPDX-License-Identifier: GPL-2.0
/*
 * Lines and words as Mosquitto's files have them: a # as the very first
 * character makes a comment, words are separated by spaces (tabs are not), and
 * what takes the rest of a line has no white space at its ends.
 */
#include "lines.h"

#include <string.h>

#include "../text.h"

static const char white[] = " \t\n\v\f\r";

/**
 * lines_begin() - begin to read a text
 * @lines: state of reading
 * @report: where it is told what is wrong
 * @file: name of the text, which stays
 * @text: the text, which is taken apart, and room for one byte behind it
 * @len: its length
 */
void lines_begin(struct lines *lines, struct report *report, const char *file,
		 char *text, size_t len)
{
	*lines = (struct lines){
		.at = { .file = file },
		.report = report,
		.next = text,
		.end = text + len,
	};
	text[len] = '\0';
}

/* Make a string of the line at @line, which has @len bytes. */
static bool read_line(struct lines *lines, char *line, size_t len)
{
	while (len && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	line[len] = '\0';
	if (*line == '#' || line[strspn(line, white)] == '\0') {
		/* What stands behind a null byte would go unseen. */
		if (!memchr(line, '\0', len))
			return false;
	}
	if (memchr(line, '\0', len)) {
		report_error(lines->report, &lines->at, "there is a null byte");
		return false;
	}
	if (text_utf8_len(line, len) != len) {
		report_error(lines->report, &lines->at, "this is not UTF-8");
		return false;
	}
	return true;
}

/**
 * lines_next() - go on to the next line that says something
 * @lines: state of reading
 *
 * Comments and empty lines are left out, and so are lines that are no text,
 * which are reported.
 *
 * Return: the line without its end, or NULL at the end.
 */
char *lines_next(struct lines *lines)
{
	char *line, *end;

	while (lines->next < lines->end) {
		line = lines->next;
		end = memchr(line, '\n', lines->end - line) ?: lines->end;
		lines->next = end < lines->end ? end + 1 : end;
		lines->at.line++;
		if (read_line(lines, line, end - line))
			return line;
	}
	return NULL;
}

/**
 * line_word() - take the next word
 * @rest: of the line; what follows the word
 *
 * Return: the word, or NULL if there is none.
 */
char *line_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	char *end = word + strcspn(word, " ");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}

/**
 * line_rest() - take all that is left
 * @rest: of the line; empty afterwards
 *
 * Return: what is left, or NULL if that is nothing.
 */
char *line_rest(char **rest)
{
	char *text = *rest + strspn(*rest, white);
	size_t len = strlen(text);

	*rest = text + len;
	while (len && strchr(white, text[len - 1]))
		len--;
	text[len] = '\0';
	return len ? text : NULL;
}
