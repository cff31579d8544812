// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "property.h"

static void add(MQTTProperties *all, MQTTProperty *property)
{
	if (MQTTProperties_add(all, property))
		scenario_fail("no room for a property");
}

void add_number(MQTTProperties *all, enum MQTTPropertyCodes code,
		unsigned int number)
{
	MQTTProperty property = { .identifier = code };

	switch (MQTTProperty_getType(code)) {
	case MQTTPROPERTY_TYPE_BYTE:
		property.value.byte = number;
		break;
	case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER:
		property.value.integer2 = number;
		break;
	default:
		property.value.integer4 = number;
	}
	add(all, &property);
}

void add_data(MQTTProperties *all, enum MQTTPropertyCodes code,
	      const char *data, int len)
{
	MQTTProperty property = { .identifier = code };

	property.value.data.data = (char *)data;
	property.value.data.len = len;
	add(all, &property);
}

void add_text(MQTTProperties *all, enum MQTTPropertyCodes code,
	      const char *text)
{
	add_data(all, code, text, strlen(text));
}

void add_user(MQTTProperties *all, const char *name, const char *value)
{
	MQTTProperty property = {
		.identifier = MQTTPROPERTY_CODE_USER_PROPERTY,
	};

	property.value.data.data = (char *)name;
	property.value.data.len = strlen(name);
	property.value.value.data = (char *)value;
	property.value.value.len = strlen(value);
	add(all, &property);
}

long number_of(MQTTProperties *all, enum MQTTPropertyCodes code)
{
	if (!MQTTProperties_hasProperty(all, code))
		return -1;
	return (unsigned int)MQTTProperties_getNumericValue(all, code);
}

const char *text_of(MQTTProperties *all, enum MQTTPropertyCodes code)
{
	MQTTProperty *property = MQTTProperties_getProperty(all, code);
	static char text[300];

	text[0] = '\0';
	if (property)
		snprintf(text, sizeof(text), "%.*s", property->value.data.len,
			 property->value.data.data);
	return text;
}

static bool same_string(const MQTTLenString *a, const MQTTLenString *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static bool same_value(MQTTProperties *all_a, MQTTProperty *a,
		       MQTTProperties *all_b, MQTTProperty *b)
{
	switch (MQTTProperty_getType(a->identifier)) {
	case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR:
		return same_string(&a->value.data, &b->value.data) &&
		       same_string(&a->value.value, &b->value.value);
	case MQTTPROPERTY_TYPE_UTF_8_ENCODED_STRING:
	case MQTTPROPERTY_TYPE_BINARY_DATA:
		return same_string(&a->value.data, &b->value.data);
	default:
		return number_of(all_a, a->identifier) ==
		       number_of(all_b, b->identifier);
	}
}

bool same_properties(MQTTProperties *a, MQTTProperties *b)
{
	int i, k, nth;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		enum MQTTPropertyCodes code = a->array[i].identifier;
		MQTTProperty *other;

		for (k = 0, nth = 0; k < i; k++)
			nth += a->array[k].identifier == code;
		other = MQTTProperties_getPropertyAt(b, code, nth);
		if (!other || !same_value(a, &a->array[i], b, other))
			return false;
	}
	return true;
}
