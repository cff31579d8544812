// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "scenarios.h"
#include "stage.h"

#define MIB		(1024 * 1024)
#define BURST		1000
#define OFFLINE		200

static int min(int a, int b)
{
	return a < b ? a : b;
}

static void every_qos(void)
{
	struct client *a = connect_as("a"), *b = connect_as("b");
	char text[40];
	int pub, sub;

	for (sub = 0; sub <= 2; sub++) {
		expect(client_subscribe(a, topic("to-a/%d", sub), sub) == sub);
		expect(client_subscribe(b, topic("to-b/%d", sub), sub) == sub);
	}
	for (pub = 0; pub <= 2; pub++) {
		for (sub = 0; sub <= 2; sub++) {
			sprintf(text, "published %d subscribed %d", pub, sub);
			client_publish(a, topic("to-b/%d", sub), text, pub, 0);
			client_expect(b, topic("to-b/%d", sub), text,
				      min(pub, sub), 0);
			client_publish(b, topic("to-a/%d", sub), text, pub, 0);
			client_expect(a, topic("to-a/%d", sub), text,
				      min(pub, sub), 0);
		}
	}
	client_publish(a, topic("to-b/2"), "", 2, 0);
	client_expect(b, topic("to-b/2"), "", 2, 0);
	client_disconnect(a);
	client_disconnect(b);
}

static void retained(void)
{
	struct client *pub = connect_as("pub"), *live = connect_as("live");
	struct client *late;

	client_subscribe(live, topic("#"), 1);
	client_publish(pub, topic("one"), "first", 1, true);
	client_expect(live, topic("one"), "first", 1, false);
	client_publish(pub, topic("one"), "second", 1, true);
	client_expect(live, topic("one"), "second", 1, false);

	late = connect_as("late");
	client_subscribe(late, topic("+"), 1);
	client_expect(late, topic("one"), "second", 1, true);
	client_disconnect(late);

	client_publish(pub, topic("one"), "", 1, true);
	client_expect(live, topic("one"), "", 1, false);
	late = connect_as("late");
	client_subscribe(late, topic("+"), 1);
	client_publish(pub, topic("two"), "marker", 1, false);
	client_expect(late, topic("two"), "marker", 1, false);
	client_disconnect(late);
	client_disconnect(live);
	client_disconnect(pub);
}

static void wills(void)
{
	struct client_options polite = {
		.id = id("polite"),
		.will_topic = topic("will/none"),
		.will_payload = "must not be sent",
	};
	struct client *watch = connect_as("watch");
	struct client *late;
	int qos;

	client_subscribe(watch, topic("will/#"), 2);
	client_disconnect(client_connect(&polite));
	for (qos = 0; qos <= 2; qos++) {
		die_with_will(topic("will/%d", qos), "gone", qos, false);
		client_expect(watch, topic("will/%d", qos), "gone", qos, false);
	}

	die_with_will(topic("will/kept"), "gone for good", 1, true);
	client_expect(watch, topic("will/kept"), "gone for good", 1, false);
	late = connect_as("late");
	client_subscribe(late, topic("will/kept"), 1);
	client_expect(late, topic("will/kept"), "gone for good", 1, true);
	client_publish(late, topic("will/kept"), "", 0, true);
	client_expect(watch, topic("will/kept"), "", 0, false);
	client_disconnect(late);
	client_disconnect(watch);
}

static void offline_queue(void)
{
	struct client *pub = connect_as("pub"), *sub;
	int next[3] = { 0 };
	char text[20];
	int i, qos;

	client_disconnect(connect_as("sub"));
	sub = resume_as("sub");
	expect(!client_session_present(sub));
	client_subscribe(sub, topic("queue/1"), 1);
	client_subscribe(sub, topic("queue/2"), 2);
	client_disconnect(sub);

	for (i = 0; i < OFFLINE; i++) {
		sprintf(text, "%d", i);
		client_send(pub, topic("queue/1"), text, strlen(text), 1, false);
		client_send(pub, topic("queue/2"), text, strlen(text), 2, false);
	}
	client_drain(pub);

	sub = resume_as("sub");
	expect(client_session_present(sub) == v311());
	for (i = 0; i < 2 * OFFLINE; i++) {
		struct message m = client_next(sub);

		qos = m.topic[strlen(m.topic) - 1] - '0';
		expect(qos == m.qos);
		sprintf(text, "%d", next[qos]++);
		expect(m.len == strlen(text));
		expect(!memcmp(m.payload, text, m.len));
		client_free_message(&m);
	}
	client_publish(pub, topic("queue/2"), "end", 2, false);
	client_expect(sub, topic("queue/2"), "end", 2, false);
	client_disconnect(sub);

	sub = connect_as("sub");
	expect(!client_session_present(sub));
	client_disconnect(sub);
	client_disconnect(pub);
}

static void take_over(void)
{
	struct client *pub = connect_as("pub");
	struct client *old = connect_as("same"), *new;

	client_subscribe(old, topic("#"), 1);
	client_publish(pub, topic("to"), "old", 1, false);
	client_expect(old, topic("to"), "old", 1, false);

	new = connect_as("same");
	client_wait_lost(old);
	client_subscribe(new, topic("#"), 1);
	client_publish(pub, topic("to"), "new", 1, false);
	client_expect(new, topic("to"), "new", 1, false);
	client_disconnect(new);
	client_disconnect(pub);
}

static void payload_of(size_t size, int qos)
{
	struct client *pub = connect_as("pub"), *sub = pub;
	uint32_t *payload = malloc(size), x = 2463534242u;
	struct message m;
	size_t i;

	expect(payload);
	/* With WebSocket the library takes parts of a frame for another's. */
	if (!target.websocket)
		sub = connect_as("sub");
	for (i = 0; i < size / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		payload[i] = x;
	}
	client_subscribe(sub, topic("payload"), qos);
	client_send(pub, topic("payload"), payload, size, qos, false);
	m = client_next(sub);
	expect(m.len == size);
	expect(!memcmp(m.payload, payload, size));
	client_free_message(&m);
	free(payload);
	client_drain(pub);
	if (sub != pub)
		client_disconnect(sub);
	client_disconnect(pub);
}

static void one_mib(void)
{
	int qos;

	for (qos = 0; qos <= 2; qos++)
		payload_of(MIB, qos);
}

static void hundred_mib(void)
{
	payload_of(100 * MIB, v311() ? 0 : 1);
}

/* Does @filter match @t? The plain reading of the specification. */
static bool matches(const char *filter, const char *t)
{
	for (;;) {
		size_t f_len = strcspn(filter, "/"), t_len = strcspn(t, "/");

		if (*filter == '#')
			return true;
		if (*filter != '+' &&
		    (f_len != t_len || memcmp(filter, t, f_len)))
			return false;
		if (!filter[f_len] || !t[t_len])
			return filter[f_len] == t[t_len] ||
			       !strcmp(filter + f_len, "/#");
		filter += f_len + 1;
		t += t_len + 1;
	}
}

static void wildcards(void)
{
	static const char * const filters[] = {
		"#", "red/#", "+/3/+", "+/+/state", "green/7/set", "+",
		"blue/+/", "+/+/+", "red/+", "+/12/#",
	};
	enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };
	static const char * const colours[] = { "red", "green", "blue" };
	static const char * const leaves[] = { "/state", "/set", "/", "" };
	static char topics[3 * 20 * 4 + 1][200];
	enum { TOPICS = sizeof(topics) / sizeof(topics[0]) };
	struct client *pub = connect_as("pub"), *sub[FILTERS];
	int i, f, t = 0;
	char name[8];

	for (i = 0; i < 3 * 20 * 4; i++)
		strcpy(topics[t++],
		       topic("%s/%d%s", colours[i / 80], i / 4 % 20,
			     leaves[i % 4]));
	strcpy(topics[t], topic("red"));

	for (f = 0; f < FILTERS; f++) {
		sprintf(name, "sub%d", f);
		sub[f] = connect_as(name);
		client_subscribe(sub[f], topic("%s", filters[f]), 1);
		client_subscribe(sub[f], topic("end/of/all/topics"), 1);
	}
	for (t = 0; t < TOPICS; t++)
		client_send(pub, topics[t], topics[t], strlen(topics[t]), 1,
			    false);
	client_drain(pub);
	client_publish(pub, topic("end/of/all/topics"), "end", 1, false);

	for (f = 0; f < FILTERS; f++) {
		const char *filter = topic("%s", filters[f]);

		for (t = 0; t < TOPICS; t++) {
			if (matches(filter, topics[t]))
				client_expect(sub[f], topics[t], topics[t], 1,
					      false);
		}
		client_expect(sub[f], topic("end/of/all/topics"), "end", 1,
			      false);
		client_disconnect(sub[f]);
	}
	client_disconnect(pub);
}

static void burst(int qos)
{
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");
	char text[20];
	int i;

	client_subscribe(sub, topic("burst"), qos);
	for (i = 0; i < BURST; i++) {
		sprintf(text, "%d", i);
		client_send(pub, topic("burst"), text, strlen(text), qos,
			    false);
	}
	client_drain(pub);
	client_publish(pub, topic("burst"), "end", qos, false);
	for (i = 0; i < BURST; i++) {
		sprintf(text, "%d", i);
		client_expect(sub, topic("burst"), text, qos, false);
	}
	client_expect(sub, topic("burst"), "end", qos, false);
	client_disconnect(sub);
	client_disconnect(pub);
}

static void burst_0(void)
{
	burst(0);
}

static void burst_1(void)
{
	burst(1);
}

static void burst_2(void)
{
	burst(2);
}

static void unsubscribe(void)
{
	struct client *pub = connect_as("pub"), *sub = connect_as("sub");

	client_subscribe(sub, topic("keep"), 1);
	client_subscribe(sub, topic("drop/#"), 1);
	client_publish(pub, topic("drop/it"), "before", 1, false);
	client_expect(sub, topic("drop/it"), "before", 1, false);
	client_unsubscribe(sub, topic("drop/#"));
	client_unsubscribe(sub, topic("never/subscribed"));
	client_publish(pub, topic("drop/it"), "after", 1, false);
	client_publish(pub, topic("keep"), "kept", 1, false);
	client_expect(sub, topic("keep"), "kept", 1, false);
	client_disconnect(sub);
	client_disconnect(pub);
}

/*
 * The same client connects again after its connection is lost, and has its
 * session. Another client of the same id makes it lose the connection.
 */
static void reconnect(void)
{
	struct client *pub = connect_as("pub"), *sub, *thief;

	client_disconnect(connect_as("again"));
	sub = resume_as("again");
	client_subscribe(sub, topic("#"), 2);
	thief = resume_as("again");
	expect(client_session_present(thief) == v311());
	client_wait_lost(sub);
	client_publish(pub, topic("news"), "to the session", 2, false);
	client_expect(thief, topic("news"), "to the session", 2, false);

	client_reconnect(sub);
	expect(client_session_present(sub) == v311());
	client_wait_lost(thief);
	client_publish(pub, topic("news"), "to the first", 2, false);
	client_expect(sub, topic("news"), "to the first", 2, false);
	client_disconnect(sub);
	client_disconnect(connect_as("again"));
	client_disconnect(pub);
}

const struct scenario scenarios[] = {
	{ .name = "qos 0, 1 and 2 both ways", .play = every_qos },
	{ .name = "retained: set, get, replace, clear", .play = retained },
	{ .name = "will: sent for a killed client, not after DISCONNECT",
	  .play = wills },
	{ .name = "persistent session: offline queue of qos 1 and 2",
	  .play = offline_queue },
	{ .name = "take-over of a client id", .play = take_over },
	{ .name = "payload of 1 MiB", .play = one_mib },
	{ .name = "payload of 100 MiB", .play = hundred_mib, .big = true },
	{ .name = "wildcards over many topics",
	  .play = wildcards, .dense = true },
	{ .name = "burst of 1000, qos 0, in order",
	  .play = burst_0, .dense = true },
	{ .name = "burst of 1000, qos 1, in order",
	  .play = burst_1, .dense = true },
	{ .name = "burst of 1000, qos 2, in order",
	  .play = burst_2, .dense = true },
	{ .name = "unsubscribe", .play = unsubscribe },
	{ .name = "reconnect after a lost connection, session kept",
	  .play = reconnect },
	{ 0 }
};
