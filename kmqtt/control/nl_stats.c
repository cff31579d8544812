// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of a broker.
 */
#include "genl.h"
#include "../net/registry.h"
#include "present.h"
#include "reply.h"

static u32 count_listeners(struct kmqtt_registry *registry)
{
	u32 nr;

	mutex_lock(&registry->mutex);
	nr = list_count_nodes(&registry->listeners);
	mutex_unlock(&registry->mutex);
	return nr;
}

static int put_present(struct sk_buff *skb, const struct kmqtt_present *now)
{
	if (nla_put_uint(skb, KMQTT_A_STATS_CONNECTIONS, now->connections) ||
	    nla_put_uint(skb, KMQTT_A_STATS_SESSIONS, now->sessions) ||
	    nla_put_uint(skb, KMQTT_A_STATS_SUBSCRIPTIONS,
			 now->subscriptions) ||
	    nla_put_uint(skb, KMQTT_A_STATS_RETAINED, now->retained) ||
	    nla_put_uint(skb, KMQTT_A_STATS_RETAINED_BYTES,
			 now->retained_bytes) ||
	    nla_put_uint(skb, KMQTT_A_STATS_MEMORY, now->memory))
		return -EMSGSIZE;
	if (nla_put_uint(skb, KMQTT_A_STATS_UPTIME, now->uptime) ||
	    nla_put_uint(skb, KMQTT_A_STATS_CLIENTS, now->clients) ||
	    nla_put_uint(skb, KMQTT_A_STATS_SHARED_SUBSCRIPTIONS,
			 now->shared_subscriptions) ||
	    nla_put_uint(skb, KMQTT_A_STATS_MESSAGES, now->messages) ||
	    nla_put_uint(skb, KMQTT_A_STATS_MESSAGES_BYTES,
			 now->message_bytes) ||
	    nla_put_uint(skb, KMQTT_A_STATS_BANS, now->bans))
		return -EMSGSIZE;
	return 0;
}

static int put_counters(struct sk_buff *skb, int first, const u64 *counters,
			int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (nla_put_uint(skb, first + i, counters[i]))
			return -EMSGSIZE;
	return 0;
}

/* The order of the attributes is that of what indexes the counters. */
static_assert(KMQTT_A_STATS_MESSAGES_RECEIVED_QOS2 ==
	      KMQTT_A_STATS_MESSAGES_RECEIVED_QOS0 + 2);
static_assert(KMQTT_A_STATS_MESSAGES_SENT_QOS2 ==
	      KMQTT_A_STATS_MESSAGES_SENT_QOS0 + 2);
static_assert(KMQTT_A_STATS_DROPPED_EXPIRED ==
	      KMQTT_A_STATS_DROPPED_QUEUE_FULL + KMQTT_DROP_EXPIRED);
static_assert(KMQTT_A_STATS_HANDOVER_STATE ==
	      KMQTT_A_STATS_HANDOVER_OWNED + KMQTT_HANDOVER_STATE);

static int put_stats(struct sk_buff *skb, const struct kmqtt_stats *sum)
{
	if (nla_put_uint(skb, KMQTT_A_STATS_CONNECTIONS_TOTAL, sum->connects) ||
	    nla_put_uint(skb, KMQTT_A_STATS_CONNECTIONS_REFUSED,
			 sum->refused) ||
	    nla_put_uint(skb, KMQTT_A_STATS_MALFORMED, sum->malformed) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PACKETS_RECEIVED,
			 sum->packets_in) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PACKETS_SENT, sum->packets_out) ||
	    nla_put_uint(skb, KMQTT_A_STATS_BYTES_RECEIVED, sum->bytes_in) ||
	    nla_put_uint(skb, KMQTT_A_STATS_BYTES_SENT, sum->bytes_out))
		return -EMSGSIZE;
	if (nla_put_uint(skb, KMQTT_A_STATS_CONNECTS_RECEIVED,
			 sum->connects_in) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PAYLOAD_RECEIVED,
			 sum->payload_in) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PAYLOAD_SENT, sum->payload_out))
		return -EMSGSIZE;
	if (put_counters(skb, KMQTT_A_STATS_MESSAGES_RECEIVED_QOS0,
			 sum->messages_in, ARRAY_SIZE(sum->messages_in)) ||
	    put_counters(skb, KMQTT_A_STATS_MESSAGES_SENT_QOS0,
			 sum->messages_out, ARRAY_SIZE(sum->messages_out)) ||
	    put_counters(skb, KMQTT_A_STATS_DROPPED_QUEUE_FULL, sum->dropped,
			 KMQTT_DROPS) ||
	    nla_put_uint(skb, KMQTT_A_STATS_BH_RUNS, sum->bh_runs) ||
	    nla_put_uint(skb, KMQTT_A_STATS_THREAD_RUNS, sum->thread_runs) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PACED, sum->paced))
		return -EMSGSIZE;
	if (put_counters(skb, KMQTT_A_STATS_HANDOVER_OWNED, sum->handover,
			 KMQTT_HANDOVERS) ||
	    nla_put_uint(skb, KMQTT_A_STATS_DENIED_PUBLISHES, sum->denied_in))
		return -EMSGSIZE;
	if (nla_put_uint(skb, KMQTT_A_STATS_CONNECTIONS_BANNED, sum->banned))
		return -EMSGSIZE;
	return nla_put_uint(skb, KMQTT_A_STATS_DENIED_DELIVERIES,
			    sum->denied_out);
}

static int put_checks(struct sk_buff *skb, const struct kmqtt_checks *checks)
{
	if (nla_put_uint(skb, KMQTT_A_STATS_PASSWORDS_WAITING,
			 READ_ONCE(checks->waiting)) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PASSWORDS_CHECKED,
			 READ_ONCE(checks->done)) ||
	    nla_put_uint(skb, KMQTT_A_STATS_PASSWORDS_WRONG,
			 READ_ONCE(checks->failed)))
		return -EMSGSIZE;
	return nla_put_uint(skb, KMQTT_A_STATS_PASSWORDS_REFUSED,
			    READ_ONCE(checks->refused));
}

/**
 * kmqtt_nl_stats_get_doit() - tell the statistics
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct kmqtt_present now;
	struct kmqtt_stats sum;
	struct sk_buff *reply;
	void *hdr;

	reply = kmqtt_nl_reply(info, &hdr);
	if (!reply)
		return -ENOMEM;
	kmqtt_stats_sum(broker->stats, &sum);
	kmqtt_present_read(broker, &sum, &now);
	if (nla_put_uint(reply, KMQTT_A_STATS_LISTENERS,
			 count_listeners(broker->registry)) ||
	    put_present(reply, &now) || put_stats(reply, &sum) ||
	    put_checks(reply, &broker->checks) ||
	    nla_put_uint(reply, KMQTT_A_STATS_SESSIONS_EXPIRED,
			 READ_ONCE(broker->store.nr_expired))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return kmqtt_nl_reply_send(reply, hdr, info);
}
