/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_LINEUP_H
#define _KMQTT_NET_LINEUP_H

#include "listener.h"

/* Listeners that a configuration may have. */
#define KMQTT_NR_PLANNED_MAX	(KMQTT_NR_LISTENERS_MAX / 2)

/**
 * struct kmqtt_planned - a listener that a configuration wants
 * @list: entry of the plan
 * @endpoint: where it is, with a port
 * @agent: what its agent has to know, or NULL
 * @terms: on what terms it lets clients in
 * @realm: number of the realm whose clients it has
 * @listener: the one there is already, or the one opened for it; NULL before
 *	kmqtt_lineup_prepare()
 * @is_new: @listener was opened for it
 */
struct kmqtt_planned {
	struct list_head list;
	struct kmqtt_endpoint endpoint;
	struct kmqtt_text *agent;
	struct kmqtt_terms terms;
	u32 realm;
	struct kmqtt_listener *listener;
	bool is_new;
};

/**
 * struct kmqtt_lineup - what became of listeners
 * @opened: new ones
 * @kept: that were there already
 * @closed: that were there and are no more
 */
struct kmqtt_lineup {
	u32 opened;
	u32 kept;
	u32 closed;
};

int kmqtt_lineup_plan(struct list_head *plan, struct kmqtt_planned *planned);
int kmqtt_lineup_prepare(struct kmqtt_registry *registry,
			 struct list_head *plan,
			 struct netlink_ext_ack *extack);
void kmqtt_lineup_abort(struct kmqtt_registry *registry,
			struct list_head *plan);
void kmqtt_lineup_commit(struct kmqtt_registry *registry,
			 struct list_head *plan, struct kmqtt_lineup *lineup);

#endif /* _KMQTT_NET_LINEUP_H */
