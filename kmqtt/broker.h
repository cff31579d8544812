/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BROKER_H
#define _KMQTT_BROKER_H

#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "access/access.h"
#include "access/check.h"
#include "rate.h"
#include "session/store.h"
#include "stats.h"
#include "topic/memory.h"
#include "topic/retained.h"
#include "topic/tree.h"
#include "wire/packet.h"

struct kmqtt_config;
struct kmqtt_registry;
struct kmqtt_sys;
struct sock;

/**
 * struct kmqtt_workqueues - the module's, shared by all brokers
 * @bh: softirq: the short path
 * @io: threads: the long path
 * @ctl: accepting and releasing connections, ending sessions
 * @crypt: checking passwords
 */
struct kmqtt_workqueues {
	struct workqueue_struct *bh;
	struct workqueue_struct *io;
	struct workqueue_struct *ctl;
	struct workqueue_struct *crypt;
};

extern struct kmqtt_workqueues kmqtt_wq;

/**
 * struct kmqtt_text - a text that the operator has set
 * @rcu: readers may stand on it while it is replaced
 * @len: bytes of @data
 * @data: UTF-8, not terminated
 */
struct kmqtt_text {
	struct rcu_head rcu;
	u16 len;
	u8 data[];
};

/**
 * enum kmqtt_text_id - the texts that there are
 * @KMQTT_TEXT_RESPONSE_INFO: told to clients that ask where to have responses sent
 * @KMQTT_TEXT_SERVER_REFERENCE: another server, for clients that are sent away
 * @KMQTT_TEXT_CLIENT_ID_PREFIX: what clients' identifiers have to begin with
 * @KMQTT_TEXTS: how many there are
 */
enum kmqtt_text_id {
	KMQTT_TEXT_RESPONSE_INFO,
	KMQTT_TEXT_SERVER_REFERENCE,
	KMQTT_TEXT_CLIENT_ID_PREFIX,
	KMQTT_TEXTS
};

/**
 * struct kmqtt_limits - what the operator allows beyond what stores have
 * @connect_timeout: seconds until a CONNECT must have come
 * @max_connect_size: bytes of a CONNECT
 * @max_packet_size: bytes of a packet after CONNECT
 * @max_payload_size: bytes of a message's payload
 * @max_subscriptions: of one session
 * @max_retained: messages
 * @max_session_expiry: seconds that a session survives its connection, or
 *	KMQTT_EXPIRY_NEVER
 * @receive_max: messages that a client may send before one is acknowledged
 * @topic_alias_max: topic aliases that a client may use
 * @max_keepalive: seconds, 0 for no maximum
 * @max_qos: 0 to 2
 * @redirect: enum kmqtt_redirect: what new clients are told
 * @retain_available: let clients publish retained messages
 * @wildcard_available: let clients subscribe with wildcards
 * @shared_available: let clients share subscriptions
 * @sub_ids_available: let clients use subscription identifiers
 * @validate_payload: refuse payloads that are not the text they claim to be
 * @bh_path: let softirq do what it can
 *
 * All are read with READ_ONCE() and written with WRITE_ONCE().
 */
struct kmqtt_limits {
	u32 connect_timeout;
	u32 max_connect_size;
	u32 max_packet_size;
	u32 max_payload_size;
	u32 max_subscriptions;
	u32 max_retained;
	u32 max_session_expiry;
	u16 receive_max;
	u16 topic_alias_max;
	u16 max_keepalive;
	u8 max_qos;
	u8 redirect;
	bool retain_available;
	bool wildcard_available;
	bool shared_available;
	bool sub_ids_available;
	bool validate_payload;
	bool bh_path;
};

/**
 * struct kmqtt_broker - the broker of a network namespace
 * @net: the namespace, which owns the broker
 * @memory: account of everything below
 * @tree: subscriptions
 * @retained: retained messages
 * @store: sessions
 * @access: who may do what
 * @checks: passwords that are to be checked
 * @limits: what else is limited
 * @settings_mutex: serializes changes of settings; may sleep
 * @texts: by enum kmqtt_text_id; NULL for none; RCU
 * @stats: counters, for each CPU
 * @taps: struct kmqtt_tap; written under @taps_mutex, read under RCU. Looked at
 *	for each message, as @stats next to it
 * @taps_mutex: guards @taps; may sleep
 * @registry: listeners and connections
 * @config_mutex: guards the three below; may sleep
 * @config: a configuration that is being told by netlink, or NULL
 * @config_portid: socket that tells it, 0 for none; WRITE_ONCE(), and read
 *	anywhere
 * @config_sk: the same socket; there for as long as there is a @config
 * @sys: what is told in $SYS topics
 * @refused_rate: events of refused connections, atomic
 * @drop_rates: events of messages that no session was to get, atomic
 * @started: when it was made, in seconds since boot
 */
struct kmqtt_broker {
	struct net *net;
	struct kmqtt_memory memory;
	struct kmqtt_tree tree;
	struct kmqtt_retained retained;
	struct kmqtt_store store;
	struct kmqtt_access access;
	struct kmqtt_checks checks;
	struct kmqtt_limits limits;
	struct mutex settings_mutex;	/* writing settings, wherever they are */
	struct kmqtt_text __rcu *texts[KMQTT_TEXTS];
	struct kmqtt_stats __percpu *stats;
	struct hlist_head taps;
	struct mutex taps_mutex;	/* writing taps */
	struct kmqtt_registry *registry;
	struct mutex config_mutex;	/* config, config_portid, config_sk */
	struct kmqtt_config *config;
	u32 config_portid;
	const struct sock *config_sk;
	struct kmqtt_sys *sys;
	struct kmqtt_rate refused_rate;
	struct kmqtt_rate drop_rates[KMQTT_DROPS];
	time64_t started;
};

struct kmqtt_text *kmqtt_text_copy(struct kmqtt_text __rcu **text);
struct kmqtt_broker *kmqtt_broker_of(struct net *net);
int kmqtt_broker_module_init(void);
void kmqtt_broker_module_uninit(void);

#endif /* _KMQTT_BROKER_H */
