// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes to structs. Every read goes through a cursor that knows its end and
 * only moves forward; what a decoder has accepted is fully checked.
 */
#include "decode.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

/*
 * The flags each type must carry (MQTT 3.1.1, table 2.2). PUBLISH has flags
 * of its own; types a client may not send are left to the dispatch table.
 */
static bool flags_valid(u8 type, u8 flags)
{
	switch (type) {
	case KMQTT_PUBLISH:
		return (flags >> 1 & 3) != KMQTT_QOS_INVALID;
	case KMQTT_PUBREL:
	case KMQTT_SUBSCRIBE:
	case KMQTT_UNSUBSCRIBE:
		return (flags & ~KMQTT_PUBLISH_DUP) == 2;
	default:
		return flags == 0;
	}
}

/**
 * kmqtt_fixed_decode() - decode a fixed header (MQTT 3.1.1, 2.2)
 * @p: first byte of the packet
 * @len: bytes there
 * @fixed: filled on success
 *
 * MQTT 3.1 lets PUBREL, SUBSCRIBE and UNSUBSCRIBE carry DUP: whether the
 * client may is for the caller to know, see kmqtt_fixed_allowed().
 *
 * Context: any.
 * Return: 0, -EAGAIN if more bytes are needed, -EBADMSG if malformed.
 */
int kmqtt_fixed_decode(const u8 *p, size_t len, struct kmqtt_fixed *fixed)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	u8 first;
	int err;

	if (!kmqtt_read_u8(&cur, &first))
		return -EAGAIN;
	fixed->type = first >> 4;
	fixed->flags = first & 0xf;
	if (!fixed->type || !flags_valid(fixed->type, fixed->flags))
		return -EBADMSG;
	err = kmqtt_read_varint(&cur, &fixed->remaining);
	fixed->len = cur.pos - p;
	return err;
}

/**
 * kmqtt_fixed_allowed() - may a client of this version send this header?
 * @fixed: a decoded fixed header
 * @version: enum kmqtt_version
 *
 * DUP outside of PUBLISH is 3.1's alone. A length in more bytes than it needs
 * is malformed in 5.0 [MQTT-1.5.5-1].
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_fixed_allowed(const struct kmqtt_fixed *fixed, u8 version)
{
	if (fixed->type != KMQTT_PUBLISH && version != KMQTT_V31 &&
	    (fixed->flags & KMQTT_PUBLISH_DUP))
		return false;
	return version != KMQTT_V5 ||
	       fixed->len == 1 + kmqtt_varint_len(fixed->remaining);
}

/**
 * kmqtt_decode_reason() - what to tell a client of a packet that is refused
 * @err: negative errno of a decoder
 *
 * Context: any.
 * Return: the reason (MQTT 5, 4.13.1).
 */
enum kmqtt_reason kmqtt_decode_reason(int err)
{
	if (err == -EPROTONOSUPPORT)
		return KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION;
	return err == -EPROTO ? KMQTT_REASON_PROTOCOL_ERROR :
				KMQTT_REASON_MALFORMED_PACKET;
}

/* The properties of a packet that is there as a whole. */
static int read_props(struct kmqtt_cursor *cur, u8 type,
		      struct kmqtt_props *props)
{
	int err = kmqtt_props_decode(cur, type, props);

	return err == -EAGAIN ? -EBADMSG : err;
}

static bool name_is(const struct kmqtt_str *name, const char *want)
{
	return name->len == strlen(want) && !memcmp(name->data, want, name->len);
}

/* Protocol name and level (MQTT 5, 3.1.2.1 and 3.1.2.2). */
static int decode_version(struct kmqtt_cursor *cur, struct kmqtt_connect *c)
{
	struct kmqtt_str name;
	u8 version;

	if (!kmqtt_read_string(cur, &name) || !kmqtt_read_u8(cur, &version))
		return -EBADMSG;
	if (name_is(&name, "MQIsdp")) {
		if (version != KMQTT_V31)
			return -EPROTONOSUPPORT;
	} else if (name_is(&name, "MQTT")) {
		if (version != KMQTT_V311 && version != KMQTT_V5)
			return -EPROTONOSUPPORT;
	} else {
		return -EPROTO;
	}
	c->version = version;
	return 0;
}

/**
 * kmqtt_connect_is_v5() - is this the beginning of a CONNECT of 5.0?
 * @p: the packet with its fixed header, whose flags may be wrong
 * @len: bytes there, maybe few
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_connect_is_v5(const u8 *p, size_t len)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	struct kmqtt_connect c;
	u32 remaining;
	u8 first;

	return kmqtt_read_u8(&cur, &first) && first >> 4 == KMQTT_CONNECT &&
	       !kmqtt_read_varint(&cur, &remaining) &&
	       !decode_version(&cur, &c) && c.version == KMQTT_V5;
}

static int decode_will(struct kmqtt_cursor *cur, u8 flags,
		       struct kmqtt_connect *c)
{
	int err;

	c->has_will = flags & 0x04;
	c->will_qos = flags >> 3 & 3;
	c->will_retain = flags & 0x20;
	if (!c->has_will)	/* [MQTT5-3.1.2-11], [MQTT5-3.1.2-13] */
		return c->will_qos || c->will_retain ? -EBADMSG : 0;
	if (c->will_qos == KMQTT_QOS_INVALID)
		return -EBADMSG;
	if (c->version == KMQTT_V5) {
		err = read_props(cur, KMQTT_WILL, &c->will_props);
		if (err)
			return err;
	}
	return kmqtt_read_string(cur, &c->will_topic) &&
	       kmqtt_read_binary(cur, &c->will_payload) ? 0 : -EBADMSG;
}

static bool decode_credentials(struct kmqtt_cursor *cur, u8 flags,
			       struct kmqtt_connect *c)
{
	c->has_user = flags & 0x80;
	c->has_password = flags & 0x40;
	/* [MQTT-3.1.2-22] of 3.1.1; 5.0 has taken it back. */
	if (c->has_password && !c->has_user && c->version != KMQTT_V5)
		return false;
	/*
	 * MQTT 3.1 clients may set a flag and leave the field out: its
	 * specification tells the server to go on.
	 */
	if (c->version == KMQTT_V31 && cur->pos == cur->end)
		c->has_user = false;
	if (c->has_user && !kmqtt_read_string(cur, &c->user))
		return false;
	if (c->version == KMQTT_V31 && cur->pos == cur->end)
		c->has_password = false;
	return !c->has_password || kmqtt_read_binary(cur, &c->password);
}

/**
 * kmqtt_connect_decode() - decode a CONNECT (MQTT 5, 3.1)
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @c: filled on success; @c->version tells in any case which version of
 *	CONNACK the client understands, 0 for none
 *
 * Context: any.
 * Return: 0, -EBADMSG if malformed, -EPROTO for a protocol error,
 * -EPROTONOSUPPORT for a protocol level there is not.
 */
int kmqtt_connect_decode(const u8 *p, size_t len, struct kmqtt_connect *c)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	u8 flags;
	int err;

	memset(c, 0, sizeof(*c));
	err = decode_version(&cur, c);
	if (err)
		return err;
	if (!kmqtt_read_u8(&cur, &flags) || !kmqtt_read_u16(&cur, &c->keepalive))
		return -EBADMSG;
	if (c->version != KMQTT_V31 && (flags & 1))	/* [MQTT-3.1.2-3] */
		return -EBADMSG;
	c->clean = flags & 0x02;
	if (c->version == KMQTT_V5) {
		err = read_props(&cur, KMQTT_CONNECT, &c->props);
		if (err)
			return err;
	}
	if (!kmqtt_read_string(&cur, &c->client_id))
		return -EBADMSG;
	err = decode_will(&cur, flags, c);
	if (err)
		return err;
	if (!decode_credentials(&cur, flags, c) || kmqtt_cursor_left(&cur))
		return -EBADMSG;
	if (kmqtt_prop_has(&c->props, KMQTT_PROP_AUTH_DATA) &&
	    !kmqtt_prop_has(&c->props, KMQTT_PROP_AUTH_METHOD))
		return -EPROTO;
	return 0;
}

/**
 * kmqtt_publish_decode() - decode the head of a PUBLISH (MQTT 5, 3.3)
 * @fixed: its fixed header
 * @version: enum kmqtt_version
 * @p: bytes behind the fixed header
 * @len: bytes there; may be fewer than announced
 * @pub: filled on success
 *
 * The payload may still be on its way: only the variable header must be there.
 *
 * Context: any.
 * Return: 0, -EAGAIN if the variable header is incomplete, -EBADMSG if
 * malformed, -EPROTO for a protocol error.
 */
int kmqtt_publish_decode(const struct kmqtt_fixed *fixed, u8 version,
			 const u8 *p, size_t len, struct kmqtt_publish *pub)
{
	size_t there = min_t(size_t, len, fixed->remaining);
	int partial = there < fixed->remaining ? -EAGAIN : -EBADMSG;
	struct kmqtt_cursor cur = { .pos = p, .end = p + there };
	int err;

	pub->qos = fixed->flags >> 1 & 3;
	pub->dup = fixed->flags & KMQTT_PUBLISH_DUP;
	pub->retain = fixed->flags & KMQTT_PUBLISH_RETAIN;
	pub->id = 0;
	pub->props.present = 0;
	pub->props.block_len = 0;
	if (!kmqtt_read_binary(&cur, &pub->topic))
		return partial;
	if (!kmqtt_utf8_valid(pub->topic.data, pub->topic.len))
		return -EBADMSG;
	if (pub->qos) {
		if (!kmqtt_read_u16(&cur, &pub->id))
			return partial;
		if (!pub->id)		/* [MQTT-2.2.1-3], 3.1.1: [MQTT-2.3.1-1] */
			return -EBADMSG;
	} else if (pub->dup) {			/* [MQTT-3.3.1-2] */
		return -EBADMSG;
	}
	if (version == KMQTT_V5) {
		err = kmqtt_props_decode(&cur, KMQTT_PUBLISH, &pub->props);
		if (err)
			return err == -EAGAIN ? partial : err;
	}
	pub->head_len = cur.pos - p;
	pub->payload_len = fixed->remaining - pub->head_len;
	return 0;
}

static bool ack_reason_valid(u8 type, u8 reason)
{
	switch (reason) {
	case KMQTT_REASON_SUCCESS:
		return true;
	case KMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND:
		return type == KMQTT_PUBREL || type == KMQTT_PUBCOMP;
	case KMQTT_REASON_NO_MATCHING_SUBSCRIBERS:
	case KMQTT_REASON_UNSPECIFIED:
	case KMQTT_REASON_IMPLEMENTATION_SPECIFIC:
	case KMQTT_REASON_NOT_AUTHORIZED:
	case KMQTT_REASON_TOPIC_NAME_INVALID:
	case KMQTT_REASON_PACKET_IDENTIFIER_IN_USE:
	case KMQTT_REASON_QUOTA_EXCEEDED:
	case KMQTT_REASON_PAYLOAD_FORMAT_INVALID:
		return type == KMQTT_PUBACK || type == KMQTT_PUBREC;
	default:
		return false;
	}
}

/**
 * kmqtt_ack_decode() - decode PUBACK, PUBREC, PUBREL or PUBCOMP
 * @type: which
 * @version: enum kmqtt_version
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @ack: filled on success
 *
 * Context: any.
 * Return: 0, -EBADMSG if malformed, -EPROTO for a protocol error, such as a
 * reason that the packet can't have ([MQTT-3.4.2-1], [MQTT-3.5.2-1],
 * [MQTT-3.6.2-1], [MQTT-3.7.2-1]).
 */
int kmqtt_ack_decode(u8 type, u8 version, const u8 *p, size_t len,
		     struct kmqtt_ack *ack)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	struct kmqtt_props props;
	int err;

	ack->reason = KMQTT_REASON_SUCCESS;
	if (!kmqtt_read_u16(&cur, &ack->id) || !ack->id)
		return -EBADMSG;
	if (version == KMQTT_V5 && kmqtt_read_u8(&cur, &ack->reason) &&
	    kmqtt_cursor_left(&cur)) {
		err = read_props(&cur, type, &props);
		if (err)
			return err;
	}
	if (kmqtt_cursor_left(&cur))
		return -EBADMSG;
	return ack_reason_valid(type, ack->reason) ? 0 : -EPROTO;
}

/**
 * kmqtt_subscribe_decode() - begin with a SUBSCRIBE or UNSUBSCRIBE
 * @type: which
 * @version: enum kmqtt_version
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @s: the walk, for kmqtt_subscribe_next() or kmqtt_unsubscribe_next()
 *
 * Context: any.
 * Return: 0, -EBADMSG if malformed, -EPROTO for a protocol error, such as not
 * one filter ([MQTT5-3.8.3-2], [MQTT-3.10.3-2]).
 */
int kmqtt_subscribe_decode(u8 type, u8 version, const u8 *p, size_t len,
			   struct kmqtt_subscribe *s)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	struct kmqtt_props props;
	int err;

	s->version = version;
	s->sub_id = 0;
	if (!kmqtt_read_u16(&cur, &s->id) || !s->id)
		return -EBADMSG;
	if (version == KMQTT_V5) {
		err = read_props(&cur, type, &props);
		if (err)
			return err;
		if (kmqtt_prop_has(&props, KMQTT_PROP_SUBSCRIPTION_ID))
			s->sub_id = props.subscription_id;
	}
	if (!kmqtt_cursor_left(&cur))
		return -EPROTO;
	s->pos = cur.pos;
	s->end = cur.end;
	return 0;
}

/**
 * kmqtt_unsubscribe_next() - the next filter of an UNSUBSCRIBE
 * @s: the walk
 * @filter: checked as UTF-8, not yet as a topic filter
 *
 * Context: any.
 * Return: 1 with a filter, 0 at the end, -EBADMSG if malformed.
 */
int kmqtt_unsubscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter)
{
	struct kmqtt_cursor cur = { .pos = s->pos, .end = s->end };

	if (s->pos == s->end)
		return 0;
	if (!kmqtt_read_string(&cur, filter))
		return -EBADMSG;
	s->pos = cur.pos;
	return 1;
}

/**
 * kmqtt_subscribe_next() - the next filter of a SUBSCRIBE
 * @s: the walk
 * @filter: checked as UTF-8, not yet as a topic filter
 * @options: enum kmqtt_sub_options
 *
 * Context: any.
 * Return: 1 with a filter, 0 at the end, -EBADMSG if malformed
 * ([MQTT-3.8.3-5], 3.1.1: [MQTT-3-8.3-4]), -EPROTO for a protocol error.
 */
int kmqtt_subscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter,
			 u8 *options)
{
	int ret = kmqtt_unsubscribe_next(s, filter);

	if (ret <= 0)
		return ret;
	if (s->pos == s->end)
		return -EBADMSG;
	*options = *s->pos++;
	if (s->version != KMQTT_V5)
		return *options > KMQTT_QOS2 ? -EBADMSG : 1;
	if (*options & KMQTT_SUB_RESERVED)
		return -EBADMSG;
	if ((*options & KMQTT_SUB_QOS) == KMQTT_QOS_INVALID ||
	    (*options & KMQTT_SUB_RETAIN_HANDLING) == KMQTT_RETAIN_INVALID)
		return -EPROTO;
	return 1;
}

/* Those that table 3-10 and table 3-11 let a client send. */
static bool reasoned_valid(u8 type, u8 reason)
{
	if (type == KMQTT_AUTH)
		return reason == KMQTT_REASON_CONTINUE_AUTHENTICATION ||
		       reason == KMQTT_REASON_RE_AUTHENTICATE;
	switch (reason) {
	case KMQTT_REASON_NORMAL_DISCONNECTION:
	case KMQTT_REASON_DISCONNECT_WITH_WILL:
	case KMQTT_REASON_UNSPECIFIED ... KMQTT_REASON_IMPLEMENTATION_SPECIFIC:
	case KMQTT_REASON_TOPIC_NAME_INVALID:
	case KMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED:
	case KMQTT_REASON_TOPIC_ALIAS_INVALID:
	case KMQTT_REASON_PACKET_TOO_LARGE:
	case KMQTT_REASON_MESSAGE_RATE_TOO_HIGH:
	case KMQTT_REASON_QUOTA_EXCEEDED:
	case KMQTT_REASON_ADMINISTRATIVE_ACTION:
	case KMQTT_REASON_PAYLOAD_FORMAT_INVALID:
		return true;
	default:
		return false;
	}
}

/**
 * kmqtt_reasoned_decode() - decode a DISCONNECT or AUTH of 5.0
 * @type: which
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @r: filled on success
 *
 * Context: any.
 * Return: 0, -EBADMSG if malformed, -EPROTO for a protocol error, such as a
 * reason that a client can't give ([MQTT-3.14.2-1], [MQTT-3.15.2-1]).
 */
int kmqtt_reasoned_decode(u8 type, const u8 *p, size_t len,
			  struct kmqtt_reasoned *r)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	int err;

	memset(r, 0, sizeof(*r));
	if (kmqtt_read_u8(&cur, &r->reason) && kmqtt_cursor_left(&cur)) {
		err = read_props(&cur, type, &r->props);
		if (err)
			return err;
	}
	if (kmqtt_cursor_left(&cur))
		return -EBADMSG;
	if (type == KMQTT_AUTH &&
	    !kmqtt_prop_has(&r->props, KMQTT_PROP_AUTH_METHOD))
		return -EPROTO;
	return reasoned_valid(type, r->reason) ? 0 : -EPROTO;
}
