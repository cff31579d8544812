/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Documentation/tracing.rst tells what the events mean. Who uses them relies on
 * names and meanings of their fields: these stay, and new ones come at the end.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kmqtt

#if !defined(_KMQTT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KMQTT_TRACE_H

#include <linux/tracepoint.h>
#include "protocol/client.h"

#ifndef _KMQTT_TRACE_ONCE
#define _KMQTT_TRACE_ONCE

/* Bytes of client identifiers, topics and methods, with a terminating zero. */
#define KMQTT_TRACE_ID		40
#define KMQTT_TRACE_TOPIC	64
#define KMQTT_TRACE_METHOD	16

void kmqtt_trace_text(char *to, size_t size, const u8 *from, size_t len);
void kmqtt_trace_session_id(char *to, const struct kmqtt_session *session);
void kmqtt_trace_id(char *to, const struct kmqtt_client *client);

#endif /* _KMQTT_TRACE_ONCE */

#define kmqtt_trace_states \
	EM(KMQTT_CLIENT_NEW, "new") \
	EM(KMQTT_CLIENT_AUTH, "auth") \
	EM(KMQTT_CLIENT_CHECK, "check") \
	EM(KMQTT_CLIENT_ONLINE, "online") \
	EMe(KMQTT_CLIENT_CLOSING, "closing")

#define kmqtt_trace_packets \
	EM(KMQTT_CONNECT, "CONNECT") \
	EM(KMQTT_CONNACK, "CONNACK") \
	EM(KMQTT_PUBLISH, "PUBLISH") \
	EM(KMQTT_PUBACK, "PUBACK") \
	EM(KMQTT_PUBREC, "PUBREC") \
	EM(KMQTT_PUBREL, "PUBREL") \
	EM(KMQTT_PUBCOMP, "PUBCOMP") \
	EM(KMQTT_SUBSCRIBE, "SUBSCRIBE") \
	EM(KMQTT_SUBACK, "SUBACK") \
	EM(KMQTT_UNSUBSCRIBE, "UNSUBSCRIBE") \
	EM(KMQTT_UNSUBACK, "UNSUBACK") \
	EM(KMQTT_PINGREQ, "PINGREQ") \
	EM(KMQTT_PINGRESP, "PINGRESP") \
	EM(KMQTT_DISCONNECT, "DISCONNECT") \
	EMe(KMQTT_AUTH, "AUTH")

#define kmqtt_trace_reasons \
	EM(KMQTT_REASON_SUCCESS, "success") \
	EM(KMQTT_REASON_GRANTED_QOS_1, "granted-qos-1") \
	EM(KMQTT_REASON_GRANTED_QOS_2, "granted-qos-2") \
	EM(KMQTT_REASON_DISCONNECT_WITH_WILL, "disconnect-with-will") \
	EM(KMQTT_REASON_NO_MATCHING_SUBSCRIBERS, "no-matching-subscribers") \
	EM(KMQTT_REASON_NO_SUBSCRIPTION_EXISTED, "no-subscription-existed") \
	EM(KMQTT_REASON_CONTINUE_AUTHENTICATION, "continue-authentication") \
	EM(KMQTT_REASON_RE_AUTHENTICATE, "re-authenticate") \
	EM(KMQTT_REASON_UNSPECIFIED, "unspecified") \
	EM(KMQTT_REASON_MALFORMED_PACKET, "malformed-packet") \
	EM(KMQTT_REASON_PROTOCOL_ERROR, "protocol-error") \
	EM(KMQTT_REASON_IMPLEMENTATION_SPECIFIC, "implementation-specific") \
	EM(KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION, "unsupported-protocol-version") \
	EM(KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID, "client-identifier-not-valid") \
	EM(KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD, "bad-user-name-or-password") \
	EM(KMQTT_REASON_NOT_AUTHORIZED, "not-authorized") \
	EM(KMQTT_REASON_SERVER_UNAVAILABLE, "server-unavailable") \
	EM(KMQTT_REASON_SERVER_BUSY, "server-busy") \
	EM(KMQTT_REASON_BANNED, "banned") \
	EM(KMQTT_REASON_SERVER_SHUTTING_DOWN, "server-shutting-down") \
	EM(KMQTT_REASON_BAD_AUTHENTICATION_METHOD, "bad-authentication-method") \
	EM(KMQTT_REASON_KEEP_ALIVE_TIMEOUT, "keep-alive-timeout") \
	EM(KMQTT_REASON_SESSION_TAKEN_OVER, "session-taken-over") \
	EM(KMQTT_REASON_TOPIC_FILTER_INVALID, "topic-filter-invalid") \
	EM(KMQTT_REASON_TOPIC_NAME_INVALID, "topic-name-invalid") \
	EM(KMQTT_REASON_PACKET_IDENTIFIER_IN_USE, "packet-identifier-in-use") \
	EM(KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND, "packet-identifier-not-found") \
	EM(KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED, "receive-maximum-exceeded") \
	EM(KMQTT_REASON_TOPIC_ALIAS_INVALID, "topic-alias-invalid") \
	EM(KMQTT_REASON_PACKET_TOO_LARGE, "packet-too-large") \
	EM(KMQTT_REASON_MESSAGE_RATE_TOO_HIGH, "message-rate-too-high") \
	EM(KMQTT_REASON_QUOTA_EXCEEDED, "quota-exceeded") \
	EM(KMQTT_REASON_ADMINISTRATIVE_ACTION, "administrative-action") \
	EM(KMQTT_REASON_PAYLOAD_FORMAT_INVALID, "payload-format-invalid") \
	EM(KMQTT_REASON_RETAIN_NOT_SUPPORTED, "retain-not-supported") \
	EM(KMQTT_REASON_QOS_NOT_SUPPORTED, "qos-not-supported") \
	EM(KMQTT_REASON_USE_ANOTHER_SERVER, "use-another-server") \
	EM(KMQTT_REASON_SERVER_MOVED, "server-moved") \
	EM(KMQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, "shared-subscriptions-not-supported") \
	EM(KMQTT_REASON_CONNECTION_RATE_EXCEEDED, "connection-rate-exceeded") \
	EM(KMQTT_REASON_MAXIMUM_CONNECT_TIME, "maximum-connect-time") \
	EM(KMQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, "subscription-identifiers-not-supported") \
	EM(KMQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED, "wildcard-subscriptions-not-supported") \
	EM(KMQTT_REASON_CONNECTION_LOST, "connection-lost") \
	EMe(KMQTT_REASON_CONNECT_TIMEOUT, "connect-timeout")

#define kmqtt_trace_drops \
	EM(KMQTT_DROP_QUEUE_FULL, "queue-full") \
	EM(KMQTT_DROP_NO_MEMORY, "no-memory") \
	EM(KMQTT_DROP_TOO_LARGE, "too-large") \
	EM(KMQTT_DROP_RETAINED_FULL, "retained-full") \
	EMe(KMQTT_DROP_EXPIRED, "expired")

#define kmqtt_trace_handovers \
	EM(KMQTT_HANDOVER_OWNED, "owned") \
	EM(KMQTT_HANDOVER_NO_MEMORY, "no-memory") \
	EM(KMQTT_HANDOVER_BUDGET, "budget") \
	EM(KMQTT_HANDOVER_LARGE, "large") \
	EM(KMQTT_HANDOVER_SETTING, "setting") \
	EMe(KMQTT_HANDOVER_STATE, "state")

#define kmqtt_trace_accesses \
	EM(KMQTT_ACL_ACCESS_READ, "read") \
	EMe(KMQTT_ACL_ACCESS_WRITE, "write")

/* Userspace knows no enums: tell it their values. */
#undef EM
#undef EMe
#define EM(a, b)	TRACE_DEFINE_ENUM(a);
#define EMe(a, b)	TRACE_DEFINE_ENUM(a);

kmqtt_trace_states
kmqtt_trace_packets
kmqtt_trace_reasons
kmqtt_trace_drops
kmqtt_trace_handovers
kmqtt_trace_accesses

#undef EM
#undef EMe
#define EM(a, b)	{ a, b },
#define EMe(a, b)	{ a, b }

#define kmqtt_show_state(state)	__print_symbolic(state, kmqtt_trace_states)
#define kmqtt_show_packet(type)	__print_symbolic(type, kmqtt_trace_packets)
#define kmqtt_show_reason(reason) __print_symbolic(reason, kmqtt_trace_reasons)
#define kmqtt_show_drop(drop)	__print_symbolic(drop, kmqtt_trace_drops)
#define kmqtt_show_handover(why) __print_symbolic(why, kmqtt_trace_handovers)
#define kmqtt_show_access(access) __print_symbolic(access, kmqtt_trace_accesses)

TRACE_EVENT(kmqtt_client_state,
	TP_PROTO(const struct kmqtt_client *client, int from, int to,
		 unsigned int reason),
	TP_ARGS(client, from, to, reason),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(int, from)
		__field(int, to)
		__field(unsigned int, reason)
		__array(char, client_id, KMQTT_TRACE_ID)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->from = from;
		__entry->to = to;
		__entry->reason = reason;
		kmqtt_trace_id(__entry->client_id, client);
	),
	TP_printk("client=%llu client_id=%s %s -> %s reason=%s",
		  __entry->client, __entry->client_id,
		  kmqtt_show_state(__entry->from),
		  kmqtt_show_state(__entry->to),
		  kmqtt_show_reason(__entry->reason))
);

TRACE_EVENT(kmqtt_client_fail,
	TP_PROTO(const struct kmqtt_client *client, unsigned int reason),
	TP_ARGS(client, reason),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(unsigned int, reason)
		__array(char, client_id, KMQTT_TRACE_ID)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->reason = reason;
		kmqtt_trace_id(__entry->client_id, client);
	),
	TP_printk("client=%llu client_id=%s reason=%s", __entry->client,
		  __entry->client_id, kmqtt_show_reason(__entry->reason))
);

TRACE_EVENT(kmqtt_refused,
	TP_PROTO(const struct kmqtt_client *client, unsigned int reason),
	TP_ARGS(client, reason),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(unsigned int, reason)
		__field(unsigned int, listener)
		__array(u8, addr, 16)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->reason = reason;
		__entry->listener = client->port->listener;
		memcpy(__entry->addr, &client->peer, 16);
	),
	TP_printk("client=%llu addr=%pI6c listener=%u reason=%s",
		  __entry->client, __entry->addr, __entry->listener,
		  kmqtt_show_reason(__entry->reason))
);

TRACE_EVENT(kmqtt_auth,
	TP_PROTO(const struct kmqtt_client *client, unsigned int reason,
		 const u8 *method, size_t len),
	TP_ARGS(client, reason, method, len),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(unsigned int, reason)
		__array(u8, addr, 16)
		__array(char, client_id, KMQTT_TRACE_ID)
		__array(char, method, KMQTT_TRACE_METHOD)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->reason = reason;
		memcpy(__entry->addr, &client->peer, 16);
		kmqtt_trace_id(__entry->client_id, client);
		kmqtt_trace_text(__entry->method, KMQTT_TRACE_METHOD, method,
				 len);
	),
	TP_printk("client=%llu client_id=%s addr=%pI6c method=%s reason=%s",
		  __entry->client, __entry->client_id, __entry->addr,
		  __entry->method, kmqtt_show_reason(__entry->reason))
);

DECLARE_EVENT_CLASS(kmqtt_packet,
	TP_PROTO(const struct kmqtt_client *client, u8 type, u32 len),
	TP_ARGS(client, type, len),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(u8, type)
		__field(u32, len)
		__array(char, client_id, KMQTT_TRACE_ID)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->type = type;
		__entry->len = len;
		kmqtt_trace_id(__entry->client_id, client);
	),
	TP_printk("client=%llu client_id=%s %s len=%u", __entry->client,
		  __entry->client_id, kmqtt_show_packet(__entry->type),
		  __entry->len)
);

DEFINE_EVENT(kmqtt_packet, kmqtt_packet_in,
	TP_PROTO(const struct kmqtt_client *client, u8 type, u32 len),
	TP_ARGS(client, type, len)
);

DEFINE_EVENT(kmqtt_packet, kmqtt_packet_out,
	TP_PROTO(const struct kmqtt_client *client, u8 type, u32 len),
	TP_ARGS(client, type, len)
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
		__array(char, topic, KMQTT_TRACE_TOPIC)
	),
	TP_fast_assign(
		__entry->netns = broker->net->ns.inum;
		__entry->qos = msg->qos;
		__entry->len = msg->payload_len;
		__entry->matches = matches;
		kmqtt_trace_text(__entry->topic, KMQTT_TRACE_TOPIC,
				 kmqtt_msg_topic(msg), msg->topic_len);
	),
	TP_printk("netns=%u topic=%s qos=%u len=%u matches=%u", __entry->netns,
		  __entry->topic, __entry->qos, __entry->len, __entry->matches)
);

TRACE_EVENT(kmqtt_drop,
	TP_PROTO(const struct kmqtt_broker *broker,
		 const struct kmqtt_session *session, int drop),
	TP_ARGS(broker, session, drop),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(int, drop)
		__array(char, client_id, KMQTT_TRACE_ID)
	),
	TP_fast_assign(
		__entry->netns = broker->net->ns.inum;
		__entry->drop = drop;
		kmqtt_trace_session_id(__entry->client_id, session);
	),
	TP_printk("netns=%u client_id=%s drop=%s", __entry->netns,
		  __entry->client_id, kmqtt_show_drop(__entry->drop))
);

TRACE_EVENT(kmqtt_handover,
	TP_PROTO(const struct kmqtt_client *client, bool transmit, int why),
	TP_ARGS(client, transmit, why),
	TP_STRUCT__entry(
		__field(u64, client)
		__field(bool, transmit)
		__field(int, why)
		__array(char, client_id, KMQTT_TRACE_ID)
	),
	TP_fast_assign(
		__entry->client = client->id;
		__entry->transmit = transmit;
		__entry->why = why;
		kmqtt_trace_id(__entry->client_id, client);
	),
	TP_printk("client=%llu client_id=%s %s why=%s", __entry->client,
		  __entry->client_id,
		  __entry->transmit ? "transmit" : "receive",
		  kmqtt_show_handover(__entry->why))
);

TRACE_EVENT(kmqtt_deny,
	TP_PROTO(const struct kmqtt_session *session,
		 const struct kmqtt_msg *msg, int access),
	TP_ARGS(session, msg, access),
	TP_STRUCT__entry(
		__array(char, client_id, KMQTT_TRACE_ID)
		__array(char, topic, KMQTT_TRACE_TOPIC)
		__field(int, access)
	),
	TP_fast_assign(
		kmqtt_trace_session_id(__entry->client_id, session);
		kmqtt_trace_text(__entry->topic, KMQTT_TRACE_TOPIC,
				 kmqtt_msg_topic(msg), msg->topic_len);
		__entry->access = access;
	),
	TP_printk("client_id=%s %s topic=%s", __entry->client_id,
		  kmqtt_show_access(__entry->access), __entry->topic)
);

#endif /* _KMQTT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
