/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_OPTION_H
#define _KMQTTCTL_CONF_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

struct reader;
struct value;

/* How its value is written. */
enum option_type {
	OPTION_ANY,		/* nobody looks at it */
	OPTION_BOOL,
	OPTION_INT,
	OPTION_BYTES,		/* 64K */
	OPTION_TIME,		/* 2w */
	OPTION_WORD,
	OPTION_TEXT,		/* the rest of the line */
	OPTION_FILE,		/* the same: the name of one that is there */
	OPTION_DIRECTORY,
};

/* What it is about. */
enum option_scope {
	OPTION_GLOBAL,
	OPTION_LISTENER,
	OPTION_SECURITY,	/* a listener with per_listener_settings */
	OPTION_BRIDGE,
};

/* What becomes of it. */
enum option_fate {
	OPTION_HONOURED,
	OPTION_VOID,		/* there is nothing here that it is about */
	OPTION_REFUSED,		/* unless its value is fine */
};

/* Is it for the agent of a listener, and what is it of no use without? */
enum option_agent {
	OPTION_NO_AGENT,
	OPTION_AGENT,		/* makes one, or has a counterpart that does */
	OPTION_CERTIFICATE,	/* TLS with a certificate */
	OPTION_TLS,
	OPTION_WEBSOCKETS,
	OPTION_HANDSHAKE,	/* any of these */
};

/* An option of mosquitto.conf. */
struct option {
	const char *name;	/* with * at its end, for all that begin so */
	enum option_type type;
	enum option_scope scope;
	enum option_fate fate;
	enum option_agent agent;
	int64_t min;		/* of OPTION_INT */
	int64_t max;
	const char *fine;	/* what may stand although it is refused */
	const char *setting;	/* of the broker */
	const char *unlimited;	/* what the setting is for 0 and less */
	enum conf_attr attr;	/* of a listener, if there is nothing else */
	void (*apply)(struct reader *reader, const struct option *option,
		      const struct value *value);
	const char *text;	/* what it does here, or why it is refused */
};

extern const struct option options[];

bool option_is_text(const struct option *option);
const struct option *option_find(const char *name);
const struct option *option_of_setting(const char *setting);
const struct field *option_setting(const struct option *option);
const struct field *option_own(const char *name);

#endif /* _KMQTTCTL_CONF_OPTION_H */
