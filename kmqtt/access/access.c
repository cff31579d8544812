// SPDX-License-Identifier: GPL-2.0
/*
 * The realms of a broker, and how they are replaced.
 */
#include "access.h"

#include <linux/atomic.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/wait_bit.h>

/* Of all brokers: what is remembered of one is nothing to another. */
static atomic64_t generations = ATOMIC64_INIT(0);

/**
 * kmqtt_access_init() - no rules and no users yet
 * @access: the broker's rules
 * @memory: account to charge
 * @wq: workqueue that frees what is replaced; outlives @access
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_access_init(struct kmqtt_access *access, struct kmqtt_memory *memory,
		      struct workqueue_struct *wq)
{
	struct kmqtt_realm *realm;
	int err;

	access->memory = memory;
	access->wq = wq;
	mutex_init(&access->mutex);
	INIT_LIST_HEAD(&access->realms);
	atomic_set(&access->nr_realms, 0);
	atomic64_set(&access->generation, atomic64_inc_return(&generations));
	access->scan_max = 0;
	get_random_bytes(access->probe_key, sizeof(access->probe_key));
	get_random_bytes(&access->stamp_secret, sizeof(access->stamp_secret));
	kmqtt_flapping_init(&access->flapping);
	err = kmqtt_bans_init(&access->bans, memory, wq);
	if (err)
		return err;
	realm = kmqtt_realm_create(access, 0);
	if (IS_ERR(realm)) {
		kmqtt_bans_uninit(&access->bans);
		return PTR_ERR(realm);
	}
	list_add(&realm->list, &access->realms);
	RCU_INIT_POINTER(access->realm, realm);
	return 0;
}

/**
 * kmqtt_access_uninit() - forget all rules and users
 * @access: the broker's rules; nobody asks for them any more, all ports are gone
 *
 * Context: process, may sleep; not on @access->wq.
 */
void kmqtt_access_uninit(struct kmqtt_access *access)
{
	struct kmqtt_realm *realm, *next;

	list_for_each_entry_safe(realm, next, &access->realms, list) {
		list_del_init(&realm->list);
		kmqtt_realm_drop(realm);
	}
	/* Ports may have given back others just now. */
	wait_var_event(&access->nr_realms, !atomic_read(&access->nr_realms));
	kmqtt_bans_uninit(&access->bans);
	kmqtt_flapping_uninit(&access->flapping);
	memzero_explicit(access->probe_key, sizeof(access->probe_key));
	memzero_explicit(&access->stamp_secret, sizeof(access->stamp_secret));
	mutex_destroy(&access->mutex);
}

static u32 scan_max(const struct kmqtt_realm *realm)
{
	return realm && realm->acl ? realm->acl->scan_max + 1 : 0;
}

/**
 * kmqtt_access_expect() - a realm is about to be found by clients
 * @access: the broker's rules
 * @realm: the realm, or NULL
 *
 * Context: the access mutex held.
 */
void kmqtt_access_expect(struct kmqtt_access *access,
			 const struct kmqtt_realm *realm)
{
	lockdep_assert_held(&access->mutex);
	WRITE_ONCE(access->scan_max, max(access->scan_max, scan_max(realm)));
}

/**
 * kmqtt_access_changed() - clients may do other things than before
 * @access: the broker's rules; the change itself has been made
 *
 * Context: the access mutex held.
 */
void kmqtt_access_changed(struct kmqtt_access *access)
{
	lockdep_assert_held(&access->mutex);
	/*
	 * Full barriers: who sees the new generation sees what came before it,
	 * see kmqtt_verdict().
	 */
	atomic64_xchg(&access->generation, atomic64_inc_return(&generations));
}

/**
 * kmqtt_access_replace() - have other realms from now on
 * @access: the broker's rules
 * @realms: the new ones in the order of their numbers, the default realm first,
 *	each with a reference that moves to @access; gets the old ones likewise
 *
 * Context: the access mutex held.
 */
void kmqtt_access_replace(struct kmqtt_access *access, struct list_head *realms)
{
	struct kmqtt_realm *realm =
		list_first_entry(realms, struct kmqtt_realm, list);
	struct kmqtt_realm *each;
	LIST_HEAD(old);
	u32 most = 0;

	lockdep_assert_held(&access->mutex);
	WARN_ON_ONCE(realm->number);
	list_for_each_entry(each, realms, list) {
		kmqtt_access_expect(access, each);
		most = max(most, scan_max(each));
	}
	rcu_assign_pointer(access->realm, realm);
	list_splice_init(&access->realms, &old);
	list_splice_init(realms, &access->realms);
	list_splice(&old, realms);
	WRITE_ONCE(access->scan_max, most);
	kmqtt_access_changed(access);
}

/**
 * kmqtt_access_begin_change() - realms and terms of ports are about to change
 * @access: the broker's rules
 *
 * Context: the access mutex held.
 */
void kmqtt_access_begin_change(struct kmqtt_access *access)
{
	lockdep_assert_held(&access->mutex);
	WRITE_ONCE(access->changes, access->changes + 1);
	/* Who sees a change sees that there is one. */
	smp_wmb();
}

/**
 * kmqtt_access_end_change() - they have changed
 * @access: the broker's rules
 *
 * Context: the access mutex held.
 */
void kmqtt_access_end_change(struct kmqtt_access *access)
{
	lockdep_assert_held(&access->mutex);
	/* Pairs with kmqtt_access_changes(). */
	smp_store_release(&access->changes, access->changes + 1);
	/* Who was let in before sees it, or is seen by who looks for clients. */
	smp_mb();
}

/**
 * kmqtt_access_wait() - wait for the end of a change
 * @access: the broker's rules
 *
 * Context: process, may sleep; takes the access mutex.
 * Return: as kmqtt_access_changes(), and even.
 */
u32 kmqtt_access_wait(struct kmqtt_access *access)
{
	u32 changes;

	mutex_lock(&access->mutex);
	changes = access->changes;
	mutex_unlock(&access->mutex);
	return changes;
}

/**
 * kmqtt_access_realm() - find a realm, or the next one
 * @access: the broker's rules
 * @number: number of the realm
 *
 * Context: process, may sleep; takes the access mutex.
 * Return: the first realm with this number or a greater one, with a reference,
 * or NULL.
 */
struct kmqtt_realm *kmqtt_access_realm(struct kmqtt_access *access, u32 number)
{
	struct kmqtt_realm *realm, *found = NULL;

	mutex_lock(&access->mutex);
	list_for_each_entry(realm, &access->realms, list) {
		if (realm->number < number)
			continue;
		refcount_inc(&realm->refs);
		found = realm;
		break;
	}
	mutex_unlock(&access->mutex);
	return found;
}
