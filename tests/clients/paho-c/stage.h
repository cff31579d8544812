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

enum outcome {
	PASSED,
	FAILED,
	SKIPPED,
};

/*
 * Play. Whatever the scenario leaves is dropped. Time-outs are those of
 * @target.
 */
enum outcome stage_play(void (*play)(void));

/* Leave the scenario: it can't be played here. */
void scenario_skip(const char *reason) __attribute__((noreturn));

/* Why the last one was skipped. */
extern const char *skip_reason;

/* Leave the scenario unless the condition holds. */
#define expect(condition)						\
do {									\
	if (!(condition))						\
		scenario_fail("%s:%d: not so: %s", __FILE_NAME__,	\
			      __LINE__, #condition);			\
} while (0)

/* Is MQTT 3.1.1 spoken, and not 3.1 or 5.0? */
bool v311(void);

/* A topic of this scenario. The last eight made are good. */
const char *topic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A client id of this scenario. The last sixteen made are good. */
const char *id(const char *name);

/* Resume: with the session that there may be, which is kept. */
struct client *connect_as(const char *name);
struct client *resume_as(const char *name);

/* Connect with a will in another process, and kill that. */
void die_with_will(const char *will_topic, const char *text, int qos,
		   bool retain);

/* With MQTT 5, the will may be delayed, and the session is kept then. */
void die_with_late_will(const char *name, const char *will_topic,
			const char *text, int qos, bool retain, int delay);

/* What that process does, when it is called as "paho-c --will ...". */
#define WILL_ARGUMENTS	11
int will_main(char **argv);

/* What ../mixed/run calls: paho-c --member HOST PORT BASE. */
#define MEMBER_ARGUMENTS	5
int member_main(char **argv);

#endif
