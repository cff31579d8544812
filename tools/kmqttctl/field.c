// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes from and to netlink messages, JSON and text. A row is a JSON
 * object with what one message tells; tables are made from the same rows that
 * -j prints.
 */
#include "field.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

#include "address.h"
#include "reason.h"
#include "text.h"

/* Attributes of an address, after that of its IPv4 form. */
enum {
	ADDRESS_ADDR4,
	ADDRESS_ADDR6,
	ADDRESS_IFINDEX,
	ADDRESS_PORT,
	NETWORK_PREFIX = ADDRESS_IFINDEX,
};

static const char *const levels[] = {
	[3] = "3.1", [4] = "3.1.1", [5] = "5",
};

static void *check(void *mem)
{
	if (!mem)
		err(EXIT_FAILED, NULL);
	return mem;
}

static void key_of(const char *name, char key[64])
{
	snprintf(key, 64, "%s", name);
	for (; *key; key++)
		if (*key == '-')
			*key = '_';
}

static json_t *get(json_t *row, const char *name)
{
	char key[64];

	key_of(name, key);
	return json_object_get(row, key);
}

static void set(json_t *row, const char *name, json_t *value)
{
	char key[64];

	key_of(name, key);
	if (json_object_set_new(row, key, check(value)))
		errx(EXIT_FAILED, "out of memory");
}

/**
 * field_uint() - read an unsigned integer of any size
 * @attr: the attribute, or NULL
 * @value: the number
 *
 * Return: false if there is none.
 */
bool field_uint(const struct nlattr *attr, uint64_t *value)
{
	if (!attr)
		return false;
	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		*value = mnl_attr_get_u8(attr);
		return true;
	case 2:
		*value = mnl_attr_get_u16(attr);
		return true;
	case 4:
		*value = mnl_attr_get_u32(attr);
		return true;
	case 8:
		*value = mnl_attr_get_u64(attr);
		return true;
	}
	return false;
}

static json_t *json_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

/* A JSON string; what isn't UTF-8 becomes U+FFFD. */
static json_t *json_text(const char *text, size_t len)
{
	static const char unknown[] = "\xef\xbf\xbd";
	char *buf = check(malloc(3 * len + 1)), *to = buf;
	json_t *string;
	size_t n;

	while (len) {
		n = text_utf8_len(text, len);
		to = mempcpy(to, text, n);
		if (n < len) {
			to = mempcpy(to, unknown, 3);
			n++;
		}
		text += n;
		len -= n;
	}
	string = json_stringn(buf, to - buf);
	free(buf);
	return string;
}

static void read_string(json_t *row, const struct field *field,
			const struct nlattr *attr)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	if (len && !text[len - 1])
		len--;
	set(row, field->name, json_text(text, len));
}

/* Payloads are text, or hexadecimal under another name. */
static void read_payload(json_t *row, const struct field *field,
			 const struct nlattr *attr)
{
	const char *bytes = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr), i;
	char *hex;

	if (text_utf8_len(bytes, len) == len) {
		set(row, field->name, json_stringn(bytes, len));
		return;
	}
	hex = check(malloc(2 * len + 1));
	for (i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)bytes[i]);
	set(row, "payload-hex", json_string(hex));
	free(hex);
}

static bool read_ip(const struct nlattr *attr, unsigned int len,
		    struct address *address)
{
	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return false;
	memcpy(address->bytes, mnl_attr_get_payload(attr), len);
	address->len = len;
	return true;
}

/**
 * field_read_address() - take an address out of a message
 * @field: what the address is
 * @attrs: of the message, by their types
 * @address: the address
 *
 * Return: false if there is none.
 */
bool field_read_address(const struct field *field,
			const struct nlattr *const *attrs,
			struct address *address)
{
	uint64_t value;

	*address = (struct address){ .len = 0 };
	if (!field_uint(attrs[field->attr + ADDRESS_PORT], &value))
		return false;
	address->port = value;
	if (field_uint(attrs[field->attr + ADDRESS_IFINDEX], &value))
		address->ifindex = value;
	if (!read_ip(attrs[field->attr + ADDRESS_ADDR4], 4, address))
		read_ip(attrs[field->attr + ADDRESS_ADDR6], 16, address);
	return true;
}

static void read_address(json_t *row, const struct field *field,
			 const struct nlattr *const *attrs)
{
	struct address address;
	char host[ADDRESS_HOST_MAX];

	if (!field_read_address(field, attrs, &address))
		return;
	address_write_host(&address, host);
	set(row, field->name, json_string(host));
	set(row, "port", json_number(address.port));
}

/* As 192.0.2.0/24, or an address alone if all of it counts. */
static void read_network(json_t *row, const struct field *field,
			 const struct nlattr *const *attrs)
{
	char text[ADDRESS_HOST_MAX + 4];
	struct address address = { .len = 0 };
	uint64_t prefix;
	size_t len;

	if (!read_ip(attrs[field->attr + ADDRESS_ADDR4], 4, &address) &&
	    !read_ip(attrs[field->attr + ADDRESS_ADDR6], 16, &address))
		return;
	address_write_host(&address, text);
	len = strlen(text);
	if (field_uint(attrs[field->attr + NETWORK_PREFIX], &prefix) &&
	    prefix < 8 * address.len)
		snprintf(text + len, sizeof(text) - len, "/%u",
			 (unsigned int)prefix);
	set(row, field->name, json_string(text));
}

static void read_reason(json_t *row, const struct field *field, uint32_t value)
{
	const char *name = reason_name(value);
	char text[TEXT_NUMBER_MAX];

	if (!name) {
		snprintf(text, sizeof(text), "0x%02x", value);
		name = text;
	}
	set(row, field->name, json_string(name));
	set(row, "reason-code", json_number(value));
}

static void read_choice(json_t *row, const struct field *field, uint64_t value)
{
	const char *const *name = field->names;

	while (*name && value) {
		name++;
		value--;
	}
	set(row, field->name, json_string(*name ?: "unknown"));
}

/* TLS 1.0 is 0x0301. */
static void read_tls(json_t *row, const struct field *field, uint32_t value)
{
	char text[TEXT_NUMBER_MAX];

	if (value > 0x0300 && value <= 0x03ff)
		snprintf(text, sizeof(text), "1.%u", (value & 0xff) - 1);
	else
		snprintf(text, sizeof(text), "0x%04x", value);
	set(row, field->name, json_string(text));
}

/* As 3,4,5. */
static void text_of_versions(char *text, size_t size, uint64_t value)
{
	size_t len = 0;
	unsigned int i;

	*text = '\0';
	for (i = 0; i < 3; i++)
		if (value & 1 << i)
			len += snprintf(text + len, size - len, "%s%u",
					len ? "," : "", 3 + i);
}

static void read_versions(json_t *row, const struct field *field, uint64_t value)
{
	char text[TEXT_NUMBER_MAX];

	field_text_of_number(field, value, text, sizeof(text));
	set(row, field->name, json_string(text));
}

static void read_number(json_t *row, const struct field *field,
			const struct nlattr *attr)
{
	uint64_t value;

	if (!field_uint(attr, &value))
		return;
	switch (field->kind) {
	case FIELD_SWITCH:
		set(row, field->name, json_boolean(value));
		break;
	case FIELD_CHOICE:
		read_choice(row, field, value);
		break;
	case FIELD_REASON:
		read_reason(row, field, value);
		break;
	case FIELD_TLS:
		read_tls(row, field, value);
		break;
	case FIELD_VERSIONS:
		read_versions(row, field, value);
		break;
	default:
		set(row, field->name, json_number(value));
	}
}

/**
 * field_attrs() - sort the attributes of a message
 * @nlh: the message
 * @attrs: they, by their types, or NULL
 */
void field_attrs(const struct nlmsghdr *nlh,
		 const struct nlattr *attrs[FIELD_ATTRS_MAX])
{
	const struct nlattr *attr;

	memset(attrs, 0, FIELD_ATTRS_MAX * sizeof(*attrs));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) < FIELD_ATTRS_MAX)
			attrs[mnl_attr_get_type(attr)] = attr;
	}
}

static json_t *read_row(const struct field *fields,
			const struct nlattr *const attrs[FIELD_ATTRS_MAX])
{
	json_t *row = check(json_object());
	const struct field *field;
	const struct nlattr *attr;

	for (field = fields; field->kind; field++) {
		attr = attrs[field->attr];
		if (field->kind == FIELD_ADDRESS) {
			read_address(row, field, attrs);
			continue;
		}
		if (field->kind == FIELD_NETWORK) {
			read_network(row, field, attrs);
			continue;
		}
		if (!field->attr || !attr)
			continue;
		if (field->kind == FIELD_STRING || field->kind == FIELD_TEXT)
			read_string(row, field, attr);
		else if (field->kind == FIELD_PAYLOAD)
			read_payload(row, field, attr);
		else if (field->kind == FIELD_FLAG)
			set(row, field->name, json_true());
		else
			read_number(row, field, attr);
	}
	return row;
}

/**
 * field_read_row() - take a message apart
 * @fields: what to look for
 * @nlh: the message
 *
 * Return: a row.
 */
json_t *field_read_row(const struct field *fields, const struct nlmsghdr *nlh)
{
	const struct nlattr *attrs[FIELD_ATTRS_MAX];

	field_attrs(nlh, attrs);
	return read_row(fields, attrs);
}

/**
 * field_read_nest() - take an attribute apart
 * @fields: what to look for
 * @nest: the attribute that has others in it
 *
 * Return: a row.
 */
json_t *field_read_nest(const struct field *fields, const struct nlattr *nest)
{
	const struct nlattr *attrs[FIELD_ATTRS_MAX] = { NULL }, *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) < FIELD_ATTRS_MAX)
			attrs[mnl_attr_get_type(attr)] = attr;
	}
	return read_row(fields, attrs);
}

/**
 * field_text_of_number() - write a number as tables have it
 * @field: what it is
 * @value: the number
 * @text: where to
 * @size: room there, at least TEXT_NUMBER_MAX
 */
void field_text_of_number(const struct field *field, uint64_t value,
			  char *text, size_t size)
{
	if (field->kind == FIELD_BYTES)
		text_of_bytes(text, value);
	else if (field->kind == FIELD_SECONDS)
		text_of_seconds(text, value);
	else if (field->kind == FIELD_LEVEL && value >= 3 && value <= 5)
		snprintf(text, size, "%s", levels[value]);
	else if (field->kind == FIELD_VERSIONS)
		text_of_versions(text, size, value);
	else
		snprintf(text, size, "%ju", (uintmax_t)value);
}

static char *string_text(json_t *value, json_t *row, bool quote)
{
	size_t len = json_string_length(value);
	char *text = text_escape(json_string_value(value), len, quote);
	char *cut;

	/* Which of the strings was cut can be told by its length. */
	if (!json_object_get(row, "truncated") ||
	    len + 4 < KMQTT_SHOWN_STRING_MAX)
		return text;
	if (asprintf(&cut, "%s...", text) < 0)
		errx(EXIT_FAILED, "out of memory");
	free(text);
	return cut;
}

static char *address_text(json_t *value, json_t *row)
{
	const char *host = json_string_value(value);
	int port = json_integer_value(json_object_get(row, "port"));
	char *text;

	if (asprintf(&text, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host,
		     port) < 0)
		errx(EXIT_FAILED, "out of memory");
	return text;
}

static char *payload_text(json_t *row)
{
	json_t *hex = json_object_get(row, "payload_hex");
	char *text;

	if (!hex)
		return NULL;
	if (asprintf(&text, "0x%s", json_string_value(hex)) < 0)
		errx(EXIT_FAILED, "out of memory");
	return text;
}

static const char *switch_text(const struct field *field, json_t *value)
{
	if (field->kind == FIELD_FLAG)
		return "yes";
	return json_is_true(value) ? "on" : "off";
}

/**
 * field_text() - write a field of a row as tables have it
 * @field: which
 * @row: whose
 * @quote: quote strings that may be mistaken for several words
 *
 * Return: a string to free, or NULL if the row hasn't got the field.
 */
char *field_text(const struct field *field, json_t *row, bool quote)
{
	json_t *value = get(row, field->name);
	char text[TEXT_NUMBER_MAX];

	if (!value)
		return field->kind == FIELD_PAYLOAD ? payload_text(row) : NULL;
	if (field->kind == FIELD_ADDRESS)
		return address_text(value, row);
	if (json_is_string(value))
		return string_text(value, row, quote);
	if (json_is_boolean(value))
		return check(strdup(switch_text(field, value)));
	field_text_of_number(field, json_integer_value(value), text,
			     sizeof(text));
	return check(strdup(text));
}

static bool read_name(const struct field *field, const char *text,
		      uint64_t *value)
{
	for (*value = 0; field->names[*value]; ++*value)
		if (!strcmp(field->names[*value], text))
			return true;
	return false;
}

/* Numbers with a comma between each two, as 4,5. */
static bool read_levels(const char *text, uint64_t *value)
{
	*value = 0;
	while (*text >= '3' && *text <= '5') {
		*value |= 1 << (*text++ - '3');
		if (!*text)
			return true;
		if (*text++ != ',')
			break;
	}
	return false;
}

static bool put_string(struct nl *nl, const struct field *field,
		       const char *text)
{
	size_t len = strlen(text);

	if (len > NL_STRING_MAX || (!len && field->kind != FIELD_TEXT))
		return false;
	/* An empty string is its end alone. */
	nl_put(nl, field->attr, text, len ?: 1);
	return true;
}

static bool read_reason_arg(const char *text, uint64_t *value)
{
	uint32_t reason;
	char *end;

	if (!reason_read(text, &reason)) {
		reason = strtoul(text, &end, 0);
		if (end == text || *end)
			return false;
	}
	*value = reason;
	return true;
}

/**
 * field_put_address() - add an address to a request
 * @nl: with a request begun
 * @field: what the address is
 * @address: the address
 */
void field_put_address(struct nl *nl, const struct field *field,
		       const struct address *address)
{
	if (address->len)
		nl_put(nl, field->attr + (address->len == 4 ? ADDRESS_ADDR4 :
							      ADDRESS_ADDR6),
		       address->bytes, address->len);
	if (address->ifindex)
		nl_put_uint(nl, field->attr + ADDRESS_IFINDEX,
			    address->ifindex, sizeof(address->ifindex));
	nl_put_uint(nl, field->attr + ADDRESS_PORT, address->port,
		    sizeof(address->port));
}

static bool put_address(struct nl *nl, const struct field *field,
			const char *text)
{
	struct address address;

	if (!address_read(text, &address))
		return false;
	field_put_address(nl, field, &address);
	return true;
}

static bool put_network(struct nl *nl, const struct field *field,
			const char *text)
{
	struct address address;
	unsigned int prefix;

	if (!address_read_network(text, &address, &prefix))
		return false;
	nl_put(nl, field->attr + (address.len == 4 ? ADDRESS_ADDR4 :
						     ADDRESS_ADDR6),
	       address.bytes, address.len);
	if (prefix < 8 * address.len)
		nl_put_uint(nl, field->attr + NETWORK_PREFIX, prefix, 1);
	return true;
}

/**
 * field_number() - read an argument that goes into a request as a number
 * @field: what the argument is
 * @text: the argument
 * @value: the number
 *
 * Return: false if @text can't mean that, or @field is of another kind.
 */
bool field_number(const struct field *field, const char *text, uint64_t *value)
{
	uint64_t max = INT64_MAX;

	if (field->size)
		max = UINT64_MAX >> (64 - 8 * field->size);
	switch (field->kind) {
	case FIELD_NUMBER:
		return text_to_number(text, max, value);
	case FIELD_BYTES:
		return text_to_bytes(text, max, value);
	case FIELD_SECONDS:
		return text_to_seconds(text, max, value);
	case FIELD_SWITCH:
		*value = !strcmp(text, "on") || !strcmp(text, "1");
		return *value || !strcmp(text, "off") || !strcmp(text, "0");
	case FIELD_CHOICE:
		return read_name(field, text, value);
	case FIELD_VERSIONS:
		return read_levels(text, value);
	case FIELD_REASON:
		return read_reason_arg(text, value);
	default:
		return false;
	}
}

/**
 * field_put() - add an argument to a request
 * @nl: with a request begun
 * @field: what the argument is
 * @text: the argument; of no meaning for a flag
 *
 * Return: false if @text can't mean that.
 */
bool field_put(struct nl *nl, const struct field *field, const char *text)
{
	uint64_t value;

	switch (field->kind) {
	case FIELD_STRING:
	case FIELD_TEXT:
		return put_string(nl, field, text);
	case FIELD_ADDRESS:
		return put_address(nl, field, text);
	case FIELD_NETWORK:
		return put_network(nl, field, text);
	case FIELD_FLAG:
		nl_put(nl, field->attr, NULL, 0);
		return true;
	default:
		if (!field_number(field, text, &value))
			return false;
		nl_put_uint(nl, field->attr, value, field->size);
		return true;
	}
}

/**
 * field_wants() - what field_put() would have liked
 * @field: what an argument should have been
 *
 * Return: a few words.
 */
const char *field_wants(const struct field *field)
{
	switch (field->kind) {
	case FIELD_BYTES:
		return "a size, as 1000000 or 64M";
	case FIELD_SECONDS:
		return "a time, as 90 or 2m";
	case FIELD_SWITCH:
		return "on or off";
	case FIELD_CHOICE:
		return "one of the choices in kmqttctl(8)";
	case FIELD_VERSIONS:
		return "versions as 3,4,5 or 5";
	case FIELD_REASON:
		return "a reason of kmqttctl(8)";
	case FIELD_STRING:
		return "a string of 1 to 65531 bytes";
	case FIELD_TEXT:
		return "a text of up to 1024 bytes, '' for none";
	case FIELD_ADDRESS:
		return "an address with a port, as 127.0.0.1:1883, [::1]:1883 or *:1883";
	case FIELD_NETWORK:
		return "an address or a network, as 192.0.2.7 or 2001:db8::/32";
	default:
		return "a number that fits";
	}
}

/**
 * field_by_name() - find a field by what arguments call it
 * @fields: where to look
 * @name: its name
 *
 * Return: the field or NULL.
 */
const struct field *field_by_name(const struct field *fields, const char *name)
{
	for (; fields->kind; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

/**
 * field_by_attr() - find a field by its attribute
 * @fields: where to look
 * @attr: the attribute, or any of those that make an address
 *
 * Return: the field or NULL.
 */
const struct field *field_by_attr(const struct field *fields, uint16_t attr)
{
	uint16_t last;

	for (; fields->kind; fields++) {
		last = fields->attr;
		if (fields->kind == FIELD_ADDRESS)
			last += ADDRESS_PORT;
		if (fields->kind == FIELD_NETWORK)
			last += NETWORK_PREFIX;
		if (attr >= fields->attr && attr <= last)
			return fields;
	}
	return NULL;
}

/**
 * field_name_of_attr() - what an attribute is called
 * @fields: where to look
 * @attr: the attribute
 *
 * Return: its name, or NULL if nobody knows.
 */
const char *field_name_of_attr(const struct field *fields, uint16_t attr)
{
	const struct field *field = field_by_attr(fields, attr);

	if (!field)
		return NULL;
	if (field->kind == FIELD_ADDRESS) {
		if (attr == field->attr + ADDRESS_IFINDEX)
			return "interface";
		if (attr == field->attr + ADDRESS_PORT)
			return "port";
	}
	return field->name;
}
