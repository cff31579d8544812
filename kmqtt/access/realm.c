// SPDX-License-Identifier: GPL-2.0
/*
 * Realms: users, and what is asked of them. A new configuration brings new
 * realms; who still uses an old one keeps it until then.
 */
#include "realm.h"

#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "access.h"

static void realm_free(struct kmqtt_realm *realm)
{
	struct kmqtt_access *access = realm->access;

	kmqtt_users_uninit(&realm->users);
	kmqtt_acl_destroy(realm->acl);
	kfree(realm);
	/* kmqtt_access_uninit() waits; nothing of ours is touched after this. */
	if (atomic_dec_and_test(&access->nr_realms))
		wake_up_var(&access->nr_realms);
}

static void free_work(struct work_struct *work)
{
	realm_free(container_of(to_rcu_work(work), struct kmqtt_realm, free));
}

/**
 * kmqtt_realm_create() - make a realm without users
 * @access: the broker's rules
 * @number: what to call it
 *
 * Context: process, may sleep.
 * Return: the realm, with a reference for the caller, or an ERR_PTR().
 */
struct kmqtt_realm *kmqtt_realm_create(struct kmqtt_access *access, u32 number)
{
	struct kmqtt_realm *realm;
	int err;

	realm = kzalloc(sizeof(*realm), GFP_KERNEL);
	if (!realm)
		return ERR_PTR(-ENOMEM);
	err = kmqtt_users_init(&realm->users, access->memory);
	if (err) {
		kfree(realm);
		return ERR_PTR(err);
	}
	INIT_LIST_HEAD(&realm->list);
	refcount_set(&realm->refs, 1);
	realm->access = access;
	realm->number = number;
	INIT_RCU_WORK(&realm->free, free_work);
	atomic_inc(&access->nr_realms);
	return realm;
}

/**
 * kmqtt_realm_put() - give a reference back
 * @realm: a realm or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_realm_put(struct kmqtt_realm *realm)
{
	if (realm && refcount_dec_and_test(&realm->refs))
		queue_rcu_work(realm->access->wq, &realm->free);
}

/**
 * kmqtt_realm_drop() - give a reference back that nobody can look up any more
 * @realm: a realm
 *
 * Like kmqtt_realm_put(), but without waiting for readers that there are none of.
 *
 * Context: process, may sleep.
 */
void kmqtt_realm_drop(struct kmqtt_realm *realm)
{
	if (refcount_dec_and_test(&realm->refs))
		realm_free(realm);
}
