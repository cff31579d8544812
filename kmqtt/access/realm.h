/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_REALM_H
#define _KMQTT_ACCESS_REALM_H

#include <linux/refcount.h>
#include <linux/workqueue.h>
#include "acl.h"
#include "user.h"

struct kmqtt_access;

/**
 * struct kmqtt_realm - whom a broker knows, and what is asked of them
 * @list: entry of the broker's realms, under their mutex
 * @refs: the list's, ports', passing users'
 * @access: the broker's rules; outlive all realms
 * @number: as the operator calls it, 0 for the default realm; constant
 * @authenticate: who gives a user name has to be a user, even if there is none;
 *	constant once it is in use
 * @acl: what they may do; NULL for everything. The realm owns it; constant once
 *	it is in use
 * @users: those who can prove who they are
 * @free: frees it when RCU's readers are done
 *
 * A broker has a default realm, which ports have that have none of their own.
 */
struct kmqtt_realm {
	struct list_head list;
	refcount_t refs;
	struct kmqtt_access *access;
	u32 number;
	bool authenticate;
	struct kmqtt_acl *acl;
	struct kmqtt_users users;
	struct rcu_work free;
};

struct kmqtt_realm *kmqtt_realm_create(struct kmqtt_access *access, u32 number);
void kmqtt_realm_put(struct kmqtt_realm *realm);
void kmqtt_realm_drop(struct kmqtt_realm *realm);

/**
 * kmqtt_realm_authenticates() - does who gives a user name have to be that user?
 * @realm: the realm
 *
 * Context: any.
 * Return: true if it is so, because it was said or because there are passwords.
 */
static inline bool kmqtt_realm_authenticates(const struct kmqtt_realm *realm)
{
	return realm->authenticate || READ_ONCE(realm->users.costs.nr);
}

#endif /* _KMQTT_ACCESS_REALM_H */
