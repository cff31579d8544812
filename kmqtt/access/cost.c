// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes to check a password, so that as much can be done for users who
 * don't exist: else the time would tell who does.
 */
#include "cost.h"

#include <linux/random.h>
#include <linux/slab.h>

/* Where no password says otherwise: as mosquitto_passwd does it. */
#define USUAL_ITERATIONS	1000
#define USUAL_SALT_LEN		12

/**
 * struct cost - how many passwords have so many iterations
 * @list: entry of the costs
 * @iterations: 0 for a single SHA-512
 * @nr: how many
 */
struct cost {
	struct list_head list;
	u32 iterations;
	u32 nr;
};

static u32 iterations_of(const struct kmqtt_password *p)
{
	return p->method == KMQTT_PASSWORD_METHOD_SHA512 ? 0 : p->iterations;
}

static struct cost *cost_find(struct kmqtt_costs *costs, u32 iterations)
{
	struct cost *cost;

	list_for_each_entry(cost, &costs->list, list)
		if (cost->iterations == iterations)
			return cost;
	return NULL;
}

static void update(struct kmqtt_costs *costs, int more)
{
	struct cost *cost, *most = NULL;
	u32 usual = USUAL_ITERATIONS;

	list_for_each_entry(cost, &costs->list, list)
		if (!most || cost->nr > most->nr)
			most = cost;
	if (most) {
		list_move(&most->list, &costs->list);
		usual = most->iterations;
	}
	WRITE_ONCE(costs->usual, usual);
	WRITE_ONCE(costs->nr, costs->nr + more);
}

/**
 * kmqtt_costs_init() - there are no passwords yet
 * @costs: the costs
 * @memory: account to charge
 *
 * Context: any.
 */
void kmqtt_costs_init(struct kmqtt_costs *costs, struct kmqtt_memory *memory)
{
	INIT_LIST_HEAD(&costs->list);
	costs->memory = memory;
	costs->nr = 0;
	costs->usual = USUAL_ITERATIONS;
}

static void cost_free(struct kmqtt_costs *costs, struct cost *cost)
{
	list_del(&cost->list);
	kmqtt_memory_uncharge(costs->memory, sizeof(*cost));
	kfree(cost);
}

/**
 * kmqtt_costs_uninit() - forget them
 * @costs: the costs
 *
 * Context: any.
 */
void kmqtt_costs_uninit(struct kmqtt_costs *costs)
{
	struct cost *cost, *next;

	list_for_each_entry_safe(cost, next, &costs->list, list)
		cost_free(costs, cost);
}

/**
 * kmqtt_costs_add() - there is another password
 * @costs: the costs
 * @p: the password
 *
 * Context: process, may sleep; under the mutex of the users.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_costs_add(struct kmqtt_costs *costs, const struct kmqtt_password *p)
{
	struct cost *cost = cost_find(costs, iterations_of(p));

	if (!cost) {
		if (!kmqtt_memory_charge(costs->memory, sizeof(*cost)))
			return -ENOMEM;
		cost = kzalloc(sizeof(*cost), GFP_KERNEL);
		if (!cost) {
			kmqtt_memory_uncharge(costs->memory, sizeof(*cost));
			return -ENOMEM;
		}
		cost->iterations = iterations_of(p);
		list_add_tail(&cost->list, &costs->list);
	}
	cost->nr++;
	update(costs, 1);
	return 0;
}

/**
 * kmqtt_costs_del() - a password is gone
 * @costs: the costs
 * @p: a password that was added
 *
 * Context: any; under the mutex of the users.
 */
void kmqtt_costs_del(struct kmqtt_costs *costs, const struct kmqtt_password *p)
{
	struct cost *cost = cost_find(costs, iterations_of(p));

	if (WARN_ON_ONCE(!cost))
		return;
	if (!--cost->nr)
		cost_free(costs, cost);
	update(costs, -1);
}

/**
 * kmqtt_costs_make_up() - a password that nobody knows
 * @costs: the costs
 * @p: the password; takes as long to check as most do
 *
 * Context: any.
 */
void kmqtt_costs_make_up(const struct kmqtt_costs *costs,
			 struct kmqtt_password *p)
{
	u32 usual = READ_ONCE(costs->usual);

	memset(p, 0, sizeof(*p));
	p->method = usual ? KMQTT_PASSWORD_METHOD_PBKDF2_SHA512 :
			    KMQTT_PASSWORD_METHOD_SHA512;
	p->iterations = usual ?: 1;
	p->salt_len = USUAL_SALT_LEN;
	get_random_bytes(p->salt, USUAL_SALT_LEN);
	get_random_bytes(p->hash, sizeof(p->hash));
}
