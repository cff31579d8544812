/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clients that send faster than they may are held back: nothing is read from
 * their sockets for a while.
 */
#ifndef _KMQTT_NET_PACING_H
#define _KMQTT_NET_PACING_H

#include <linux/types.h>
#include "../pace.h"

struct kmqtt_conn;

/**
 * struct kmqtt_rx_pace - how fast a client sends, where that is limited
 * @messages: PUBLISH packets
 * @bytes: of all packets
 * @until: jiffies until which nothing is received; read by the timer
 */
struct kmqtt_rx_pace {
	struct kmqtt_pace messages;
	struct kmqtt_pace bytes;
	unsigned long until;
};

int kmqtt_pacing_begin(struct kmqtt_conn *conn, gfp_t gfp);
bool kmqtt_pacing_count(struct kmqtt_conn *conn, u32 messages, u32 bytes);
void kmqtt_pacing_pause(struct kmqtt_conn *conn);
void kmqtt_pacing_timeout(struct kmqtt_conn *conn);

#endif /* _KMQTT_NET_PACING_H */
