/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_FIELD_H
#define _KMQTTCTL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "address.h"
#include "nl.h"

/* More than any attribute of the family. */
#define FIELD_ATTRS_MAX	64

struct nlattr;

/* How the value of an attribute is read and written. */
enum field_kind {
	FIELD_END,		/* of a table of fields */
	FIELD_NUMBER,
	FIELD_BYTES,		/* a size */
	FIELD_SECONDS,
	FIELD_SWITCH,		/* on or off */
	FIELD_CHOICE,		/* one of names */
	FIELD_LEVEL,		/* MQTT's protocol level */
	FIELD_VERSIONS,		/* levels of those that are allowed */
	FIELD_TLS,		/* version of TLS */
	FIELD_REASON,		/* enum kmqtt_reason */
	FIELD_STRING,
	FIELD_TEXT,		/* a string that may be empty, for none */
	FIELD_PAYLOAD,
	FIELD_FLAG,		/* there or not */
	FIELD_ADDRESS,		/* addr4; addr6, ifindex and port follow it */
	FIELD_NETWORK,		/* addr4; addr6 and prefix follow it */
};

/*
 * An attribute of a noun: the one description that requests, errors, tables
 * and JSON are made from.
 */
struct field {
	enum field_kind kind;
	uint16_t attr;
	uint8_t size;		/* of a number, in bytes; 0 is 4 or 8 */
	const char *name;	/* in arguments, and with _ for - in JSON */
	const char *title;	/* of its column, or NULL for none */
	const char *const *names;
	uint64_t min;		/* what the kernel takes */
	uint64_t max;		/* 0 if that is what fits */
	bool bare;		/* lines have its value alone */
};

bool field_uint(const struct nlattr *attr, uint64_t *value);
void field_attrs(const struct nlmsghdr *nlh,
		 const struct nlattr *attrs[FIELD_ATTRS_MAX]);
bool field_read_address(const struct field *field,
			const struct nlattr *const *attrs,
			struct address *address);
char *field_text(const struct field *field, json_t *row, bool quote);

json_t *field_read_row(const struct field *fields, const struct nlmsghdr *nlh);
json_t *field_read_nest(const struct field *fields, const struct nlattr *nest);
bool field_number(const struct field *field, const char *text, uint64_t *value);
void field_put_address(struct nl *nl, const struct field *field,
		       const struct address *address);
bool field_put(struct nl *nl, const struct field *field, const char *text);
const struct field *field_by_name(const struct field *fields,
				  const char *name);
const struct field *field_by_attr(const struct field *fields, uint16_t attr);
const char *field_name_of_attr(const struct field *fields, uint16_t attr);
void field_text_of_number(const struct field *field, uint64_t value,
			  char *text, size_t size);
const char *field_wants(const struct field *field);

#endif /* _KMQTTCTL_FIELD_H */
