/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_PRINT_H
#define _KMQTTCTL_PRINT_H

#include "field.h"

/* How output looks. */
struct style {
	bool json;
	bool pretty;		/* JSON over several lines */
};

void print_json(const struct style *style, json_t *value);
void print_table(const struct style *style, const struct field *fields,
		 json_t *rows);
void print_object(const struct style *style, const struct field *fields,
		  json_t *row);
void print_line(const struct style *style, const struct field *fields,
		json_t *row);

#endif /* _KMQTTCTL_PRINT_H */
