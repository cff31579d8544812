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
	int mqtt_version;
	MQTTClient_deliveryToken last_sent;
	bool session_present;
	MQTTProperties connack;
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

static bool v5(const struct client *c)
{
	return c->mqtt_version == MQTTVERSION_5;
}

/* The reason code is negative when the library has failed. */
static int take(MQTTResponse response)
{
	int code = response.reasonCode;

	MQTTResponse_free(response);
	return code;
}

/*
 * Fails unless @code, a reason code or, below zero, the library's, is a
 * success.
 */
static void check_reason(const struct client *c, int code, const char *what)
{
	check(c, code < 0 ? code : MQTTCLIENT_SUCCESS, what);
	if (code >= MQTTREASONCODE_UNSPECIFIED_ERROR)
		scenario_fail("%s: %s: %s", c->options.id, what,
			      MQTTReasonCode_toString(code) ?: "refused");
}

static int connect5(struct client *c, MQTTClient_connectOptions *connect)
{
	MQTTProperties all = MQTTProperties_copy(&c->options.properties);
	MQTTProperty expiry = {
		.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
		.value.integer4 = c->options.expiry,
	};
	MQTTResponse response;

	if (c->options.expiry)
		MQTTProperties_add(&all, &expiry);
	connect->cleansession = 0;
	connect->cleanstart = !c->options.keep_session;
	response = MQTTClient_connect5(c->paho, connect, &all,
				       connect->will ?
				       &c->options.will_properties : NULL);
	MQTTProperties_free(&all);
	MQTTProperties_free(&c->connack);
	if (response.properties)
		c->connack = MQTTProperties_copy(response.properties);
	return take(response);
}

/* Returns the length of the key; 0: there is none, and no connection. */
static unsigned int give_psk(const char *hint, char *identity,
			     unsigned int identity_size, unsigned char *key,
			     unsigned int key_size, void *context)
{
	const char *psk = context, *hex = strchr(psk, ':');
	unsigned int len = 0;

	(void)hint;
	if (!hex || hex - psk >= identity_size)
		return 0;
	snprintf(identity, identity_size, "%.*s", (int)(hex - psk), psk);
	for (hex++; len < key_size && sscanf(hex, "%2hhx", &key[len]) == 1;
	     hex += 2)
		len++;
	return *hex ? 0 : len;
}

static MQTTClient_SSLOptions tls_options(void)
{
	MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;

	tls.trustStore = target.tls_ca;
	tls.keyStore = target.tls_cert;
	tls.privateKey = target.tls_key;
	/* Who knows the key has no certificate that could have a name. */
	tls.verify = !target.tls_psk;
	if (target.tls_psk) {
		tls.ssl_psk_cb = give_psk;
		tls.ssl_psk_context = (void *)target.tls_psk;
		tls.disableDefaultTrustStore = 1;
	}
	return tls;
}

static int connect_now(struct client *c)
{
	MQTTClient_connectOptions connect =
		MQTTClient_connectOptions_initializer;
	MQTTClient_SSLOptions tls = tls_options();
	MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
	int code;

	connect.MQTTVersion = c->mqtt_version;
	connect.keepAliveInterval = c->options.keep_alive ?: target.keep_alive;
	connect.connectTimeout = target.timeout;
	connect.cleansession = !c->options.keep_session;
	connect.reliable = 0;
	connect.maxInflightMessages = 65535;
	if (target.tls)
		connect.ssl = &tls;
	if (c->options.will_topic) {
		will.topicName = c->options.will_topic;
		will.message = c->options.will_payload;
		will.qos = c->options.will_qos;
		will.retained = c->options.will_retained;
		connect.will = &will;
	}
	code = v5(c) ? connect5(c, &connect) :
		      MQTTClient_connect(c->paho, &connect);
	c->session_present = connect.returned.sessionPresent;
	return code;
}

void client_reconnect(struct client *c)
{
	int code = connect_now(c);

	if (v5(c))
		check_reason(c, code, "connect");
	else
		check(c, code, "connect");
}

static struct client *create(const struct client_options *options)
{
	MQTTClient_createOptions how = MQTTClient_createOptions_initializer;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		scenario_fail("out of memory");
	c->options = *options;
	c->mqtt_version = target.mqtt_version;
	c->next = all_clients;
	all_clients = c;
	how.MQTTVersion = c->mqtt_version;
	check(c, MQTTClient_createWithOptions(&c->paho, target.uri, options->id,
					      MQTTCLIENT_PERSISTENCE_NONE, NULL,
					      &how),
	      "create");
	MQTTClient_setCommandTimeout(c->paho, timeout_ms());
	return c;
}

struct client *client_connect(const struct client_options *options)
{
	struct client *c = create(options);

	client_reconnect(c);
	return c;
}

static void client_drop(struct client *c)
{
	struct client **link;

	for (link = &all_clients; *link != c; link = &(*link)->next)
		;
	*link = c->next;
	MQTTClient_destroy(&c->paho);
	MQTTProperties_free(&c->options.properties);
	MQTTProperties_free(&c->options.will_properties);
	MQTTProperties_free(&c->connack);
	free(c);
}

int client_connect_refused(const struct client_options *options)
{
	struct client *c = create(options);
	int code = connect_now(c);

	if (code == MQTTCLIENT_SUCCESS)
		scenario_fail("%s: it wasn't refused", options->id);
	client_drop(c);
	return code;
}

MQTTProperties *client_connack(struct client *c)
{
	return &c->connack;
}

bool client_session_present(const struct client *c)
{
	return c->session_present;
}

int client_subscribe_with(struct client *c, const char *filter, int qos,
			  MQTTSubscribe_options *options,
			  MQTTProperties *properties)
{
	int code = take(MQTTClient_subscribe5(c->paho, filter, qos, options,
					      properties));

	check_reason(c, code, "subscribe");
	return code;
}

/* Only the call for many filters tells the QoS that was granted. */
int client_subscribe(struct client *c, const char *filter, int qos)
{
	char *filters[] = { (char *)filter };

	if (v5(c))
		return client_subscribe_with(c, filter, qos, NULL, NULL);
	check(c, MQTTClient_subscribeMany(c->paho, 1, filters, &qos),
	      "subscribe");
	return qos;
}

int client_unsubscribe(struct client *c, const char *filter)
{
	int code;

	if (v5(c)) {
		code = take(MQTTClient_unsubscribe5(c->paho, filter, NULL));
		check_reason(c, code, "unsubscribe");
		return code;
	}
	check(c, MQTTClient_unsubscribe(c->paho, filter), "unsubscribe");
	return 0;
}

static void send_with(struct client *c, const char *topic, const void *payload,
		      size_t len, int qos, bool retained,
		      MQTTProperties *properties)
{
	MQTTResponse response = MQTTClient_publish5(c->paho, topic, len,
						    payload, qos, retained,
						    properties, &c->last_sent);

	check_reason(c, take(response), "publish");
}

void client_send(struct client *c, const char *topic, const void *payload,
		 size_t len, int qos, bool retained)
{
	if (v5(c)) {
		send_with(c, topic, payload, len, qos, retained, NULL);
		return;
	}
	check(c, MQTTClient_publish(c->paho, topic, len, payload, qos,
				    retained, &c->last_sent), "publish");
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
			 int qos, bool retained, MQTTProperties *properties)
{
	send_with(c, topic, text, strlen(text), qos, retained, properties);
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
	MQTTClient_freeMessage(&m->paho);
	MQTTClient_free(m->topic);
}

struct message client_take(struct client *c, const char *topic,
			   const char *text, int qos, bool retained)
{
	struct message m = client_next(c);

	if (strcmp(m.topic, topic) || m.len != strlen(text) ||
	    memcmp(m.payload, text, m.len) || m.qos != qos ||
	    m.retained != retained)
		scenario_fail("%s: got %s '%.*s' %d %d, expected %s '%s' %d %d",
			      c->options.id, m.topic,
			      (int)(m.len < 100 ? m.len : 100), m.payload,
			      m.qos, m.retained, topic, text, qos, retained);
	return m;
}

void client_expect(struct client *c, const char *topic, const char *text,
		   int qos, bool retained)
{
	struct message m = client_take(c, topic, text, qos, retained);

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

void client_disconnect_with(struct client *c, MQTTProperties *properties)
{
	check(c, MQTTClient_disconnect5(c->paho, timeout_ms(),
					MQTTREASONCODE_NORMAL_DISCONNECTION,
					properties), "disconnect");
	client_drop(c);
}

void client_disconnect(struct client *c)
{
	if (v5(c)) {
		client_disconnect_with(c, NULL);
		return;
	}
	check(c, MQTTClient_disconnect(c->paho, timeout_ms()), "disconnect");
	client_drop(c);
}

void client_drop_all(void)
{
	while (all_clients)
		client_drop(all_clients);
}
