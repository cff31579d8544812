// SPDX-License-Identifier: GPL-2.0
/* What only MQTT 5 has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker.h"
#include "client.h"
#include "property.h"
#include "scenarios.h"
#include "stage.h"

#define SHARED		60

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Connect with one property more. */
static struct client *connect_with(const char *name,
				   enum MQTTPropertyCodes code,
				   unsigned int number)
{
	struct client_options options = { .id = id(name) };

	add_number(&options.properties, code, number);
	return client_connect(&options);
}

/* Connect with the session that there may be, and keep it for a time. */
static struct client *session_of(const char *name, unsigned int expiry)
{
	struct client_options options = {
		.id = id(name),
		.keep_session = true,
		.expiry = expiry,
	};

	return client_connect(&options);
}

static void disconnect_expiring(struct client *c, unsigned int expiry)
{
	MQTTProperties all = NO_PROPERTIES;

	add_number(&all, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, expiry);
	client_disconnect_with(c, &all);
	MQTTProperties_free(&all);
}

/* What the broker has for @sub by now must have come before this. */
static void nothing_but(struct client *pub, struct client *sub, const char *t)
{
	client_publish(pub, t, "marker", 1, false);
	client_expect(sub, t, "marker", 1, false);
}

/*
 * Is it the session that has subscribed to "t"? The library doesn't know of
 * the flag in CONNACK. If it isn't, it will be.
 */
static bool has_session(struct client *c)
{
	struct message m;
	bool has;

	client_publish(c, topic("t"), "from the session", 1, false);
	client_subscribe(c, topic("t"), 1);
	client_publish(c, topic("t"), "marker", 1, false);
	m = client_next(c);
	has = m.len != strlen("marker");
	client_free_message(&m);
	if (has)
		client_expect(c, topic("t"), "marker", 1, false);
	return has;
}

static void session_expiry(void)
{
	struct client_options clean = { .id = id("sub"), .expiry = 3600 };
	struct client *c;

	c = client_connect(&clean);
	expect(!has_session(c));
	client_disconnect(c);
	c = session_of("sub", 3600);
	expect(has_session(c));
	client_disconnect(c);
	c = client_connect(&clean);
	expect(!has_session(c));

	/* Changed at DISCONNECT, to less and to more. */
	disconnect_expiring(c, 0);
	c = session_of("sub", 1);
	expect(!has_session(c));
	disconnect_expiring(c, 3600);
	c = session_of("sub", 0);
	expect(has_session(c));
	client_disconnect(c);
	c = session_of("sub", 0);
	expect(!has_session(c));
	client_disconnect(c);
}

static void publish_expiring(struct client *c, const char *t, const char *text,
			     bool retained, unsigned int seconds)
{
	MQTTProperties all = NO_PROPERTIES;

	add_number(&all, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, seconds);
	client_publish_with(c, t, text, 1, retained, &all);
	MQTTProperties_free(&all);
}

static long take_expiring(struct client *c, const char *t, const char *text)
{
	struct message m = client_take(c, t, text, 1, false);
	long left = number_of(m.properties,
			      MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL);

	client_free_message(&m);
	return left;
}

static void message_expiry(void)
{
	struct client *pub = connect_as("pub"), *sub = resume_as("sub");
	double end = now() + target.timeout;
	bool expired = false;
	long left;

	client_subscribe(sub, topic("queue"), 1);
	client_disconnect(sub);
	publish_expiring(pub, topic("queue"), "long", false, 1000);
	publish_expiring(pub, topic("queue"), "short", false, 1);
	client_publish(pub, topic("queue"), "timeless", 1, false);

	/* A retained message that lives longer tells when that is over. */
	publish_expiring(pub, topic("short"), "short", true, 2);
	client_subscribe(pub, topic("marker"), 1);
	while (!expired) {
		struct message m;

		expect(now() < end);
		client_subscribe(pub, topic("short"), 1);
		client_publish(pub, topic("marker"), "", 1, false);
		m = client_next(pub);
		expired = !strcmp(m.topic, topic("marker"));
		client_free_message(&m);
		if (!expired)
			client_expect(pub, topic("marker"), "", 1, false);
	}

	sub = resume_as("sub");
	left = take_expiring(sub, topic("queue"), "long");
	if (left >= 1000 || left < 1000 - target.timeout)
		scenario_fail("of 1000 s, %ld are left", left);
	expect(take_expiring(sub, topic("queue"), "timeless") == -1);
	disconnect_expiring(sub, 0);
	client_disconnect(pub);
}

/* Short, but a client has to get some work done in it. */
static int will_delay_time(void)
{
	return target.scale < 4 ? 2 : 4;
}

static void will_delay(void)
{
	MQTTProperties wanted = NO_PROPERTIES;
	struct client *watch = connect_as("watch"), *back;
	struct message m;
	double start;

	add_user(&wanted, "b", "1");
	add_user(&wanted, "a", "2");
	add_user(&wanted, "b", "0");
	client_subscribe(watch, topic("will"), 1);

	/* Who comes back in time isn't dead. */
	die_with_late_will("back", topic("will"), "of the first", 1, false,
			   will_delay_time());
	back = resume_as("back");

	start = now();
	die_with_late_will("gone", topic("will"), "of the second", 1, false,
			   will_delay_time());
	m = client_take(watch, topic("will"), "of the second", 1, false);
	expect(now() - start > will_delay_time() - 0.5);
	expect(same_properties(m.properties, &wanted));
	client_free_message(&m);
	MQTTProperties_free(&wanted);

	disconnect_expiring(back, 0);
	client_disconnect(connect_as("gone"));
	client_disconnect(watch);
}

static void request_response(void)
{
	static const char number[] = { 0, 1, '\xff', '\xfe', 0 };
	struct client *asking = connect_as("asking");
	struct client *service = connect_as("service");
	MQTTProperties question = NO_PROPERTIES, answer = NO_PROPERTIES;
	MQTTProperty *correlation;
	struct message m;

	client_subscribe(asking, topic("answer"), 1);
	client_subscribe(service, topic("request"), 1);
	add_text(&question, MQTTPROPERTY_CODE_RESPONSE_TOPIC, topic("answer"));
	add_data(&question, MQTTPROPERTY_CODE_CORRELATION_DATA, number,
		 sizeof(number));
	client_publish_with(asking, topic("request"), "question", 1, false,
			    &question);

	m = client_take(service, topic("request"), "question", 1, false);
	expect(same_properties(m.properties, &question));
	correlation = MQTTProperties_getProperty(m.properties,
						 MQTTPROPERTY_CODE_CORRELATION_DATA);
	add_data(&answer, MQTTPROPERTY_CODE_CORRELATION_DATA,
		 correlation->value.data.data, correlation->value.data.len);
	client_publish_with(service,
			    text_of(m.properties,
				    MQTTPROPERTY_CODE_RESPONSE_TOPIC),
			    "answer", 1, false, &answer);
	client_free_message(&m);

	m = client_take(asking, topic("answer"), "answer", 1, false);
	expect(same_properties(m.properties, &answer));
	client_free_message(&m);
	MQTTProperties_free(&question);
	MQTTProperties_free(&answer);
	client_disconnect(service);
	client_disconnect(asking);
}

static void properties(void)
{
	struct client *pub = connect_as("pub"), *sub = connect_as("sub"), *late;
	MQTTProperties sent = NO_PROPERTIES, none = NO_PROPERTIES;
	struct message m;
	int qos;

	add_user(&sent, "b", "1");
	add_text(&sent, MQTTPROPERTY_CODE_CONTENT_TYPE, "text/plain; x=ä");
	add_user(&sent, "a", "");
	add_user(&sent, "b", "0");
	add_number(&sent, MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR, 1);
	add_user(&sent, "", "♥");
	add_user(&sent, "b", "1");
	client_subscribe(sub, topic("t"), 2);
	for (qos = 0; qos <= 2; qos++) {
		client_publish_with(pub, topic("t"), "text", qos, true, &sent);
		m = client_take(sub, topic("t"), "text", qos, false);
		expect(same_properties(m.properties, &sent));
		client_free_message(&m);
	}
	late = connect_as("late");
	client_subscribe(late, topic("t"), 1);
	m = client_take(late, topic("t"), "text", 1, true);
	expect(same_properties(m.properties, &sent));
	client_free_message(&m);

	client_publish(pub, topic("t"), "", 1, true);
	m = client_take(sub, topic("t"), "", 1, false);
	expect(same_properties(m.properties, &none));
	client_free_message(&m);
	MQTTProperties_free(&sent);
	client_disconnect(late);
	client_disconnect(sub);
	client_disconnect(pub);
}

static void alias_of_client(void)
{
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");
	long most = number_of(client_connack(pub),
			      MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM);
	const struct {
		long alias;
		const char *told, *meant;
	} messages[] = {
		{ 1, "one", "one" },
		{ 1, NULL, "one" },
		{ most, "two", "two" },
		{ most, NULL, "two" },
		{ 1, "three", "three" },
		{ 1, NULL, "three" },
	};
	size_t i;

	expect(most > 0);
	client_subscribe(sub, topic("#"), 1);
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		MQTTProperties all = NO_PROPERTIES;

		add_number(&all, MQTTPROPERTY_CODE_TOPIC_ALIAS,
			   messages[i].alias);
		client_publish_with(pub, messages[i].told ?
				    topic("%s", messages[i].told) : "",
				    "text", 1, false, &all);
		MQTTProperties_free(&all);
		client_expect(sub, topic("%s", messages[i].meant), "text", 1,
			      false);
	}
	client_disconnect(pub);
	client_disconnect(sub);
}

/* The library leaves them to the application. */
static void alias_of_broker(void)
{
	/* Often enough in a row for the broker to think that it's worth it. */
	static const int order[] = {
		1, 1, 1, 2, 2, 2, 3, 3, 3, 1, 2, 3, 1, 2, 3, 1, 1, 1,
	};
	struct client *pub = connect_as("pub"), *sub;
	char known[3][200] = { "", "", "" }, text[4];
	int used = 0;
	size_t i;

	sub = connect_with("sub", MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM, 2);
	client_subscribe(sub, topic("#"), 1);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct message m;
		long alias;

		sprintf(text, "%d", order[i]);
		client_publish(pub, topic("%s", text), text, 1, false);
		m = client_next(sub);
		alias = number_of(m.properties, MQTTPROPERTY_CODE_TOPIC_ALIAS);
		expect(alias == -1 || alias == 1 || alias == 2);
		if (!*m.topic) {
			expect(alias != -1);
			expect(!strcmp(known[alias], topic("%s", text)));
			used++;
		} else {
			expect(!strcmp(m.topic, topic("%s", text)));
			if (alias != -1)
				strcpy(known[alias], m.topic);
		}
		client_free_message(&m);
	}
	client_disconnect(sub);
	client_disconnect(pub);
	if (!used && !broker_has_settings())
		scenario_skip("the broker uses no topic aliases");
	expect(used);
}

/* The library heeds the broker's by itself. */
static void receive_maximum(void)
{
	struct client_options options = {
		.id = id("sub"),
		.keep_session = true,
		.expiry = 3600,
	};
	struct client *pub, *sub;
	char text[12];
	int i;

	if (broker_has_settings())
		broker_set("receive-max", 3);
	pub = connect_as("pub");
	sub = resume_as("sub");
	client_subscribe(sub, topic("queue"), 2);
	client_disconnect(sub);
	for (i = 0; i < 50; i++) {
		sprintf(text, "%d", i);
		client_send(pub, topic("queue"), text, strlen(text), 2, false);
	}
	client_drain(pub);
	add_number(&options.properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, 2);
	sub = client_connect(&options);
	for (i = 0; i < 50; i++) {
		sprintf(text, "%d", i);
		client_expect(sub, topic("queue"), text, 2, false);
	}
	disconnect_expiring(sub, 0);
	client_disconnect(pub);
}

static void packet_size(void)
{
	struct client *pub = connect_as("pub"), *sub;
	char large[301] = "";
	int qos;

	memset(large, 'x', sizeof(large) - 1);
	sub = connect_with("sub", MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, 300);
	client_subscribe(sub, topic("t"), 2);
	for (qos = 0; qos <= 2; qos++) {
		client_publish(pub, topic("t"), large, qos, false);
		client_publish(pub, topic("t"), "small", qos, false);
		client_expect(sub, topic("t"), "small", qos, false);
	}
	client_disconnect(sub);
	client_disconnect(pub);
}

/* The library doesn't heed it. */
static void packet_size_of_broker(void)
{
	char large[3000];
	struct client *pub;

	memset(large, 'x', sizeof(large));
	broker_set("max-packet-size", 2000);
	pub = connect_as("pub");
	expect(number_of(client_connack(pub),
			 MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE) == 2000);
	client_publish(pub, topic("t"), "small", 1, false);
	client_send(pub, topic("t"), large, sizeof(large), 1, false);
	client_wait_lost(pub);
}

static void server_keep_alive(void)
{
	struct client_options options = { .id = id("peer") };
	struct client *c;

	broker_set("max-keepalive", 50);
	options.keep_alive = 100;
	c = client_connect(&options);
	expect(number_of(client_connack(c),
			 MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE) == 50);
	client_disconnect(c);
	options.keep_alive = 20;
	c = client_connect(&options);
	expect(number_of(client_connack(c),
			 MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE) == -1);
	client_disconnect(c);
}

static void assigned_id(void)
{
	const int code = MQTTPROPERTY_CODE_ASSIGNED_CLIENT_IDENTIFER;
	struct client_options options = { .id = "" }, same = { 0 };
	struct client *first = client_connect(&options), *second, *again;
	char name[300];

	strcpy(name, text_of(client_connack(first), code));
	expect(*name);
	second = client_connect(&options);
	expect(strcmp(name, text_of(client_connack(second), code)));

	/* It is an id like any other. */
	same.id = name;
	again = client_connect(&same);
	client_wait_lost(first);
	expect(!*text_of(client_connack(again), code));
	client_disconnect(again);
	client_disconnect(second);
}

static void no_local(void)
{
	MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
	struct client *a = connect_as("a"), *b = connect_as("b");

	options.noLocal = 1;
	client_subscribe_with(a, topic("quiet"), 1, &options, NULL);
	client_subscribe_with(b, topic("quiet"), 1, &options, NULL);
	client_subscribe(a, topic("loud"), 1);
	client_publish(a, topic("quiet"), "from a", 1, false);
	client_publish(a, topic("loud"), "from a", 1, false);
	client_expect(b, topic("quiet"), "from a", 1, false);
	client_expect(a, topic("loud"), "from a", 1, false);
	client_disconnect(a);
	client_disconnect(b);
}

static void retain_as_published(void)
{
	MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");

	options.retainAsPublished = 1;
	client_subscribe_with(sub, topic("with"), 1, &options, NULL);
	client_subscribe(sub, topic("without"), 1);
	client_publish(pub, topic("with"), "kept", 1, true);
	client_expect(sub, topic("with"), "kept", 1, true);
	client_publish(pub, topic("without"), "kept", 1, true);
	client_expect(sub, topic("without"), "kept", 1, false);
	client_publish(pub, topic("with"), "not kept", 1, false);
	client_expect(sub, topic("with"), "not kept", 1, false);
	client_publish(pub, topic("with"), "", 1, true);
	client_publish(pub, topic("without"), "", 1, true);
	client_disconnect(pub);
	client_disconnect(sub);
}

static void retain_handling(void)
{
	MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");
	int round, i;

	client_subscribe(sub, topic("marker"), 1);
	for (i = 0; i < 3; i++)
		client_publish(pub, topic("%d", i), "kept", 1, true);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3; i++) {
			options.retainHandling = i;
			client_subscribe_with(sub, topic("%d", i), 1, &options,
					      NULL);
		}
		client_expect(sub, topic("0"), "kept", 1, true);
		/* The second is new in the first round, and in the last. */
		if (round != 1)
			client_expect(sub, topic("1"), "kept", 1, true);
		nothing_but(pub, sub, topic("marker"));
		if (round == 1)
			client_unsubscribe(sub, topic("1"));
	}
	client_disconnect(sub);
	for (i = 0; i < 3; i++)
		client_publish(pub, topic("%d", i), "", 1, true);
	client_disconnect(pub);
}

static void subscribe_numbered(struct client *c, const char *filter,
			       unsigned int number)
{
	MQTTProperties all = NO_PROPERTIES;

	add_number(&all, MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, number);
	client_subscribe_with(c, filter, 1, NULL, &all);
	MQTTProperties_free(&all);
}

/* The sum of the identifiers that a message comes with. */
static unsigned int sum_of_ids(struct client *pub, struct client *sub,
			       const char *t, int ids)
{
	const int code = MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER;
	unsigned int sum = 0;
	int i, count = 0;

	client_publish(pub, t, "text", 1, false);
	/* Overlapping subscriptions may have one copy, or one each. */
	do {
		struct message m = client_take(sub, t, "text", 1, false);
		int here = MQTTProperties_propertyCount(m.properties, code);

		for (i = 0; i < here; i++)
			sum += MQTTProperties_getNumericValueAt(m.properties,
								code, i);
		count += here;
		client_free_message(&m);
	} while (count < ids);
	expect(count == ids);
	return sum;
}

static void subscription_ids(void)
{
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");

	subscribe_numbered(sub, topic("a/#"), 1);
	subscribe_numbered(sub, topic("a/+"), 268435455);
	client_subscribe(sub, topic("b"), 1);
	expect(sum_of_ids(pub, sub, topic("a/b/c"), 1) == 1);
	expect(sum_of_ids(pub, sub, topic("a/b"), 2) == 268435456);
	expect(sum_of_ids(pub, sub, topic("b"), 0) == 0);
	subscribe_numbered(sub, topic("a/#"), 128);
	expect(sum_of_ids(pub, sub, topic("a/b/c"), 1) == 128);
	client_disconnect(pub);
	client_disconnect(sub);
}

/* Mark the messages that come before the end. */
static void collect(struct client *c, int *seen)
{
	struct message m;
	char text[20];
	bool ended;

	do {
		m = client_next(c);
		ended = !strcmp(m.topic, topic("end"));
		snprintf(text, sizeof(text), "%.*s", (int)m.len, m.payload);
		if (!ended)
			seen[atoi(text) % SHARED]++;
		client_free_message(&m);
	} while (!ended);
}

static void shared_subscription(void)
{
	static const char * const names[] = { "one", "two", "other" };
	static const char * const groups[] = { "group", "group", "other" };
	struct client *pub = connect_as("pub"), *sub[3];
	int seen[SHARED] = { 0 }, seen_by_other[SHARED] = { 0 }, i;
	char filter[300], text[12];

	for (i = 0; i < 3; i++) {
		sub[i] = connect_as(names[i]);
		snprintf(filter, sizeof(filter), "$share/%s/%s", groups[i],
			 topic("work"));
		client_subscribe(sub[i], filter, 1);
		client_subscribe(sub[i], topic("end"), 1);
	}
	for (i = 0; i < SHARED; i++) {
		sprintf(text, "%d", i);
		client_send(pub, topic("work"), text, strlen(text), 1, false);
	}
	client_drain(pub);
	client_publish(pub, topic("end"), "end", 1, false);
	collect(sub[0], seen);
	collect(sub[1], seen);
	collect(sub[2], seen_by_other);
	for (i = 0; i < SHARED; i++)
		expect(seen[i] == 1 && seen_by_other[i] == 1);

	/* Who is left gets all. */
	snprintf(filter, sizeof(filter), "$share/group/%s", topic("work"));
	client_unsubscribe(sub[0], filter);
	for (i = 0; i < 10; i++) {
		client_publish(pub, topic("work"), "more", 1, false);
		client_expect(sub[1], topic("work"), "more", 1, false);
	}
	for (i = 0; i < 3; i++)
		client_disconnect(sub[i]);
	client_disconnect(pub);
}

/* The library tells only those of SUBACK and UNSUBACK. */
static void reason_codes(void)
{
	struct client *c = connect_as("peer");
	int qos;

	for (qos = 0; qos <= 2; qos++) {
		expect(client_subscribe(c, topic("t"), qos) == qos);
		client_publish(c, topic("nobody"), "text", qos, false);
	}
	expect(client_unsubscribe(c, topic("t")) == MQTTREASONCODE_SUCCESS);
	expect(client_unsubscribe(c, topic("t")) ==
	       MQTTREASONCODE_NO_SUBSCRIPTION_FOUND);
	client_disconnect(c);
}

/* The synchronous API doesn't tell the reason. */
static void take_over(void)
{
	struct client *old = resume_as("same"), *new;

	client_subscribe(old, topic("t"), 1);
	new = resume_as("same");
	client_wait_lost(old);
	disconnect_expiring(new, 0);
}

static void authentication_refused(void)
{
	struct client_options options = { .id = id("peer") };

	add_text(&options.properties, MQTTPROPERTY_CODE_AUTHENTICATION_METHOD,
		 "unheard-of");
	add_data(&options.properties, MQTTPROPERTY_CODE_AUTHENTICATION_DATA,
		 "\0\xff", 2);
	expect(client_connect_refused(&options) ==
	       MQTTREASONCODE_BAD_AUTHENTICATION_METHOD);
}

const struct scenario scenarios_of_5[] = {
	{ .name = "session expiry, changed at disconnect; clean start",
	  .play = session_expiry },
	{ .name = "message expiry: the time that is left is told",
	  .play = message_expiry },
	{ .name = "will delay: sent after it, not after coming back",
	  .play = will_delay },
	{ .name = "request and response: topic, correlation data",
	  .play = request_response },
	{ .name = "content type, payload format, user properties in order",
	  .play = properties },
	{ .name = "topic alias of the client", .play = alias_of_client },
	{ .name = "topic alias of the broker", .play = alias_of_broker },
	{ .name = "receive maximum of client and broker",
	  .play = receive_maximum },
	{ .name = "maximum packet size of the client", .play = packet_size },
	{ .name = "maximum packet size of the broker",
	  .play = packet_size_of_broker },
	{ .name = "server keep alive", .play = server_keep_alive },
	{ .name = "assigned client identifier", .play = assigned_id },
	{ .name = "no local", .play = no_local },
	{ .name = "retain as published", .play = retain_as_published },
	{ .name = "retain handling", .play = retain_handling },
	{ .name = "subscription identifiers", .play = subscription_ids },
	{ .name = "shared subscription: each message to one",
	  .play = shared_subscription },
	{ .name = "reason codes: no subscription existed",
	  .play = reason_codes },
	{ .name = "session taken over", .play = take_over },
	{ .name = "unknown authentication method is refused",
	  .play = authentication_refused },
	{ 0 }
};
