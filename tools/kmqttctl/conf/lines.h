/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_LINES_H
#define _KMQTTCTL_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"

/* A text that is taken apart, line by line. */
struct lines {
	struct place at;	/* the line that lines_next() gave */
	struct report *report;
	char *next;
	char *end;
};

void lines_begin(struct lines *lines, struct report *report, const char *file,
		 char *text, size_t len);
char *lines_next(struct lines *lines);

char *line_word(char **rest);
char *line_rest(char **rest);

#endif /* _KMQTTCTL_CONF_LINES_H */
