/* SPDX-License-Identifier: GPL-2.0 */
/* What a scenario is played on: its names, its clients, and how it fails. */
#ifndef PAHO_C_STAGE_H
#define PAHO_C_STAGE_H

#include <stdbool.h>

struct client;

/*
 * Set the stage for one scenario: @tag, @version and @scenario are what its
 * topics and client ids are made of.
 */
void stage_set(const char *host, const char *port, const char *version,
	       const char *tag, unsigned int scenario);

/*
 * Play; false if it failed. Whatever the scenario leaves is dropped. Time-outs
 * are those of @target.
 */
bool stage_play(void (*play)(void));

/* Leave the scenario unless the condition holds. */
#define expect(condition)						\
do {									\
	if (!(condition))						\
		scenario_fail("%s:%d: not so: %s", __FILE_NAME__,	\
			      __LINE__, #condition);			\
} while (0)

bool v31(void);

/*
 * Is MQTT 3.1.1 spoken? Only then does the library tell whether there was a
 * session: 3.1 has nothing of it, and with 5.0 it isn't passed on.
 */
bool v311(void);

/* A topic of this scenario. The last eight made are good. */
const char *topic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A client id of this scenario. The last sixteen made are good. */
const char *id(const char *name);

struct client *connect_as(const char *name);
struct client *resume_as(const char *name);

/* Connect with a will in another process, and kill that. */
void die_with_will(const char *will_topic, const char *text, int qos,
		   bool retain);

/* What that process does, when it is called as "paho-c --will ...". */
#define WILL_ARGUMENTS	10
int will_main(char **argv);

#endif
