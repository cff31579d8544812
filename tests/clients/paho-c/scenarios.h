/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PAHO_C_SCENARIOS_H
#define PAHO_C_SCENARIOS_H

#include <stdbool.h>

struct scenario {
	const char *name;
	void (*play)(void);
	bool big;		/* KMQTT_CLIENTS_BIG=0 leaves it out */
	bool dense;		/* not with WebSocket: see run_all() */
};

/* The last has no name. */
extern const struct scenario scenarios[];

/* Those of MQTT 5 alone. */
extern const struct scenario scenarios_of_5[];

#endif
