// SPDX-License-Identifier: GPL-2.0
/* Paho C's part in ../mixed/run: a client of each version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "property.h"
#include "stage.h"

#define LIBRARIES	4
#define VERSIONS	3

static const char * const libraries[LIBRARIES] = {
	"mosquitto", "mqttjs", "paho-c", "paho-python",
};

static const char * const versions[VERSIONS] = { "3.1", "3.1.1", "5.0" };

static char **arguments;

struct member {
	struct client *client;
	const char *version;
	int heard[LIBRARIES][VERSIONS];
	int count;
};

static void add_properties(MQTTProperties *all, const char *library)
{
	add_text(all, MQTTPROPERTY_CODE_CONTENT_TYPE, "text/plain");
	add_user(all, "from", library);
}

static void check_hello(const struct member *member, struct message *m,
			int library, int version)
{
	MQTTProperties wanted = NO_PROPERTIES;
	bool v5 = !strcmp(member->version, "5.0");

	if (v5 && !strcmp(versions[version], "5.0"))
		add_properties(&wanted, libraries[library]);
	if (m->len != strlen("hello") || memcmp(m->payload, "hello", m->len) ||
	    (v5 && !same_properties(m->properties, &wanted)))
		scenario_fail("paho-c %s: wrong hello on %s", member->version,
			      m->topic);
	MQTTProperties_free(&wanted);
}

/* Take a message; false if it is none of the hellos. */
static bool hear(struct member *member)
{
	struct message m = client_next(member->client);
	char wanted[300];
	bool hello = false;
	int l, v;

	for (l = 0; l < LIBRARIES; l++) {
		for (v = 0; v < VERSIONS; v++) {
			snprintf(wanted, sizeof(wanted), "%s/all/%s/%s",
				 arguments[4], libraries[l], versions[v]);
			if (strcmp(m.topic, wanted))
				continue;
			check_hello(member, &m, l, v);
			if (member->heard[l][v]++)
				scenario_fail("paho-c %s: %s came twice",
					      member->version, m.topic);
			member->count++;
			hello = true;
		}
	}
	client_free_message(&m);
	return hello;
}

static void take_part(void)
{
	static struct member members[VERSIONS];
	const char *tag = getenv("KMQTT_CLIENTS_TAG");
	MQTTProperties all = NO_PROPERTIES;
	char text[300];
	int v;

	for (v = 0; v < VERSIONS; v++) {
		struct member *member = &members[v];

		stage_set(arguments[2], arguments[3], versions[v], tag ?: "mix",
			  99);
		member->version = versions[v];
		member->client = connect_as("mixed");
		snprintf(text, sizeof(text), "%s/all/#", arguments[4]);
		client_subscribe(member->client, text, 1);
	}

	snprintf(text, sizeof(text), "%s/go", arguments[4]);
	client_subscribe(members[VERSIONS - 1].client, text, 1);
	snprintf(text, sizeof(text), "%s/ready/paho-c", arguments[4]);
	client_publish(members[VERSIONS - 1].client, text, "ready", 1, true);
	while (hear(&members[VERSIONS - 1]))
		;
	add_properties(&all, "paho-c");
	for (v = 0; v < VERSIONS; v++) {
		snprintf(text, sizeof(text), "%s/all/paho-c/%s", arguments[4],
			 versions[v]);
		if (!strcmp(versions[v], "5.0"))
			client_publish_with(members[v].client, text, "hello",
					    1, false, &all);
		else
			client_publish(members[v].client, text, "hello", 1,
				       false);
	}
	MQTTProperties_free(&all);
	for (v = 0; v < VERSIONS; v++) {
		while (members[v].count < LIBRARIES * VERSIONS)
			hear(&members[v]);
		client_disconnect(members[v].client);
	}
}

int member_main(char **argv)
{
	arguments = argv;
	target.timeout = target.timeout * 3 / 2;
	return stage_play(take_part) != PASSED;
}
