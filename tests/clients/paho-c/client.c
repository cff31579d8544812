// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTClient.h>

#include "client.h"

struct target target;

struct client {
	struct client *next;		/* in all_clients */
	MQTTClient paho;
	struct client_options options;
	MQTTClient_deliveryToken last_sent;
	bool session_present;
};

static struct client *all_clients;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int timeout_ms(void)
{
	return target.timeout * 1000;
}

static void check(const struct client *c, int rc, const char *what)
{
	if (rc != MQTTCLIENT_SUCCESS)
		scenario_fail("%s: %s: %s", c->options.id, what,
			      MQTTClient_strerror(rc) ?: "refused");
}

static bool v5(void)
{
	return target.mqtt_version == MQTTVERSION_5;
}

/* With MQTT 5 an answer has a reason, and more that nobody asks for here. */
static int reason_of(MQTTResponse response)
{
	int reason = response.reasonCode;

	MQTTResponse_free(response);
	return reason;
}

static void add_expiry(MQTTProperties *properties, long expiry)
{
	MQTTProperty property = {
		.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
		.value.integer4 = expiry,
	};

	MQTTProperties_add(properties, &property);
}

static void connect_v5(struct client *c, MQTTClient_connectOptions *connect)
{
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTResponse response;

	connect->cleansession = 0;
	connect->cleanstart = !c->options.keep_session;
	if (c->options.expiry)
		add_expiry(&properties, c->options.expiry);
	response = MQTTClient_connect5(c->paho, connect, &properties, NULL);
	MQTTProperties_free(&properties);
	check(c, reason_of(response), "connect");
}

void client_reconnect(struct client *c)
{
	MQTTClient_connectOptions connect =
		MQTTClient_connectOptions_initializer;
	MQTTClient_connectOptions connect5 =
		MQTTClient_connectOptions_initializer5;
	MQTTClient_willOptions will = MQTTClient_willOptions_initializer;

	if (v5())
		connect = connect5;
	connect.MQTTVersion = target.mqtt_version;
	connect.keepAliveInterval = target.keep_alive;
	connect.connectTimeout = target.timeout;
	connect.cleansession = !c->options.keep_session;
	connect.reliable = 0;
	connect.maxInflightMessages = 65535;
	if (c->options.will_topic) {
		will.topicName = c->options.will_topic;
		will.message = c->options.will_payload;
		will.qos = c->options.will_qos;
		will.retained = c->options.will_retained;
		connect.will = &will;
	}
	if (v5())
		connect_v5(c, &connect);
	else
		check(c, MQTTClient_connect(c->paho, &connect), "connect");
	c->session_present = connect.returned.sessionPresent;
}

struct client *client_connect(const struct client_options *options)
{
	MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		scenario_fail("out of memory");
	c->options = *options;
	c->next = all_clients;
	all_clients = c;
	create.MQTTVersion = target.mqtt_version;
	check(c, MQTTClient_createWithOptions(&c->paho, target.uri, options->id,
					      MQTTCLIENT_PERSISTENCE_NONE, NULL,
					      &create),
	      "create");
	MQTTClient_setCommandTimeout(c->paho, timeout_ms());
	client_reconnect(c);
	return c;
}

bool client_session_present(const struct client *c)
{
	return c->session_present;
}

/* Only the call for many filters tells the QoS that was granted. */
int client_subscribe(struct client *c, const char *filter, int qos)
{
	char *filters[] = { (char *)filter };

	if (v5())
		return reason_of(MQTTClient_subscribe5(c->paho, filter, qos,
						       NULL, NULL));

	check(c, MQTTClient_subscribeMany(c->paho, 1, filters, &qos),
	      "subscribe");
	return qos;
}

void client_unsubscribe(struct client *c, const char *filter)
{
	if (!v5())
		check(c, MQTTClient_unsubscribe(c->paho, filter),
		      "unsubscribe");
	else if (reason_of(MQTTClient_unsubscribe5(c->paho, filter, NULL)) < 0)
		scenario_fail("%s: unsubscribe", c->options.id);
}

void client_send(struct client *c, const char *topic, const void *payload,
		 size_t len, int qos, bool retained)
{
	if (v5())
		check(c, reason_of(MQTTClient_publish5(c->paho, topic, len,
						       payload, qos, retained,
						       NULL, &c->last_sent)),
		      "publish");
	else
		check(c, MQTTClient_publish(c->paho, topic, len, payload, qos,
					    retained, &c->last_sent),
		      "publish");
}

/* The library acknowledges QoS 0 by itself once it is written. */
void client_drain(struct client *c)
{
	MQTTClient_deliveryToken *pending;
	long until = now_ms() + timeout_ms();

	for (;;) {
		MQTTClient_deliveryToken last;

		check(c, MQTTClient_getPendingDeliveryTokens(c->paho,
							     &pending),
		      "pending deliveries");
		if (!pending)
			break;
		last = pending[0];
		MQTTClient_free(pending);
		if (now_ms() > until)
			scenario_fail("%s: publication %d isn't acknowledged",
				      c->options.id, last);
		check(c, MQTTClient_waitForCompletion(c->paho, last,
						      until - now_ms()),
		      "acknowledgement");
	}
}

void client_publish(struct client *c, const char *topic, const char *text,
		    int qos, bool retained)
{
	client_send(c, topic, text, strlen(text), qos, retained);
	client_drain(c);
}

void client_publish_with(struct client *c, const char *topic, const char *text,
			 int qos, const struct MQTTProperties *properties)
{
	MQTTClient_message message = MQTTClient_message_initializer;
	MQTTResponse response;

	message.payload = (char *)text;
	message.payloadlen = strlen(text);
	message.qos = qos;
	message.properties = *properties;
	response = MQTTClient_publishMessage5(c->paho, topic, &message,
					      &c->last_sent);
	check(c, reason_of(response), "publish");
	client_drain(c);
}

struct message client_next(struct client *c)
{
	MQTTClient_message *paho = NULL;
	struct message m = { 0 };
	int topic_len, rc;

	rc = MQTTClient_receive(c->paho, &m.topic, &topic_len, &paho,
				timeout_ms());
	if (!paho) {
		check(c, rc, "receive");
		scenario_fail("%s: no message within %d s", c->options.id,
			      target.timeout);
	}
	m.payload = paho->payload;
	m.len = paho->payloadlen;
	m.qos = paho->qos;
	m.retained = paho->retained;
	m.properties = &paho->properties;
	m.paho = paho;
	return m;
}

void client_free_message(struct message *m)
{
	MQTTClient_message *paho = m->paho;

	MQTTClient_freeMessage(&paho);
	MQTTClient_free(m->topic);
}

void client_expect(struct client *c, const char *topic, const char *text,
		   int qos, bool retained)
{
	struct message m = client_next(c);

	if (strcmp(m.topic, topic) || m.len != strlen(text) ||
	    memcmp(m.payload, text, m.len) || m.qos != qos ||
	    m.retained != retained)
		scenario_fail("%s: got %s '%.*s' %d %d, expected %s '%s' %d %d",
			      c->options.id, m.topic,
			      (int)(m.len < 100 ? m.len : 100), m.payload,
			      m.qos, m.retained, topic, text, qos, retained);
	client_free_message(&m);
}

void client_wait_lost(struct client *c)
{
	long until = now_ms() + timeout_ms();

	while (MQTTClient_isConnected(c->paho)) {
		MQTTClient_message *message = NULL;
		char *topic;
		int len;

		if (now_ms() > until)
			scenario_fail("%s: still connected after %d s",
				      c->options.id, target.timeout);
		MQTTClient_receive(c->paho, &topic, &len, &message, 100);
		if (message)
			scenario_fail("%s: got %s after it was replaced",
				      c->options.id, topic);
	}
}

static void client_drop(struct client *c)
{
	struct client **link;

	for (link = &all_clients; *link != c; link = &(*link)->next)
		;
	*link = c->next;
	MQTTClient_destroy(&c->paho);
	free(c);
}

void client_disconnect(struct client *c)
{
	if (v5())
		check(c, MQTTClient_disconnect5(c->paho, timeout_ms(),
						MQTTREASONCODE_SUCCESS, NULL),
		      "disconnect");
	else
		check(c, MQTTClient_disconnect(c->paho, timeout_ms()),
		      "disconnect");
	client_drop(c);
}

void client_disconnect_expiry(struct client *c, long expiry)
{
	MQTTProperties properties = MQTTProperties_initializer;

	add_expiry(&properties, expiry);
	check(c, MQTTClient_disconnect5(c->paho, timeout_ms(),
					MQTTREASONCODE_SUCCESS, &properties),
	      "disconnect");
	MQTTProperties_free(&properties);
	client_drop(c);
}

void client_drop_all(void)
{
	while (all_clients)
		client_drop(all_clients);
}
