// SPDX-License-Identifier: GPL-2.0
/* What only MQTT 5 has. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <MQTTClient.h>

#include "client.h"
#include "scenarios.h"
#include "stage.h"

static void add_text(MQTTProperties *all, enum MQTTPropertyCodes code,
		     const char *text, const char *value)
{
	MQTTProperty property = { .identifier = code };

	property.value.data.data = (char *)text;
	property.value.data.len = strlen(text);
	if (value) {
		property.value.value.data = (char *)value;
		property.value.value.len = strlen(value);
	}
	expect(!MQTTProperties_add(all, &property));
}

static void add_byte(MQTTProperties *all, enum MQTTPropertyCodes code, int n)
{
	MQTTProperty property = { .identifier = code };

	property.value.byte = n;
	expect(!MQTTProperties_add(all, &property));
}

static bool same(const MQTTLenString *a, const MQTTLenString *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static const MQTTLenString *text_of(const MQTTProperties *all,
				    enum MQTTPropertyCodes code)
{
	MQTTProperty *p = MQTTProperties_getProperty((MQTTProperties *)all,
						     code);

	expect(p);
	return &p->value.data;
}

static int number_of(const MQTTProperties *all, enum MQTTPropertyCodes code)
{
	return MQTTProperties_getNumericValue((MQTTProperties *)all, code);
}

/* Of the same name several times, and in order. */
static void expect_user_properties(const MQTTProperties *got,
				   const MQTTProperties *sent)
{
	const MQTTProperty *g = got->array, *s = sent->array;
	int left = got->count, i;

	for (i = 0; i < sent->count; i++, s++) {
		if (s->identifier != MQTTPROPERTY_CODE_USER_PROPERTY)
			continue;
		while (left && g->identifier != MQTTPROPERTY_CODE_USER_PROPERTY) {
			g++;
			left--;
		}
		expect(left);
		expect(same(&g->value.data, &s->value.data));
		expect(same(&g->value.value, &s->value.value));
		g++;
		left--;
	}
}

static void properties(void)
{
	static const enum MQTTPropertyCodes texts[] = {
		MQTTPROPERTY_CODE_CONTENT_TYPE,
		MQTTPROPERTY_CODE_RESPONSE_TOPIC,
		MQTTPROPERTY_CODE_CORRELATION_DATA,
	};
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");
	MQTTProperties sent = MQTTProperties_initializer;
	struct message m;
	int format = MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR;
	int qos, i;

	add_text(&sent, texts[0], "text/plain", NULL);
	add_text(&sent, texts[1], topic("answer"), NULL);
	add_text(&sent, texts[2], "\xff\x01 id", NULL);
	add_byte(&sent, format, 1);
	add_text(&sent, MQTTPROPERTY_CODE_USER_PROPERTY, "b", "2");
	add_text(&sent, MQTTPROPERTY_CODE_USER_PROPERTY, "a", "1");
	add_text(&sent, MQTTPROPERTY_CODE_USER_PROPERTY, "b", "1");
	client_subscribe(sub, topic("t"), 2);
	for (qos = 0; qos <= 2; qos++) {
		client_publish_with(pub, topic("t"), "text", qos, &sent);
		m = client_next(sub);
		expect(m.qos == qos && m.len == 4);
		expect(m.properties->count == sent.count);
		for (i = 0; i < 3; i++)
			expect(same(text_of(m.properties, texts[i]),
				    text_of(&sent, texts[i])));
		expect(number_of(m.properties, format) == 1);
		expect_user_properties(m.properties, &sent);
		client_free_message(&m);
	}
	MQTTProperties_free(&sent);
	client_disconnect(pub);
	client_disconnect(sub);
}

/* The subscription tells whether it is the session of before. */
static struct client *again(long expiry, bool present)
{
	struct client_options options = {
		.id = id("sub"),
		.keep_session = true,
		.expiry = expiry,
	};
	struct client *c = client_connect(&options);

	client_publish(c, topic("t"), "still there", 1, false);
	if (present)
		client_expect(c, topic("t"), "still there", 1, false);
	client_subscribe(c, topic("t"), 1);
	client_publish(c, topic("t"), "end", 1, false);
	client_expect(c, topic("t"), "end", 1, false);
	return c;
}

static void session_expiry(void)
{
	client_disconnect(again(3600, false));
	client_disconnect(again(1, true));
	usleep(2500000);
	client_disconnect(again(0, false));
	client_disconnect_expiry(again(3600, false), 0);
	client_disconnect_expiry(again(1, false), 3600);
	usleep(2500000);
	client_disconnect(again(0, true));
	client_disconnect(again(0, false));
}

const struct scenario scenarios_v5[] = {
	{ "properties of messages, user properties in order", properties,
	  false },
	{ "session expiry, also changed at disconnect", session_expiry, false },
	{ 0 }
};
