// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes to structs. Every read goes through a cursor that knows its end and
 * only moves forward; what a decoder has accepted is fully checked.
 */
#include "decode.h"
#include "utf8.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

struct cursor {
	const u8 *pos;
	const u8 *end;
};

static bool read_u8(struct cursor *c, u8 *v)
{
	if (c->pos == c->end)
		return false;
	*v = *c->pos++;
	return true;
}

static bool read_u16(struct cursor *c, u16 *v)
{
	if (c->end - c->pos < 2)
		return false;
	*v = get_unaligned_be16(c->pos);
	c->pos += 2;
	return true;
}

static bool read_binary(struct cursor *c, struct kmqtt_str *s)
{
	if (!read_u16(c, &s->len) || c->end - c->pos < s->len)
		return false;
	s->data = c->pos;
	c->pos += s->len;
	return true;
}

static bool read_string(struct cursor *c, struct kmqtt_str *s)
{
	return read_binary(c, s) && kmqtt_utf8_valid(s->data, s->len);
}

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
 * client may is for the caller to know, see kmqtt_flags_reserved().
 *
 * Context: any.
 * Return: 0, -EAGAIN if more bytes are needed, -EBADMSG if malformed.
 */
int kmqtt_fixed_decode(const u8 *p, size_t len, struct kmqtt_fixed *fixed)
{
	u32 value = 0;
	int i;

	if (!len)
		return -EAGAIN;
	fixed->type = p[0] >> 4;
	fixed->flags = p[0] & 0xf;
	if (!fixed->type || !flags_valid(fixed->type, fixed->flags))
		return -EBADMSG;
	for (i = 1; i < KMQTT_FIXED_HEADER_MAX; i++) {
		if (i == len)
			return -EAGAIN;
		value |= (u32)(p[i] & 0x7f) << (7 * (i - 1));
		if (!(p[i] & 0x80)) {
			fixed->len = i + 1;
			fixed->remaining = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/**
 * kmqtt_flags_reserved() - does a packet have flags that 3.1 alone allows?
 * @fixed: its fixed header
 *
 * Context: any.
 * Return: true if so.
 */
bool kmqtt_flags_reserved(const struct kmqtt_fixed *fixed)
{
	return fixed->type != KMQTT_PUBLISH &&
	       (fixed->flags & KMQTT_PUBLISH_DUP);
}

static bool name_is(const struct kmqtt_str *name, const char *want)
{
	return name->len == strlen(want) && !memcmp(name->data, want, name->len);
}

/* Protocol name and level (MQTT 3.1.1, 3.1.2.1 and 3.1.2.2). */
static int decode_version(struct cursor *cur, struct kmqtt_connect *c,
			  enum kmqtt_reason *reason)
{
	struct kmqtt_str name;

	*reason = KMQTT_REASON_MALFORMED_PACKET;
	if (!read_string(cur, &name) || !read_u8(cur, &c->version))
		return -EBADMSG;
	if (!name_is(&name, "MQTT") && !name_is(&name, "MQIsdp")) {
		*reason = KMQTT_REASON_PROTOCOL_ERROR;
		return -EBADMSG;
	}
	*reason = KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION;
	if (name_is(&name, "MQIsdp"))
		return c->version == KMQTT_V31 ? 0 : -EPROTONOSUPPORT;
	return c->version == KMQTT_V311 ? 0 : -EPROTONOSUPPORT;
}

static bool decode_will(struct cursor *cur, u8 flags, struct kmqtt_connect *c)
{
	c->has_will = flags & 0x04;
	c->will_qos = flags >> 3 & 3;
	c->will_retain = flags & 0x20;
	if (!c->has_will)	/* [MQTT-3.1.2-13], [MQTT-3.1.2-15] */
		return !c->will_qos && !c->will_retain;
	return c->will_qos != KMQTT_QOS_INVALID &&
	       read_string(cur, &c->will_topic) &&
	       read_binary(cur, &c->will_payload);
}

static bool decode_credentials(struct cursor *cur, u8 flags,
			       struct kmqtt_connect *c)
{
	c->has_user = flags & 0x80;
	c->has_password = flags & 0x40;
	if (c->has_password && !c->has_user)	/* [MQTT-3.1.2-22] */
		return false;
	/*
	 * MQTT 3.1 clients may set a flag and leave the field out: its
	 * specification tells the server to go on.
	 */
	if (c->version == KMQTT_V31 && cur->pos == cur->end)
		c->has_user = false;
	if (c->has_user && !read_string(cur, &c->user))
		return false;
	if (c->version == KMQTT_V31 && cur->pos == cur->end)
		c->has_password = false;
	return !c->has_password || read_binary(cur, &c->password);
}

/**
 * kmqtt_connect_decode() - decode a CONNECT (MQTT 3.1.1, 3.1)
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @c: filled on success; @c->version is also set with -EPROTONOSUPPORT
 * @reason: what to tell the client on failure
 *
 * Context: any.
 * Return: 0, -EPROTONOSUPPORT for a protocol level that is refused with
 * CONNACK, -EBADMSG for a packet that just closes the connection.
 */
int kmqtt_connect_decode(const u8 *p, size_t len, struct kmqtt_connect *c,
			 enum kmqtt_reason *reason)
{
	struct cursor cur = { .pos = p, .end = p + len };
	u8 flags;
	int err;

	memset(c, 0, sizeof(*c));
	err = decode_version(&cur, c, reason);
	if (err)
		return err;

	*reason = KMQTT_REASON_MALFORMED_PACKET;
	if (!read_u8(&cur, &flags) || !read_u16(&cur, &c->keepalive))
		return -EBADMSG;
	if (c->version != KMQTT_V31 && (flags & 1))	/* [MQTT-3.1.2-3] */
		return -EBADMSG;
	c->clean = flags & 0x02;
	if (!read_string(&cur, &c->client_id) ||
	    !decode_will(&cur, flags, c) ||
	    !decode_credentials(&cur, flags, c) ||
	    cur.pos != cur.end)
		return -EBADMSG;
	return 0;
}

/**
 * kmqtt_publish_decode() - decode the head of a PUBLISH (MQTT 3.1.1, 3.3)
 * @fixed: its fixed header
 * @p: bytes behind the fixed header
 * @len: bytes there; may be fewer than announced
 * @pub: filled on success
 *
 * The payload may still be on its way: only the variable header must be there.
 *
 * Context: any.
 * Return: 0, -EAGAIN if the variable header is incomplete, -EBADMSG if
 * malformed.
 */
int kmqtt_publish_decode(const struct kmqtt_fixed *fixed, const u8 *p,
			 size_t len, struct kmqtt_publish *pub)
{
	size_t there = min_t(size_t, len, fixed->remaining);
	int partial = there < fixed->remaining ? -EAGAIN : -EBADMSG;
	struct cursor cur = { .pos = p, .end = p + there };

	pub->qos = fixed->flags >> 1 & 3;
	pub->dup = fixed->flags & KMQTT_PUBLISH_DUP;
	pub->retain = fixed->flags & KMQTT_PUBLISH_RETAIN;
	pub->id = 0;
	if (!read_binary(&cur, &pub->topic))
		return partial;
	if (!kmqtt_utf8_valid(pub->topic.data, pub->topic.len))
		return -EBADMSG;
	if (pub->qos) {
		if (!read_u16(&cur, &pub->id))
			return partial;
		if (!pub->id)			/* [MQTT-2.3.1-1] */
			return -EBADMSG;
	} else if (pub->dup) {			/* [MQTT-3.3.1-2] */
		return -EBADMSG;
	}
	pub->head_len = cur.pos - p;
	pub->payload_len = fixed->remaining - pub->head_len;
	return 0;
}

/**
 * kmqtt_ack_decode() - decode PUBACK, PUBREC, PUBREL or PUBCOMP
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @id: the packet identifier
 *
 * Context: any.
 * Return: 0, or -EBADMSG if malformed.
 */
int kmqtt_ack_decode(const u8 *p, size_t len, u16 *id)
{
	if (len != 2)
		return -EBADMSG;
	*id = get_unaligned_be16(p);
	return *id ? 0 : -EBADMSG;
}

/**
 * kmqtt_subscribe_decode() - begin with a SUBSCRIBE or UNSUBSCRIBE
 * @p: the packet behind its fixed header
 * @len: its remaining length
 * @s: the walk, for kmqtt_subscribe_next() or kmqtt_unsubscribe_next()
 *
 * Context: any.
 * Return: 0, or -EBADMSG if there is no id or not one filter
 * ([MQTT-3.8.3-3], [MQTT-3.10.3-2]).
 */
int kmqtt_subscribe_decode(const u8 *p, size_t len, struct kmqtt_subscribe *s)
{
	struct cursor cur = { .pos = p, .end = p + len };

	if (!read_u16(&cur, &s->id) || !s->id || cur.pos == cur.end)
		return -EBADMSG;
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
	struct cursor cur = { .pos = s->pos, .end = s->end };

	if (s->pos == s->end)
		return 0;
	if (!read_string(&cur, filter))
		return -EBADMSG;
	s->pos = cur.pos;
	return 1;
}

/**
 * kmqtt_subscribe_next() - the next filter of a SUBSCRIBE
 * @s: the walk
 * @filter: checked as UTF-8, not yet as a topic filter
 * @options: the requested QoS
 *
 * Context: any.
 * Return: 1 with a filter, 0 at the end, -EBADMSG if malformed
 * ([MQTT-3-8.3-4]: reserved bits or QoS 3).
 */
int kmqtt_subscribe_next(struct kmqtt_subscribe *s, struct kmqtt_str *filter,
			 u8 *options)
{
	int ret = kmqtt_unsubscribe_next(s, filter);

	if (ret <= 0)
		return ret;
	if (s->pos == s->end || *s->pos > KMQTT_QOS2)
		return -EBADMSG;
	*options = *s->pos++;
	return 1;
}
