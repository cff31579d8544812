/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kmqtt

#if !defined(_KMQTT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KMQTT_TRACE_H

#include <linux/tracepoint.h>
#include "protocol/client.h"

#define kmqtt_show_state(state)					\
	__print_symbolic(state,					\
		{ KMQTT_CLIENT_NEW,	"new" },		\
		{ KMQTT_CLIENT_AUTH,	"auth" },		\
		{ KMQTT_CLIENT_CHECK,	"check" },		\
		{ KMQTT_CLIENT_ONLINE,	"online" },		\
		{ KMQTT_CLIENT_CLOSING,	"closing" })

TRACE_EVENT(kmqtt_client_state,
	TP_PROTO(const struct kmqtt_client *client, int from, int to),
	TP_ARGS(client, from, to),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("client=%llu %s -> %s", __entry->client,
		  kmqtt_show_state(__entry->from),
		  kmqtt_show_state(__entry->to))
);

TRACE_EVENT(kmqtt_client_fail,
	TP_PROTO(const struct kmqtt_client *client, unsigned int reason),
	TP_ARGS(client, reason),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(unsigned int, reason)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->reason = reason;
	),
	TP_printk("client=%llu reason=%#x", __entry->client, __entry->reason)
);

TRACE_EVENT(kmqtt_packet_in,
	TP_PROTO(const struct kmqtt_client *client, u8 type, u32 len),
	TP_ARGS(client, type, len),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(u8, type)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->type = type;
		__entry->len = len;
	),
	TP_printk("client=%llu type=%u len=%u", __entry->client, __entry->type,
		  __entry->len)
);

TRACE_EVENT(kmqtt_route,
	TP_PROTO(const struct kmqtt_broker *broker,
		 const struct kmqtt_msg *msg, u32 matches),
	TP_ARGS(broker, msg, matches),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u8, qos)
		__field(u32, len)
		__field(u32, matches)
	),
	TP_fast_assign(
		__entry->netns = broker->net->ns.inum;
		__entry->qos = msg->qos;
		__entry->len = msg->payload_len;
		__entry->matches = matches;
	),
	TP_printk("netns=%u qos=%u len=%u matches=%u", __entry->netns,
		  __entry->qos, __entry->len, __entry->matches)
);

TRACE_EVENT(kmqtt_drop,
	TP_PROTO(const struct kmqtt_broker *broker,
		 const struct kmqtt_session *session, int drop),
	TP_ARGS(broker, session, drop),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(const void *, session)
		__field(int, drop)
	),
	TP_fast_assign(
		__entry->netns = broker->net->ns.inum;
		__entry->session = session;
		__entry->drop = drop;
	),
	TP_printk("netns=%u session=%p drop=%d", __entry->netns,
		  __entry->session, __entry->drop)
);

TRACE_EVENT(kmqtt_handover,
	TP_PROTO(const struct kmqtt_client *client, bool transmit, int why),
	TP_ARGS(client, transmit, why),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(bool, transmit)
		__field(int, why)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->transmit = transmit;
		__entry->why = why;
	),
	TP_printk("client=%llu %s why=%d", __entry->client,
		  __entry->transmit ? "transmit" : "receive", __entry->why)
);

TRACE_EVENT(kmqtt_deny,
	TP_PROTO(const struct kmqtt_session *session,
		 const struct kmqtt_msg *msg, int access),
	TP_ARGS(session, msg, access),
	TP_STRUCT__entry(
		__string_len(client_id, session->id, session->id_len)
		__string_len(topic, kmqtt_msg_topic(msg), msg->topic_len)
		__field(int, access)
	),
	TP_fast_assign(
		__assign_str(client_id);
		__assign_str(topic);
		__entry->access = access;
	),
	TP_printk("client_id=%s %s topic=%s", __get_str(client_id),
		  __print_symbolic(__entry->access,
			{ KMQTT_ACL_ACCESS_READ,	"read" },
			{ KMQTT_ACL_ACCESS_WRITE,	"write" }),
		  __get_str(topic))
);

#endif /* _KMQTT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
