/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_ACCESS_H
#define _KMQTT_ACCESS_ACCESS_H

#include <linux/siphash.h>
#include "../wire/decode.h"
#include "ban.h"
#include "flapping.h"
#include "realm.h"

/**
 * struct kmqtt_access - who may do what
 * @memory: account of the broker
 * @wq: where realms are freed; has to outlive them
 * @mutex: serializes changes; may sleep
 * @realm: the default one; changed under @mutex, read under RCU
 * @realms: all of the present configuration, in the order of their numbers;
 *	holds a reference to each; under @mutex
 * @nr_realms: those that exist, atomic
 * @changes: counts the beginnings and ends of changes to who is let in: odd
 *	during one; changed under @mutex, read anywhere
 * @probe_key: makes what those are told who are no users; constant
 * @stamp_secret: makes what credentials are recognized by; constant
 * @generation: another one after each change of what clients may do, of all
 *	that brokers ever had
 * @scan_max: one more than the rules that there are for a client at most, or 0
 *	if no realm has rules; WRITE_ONCE() under @mutex, read anywhere
 * @bans: who is not let in, whatever the rules
 * @flapping: who will not be let in if it goes on like this
 */
struct kmqtt_access {
	struct kmqtt_memory *memory;
	struct workqueue_struct *wq;
	struct mutex mutex;		/* realm, realms, realms of ports */
	struct kmqtt_realm __rcu *realm;
	struct list_head realms;
	atomic_t nr_realms;
	u32 changes;
	u8 probe_key[32];
	siphash_key_t stamp_secret;
	atomic64_t generation;
	u32 scan_max;
	struct kmqtt_bans bans;
	struct kmqtt_flapping flapping;
};

int kmqtt_access_init(struct kmqtt_access *access, struct kmqtt_memory *memory,
		      struct workqueue_struct *wq);
void kmqtt_access_uninit(struct kmqtt_access *access);
void kmqtt_access_replace(struct kmqtt_access *access,
			  struct list_head *realms);
void kmqtt_access_begin_change(struct kmqtt_access *access);
void kmqtt_access_end_change(struct kmqtt_access *access);
u32 kmqtt_access_wait(struct kmqtt_access *access);
void kmqtt_access_expect(struct kmqtt_access *access,
			 const struct kmqtt_realm *realm);
void kmqtt_access_changed(struct kmqtt_access *access);
struct kmqtt_realm *kmqtt_access_realm(struct kmqtt_access *access,
				       u32 number);

/**
 * kmqtt_access_changes() - which state of realms and terms is this?
 * @access: the broker's rules
 *
 * What is read of them afterwards belongs together if this number is even and
 * still the same then.
 *
 * Context: any.
 * Return: a number that grows; odd during a change.
 */
static inline u32 kmqtt_access_changes(const struct kmqtt_access *access)
{
	/* Pairs with kmqtt_access_end_change(). */
	return smp_load_acquire(&access->changes);
}

/**
 * kmqtt_access_scan_max() - what a decision may take
 * @access: the broker's rules, or NULL
 *
 * Context: any.
 * Return: more than the rules that have to be looked at, or 0 if everything is
 * allowed to everybody.
 */
static inline u32 kmqtt_access_scan_max(const struct kmqtt_access *access)
{
	return access ? READ_ONCE(access->scan_max) : 0;
}

#endif /* _KMQTT_ACCESS_ACCESS_H */
