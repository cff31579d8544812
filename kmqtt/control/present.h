/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_PRESENT_H
#define _KMQTT_CONTROL_PRESENT_H

#include <linux/types.h>

struct kmqtt_broker;
struct kmqtt_stats;

/**
 * struct kmqtt_present - what a broker has at present
 * @uptime: seconds since it was made
 * @connections: connections, those of no client yet or no more included
 * @clients: clients that are connected
 * @sessions: sessions
 * @subscriptions: all subscriptions
 * @shared_subscriptions: those among them that are shared
 * @retained: retained messages
 * @retained_bytes: their topics and payloads
 * @messages: messages that are kept for whatever reason
 * @message_bytes: their payloads
 * @memory: bytes of the account
 * @bans: bans
 */
struct kmqtt_present {
	u64 uptime;
	u32 connections;
	u32 clients;
	u32 sessions;
	u32 subscriptions;
	u32 shared_subscriptions;
	u32 retained;
	u64 retained_bytes;
	u64 messages;
	u64 message_bytes;
	u64 memory;
	u32 bans;
};

void kmqtt_present_read(struct kmqtt_broker *broker,
			const struct kmqtt_stats *sum,
			struct kmqtt_present *present);

#endif /* _KMQTT_CONTROL_PRESENT_H */
