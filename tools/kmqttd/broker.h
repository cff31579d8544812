/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_BROKER_H
#define _KMQTTD_BROKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "adopt.h"
#include "listener.h"
#include "nl.h"

/* The module, as long as it is there. */
struct broker {
	bool there;
	/* Which time it is there; sockets of threads are of one of them. */
	atomic_uint generation;
	struct nl events;
	struct nl requests;
};

enum broker_news {
	BROKER_SAME,
	BROKER_UNSURE,			/* listeners may have changed */
	BROKER_CHANGED,			/* they have, or their files */
	BROKER_GONE,
};

bool broker_connect(struct broker *broker);
void broker_disconnect(struct broker *broker);
bool broker_may_connect(void);
int broker_fd(const struct broker *broker);
enum broker_news broker_read(struct broker *broker);
enum broker_news broker_list(struct broker *broker, struct listeners *listeners);
struct adopter broker_adopter(struct broker *broker);

#endif /* _KMQTTD_BROKER_H */
