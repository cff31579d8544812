/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_DECODE_H
#define _KMQTT_WIRE_DECODE_H

#include "property.h"

/**
 * struct kmqtt_connect - a decoded CONNECT
 * @version: enum kmqtt_version; 0 if it could not be made out
 * @clean: clean session (3.x) or clean start (5)
 * @keepalive: seconds, 0 for none
 * @props: its properties
 * @client_id: may be empty
 * @has_will: the will fields are valid
 * @will_retain: publish the will as a retained message
 * @will_qos: QoS of the will
 * @will_props: its properties
 * @will_topic: checked as UTF-8, not yet as a topic name
 * @will_payload: any bytes
 * @has_user: @user is valid
 * @has_password: @password is valid
 * @user: checked as UTF-8
 * @password: any bytes
 */
struct kmqtt_connect {
	u8 version;
	bool clean;
	u16 keepalive;
	struct kmqtt_props props;
	struct kmqtt_str client_id;
	bool has_will;
	bool will_retain;
	u8 will_qos;
	struct kmqtt_props will_props;
	struct kmqtt_str will_topic;
	struct kmqtt_str will_payload;
	bool has_user;
	bool has_password;
	struct kmqtt_str user;
	struct kmqtt_str password;
};

/**
 * struct kmqtt_publish - the head of a PUBLISH
 * @topic: checked as UTF-8, not yet as a topic name; empty if an alias stands
 *	for it
 * @id: packet identifier, 0 with QoS 0
 * @qos: 0 to 2
 * @dup: the DUP flag as received
 * @retain: the RETAIN flag as received
 * @head_len: bytes of the variable header, between fixed header and payload
 * @payload_len: bytes of payload announced
 * @props: its properties
 */
struct kmqtt_publish {
	struct kmqtt_str topic;
	u16 id;
	u8 qos;
	bool dup;
	bool retain;
	u32 head_len;
	u32 payload_len;
	struct kmqtt_props props;
};

/**
 * struct kmqtt_ack - PUBACK, PUBREC, PUBREL or PUBCOMP
 * @id: packet identifier
 * @reason: enum kmqtt_reason, 0 before 5.0
 */
struct kmqtt_ack {
	u16 id;
	u8 reason;
};

/**
 * struct kmqtt_subscribe - a SUBSCRIBE or UNSUBSCRIBE being walked
 * @version: enum kmqtt_version
 * @id: packet identifier
 * @sub_id: subscription identifier, 0 for none
 * @pos: next filter
 * @end: end of the packet
 */
struct kmqtt_subscribe {
	u8 version;
	u16 id;
	u32 sub_id;
	const u8 *pos;
	const u8 *end;
};

/**
 * struct kmqtt_reasoned - DISCONNECT or AUTH
 * @reason: enum kmqtt_reason
 * @props: its properties
 */
struct kmqtt_reasoned {
	u8 reason;
	struct kmqtt_props props;
};

enum kmqtt_reason kmqtt_decode_reason(int err);
int kmqtt_fixed_decode(const u8 *p, size_t len, struct kmqtt_fixed *fixed);
bool kmqtt_fixed_allowed(const struct kmqtt_fixed *fixed, u8 version);
bool kmqtt_connect_is_v5(const u8 *p, size_t len);
int kmqtt_connect_decode(const u8 *p, size_t len, struct kmqtt_connect *c);
int kmqtt_publish_decode(const struct kmqtt_fixed *fixed, u8 version,
			 const u8 *p, size_t len, struct kmqtt_publish *pub);
int kmqtt_ack_decode(u8 type, u8 version, const u8 *p, size_t len,
		     struct kmqtt_ack *ack);
int kmqtt_subscribe_decode(u8 type, u8 version, const u8 *p, size_t len,
			   struct kmqtt_subscribe *s);
int kmqtt_subscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter,
			 u8 *options);
int kmqtt_unsubscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter);
int kmqtt_reasoned_decode(u8 type, const u8 *p, size_t len,
			  struct kmqtt_reasoned *r);

#endif /* _KMQTT_WIRE_DECODE_H */
