/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_ADOPT_H
#define _KMQTTD_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "peer.h"

#define ADOPT_WHY_MAX	256

/* A connection that is ready for the broker. */
struct adoption {
	int fd;
	uint32_t listener;
	const union peer *peer;		/* NULL if it is the socket's */
	const struct identity *identity;
	bool websocket;
};

/*
 * Who takes connections over: the broker, or a test. The functions are called
 * in threads; each has a state of its own that it opens and closes.
 */
struct adopter {
	void *(*open)(void *arg);
	/* Returns 0 or an errno, and why if that tells more. */
	int (*adopt)(void *state, const struct adoption *adoption,
		     char why[ADOPT_WHY_MAX]);
	void (*close)(void *state);
	void *arg;
};

#endif /* _KMQTTD_ADOPT_H */
