// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that are published, and packets of a client, for netlink sockets that
 * want to see them. A tap belongs to one socket and ends with it. Nothing waits
 * for who looks on: what a socket has no room for is lost to it.
 *
 * They go through a multicast group and are kept from all members but one.
 * Sent to the number of a socket, one could reach somebody else who has taken
 * the number just after the socket was closed, and who might be anybody: the
 * group has only members that may see them.
 */
#include "tap.h"

#include <linux/slab.h>
#include "../net/room.h"
#include "../protocol/client.h"
#include "../protocol/tap.h"
#include "../wire/cursor.h"
#include "events.h"
#include "netlink.h"
#include "reply.h"

/* Each of them makes softirq do more for every message or packet. */
#define TAPS_MAX	16

/* Room for all numbers of a message or packet: this is atomic memory. */
#define NUMBERS		(KMQTT_NL_NUMBERS / 4)

/* Threads are under RCU here, too. What there is no memory for is lost. */
#define TAP_GFP		(GFP_ATOMIC | __GFP_NOWARN)

/**
 * struct socket_tap - a socket that sees messages, or packets of a client
 * @tap: in the broker's list
 * @rcu: readers may stand on it while it is freed
 * @broker: constant
 * @sk: whose it is, constant; there for as long as this is on the list
 * @portid: number of that socket, constant
 * @payload_max: bytes of payloads to show, constant
 * @lost: those that the socket was not yet told to have lost
 * @name: filter or identifier that @tap has, constant
 */
struct socket_tap {
	struct kmqtt_tap tap;
	struct rcu_head rcu;
	struct kmqtt_broker *broker;
	const struct sock *sk;
	u32 portid;
	u32 payload_max;
	atomic64_t lost;
	u8 name[];
};

/* Cleared when the group goes. */
static bool is_open = true;

static struct socket_tap *socket_tap_of(struct kmqtt_tap *tap)
{
	return container_of(tap, struct socket_tap, tap);
}

/*
 * The socket can't be gone and another one be in its place: it is freed by RCU
 * after its tap was taken from the list.
 */
static int passes_by(struct sock *sk, struct sk_buff *skb, void *data)
{
	const struct socket_tap *tap = data;

	return sk != tap->sk || !kmqtt_sock_has_room(sk);
}

/**
 * struct shown - what a socket is to see
 * @command: its kind
 * @size: bytes that its attributes may need beside numbers
 * @put: writes them
 * @msg: a message
 * @from: who has published @msg, or NULL
 * @packet: or a packet
 */
struct shown {
	u8 command;
	size_t size;
	int (*put)(struct sk_buff *skb, const struct socket_tap *tap,
		   const struct shown *shown, u64 lost);
	union {
		struct {
			const struct kmqtt_msg *msg;
			const struct kmqtt_session *from;
		};
		const struct kmqtt_tapped *packet;
	};
};

/* Returns 0 if the socket has got it. */
static int send(struct socket_tap *tap, const struct shown *shown, u64 lost)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(NUMBERS + shown->size, TAP_GFP);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &kmqtt_nl_family, 0, shown->command);
	if (!hdr || shown->put(skb, tap, shown, lost)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_multicast_netns_filtered(&kmqtt_nl_family,
						tap->broker->net, skb, 0,
						KMQTT_NL_TAPS, TAP_GFP,
						passes_by, tap);
}

static void show(struct socket_tap *tap, const struct shown *shown)
{
	u64 lost;

	if (!READ_ONCE(is_open))
		return;
	lost = atomic64_xchg(&tap->lost, 0);
	if (send(tap, shown, lost))
		atomic64_add(lost + 1, &tap->lost);
}

static int put_message(struct sk_buff *skb, const struct socket_tap *tap,
		       const struct shown *shown, u64 lost)
{
	const struct kmqtt_session *from = shown->from;
	const struct kmqtt_msg *msg = shown->msg;
	bool cut = false;

	if (kmqtt_nl_put_string(skb, KMQTT_A_MESSAGE_TOPIC,
				kmqtt_msg_topic(msg), msg->topic_len, &cut) ||
	    nla_put_u8(skb, KMQTT_A_MESSAGE_QOS, msg->qos) ||
	    nla_put_u8(skb, KMQTT_A_MESSAGE_RETAIN, msg->retain) ||
	    nla_put_u32(skb, KMQTT_A_MESSAGE_SIZE, msg->payload_len) ||
	    nla_put_uint(skb, KMQTT_A_MESSAGE_TIME, ktime_get_real_ns()) ||
	    (from && nla_put(skb, KMQTT_A_MESSAGE_CLIENT_ID, from->id_len,
			     from->id)) ||
	    (lost && nla_put_uint(skb, KMQTT_A_MESSAGE_LOST, lost)) ||
	    kmqtt_nl_put_payload(skb, KMQTT_A_MESSAGE_PAYLOAD, msg,
				 tap->payload_max))
		return -EMSGSIZE;
	return cut ? nla_put_flag(skb, KMQTT_A_MESSAGE_TRUNCATED) : 0;
}

static void show_message(struct kmqtt_tap *base, const struct kmqtt_msg *msg,
			 const struct kmqtt_session *from)
{
	struct socket_tap *tap = socket_tap_of(base);
	const struct shown shown = {
		.command = KMQTT_CMD_MESSAGE_NTF,
		.size = nla_total_size(min_t(u32, msg->topic_len,
					     KMQTT_SHOWN_STRING_MAX)) +
			nla_total_size(min(msg->payload_len,
					   tap->payload_max)) +
			(from ? nla_total_size(from->id_len) : 0),
		.put = put_message,
		.msg = msg,
		.from = from,
	};

	show(tap, &shown);
}

static int put_packet(struct sk_buff *skb, const struct socket_tap *tap,
		      const struct shown *shown, u64 lost)
{
	const struct kmqtt_tapped *packet = shown->packet;
	u32 size = 1 + kmqtt_varint_len(packet->remaining) + packet->remaining;
	u8 type = packet->first >> 4;
	u8 qos = (packet->first & KMQTT_PUBLISH_QOS) >> 1;

	if (nla_put_u8(skb, KMQTT_A_TAPPED_TYPE, type) ||
	    (packet->sent && nla_put_flag(skb, KMQTT_A_TAPPED_SENT)) ||
	    nla_put_u32(skb, KMQTT_A_TAPPED_SIZE, size) ||
	    nla_put(skb, KMQTT_A_TAPPED_CLIENT_ID, packet->client_id.len,
		    packet->client_id.data) ||
	    nla_put_uint(skb, KMQTT_A_TAPPED_CONNECTION, packet->client->id) ||
	    (packet->id && nla_put_u16(skb, KMQTT_A_TAPPED_ID, packet->id)) ||
	    (type == KMQTT_PUBLISH &&
	     nla_put_u8(skb, KMQTT_A_TAPPED_QOS, qos)) ||
	    (packet->has_reason &&
	     nla_put_u32(skb, KMQTT_A_TAPPED_REASON, packet->reason)) ||
	    nla_put_uint(skb, KMQTT_A_TAPPED_TIME, ktime_get_real_ns()))
		return -EMSGSIZE;
	return lost ? nla_put_uint(skb, KMQTT_A_TAPPED_LOST, lost) : 0;
}

static void show_packet(struct kmqtt_tap *base,
			const struct kmqtt_tapped *packet)
{
	const struct shown shown = {
		.command = KMQTT_CMD_PACKET_NTF,
		.size = nla_total_size(packet->client_id.len),
		.put = put_packet,
		.packet = packet,
	};

	show(socket_tap_of(base), &shown);
}

static struct socket_tap *find(struct kmqtt_broker *broker,
			       const struct sock *sk)
{
	struct kmqtt_tap *tap;

	hlist_for_each_entry(tap, &broker->taps, list)
		if (socket_tap_of(tap)->sk == sk)
			return socket_tap_of(tap);
	return NULL;
}

/* May the socket have one? Returns 0 if so. */
static int check_room(struct kmqtt_broker *broker, const struct sock *sk,
		      struct netlink_ext_ack *extack)
{
	struct kmqtt_tap *tap;
	u32 nr = 0;

	if (find(broker, sk)) {
		NL_SET_ERR_MSG(extack, "this socket has a tap");
		return -EEXIST;
	}
	hlist_for_each_entry(tap, &broker->taps, list)
		nr++;
	if (nr >= TAPS_MAX) {
		NL_SET_ERR_MSG(extack, "there are too many taps");
		return -ENOSPC;
	}
	return 0;
}

static struct socket_tap *create(const struct kmqtt_str *filter,
				 const struct kmqtt_str *client_id)
{
	const struct kmqtt_str *name = filter ?: client_id;
	struct socket_tap *tap;

	tap = kzalloc(struct_size(tap, name, name->len), GFP_KERNEL);
	if (!tap)
		return NULL;
	memcpy(tap->name, name->data, name->len);
	if (filter) {
		tap->tap.message = show_message;
		tap->tap.filter = tap->name;
		tap->tap.filter_len = name->len;
	} else {
		tap->tap.packet = show_packet;
		tap->tap.client_id.data = tap->name;
		tap->tap.client_id.len = name->len;
	}
	return tap;
}

/**
 * kmqtt_tap_add() - begin to show messages, or packets of a client, to a socket
 * @info: its request
 * @sk: the socket
 * @filter: a valid topic filter: what messages; or NULL
 * @client_id: whose packets, without @filter
 * @payload_max: bytes of payloads to show
 *
 * Context: process, may sleep; takes the broker's taps mutex.
 * Return: 0, -EEXIST if it has a tap, -ENOSPC if there are too many, -ENOMEM.
 */
int kmqtt_tap_add(struct genl_info *info, const struct sock *sk,
		  const struct kmqtt_str *filter,
		  const struct kmqtt_str *client_id, u32 payload_max)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct socket_tap *tap;
	int err;

	tap = create(filter, client_id);
	if (!tap)
		return -ENOMEM;
	tap->broker = broker;
	tap->sk = sk;
	tap->portid = info->snd_portid;
	tap->payload_max = payload_max;

	mutex_lock(&broker->taps_mutex);
	err = check_room(broker, sk, info->extack);
	if (!err)
		hlist_add_head_rcu(&tap->tap.list, &broker->taps);
	mutex_unlock(&broker->taps_mutex);
	if (err)
		kfree(tap);
	return err;
}

/**
 * kmqtt_tap_del() - show nothing more to a socket
 * @info: its request
 * @sk: the socket
 * @lost: messages or packets that it was not yet told to have lost
 *
 * Context: process, may sleep until all that are under way have been shown;
 * takes the broker's taps mutex.
 * Return: 0, or -ENOENT if it has no tap.
 */
int kmqtt_tap_del(struct genl_info *info, const struct sock *sk, u64 *lost)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct socket_tap *tap;

	mutex_lock(&broker->taps_mutex);
	tap = find(broker, sk);
	if (tap)
		hlist_del_rcu(&tap->tap.list);
	mutex_unlock(&broker->taps_mutex);
	if (!tap) {
		NL_SET_ERR_MSG(info->extack, "this socket has no tap");
		return -ENOENT;
	}
	synchronize_rcu();
	*lost = atomic64_read(&tap->lost);
	kfree(tap);
	return 0;
}

/* Of the socket with this number, or all with number 0, which no socket has. */
static void del_of(struct kmqtt_broker *broker, u32 portid)
{
	struct socket_tap *tap;
	struct kmqtt_tap *base;
	struct hlist_node *next;

	mutex_lock(&broker->taps_mutex);
	hlist_for_each_entry_safe(base, next, &broker->taps, list) {
		tap = socket_tap_of(base);
		/* Another socket may have the number of one that has closed. */
		if (portid && (tap->portid != portid ||
			       !kmqtt_sock_is_closed(tap->sk)))
			continue;
		hlist_del_rcu(&base->list);
		kfree_rcu(tap, rcu);
	}
	mutex_unlock(&broker->taps_mutex);
}

/**
 * kmqtt_tap_del_all() - show nothing more to anybody
 * @broker: the broker, which goes; where the module goes, sockets may be left
 *
 * Context: process, may sleep; takes the broker's taps mutex.
 */
void kmqtt_tap_del_all(struct kmqtt_broker *broker)
{
	del_of(broker, 0);
}

/* A socket is gone, and is freed by RCU after this. */
static int socket_gone(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	struct netlink_notify *notify = data;
	struct kmqtt_broker *broker;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	broker = kmqtt_broker_of(notify->net);
	/* Its own tap-add is over. */
	if (kmqtt_tap_any(broker))
		del_of(broker, notify->portid);
	return NOTIFY_DONE;
}

struct notifier_block kmqtt_tap_notifier = {
	.notifier_call = socket_gone,
};

/**
 * kmqtt_tap_module_uninit() - show nothing more: the group goes
 *
 * Context: module exit, may sleep until all messages under way have been shown.
 */
void kmqtt_tap_module_uninit(void)
{
	WRITE_ONCE(is_open, false);
	synchronize_rcu();
}
