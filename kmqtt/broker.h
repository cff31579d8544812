/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BROKER_H
#define _KMQTT_BROKER_H

#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "access/access.h"
#include "rate.h"
#include "session/store.h"
#include "stats.h"
#include "topic/memory.h"
#include "topic/retained.h"
#include "topic/tree.h"

struct kmqtt_registry;

/**
 * struct kmqtt_workqueues - the module's, shared by all brokers
 * @bh: softirq: the short path
 * @io: threads: the long path
 * @ctl: accepting and releasing connections, ending sessions
 */
struct kmqtt_workqueues {
	struct workqueue_struct *bh;
	struct workqueue_struct *io;
	struct workqueue_struct *ctl;
};

extern struct kmqtt_workqueues kmqtt_wq;

/**
 * struct kmqtt_limits - what the operator allows beyond what stores have
 * @connect_timeout: seconds until a CONNECT must have come
 * @max_connect_size: bytes of a CONNECT
 * @max_packet_size: bytes of a packet after CONNECT
 * @max_subscriptions: of one session
 * @max_retained: messages
 * @bh_path: let softirq do what it can
 *
 * All are read with READ_ONCE() and written with WRITE_ONCE().
 */
struct kmqtt_limits {
	u32 connect_timeout;
	u32 max_connect_size;
	u32 max_packet_size;
	u32 max_subscriptions;
	u32 max_retained;
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
 * @limits: what else is limited
 * @stats: counters, for each CPU
 * @registry: listeners and connections
 * @refused_rate: events of refused connections, atomic
 * @unretained_rate: events of messages not retained, atomic
 * @started: when it was made, in seconds since boot
 */
struct kmqtt_broker {
	struct net *net;
	struct kmqtt_memory memory;
	struct kmqtt_tree tree;
	struct kmqtt_retained retained;
	struct kmqtt_store store;
	struct kmqtt_access access;
	struct kmqtt_limits limits;
	struct kmqtt_stats __percpu *stats;
	struct kmqtt_registry *registry;
	struct kmqtt_rate refused_rate;
	struct kmqtt_rate unretained_rate;
	time64_t started;
};

struct kmqtt_broker *kmqtt_broker_of(struct net *net);
int kmqtt_broker_module_init(void);
void kmqtt_broker_module_uninit(void);

#endif /* _KMQTT_BROKER_H */
