/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of the Paho C library as a scenario wants it: every call waits
 * for the broker's answer, and one that isn't given in time fails the
 * scenario. One thread only: the library serves all connections whenever one
 * of these calls waits.
 */
#ifndef PAHO_C_CLIENT_H
#define PAHO_C_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <MQTTClient.h>

/* How a client connects. */
struct client_options {
	const char *id;
	bool keep_session;	/* connect without the clean session flag */
	const char *will_topic;	/* NULL: no will */
	const char *will_payload;
	int will_qos;
	bool will_retained;

	/* MQTT 5 */
	unsigned int expiry;	/* seconds that the session is kept */
	int keep_alive;		/* 0: that of the target */
	MQTTProperties properties;	/* of CONNECT; the client frees them */
	MQTTProperties will_properties;
};

struct message {
	char *topic;
	const char *payload;
	size_t len;
	int qos;
	bool retained;
	MQTTProperties *properties;
	MQTTClient_message *paho;	/* what the library gave, topic apart */
};

struct client;

/* Where the broker is, what it is spoken to in, and how long it may take. */
struct target {
	char uri[300];
	int mqtt_version;	/* MQTTVERSION_3_1, _3_1_1 or _5 */
	int scale;		/* KMQTT_TIMEOUT_SCALE */
	int timeout;		/* seconds that one answer may take */
	int keep_alive;		/* seconds */

	bool websocket;
	bool tls;

	/* Files; NULL: without a certificate of theirs, and of ours */
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;

	const char *tls_psk;	/* IDENTITY:KEY, or NULL */
};

extern struct target target;

struct client *client_connect(const struct client_options *options);

/* With MQTT 3.1.1: the library doesn't know it of others. */
bool client_session_present(const struct client *c);

/* What CONNACK says, with MQTT 5. */
MQTTProperties *client_connack(struct client *c);

/* The reason code of a CONNACK that refuses. */
int client_connect_refused(const struct client_options *options);

/*
 * Returns the QoS that was granted. With MQTT 5 there may be options and
 * properties.
 */
int client_subscribe(struct client *c, const char *filter, int qos);
int client_subscribe_with(struct client *c, const char *filter, int qos,
			  MQTTSubscribe_options *options,
			  MQTTProperties *properties);

/* Returns the reason code, which only MQTT 5 has. */
int client_unsubscribe(struct client *c, const char *filter);

/* Publish without waiting; client_drain() waits for what is on its way. */
void client_send(struct client *c, const char *topic, const void *payload,
		 size_t len, int qos, bool retained);
void client_drain(struct client *c);

/* Publish a text, and wait until it is acknowledged. */
void client_publish(struct client *c, const char *topic, const char *text,
		    int qos, bool retained);
void client_publish_with(struct client *c, const char *topic, const char *text,
			 int qos, bool retained, MQTTProperties *properties);

/* The next message; good until client_free_message(). */
struct message client_next(struct client *c);
void client_free_message(struct message *m);

/* Fail unless the next message is exactly this one. */
void client_expect(struct client *c, const char *topic, const char *text,
		   int qos, bool retained);

/* The same for a message that the caller frees. */
struct message client_take(struct client *c, const char *topic,
			   const char *text, int qos, bool retained);

/* Wait until the broker has ended the connection; connect once more. */
void client_wait_lost(struct client *c);
void client_reconnect(struct client *c);

/* End the connection with a DISCONNECT packet. */
void client_disconnect(struct client *c);
void client_disconnect_with(struct client *c, MQTTProperties *properties);

/* Drop every client that a scenario has left. */
void client_drop_all(void);

/* Report why, and leave the scenario. Main thread only. */
void scenario_fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

#endif
