// SPDX-License-Identifier: GPL-2.0
/*
 * All memory of the data path that isn't a message or a queue is got when the
 * module is loaded: no pass ever fails for lack of a buffer.
 */
#include "pass.h"

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "../protocol/route.h"
#include "conn.h"

/* Sets for threads on each CPU: one may sleep while another works. */
#define THREAD_SETS_PER_CPU	2

static struct kmqtt_pass * __percpu *bh_passes;

static DEFINE_SPINLOCK(free_lock);
static LIST_HEAD(free_passes);	/* under free_lock */
static DECLARE_WAIT_QUEUE_HEAD(free_wait);

static void pass_destroy(struct kmqtt_pass *pass)
{
	int i;

	if (!pass)
		return;
	kmqtt_route_uninit(&pass->route);
	for (i = 0; i < KMQTT_TX_FRAGS; i++) {
		if (pass->frags[i].page)
			put_page(pass->frags[i].page);
	}
	/* There may be passwords in what was received. */
	kvfree_sensitive(pass->rx, KMQTT_RX_SIZE);
	kvfree(pass->tx);
	kvfree(pass);
}

static struct kmqtt_pass *pass_create(bool bh)
{
	struct kmqtt_pass *pass;

	pass = kvzalloc(sizeof(*pass), GFP_KERNEL);
	if (!pass)
		return NULL;
	pass->rx = kvmalloc(KMQTT_RX_SIZE, GFP_KERNEL);
	pass->tx = kvmalloc(KMQTT_TX_SIZE, GFP_KERNEL);
	INIT_LIST_HEAD(&pass->batch.touched);
	pass->batch.route = &pass->route;
	pass->batch.run = &pass->run;
	pass->batch.verdicts = &pass->verdicts;
	pass->batch.bh = bh;
	pass->batch.gfp = bh ? GFP_ATOMIC : GFP_KERNEL;
	if (kmqtt_route_init(&pass->route) || !pass->rx || !pass->tx) {
		pass_destroy(pass);
		return NULL;
	}
	return pass;
}

/**
 * kmqtt_pass_module_init() - get all sets
 *
 * Context: module initialization.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_pass_module_init(void)
{
	struct kmqtt_pass *pass;
	int cpu, i;

	bh_passes = alloc_percpu(struct kmqtt_pass *);
	if (!bh_passes)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		pass = pass_create(true);
		if (!pass)
			goto err_destroy;
		*per_cpu_ptr(bh_passes, cpu) = pass;
		for (i = 0; i < THREAD_SETS_PER_CPU; i++) {
			pass = pass_create(false);
			if (!pass)
				goto err_destroy;
			list_add(&pass->list, &free_passes);
		}
	}
	return 0;

err_destroy:
	kmqtt_pass_module_uninit();
	return -ENOMEM;
}

/**
 * kmqtt_pass_module_uninit() - give all sets back
 *
 * Context: module exit; no pass is under way.
 */
void kmqtt_pass_module_uninit(void)
{
	struct kmqtt_pass *pass, *next;
	int cpu;

	for_each_possible_cpu(cpu)
		pass_destroy(*per_cpu_ptr(bh_passes, cpu));
	free_percpu(bh_passes);
	list_for_each_entry_safe(pass, next, &free_passes, list)
		pass_destroy(pass);
}

/**
 * kmqtt_pass_this_cpu() - the set of softirq on this CPU
 *
 * Context: softirq.
 * Return: the set.
 */
struct kmqtt_pass *kmqtt_pass_this_cpu(void)
{
	return *this_cpu_ptr(bh_passes);
}

static struct kmqtt_pass *take_free(void)
{
	struct kmqtt_pass *pass;

	spin_lock(&free_lock);
	pass = list_first_entry_or_null(&free_passes, struct kmqtt_pass, list);
	if (pass)
		list_del(&pass->list);
	spin_unlock(&free_lock);
	return pass;
}

/* A connection has kept the buffer of this CPU's softirq: bring another. */
static void restock(void)
{
	struct kmqtt_pass *pass;
	u8 *rx;

	rx = kvmalloc(KMQTT_RX_SIZE, GFP_KERNEL);
	local_bh_disable();
	pass = kmqtt_pass_this_cpu();
	if (!pass->rx)
		swap(pass->rx, rx);
	local_bh_enable();
	kvfree(rx);
}

/**
 * kmqtt_pass_take() - a set for a thread, waiting for one if need be
 *
 * Context: process, may sleep.
 * Return: the set; to be given back with kmqtt_pass_give().
 */
struct kmqtt_pass *kmqtt_pass_take(void)
{
	struct kmqtt_pass *pass;

	if (!READ_ONCE((*raw_cpu_ptr(bh_passes))->rx))
		restock();
	wait_event(free_wait, (pass = take_free()));
	return pass;
}

/**
 * kmqtt_pass_give() - give a thread's set back
 * @pass: the set
 *
 * Context: process.
 */
void kmqtt_pass_give(struct kmqtt_pass *pass)
{
	spin_lock(&free_lock);
	list_add(&pass->list, &free_passes);
	spin_unlock(&free_lock);
	wake_up(&free_wait);
}

/**
 * kmqtt_pass_publish_will() - publish a will where there is no pass
 * @session: session of the client that is gone
 * @identity: who that was; the caller has a reference
 * @will: the will; its reference is given back
 *
 * Context: process, may sleep.
 */
void kmqtt_pass_publish_will(struct kmqtt_session *session,
			     struct kmqtt_identity *identity,
			     struct kmqtt_msg *will)
{
	struct kmqtt_pass *pass = kmqtt_pass_take();

	kmqtt_publish_will(session, identity, will, &pass->batch);
	kmqtt_conn_flush_batch(pass);
	kmqtt_pass_give(pass);
}

/**
 * kmqtt_pass_publish_last_will() - the same for a session that has ended
 * @session: the session; the caller has a reference
 * @will: the will; its reference is given back
 *
 * Context: process, may sleep.
 */
void kmqtt_pass_publish_last_will(struct kmqtt_session *session,
				  struct kmqtt_msg *will)
{
	struct kmqtt_pass *pass = kmqtt_pass_take();

	kmqtt_publish_last_will(session, will, &pass->batch);
	kmqtt_conn_flush_batch(pass);
	kmqtt_pass_give(pass);
}
