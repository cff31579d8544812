/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one pass over a connection works with: buffers and room for matches.
 * Softirq has a set on each CPU, threads share a fixed number of them.
 */
#ifndef _KMQTT_NET_PASS_H
#define _KMQTT_NET_PASS_H

#include <linux/list.h>
#include "../access/verdict.h"
#include "../protocol/run.h"
#include "../session/link.h"
#include "../session/outbox.h"
#include "../topic/match.h"

struct kmqtt_broker;

/* Bytes of a gulp. The head of any PUBLISH fits in. */
#define KMQTT_RX_SIZE		(80 << 10)
/* Bytes of a send. All of any packet that is copied fits in. */
#define KMQTT_TX_SIZE		(80 << 10)
/* Packets of a send. */
#define KMQTT_TX_PACKETS	512
/* Pieces of memory that sockets send from, of up to 32 KiB each. */
#define KMQTT_TX_FRAGS		4

/**
 * struct kmqtt_tx_packet - a packet in the send buffer
 * @delivery: what it is; holds a reference to the message
 * @mark: its place in the outbox
 * @end: where it ends in the buffer
 */
struct kmqtt_tx_packet {
	struct kmqtt_delivery delivery;
	struct kmqtt_outbox_mark mark;
	u32 end;
};

/**
 * struct kmqtt_pass - one set
 * @list: entry of the free ones that threads take from
 * @batch: for the floors below
 * @route: room for matches
 * @run: room for messages that are delivered together
 * @verdicts: what was decided lately of who may do what
 * @rx: receive buffer of KMQTT_RX_SIZE; NULL in softirq's sets after a
 *	connection has kept it, until a thread has brought a new one
 * @tx: send buffer of KMQTT_TX_SIZE
 * @packets: what is in @tx
 * @frags: where TCP copies it to, in place of each socket's own
 * @frag: the one in use
 */
struct kmqtt_pass {
	struct list_head list;
	struct kmqtt_batch batch;
	struct kmqtt_route route;
	struct kmqtt_run run;
	struct kmqtt_verdicts verdicts;
	u8 *rx;
	u8 *tx;
	struct kmqtt_tx_packet packets[KMQTT_TX_PACKETS];
	struct page_frag frags[KMQTT_TX_FRAGS];
	u32 frag;
};

int kmqtt_pass_module_init(void);
void kmqtt_pass_module_uninit(void);
struct kmqtt_pass *kmqtt_pass_this_cpu(void);
struct kmqtt_pass *kmqtt_pass_take(void);
void kmqtt_pass_give(struct kmqtt_pass *pass);
void kmqtt_pass_publish_will(struct kmqtt_session *session,
			     struct kmqtt_identity *identity,
			     struct kmqtt_msg *will);
void kmqtt_pass_publish_last_will(struct kmqtt_session *session,
				  struct kmqtt_msg *will);

#endif /* _KMQTT_NET_PASS_H */
