/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_PORT_H
#define _KMQTT_ACCESS_PORT_H

#include <linux/kref.h>
#include "../pace.h"
#include "access.h"
#include "identity.h"

/* Connections of a port without a limit of its own. */
#define KMQTT_PORT_UNLIMITED	U32_MAX

/**
 * enum kmqtt_trust - as whom a client has been let in
 * @KMQTT_TRUST_ANONYMOUS: it gave no user name
 * @KMQTT_TRUST_UNPROVEN: it gave a user name that nobody wanted to see proven
 * @KMQTT_TRUST_PASSWORD: as the user whose password it gave
 * @KMQTT_TRUST_SCRAM: as the user whose key it has
 * @KMQTT_TRUST_PROVEN: as the user that a handshake before MQTT has proven
 */
enum kmqtt_trust {
	KMQTT_TRUST_ANONYMOUS,
	KMQTT_TRUST_UNPROVEN,
	KMQTT_TRUST_PASSWORD,
	KMQTT_TRUST_SCRAM,
	KMQTT_TRUST_PROVEN,
};

/**
 * struct kmqtt_id_prefix - what identifiers begin with that the broker assigns
 * @len: bytes of @data
 * @data: UTF-8, not terminated
 */
struct kmqtt_id_prefix {
	u8 len;
	u8 data[KMQTT_CLIENT_ID_PREFIX_MAX];
};

/**
 * struct kmqtt_terms - on what terms a listener lets clients in
 * @max_connections: at a time, or KMQTT_PORT_UNLIMITED
 * @connect_rate: connections accepted a second, 0 for no limit; likewise below
 * @message_rate: messages a second from all clients together
 * @byte_rate: bytes a second from all clients together
 * @client_message_rate: messages a second from each client
 * @client_byte_rate: bytes a second from each client
 * @topic_alias_max: topic aliases that a client may use
 * @topic_alias_max_out: topic aliases that the broker uses towards a client
 * @versions: bits of enum kmqtt_protocol_version that clients may speak
 * @max_qos: 0 to 2
 * @anonymous: let clients in whose identity nobody has checked
 * @username_as_client_id: clients are called by their user names
 * @assign_client_id: clients may leave their identifier to the broker
 * @id_prefix: what it begins with then; whoever copies it from a port looks at
 *	kmqtt_access_changes() before and after
 */
struct kmqtt_terms {
	u32 max_connections;
	u32 connect_rate;
	u32 message_rate;
	u32 byte_rate;
	u32 client_message_rate;
	u32 client_byte_rate;
	u16 topic_alias_max;
	u16 topic_alias_max_out;
	u8 versions;
	u8 max_qos;
	bool anonymous;
	bool username_as_client_id;
	bool assign_client_id;
	struct kmqtt_id_prefix id_prefix;
};

/**
 * struct kmqtt_port - what clients know of the listener they came through
 * @ref: the listener's, its clients', that of each identity, passing users'
 * @access: the broker's rules, constant
 * @realm: its own, which it has a reference to; NULL for the broker's default;
 *	changed under the mutex of @access, read under RCU
 * @terms: the terms; READ_ONCE() and WRITE_ONCE()
 * @listener: number of the listener; READ_ONCE() and WRITE_ONCE()
 * @connects: what was accepted, of @terms.connect_rate
 * @messages: what was received, of @terms.message_rate
 * @bytes: what was received, of @terms.byte_rate
 * @closed: the listener is gone
 * @nr_connections: for those who count them, under a lock of theirs
 * @nobody: all who come without a user name; a reference to it is one to the
 *	port
 *
 * It outlives the listener for as long as there are clients.
 */
struct kmqtt_port {
	struct kref ref;
	struct kmqtt_access *access;
	struct kmqtt_realm __rcu *realm;
	struct kmqtt_terms terms;
	struct kmqtt_pace connects;
	struct kmqtt_pace messages;
	struct kmqtt_pace bytes;
	u32 listener;
	bool closed;
	u32 nr_connections;
	struct kmqtt_identity nobody;
};

struct kmqtt_port *kmqtt_port_create(struct kmqtt_access *access, u32 listener,
				     const struct kmqtt_terms *terms);
void kmqtt_port_put(struct kmqtt_port *port);
void kmqtt_port_set_terms(struct kmqtt_port *port,
			  const struct kmqtt_terms *terms);
struct kmqtt_realm *kmqtt_port_set_realm(struct kmqtt_port *port,
					 struct kmqtt_realm *realm);
enum kmqtt_reason kmqtt_port_check(const struct kmqtt_port *port,
				   const struct kmqtt_connect *c);
bool kmqtt_port_admits(const struct kmqtt_port *port, enum kmqtt_trust trust,
		       const struct kmqtt_str *user, u64 stamp);

/**
 * kmqtt_port_get() - take a reference
 * @port: a port that the caller has a reference to
 *
 * Context: any.
 * Return: @port.
 */
static inline struct kmqtt_port *kmqtt_port_get(struct kmqtt_port *port)
{
	kref_get(&port->ref);
	return port;
}

/**
 * kmqtt_port_paced() - is what clients send held back?
 * @port: the port
 *
 * Context: any.
 * Return: true if there is a rate to keep to.
 */
static inline bool kmqtt_port_paced(const struct kmqtt_port *port)
{
	const struct kmqtt_terms *terms = &port->terms;

	return READ_ONCE(terms->message_rate) | READ_ONCE(terms->byte_rate) |
	       READ_ONCE(terms->client_message_rate) |
	       READ_ONCE(terms->client_byte_rate);
}

/**
 * kmqtt_port_realm() - whom a port knows
 * @port: the port
 *
 * Context: under RCU, which also keeps the realm.
 * Return: its realm, never NULL.
 */
static inline struct kmqtt_realm *kmqtt_port_realm(const struct kmqtt_port *port)
{
	return rcu_dereference(port->realm) ?:
	       rcu_dereference(port->access->realm);
}

#endif /* _KMQTT_ACCESS_PORT_H */
