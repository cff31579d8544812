/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_REPORT_H
#define _KMQTTCTL_CONF_REPORT_H

#include <stdio.h>

/* A line of a file; 0 is the file as a whole. */
struct place {
	const char *file;
	unsigned int line;
};

/* What was found in the files. */
struct report {
	FILE *to;		/* NULL for counting only */
	unsigned int errors;
	unsigned int notes;
};

/* The compiler reads formats, too. */
#define FORMAT_OF(n, args)	__format__(__printf__, n, args)
#define FORMAT(n, args)		__attribute__((FORMAT_OF(n, args)))

FORMAT(3, 4)
void report_error(struct report *report, const struct place *at,
		  const char *format, ...);
FORMAT(3, 4)
void report_note(struct report *report, const struct place *at,
		 const char *format, ...);
void report_place(FILE *to, const struct place *at);
void report_end(struct report *report);

#endif /* _KMQTTCTL_CONF_REPORT_H */
