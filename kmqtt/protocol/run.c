// SPDX-License-Identifier: GPL-2.0
/*
 * PUBLISH packets in a row that differ in payload and identifier only, as
 * bursts do. In softirq they are collected, delivered to each subscriber
 * together, and then acknowledged: what was decoded, checked and found for the
 * first of them holds for all.
 *
 * A run ends before anything else that its publisher wants is done, and with
 * the gulp. It can be told from packets that are handled one by one by two
 * things: a message that was lost has no reason string, and who gets messages
 * more than once, as a member of groups, gets all of them and then all again.
 */
#include "run.h"

#include <linux/lockdep.h>
#include <linux/unaligned.h>
#include "../wire/encode.h"
#include "route.h"

/*
 * All of a run is delivered before softirq sees how much it has done: of so many
 * deliveries none is made longer.
 */
#define RUN_WORK	2048

static void add(struct kmqtt_run *run, struct kmqtt_msg *msg, u16 id)
{
	run->msgs[run->nr] = msg;
	run->ids[run->nr++] = id;
}

/**
 * kmqtt_run_begin() - take a message that others may follow
 * @client: the publisher
 * @in: the message, filled, that kmqtt_run_allowed(); given back unless the
 *	return is -EAGAIN
 * @batch: has no run
 *
 * Context: the client's receive side, in softirq.
 * Return: 0, or -EAGAIN if a thread is to try again.
 */
int kmqtt_run_begin(struct kmqtt_client *client, struct kmqtt_incoming *in,
		    struct kmqtt_batch *batch)
{
	int err;

	lockdep_assert_in_softirq();
	kmqtt_msg_published(in->msg);
	rcu_read_lock();
	err = kmqtt_route_find(client->broker, in->msg, batch);
	rcu_read_unlock();
	if (err)
		return -EAGAIN;
	batch->run->max_payload =
		READ_ONCE(client->broker->limits.max_payload_size);
	add(batch->run, in->msg, in->id);
	in->msg = NULL;
	return 0;
}

/*
 * Is all before the payload the same as in the packet before, but for lengths
 * and identifier? Then it has been checked. Returns its bytes, or 0.
 */
static u32 same_head(const struct kmqtt_client *client,
		     const struct kmqtt_packet *packet,
		     const struct kmqtt_run *run, u16 *id)
{
	const struct kmqtt_msg *first = run->msgs[0];
	const u8 *p = packet->body;
	u32 len;

	if (packet->fixed.flags != first->qos << 1)
		return 0;
	len = 2 + first->topic_len + (first->qos ? 2 : 0) +
	      (client->version == KMQTT_V5);
	if (packet->fixed.remaining < len ||
	    !kmqtt_topic_equal(p, kmqtt_msg_topic(first) - 2,
			       2 + first->topic_len))
		return 0;
	/* Properties would be to be looked at. */
	if (client->version == KMQTT_V5 && p[len - 1])
		return 0;
	*id = 0;
	if (!first->qos)
		return len;
	*id = get_unaligned_be16(p + 2 + first->topic_len);
	/* QoS 2 messages that are not over might have this identifier. */
	return *id && !READ_ONCE(client->session->nr_received) ? len : 0;
}

/**
 * kmqtt_run_packet() - handle a PUBLISH if it goes on with the run
 * @client: the publisher
 * @packet: the packet
 * @batch: the batch
 *
 * Context: the client's receive side.
 * Return: 0, -EAGAIN if a thread is to try again, -ENOENT if there is no run
 * or this packet is another one.
 */
int kmqtt_run_packet(struct kmqtt_client *client,
		     const struct kmqtt_packet *packet,
		     struct kmqtt_batch *batch)
{
	struct kmqtt_run *run = batch->run;
	const struct kmqtt_msg *first;
	u32 head_len, payload_len;
	struct kmqtt_str topic;
	struct kmqtt_msg *msg;
	u16 id;

	if (!run->nr || run->nr == KMQTT_RUN_MAX ||
	    run->nr * kmqtt_route_work(batch->route) >= RUN_WORK)
		return -ENOENT;
	head_len = same_head(client, packet, run, &id);
	if (!head_len)
		return -ENOENT;
	first = run->msgs[0];
	topic.data = kmqtt_msg_topic(first);
	topic.len = first->topic_len;
	payload_len = packet->fixed.remaining - head_len;
	if (payload_len > run->max_payload)
		return -ENOENT;
	msg = kmqtt_msg_create(first->memory, &topic, NULL, payload_len,
			       batch->gfp);
	if (!msg)
		return -EAGAIN;
	if (kmqtt_msg_write(msg, packet->body + head_len, payload_len,
			    batch->gfp)) {
		kmqtt_msg_put(msg);
		return -EAGAIN;
	}
	msg->qos = first->qos;
	msg->origin = first->origin;
	add(run, msg, id);
	return 0;
}

/* Acknowledge the first @nr messages, of which some were @lost. */
static int acknowledge(struct kmqtt_client *client, u32 nr, u64 lost,
		       struct kmqtt_batch *batch)
{
	enum kmqtt_reason all = batch->route->nr ?
		KMQTT_REASON_SUCCESS : KMQTT_REASON_NO_MATCHING_SUBSCRIBERS;
	u8 buf[KMQTT_RUN_MAX * KMQTT_ACK_MAX];
	u32 len = 0, i;
	int err = 0;

	for (i = 0; i < nr; i++) {
		enum kmqtt_reason reason = all;

		if (lost & BIT_ULL(i))
			err = kmqtt_publish_unaccepted(client, KMQTT_QOS1,
						       &reason);
		if (err)
			break;
		if (client->version != KMQTT_V5)
			reason = KMQTT_REASON_SUCCESS;
		len += kmqtt_ack_encode(buf + len, KMQTT_PUBACK,
					batch->run->ids[i], reason, NULL);
	}
	kmqtt_stats_add(client->broker, packets_out, i);
	kmqtt_link_ack(&client->link, buf, len);
	kmqtt_link_touch(&client->link, batch);
	return err;
}

/**
 * kmqtt_run_end() - deliver and acknowledge what was collected
 * @client: the publisher; its link has room for KMQTT_ACK_MAX bytes for each
 *	message that is acknowledged
 * @batch: flushes the subscribers
 *
 * What the route says is valid since the run began: a pass in softirq is an RCU
 * section as a whole.
 *
 * Context: the client's receive side.
 * Return: 0, or -ECONNABORTED if the connection was closed.
 */
int kmqtt_run_end(struct kmqtt_client *client, struct kmqtt_batch *batch)
{
	struct kmqtt_run *run = batch->run;
	u32 nr = run->nr, i;
	u64 payload = 0;
	u64 lost;
	u8 qos;

	if (!nr)
		return 0;
	qos = run->msgs[0]->qos;
	rcu_read_lock();
	lost = kmqtt_route_deliver(client->broker, client->session, run->msgs,
				   nr, client->version != KMQTT_V5, batch);
	rcu_read_unlock();
	for (i = 0; i < nr; i++) {
		payload += run->msgs[i]->payload_len;
		kmqtt_msg_put(run->msgs[i]);
	}
	run->nr = 0;
	client->messages_in += nr;
	kmqtt_stats_add(client->broker, messages_in[qos], nr);
	kmqtt_stats_add(client->broker, payload_in, payload);
	return qos ? acknowledge(client, nr, lost, batch) : 0;
}
