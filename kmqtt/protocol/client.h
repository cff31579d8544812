/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_PROTOCOL_CLIENT_H
#define _KMQTT_PROTOCOL_CLIENT_H

#include <linux/in6.h>
#include "../access/identity.h"
#include "../access/port.h"
#include "../broker.h"
#include "../session/alias.h"
#include "../session/link.h"
#include "history.h"

struct kmqtt_proof;

/**
 * enum kmqtt_client_state - where a connection stands
 * @KMQTT_CLIENT_NEW: no CONNECT yet
 * @KMQTT_CLIENT_AUTH: CONNECT is there, the client is still proving itself
 * @KMQTT_CLIENT_CHECK: CONNECT is there, its password is being checked; nothing
 *	is received meanwhile
 * @KMQTT_CLIENT_ONLINE: accepted; has a session
 * @KMQTT_CLIENT_CLOSING: terminal
 * @KMQTT_CLIENT_STATES: how many there are
 */
enum kmqtt_client_state {
	KMQTT_CLIENT_NEW,
	KMQTT_CLIENT_AUTH,
	KMQTT_CLIENT_CHECK,
	KMQTT_CLIENT_ONLINE,
	KMQTT_CLIENT_CLOSING,
	KMQTT_CLIENT_STATES,
};

/**
 * struct kmqtt_client - MQTT's side of a connection
 * @link: what the session sees
 * @broker: constant
 * @port: what it came through, kept by the connection; constant
 * @id: number of the connection, constant
 * @peer: address, IPv4 mapped into IPv6; constant
 * @peer_ifindex: scope of a link-local address, else 0; constant
 * @peer_port: constant
 * @state: enum kmqtt_client_state; kmqtt_client_set_state() writes it
 * @reason: enum kmqtt_reason: why it closes; valid from KMQTT_CLIENT_CLOSING on
 * @max_packet: bytes of a packet that the client takes
 * @expiry: session expiry as in CONNECT
 * @keepalive: seconds, 0 for none
 * @version: protocol level, 0 before CONNECT
 * @clean: as in CONNECT
 * @problem_info: the client wants to be told more than reason codes
 * @goodbye: the client has sent a DISCONNECT
 * @trust: enum kmqtt_trust: as whom it was let in
 * @aliases: topic aliases
 * @proof: how it proves who it is, or NULL if nobody wanted it to; stays when it
 *	is online
 * @reference: server that the client is sent to, or NULL; set once, atomic
 * @session: valid from KMQTT_CLIENT_ONLINE on; holds a reference; tracepoints
 *	look at it before, under RCU
 * @connected: jiffies when it was accepted, constant
 * @messages_in: PUBLISH packets received
 * @messages_out: PUBLISH packets sent
 * @bytes_in: bytes received
 * @bytes_out: bytes sent
 * @proven: name of the user that a handshake before MQTT has proven, empty if
 *	that has failed; NULL if there was none; constant
 * @identity: who it is; NULL before a CONNECT was accepted; holds a reference
 * @author: who it is to its retained messages; NULL before the first one; holds
 *	a reference
 * @history: the last packets; the pointer is constant
 *
 * What is neither constant nor said to be something else is written before the
 * state becomes KMQTT_CLIENT_ONLINE; @goodbye and @reference before it becomes
 * KMQTT_CLIENT_CLOSING. What is in @proof, and @author itself, is the receive side's.
 * That side writes the counters of what comes in, the transmit side those of what
 * goes out.
 */
struct kmqtt_client {
	struct kmqtt_link link;
	struct kmqtt_broker *broker;
	struct kmqtt_port *port;
	u64 id;
	struct in6_addr peer;
	u32 peer_ifindex;
	u16 peer_port;
	u16 reason;
	u32 max_packet;
	u32 expiry;
	u16 keepalive;
	u8 state;
	u8 version;
	bool clean;
	bool problem_info;
	bool goodbye;
	u8 trust;
	struct kmqtt_aliases aliases;
	struct kmqtt_proof *proof;
	struct kmqtt_text *reference;
	struct kmqtt_session *session;
	unsigned long connected;
	u64 messages_in;
	u64 messages_out;
	u64 bytes_in;
	u64 bytes_out;
	const struct kmqtt_str *proven;
	struct kmqtt_identity *identity;
	struct kmqtt_author *author;
	struct kmqtt_history *history;
};

/**
 * struct kmqtt_packet - a whole packet in place
 * @fixed: its fixed header
 * @body: what follows it, @fixed.remaining bytes
 */
struct kmqtt_packet {
	struct kmqtt_fixed fixed;
	const u8 *body;
};

int kmqtt_client_init(struct kmqtt_client *client, struct kmqtt_broker *broker,
		      struct kmqtt_port *port,
		      const struct kmqtt_link_ops *ops);
void kmqtt_client_uninit(struct kmqtt_client *client);
bool kmqtt_client_set_state(struct kmqtt_client *client,
			    enum kmqtt_client_state from,
			    enum kmqtt_client_state to);
bool kmqtt_client_go_online(struct kmqtt_client *client);
int kmqtt_client_fail(struct kmqtt_client *client, enum kmqtt_reason reason);
bool kmqtt_client_closing(struct kmqtt_client *client,
			  enum kmqtt_reason reason);
void kmqtt_client_closed(struct kmqtt_client *client,
			 struct kmqtt_batch *batch);
bool kmqtt_client_admitted(const struct kmqtt_client *client);
bool kmqtt_client_still_allowed(const struct kmqtt_client *client);

/**
 * kmqtt_client_of() - the client around a link
 * @link: a link
 *
 * Context: any.
 * Return: the client.
 */
static inline struct kmqtt_client *kmqtt_client_of(struct kmqtt_link *link)
{
	return container_of(link, struct kmqtt_client, link);
}

/**
 * kmqtt_client_max_qos() - the highest QoS that a client may use
 * @client: the client
 *
 * Context: any.
 * Return: 0 to 2.
 */
static inline u8 kmqtt_client_max_qos(const struct kmqtt_client *client)
{
	return min(READ_ONCE(client->broker->limits.max_qos),
		   READ_ONCE(client->port->terms.max_qos));
}

/**
 * kmqtt_client_state() - where a connection stands
 * @client: the connection
 *
 * Context: any.
 * Return: its state; only KMQTT_CLIENT_CLOSING is there to stay.
 */
static inline enum kmqtt_client_state
kmqtt_client_state(const struct kmqtt_client *client)
{
	return READ_ONCE(client->state);
}

#endif /* _KMQTT_PROTOCOL_CLIENT_H */
