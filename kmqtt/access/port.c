// SPDX-License-Identifier: GPL-2.0
/*
 * What a listener asks of those who come in through it.
 */
#include "port.h"

#include <linux/slab.h>

/**
 * kmqtt_port_create() - make a port with the broker's default realm
 * @access: the broker's rules
 * @listener: number of its listener
 * @terms: on what terms it lets clients in
 *
 * Context: process, may sleep.
 * Return: the port, with a reference for the caller, or NULL.
 */
struct kmqtt_port *kmqtt_port_create(struct kmqtt_access *access, u32 listener,
				     const struct kmqtt_terms *terms)
{
	struct kmqtt_port *port;

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;
	kref_init(&port->ref);
	port->access = access;
	port->listener = listener;
	port->terms = *terms;
	port->nobody.port = port;
	port->nobody.number = kmqtt_identity_number();
	return port;
}

static void port_release(struct kref *ref)
{
	struct kmqtt_port *port = container_of(ref, struct kmqtt_port, ref);

	kmqtt_realm_put(rcu_access_pointer(port->realm));
	/* Who reads a session's identity under RCU goes on to its port. */
	kfree_rcu(port, nobody.rcu);
}

/**
 * kmqtt_port_put() - give a reference back
 * @port: a port or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_port_put(struct kmqtt_port *port)
{
	if (port)
		kref_put(&port->ref, port_release);
}

/**
 * kmqtt_port_set_terms() - change the terms
 * @port: the port
 * @terms: the new ones; what a client has been told stays as it is for it
 *
 * Context: process; between kmqtt_access_begin_change() and
 * kmqtt_access_end_change().
 */
void kmqtt_port_set_terms(struct kmqtt_port *port,
			  const struct kmqtt_terms *terms)
{
	WRITE_ONCE(port->terms.max_connections, terms->max_connections);
	WRITE_ONCE(port->terms.connect_rate, terms->connect_rate);
	WRITE_ONCE(port->terms.message_rate, terms->message_rate);
	WRITE_ONCE(port->terms.byte_rate, terms->byte_rate);
	WRITE_ONCE(port->terms.client_message_rate, terms->client_message_rate);
	WRITE_ONCE(port->terms.client_byte_rate, terms->client_byte_rate);
	WRITE_ONCE(port->terms.topic_alias_max, terms->topic_alias_max);
	WRITE_ONCE(port->terms.topic_alias_max_out, terms->topic_alias_max_out);
	WRITE_ONCE(port->terms.versions, terms->versions);
	WRITE_ONCE(port->terms.max_qos, terms->max_qos);
	WRITE_ONCE(port->terms.anonymous, terms->anonymous);
	WRITE_ONCE(port->terms.username_as_client_id,
		   terms->username_as_client_id);
	WRITE_ONCE(port->terms.assign_client_id, terms->assign_client_id);
	/* In pieces: who reads it meanwhile looks again. */
	data_race(port->terms.id_prefix = terms->id_prefix);
}

/**
 * kmqtt_port_set_realm() - from now on others are known
 * @port: the port
 * @realm: the realm, whose reference moves to the port; NULL for the default
 *
 * Context: the access mutex held.
 * Return: the realm before, with its reference for the caller, or NULL.
 */
struct kmqtt_realm *kmqtt_port_set_realm(struct kmqtt_port *port,
					 struct kmqtt_realm *realm)
{
	struct kmqtt_realm *old;

	/* Nobody may find it and be told that there are no rules. */
	kmqtt_access_expect(port->access, realm);
	old = rcu_replace_pointer(port->realm, realm,
				  lockdep_is_held(&port->access->mutex));
	kmqtt_access_changed(port->access);
	return old;
}

static bool authenticates(const struct kmqtt_port *port)
{
	bool ret;

	rcu_read_lock();
	ret = kmqtt_realm_authenticates(kmqtt_port_realm(port));
	rcu_read_unlock();
	return ret;
}

/**
 * kmqtt_port_check() - may this client connect?
 * @port: the port it came through
 * @c: its CONNECT, without enhanced authentication
 *
 * Context: any.
 * Return: 0; KMQTT_REASON_CONTINUE_AUTHENTICATION if its password decides; or
 * the reason to refuse it with.
 */
enum kmqtt_reason kmqtt_port_check(const struct kmqtt_port *port,
				   const struct kmqtt_connect *c)
{
	if (c->has_user && authenticates(port))
		return KMQTT_REASON_CONTINUE_AUTHENTICATION;
	if (READ_ONCE(port->terms.anonymous))
		return KMQTT_REASON_SUCCESS;
	return c->has_user ? KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD :
			     KMQTT_REASON_NOT_AUTHORIZED;
}

static bool user_has_stamp(const struct kmqtt_port *port,
			   const struct kmqtt_str *user, u64 stamp)
{
	struct kmqtt_realm *realm;
	bool has;

	rcu_read_lock();
	realm = kmqtt_port_realm(port);
	has = kmqtt_user_has_stamp(&realm->users, user, stamp,
				   &port->access->stamp_secret);
	rcu_read_unlock();
	return has;
}

/**
 * kmqtt_port_admits() - would a client be let in once more?
 * @port: the port it came through
 * @trust: as whom it was let in
 * @user: the name of the user, if it was one
 * @stamp: of what proved that, if anything did
 *
 * Context: any but hard interrupts.
 * Return: true if nothing has changed that it was let in by.
 */
bool kmqtt_port_admits(const struct kmqtt_port *port, enum kmqtt_trust trust,
		       const struct kmqtt_str *user, u64 stamp)
{
	/* Whoever came in under a realm that went with its listener. */
	if (READ_ONCE(port->closed) && rcu_access_pointer(port->realm))
		return false;
	switch (trust) {
	case KMQTT_TRUST_PASSWORD:
	case KMQTT_TRUST_SCRAM:
		return user_has_stamp(port, user, stamp);
	case KMQTT_TRUST_PROVEN:
		/* There are no handshakes in the middle of a connection. */
		return true;
	case KMQTT_TRUST_UNPROVEN:
		return READ_ONCE(port->terms.anonymous) && !authenticates(port);
	default:
		return READ_ONCE(port->terms.anonymous);
	}
}
