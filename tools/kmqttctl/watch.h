/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_WATCH_H
#define _KMQTTCTL_WATCH_H

#include "ctl.h"

/* Fields of messages, with a time in words where it is wanted. */
extern const struct field watch_fields[];

/* What comes by. */
struct watch_kind {
	const char *key;	/* field of tap-add that tells what to look at */
	const char *missing;	/* complaint if there is no value for it */
	const char *what;	/* how many of them are called */
	uint8_t cmd;		/* tells one */
	const struct field *fields;
	uint16_t time;		/* attributes */
	uint16_t lost;
};

extern const struct watch_kind watch_messages;

/* Messages or packets that come by, and for how long to look. */
struct watch {
	struct ctl *ctl;
	const struct watch_kind *kind;
	const char *name;	/* filter or client identifier */
	uint32_t payload_max;	/* bytes of payloads to see */
	bool timestamp;		/* rows tell when they came */
	void (*print)(const struct watch *watch, json_t *row);
	uint64_t count;		/* how many still to print; 0 if it doesn't matter */
	bool done;		/* all of them are printed */
	uint64_t seconds;	/* to look on; 0 if it doesn't matter */
};

enum exit_code watch_args(struct watch *watch);
enum exit_code watch_begin(struct watch *watch);
void watch_row(struct watch *watch, json_t *row);
enum exit_code watch_run(struct watch *watch);
enum exit_code watch_report(const struct watch *watch, enum exit_code code);

#endif /* _KMQTTCTL_WATCH_H */
