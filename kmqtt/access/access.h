/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_ACCESS_H
#define _KMQTT_ACCESS_ACCESS_H

#include "../wire/decode.h"
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
 * @probe_key: makes what those are told who are no users; constant
 */
struct kmqtt_access {
	struct kmqtt_memory *memory;
	struct workqueue_struct *wq;
	struct mutex mutex;		/* realm, realms, realms of ports */
	struct kmqtt_realm __rcu *realm;
	struct list_head realms;
	atomic_t nr_realms;
	u8 probe_key[32];
};

int kmqtt_access_init(struct kmqtt_access *access, struct kmqtt_memory *memory,
		      struct workqueue_struct *wq);
void kmqtt_access_uninit(struct kmqtt_access *access);
void kmqtt_access_replace(struct kmqtt_access *access,
			  struct list_head *realms);
struct kmqtt_realm *kmqtt_access_realm(struct kmqtt_access *access,
				       u32 number);

#endif /* _KMQTT_ACCESS_ACCESS_H */
