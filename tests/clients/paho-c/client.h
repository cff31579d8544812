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

struct MQTTProperties;

/* How a client connects. */
struct client_options {
	const char *id;
	bool keep_session;	/* connect without the clean session flag */
	const char *will_topic;	/* NULL: no will */
	const char *will_payload;
	int will_qos;
	bool will_retained;
	long expiry;		/* of the session, in seconds; MQTT 5 only */
};

struct message {
	char *topic;
	const char *payload;
	size_t len;
	int qos;
	bool retained;
	const struct MQTTProperties *properties;
	void *paho;		/* what the library gave, topic apart */
};

struct client;

/* Where the broker is, what it is spoken to in, and how long it may take. */
struct target {
	char uri[300];
	int mqtt_version;	/* MQTTVERSION_3_1, _3_1_1 or _5 */
	int timeout;		/* seconds that one answer may take */
	int keep_alive;		/* seconds */
};

extern struct target target;

struct client *client_connect(const struct client_options *options);
bool client_session_present(const struct client *c);

int client_subscribe(struct client *c, const char *filter, int qos);
void client_unsubscribe(struct client *c, const char *filter);

/* Publish without waiting; client_drain() waits for what is on its way. */
void client_send(struct client *c, const char *topic, const void *payload,
		 size_t len, int qos, bool retained);
void client_drain(struct client *c);

/* Publish a text, and wait until it is acknowledged. */
void client_publish(struct client *c, const char *topic, const char *text,
		    int qos, bool retained);

/* Likewise with properties, of MQTT 5 only. */
void client_publish_with(struct client *c, const char *topic, const char *text,
			 int qos, const struct MQTTProperties *properties);

/* The next message; good until client_free_message(). */
struct message client_next(struct client *c);
void client_free_message(struct message *m);

/* Fail unless the next message is exactly this one. */
void client_expect(struct client *c, const char *topic, const char *text,
		   int qos, bool retained);

/* Wait until the broker has ended the connection; connect once more. */
void client_wait_lost(struct client *c);
void client_reconnect(struct client *c);

/* End the connection with a DISCONNECT packet. */
void client_disconnect(struct client *c);

/* With MQTT 5, and change the expiry of the session. */
void client_disconnect_expiry(struct client *c, long expiry);

/* Drop every client that a scenario has left. */
void client_drop_all(void);

/* Report why, and leave the scenario. Main thread only. */
void scenario_fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

#endif
