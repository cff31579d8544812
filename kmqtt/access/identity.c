// SPDX-License-Identifier: GPL-2.0
/*
 * Who a client is: a user, or nobody, and what it came through. A session keeps
 * that of its last connection, so that rules apply while it has none, too.
 */
#include "identity.h"

#include <linux/atomic.h>
#include <linux/slab.h>
#include "port.h"

static atomic64_t numbers = ATOMIC64_INIT(0);

static size_t identity_size(u16 user_len)
{
	return struct_size_t(struct kmqtt_identity, user, user_len);
}

static struct kmqtt_memory *memory_of(const struct kmqtt_identity *identity)
{
	return identity->port->access->memory;
}

/**
 * kmqtt_identity_number() - a number for a new identity
 *
 * Context: any.
 * Return: one that is not 0 and has never been given before.
 */
u64 kmqtt_identity_number(void)
{
	return atomic64_inc_return(&numbers);
}

/**
 * kmqtt_identity_create() - note who a client is
 * @port: what it came through; the caller has a reference
 * @user: its user name, at most KMQTT_IDENTITY_USER_MAX bytes; none if empty
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * All who come through a port and have no user name are the same.
 *
 * Context: any but hard interrupts.
 * Return: the identity, with a reference for the caller, or NULL.
 */
struct kmqtt_identity *kmqtt_identity_create(struct kmqtt_port *port,
					     const struct kmqtt_str *user,
					     gfp_t gfp)
{
	size_t size = identity_size(user->len);
	struct kmqtt_identity *identity;

	if (!user->len)
		return &kmqtt_port_get(port)->nobody;
	if (!kmqtt_memory_charge(port->access->memory, size))
		return NULL;
	identity = kmalloc(size, gfp | __GFP_NOWARN);
	if (!identity) {
		kmqtt_memory_uncharge(port->access->memory, size);
		return NULL;
	}
	identity->port = kmqtt_port_get(port);
	identity->number = kmqtt_identity_number();
	refcount_set(&identity->refs, 1);
	identity->user_len = user->len;
	memcpy(identity->user, user->data, user->len);
	return identity;
}

/**
 * kmqtt_identity_get() - take a reference
 * @identity: an identity that the caller has a reference to
 *
 * Context: any.
 * Return: @identity.
 */
struct kmqtt_identity *kmqtt_identity_get(struct kmqtt_identity *identity)
{
	if (identity->user_len)
		refcount_inc(&identity->refs);
	else
		kmqtt_port_get(identity->port);
	return identity;
}

/**
 * kmqtt_identity_put() - give a reference back
 * @identity: an identity or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_identity_put(struct kmqtt_identity *identity)
{
	if (!identity)
		return;
	if (!identity->user_len) {
		kmqtt_port_put(identity->port);
		return;
	}
	if (!refcount_dec_and_test(&identity->refs))
		return;
	kmqtt_memory_uncharge(memory_of(identity),
			      identity_size(identity->user_len));
	/* RCU keeps port and realm for whoever still stands on it. */
	kmqtt_port_put(identity->port);
	kfree_rcu(identity, rcu);
}
