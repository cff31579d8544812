/* SPDX-License-Identifier: GPL-2.0 */
/* MQTT 5's properties, with fewer words than the library needs. */
#ifndef PAHO_C_PROPERTY_H
#define PAHO_C_PROPERTY_H

#include <stdbool.h>

#include <MQTTClient.h>

#define NO_PROPERTIES	((MQTTProperties)MQTTProperties_initializer)

void add_number(MQTTProperties *all, enum MQTTPropertyCodes code,
		unsigned int number);
void add_data(MQTTProperties *all, enum MQTTPropertyCodes code,
	      const char *data, int len);
void add_text(MQTTProperties *all, enum MQTTPropertyCodes code,
	      const char *text);
void add_user(MQTTProperties *all, const char *name, const char *value);

/* -1 if there is none. */
long number_of(MQTTProperties *all, enum MQTTPropertyCodes code);

/* A string that is good until the next call, "" if there is none. */
const char *text_of(MQTTProperties *all, enum MQTTPropertyCodes code);

/* Are these the same properties? Only user properties have an order. */
bool same_properties(MQTTProperties *a, MQTTProperties *b);

#endif
