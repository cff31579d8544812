/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_STATS_H
#define _KMQTT_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <uapi/linux/kmqtt.h>

#define KMQTT_DROPS	(KMQTT_DROP_EXPIRED + 1)

/* Why softirq left a connection's work to a thread. */
enum kmqtt_handover {
	KMQTT_HANDOVER_OWNED,		/* a process holds the socket */
	KMQTT_HANDOVER_NO_MEMORY,	/* an atomic allocation failed */
	KMQTT_HANDOVER_BUDGET,		/* there was too much to do */
	KMQTT_HANDOVER_LARGE,		/* a large payload, or a wide fan-out */
	KMQTT_HANDOVER_SETTING,		/* an operator wants it so */
	KMQTT_HANDOVER_STATE,		/* the thread had begun already */
	KMQTT_HANDOVERS,
};

/**
 * struct kmqtt_stats - counters of a broker, one set for each CPU
 * @connects: connections accepted
 * @refused: connections refused, before or by CONNACK
 * @banned: those among them that were for a ban
 * @malformed: connections closed for what the client sent
 * @connects_in: CONNECT packets received
 * @admitted: clients that got a session
 * @left: those among them whose connection has ended
 * @packets_in: packets received
 * @packets_out: packets sent; those that are no PUBLISH or PUBREL, when they are
 *	ready to be sent
 * @bytes_in: bytes received
 * @bytes_out: bytes sent
 * @payload_in: bytes of payload in PUBLISH packets received
 * @payload_out: the same in those sent
 * @messages_in: PUBLISH packets received, by QoS
 * @messages_out: PUBLISH packets sent, by QoS
 * @dropped: by enum kmqtt_drop
 * @paced: times that a client was held back for its rate
 * @bh_runs: passes in softirq
 * @thread_runs: passes in a thread
 * @handover: by enum kmqtt_handover
 * @denied_in: PUBLISH packets and wills that were not for their clients to publish
 * @denied_out: messages that were not for their subscribers to get
 */
struct kmqtt_stats {
	u64 connects;
	u64 refused;
	u64 banned;
	u64 malformed;
	u64 connects_in;
	u64 admitted;
	u64 left;
	u64 packets_in;
	u64 packets_out;
	u64 bytes_in;
	u64 bytes_out;
	u64 payload_in;
	u64 payload_out;
	u64 messages_in[3];
	u64 messages_out[3];
	u64 dropped[KMQTT_DROPS];
	u64 paced;
	u64 bh_runs;
	u64 thread_runs;
	u64 handover[KMQTT_HANDOVERS];
	u64 denied_in;
	u64 denied_out;
};

void kmqtt_stats_sum(const struct kmqtt_stats __percpu *stats,
		     struct kmqtt_stats *sum);

#define kmqtt_stats_add(broker, counter, n) \
	this_cpu_add((broker)->stats->counter, n)
#define kmqtt_stats_inc(broker, counter) kmqtt_stats_add(broker, counter, 1)

#endif /* _KMQTT_STATS_H */
