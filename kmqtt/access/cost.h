/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_COST_H
#define _KMQTT_ACCESS_COST_H

#include <linux/list.h>
#include "../topic/memory.h"
#include "password.h"

/**
 * struct kmqtt_costs - what it takes to check the passwords of a realm
 * @list: one struct for each number of iterations that there is, the one that
 *	most passwords have in front
 * @memory: account for them
 * @nr: passwords
 * @usual: iterations that most passwords have, 0 for a single SHA-512
 *
 * All but @memory is under the mutex of the users. @nr and @usual may be read
 * without it.
 */
struct kmqtt_costs {
	struct list_head list;
	struct kmqtt_memory *memory;
	u32 nr;
	u32 usual;
};

void kmqtt_costs_init(struct kmqtt_costs *costs, struct kmqtt_memory *memory);
void kmqtt_costs_uninit(struct kmqtt_costs *costs);
int kmqtt_costs_add(struct kmqtt_costs *costs, const struct kmqtt_password *p);
void kmqtt_costs_del(struct kmqtt_costs *costs, const struct kmqtt_password *p);
void kmqtt_costs_make_up(const struct kmqtt_costs *costs,
			 struct kmqtt_password *p);

#endif /* _KMQTT_ACCESS_COST_H */
