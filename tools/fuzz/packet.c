// SPDX-License-Identifier: GPL-2.0
/*
 * Whole packets. The first byte of the input picks the version and how much of
 * a PUBLISH has come; the rest is a packet, taken as the module takes it: the
 * fixed header, whether it is allowed, and the decoder of its type.
 *
 * Packets that only the broker sends have no decoder there. What comes in their
 * place is taken for what they are to be made of.
 */
#include "check.h"

#include <string.h>

static void claim_refused(int err)
{
	CLAIM(err == -EBADMSG || err == -EPROTO || err == -EPROTONOSUPPORT);
	CLAIM(kmqtt_decode_reason(err) >= KMQTT_REASON_UNSPECIFIED);
}

static void connect(const u8 *p, size_t len)
{
	struct kmqtt_connect c;
	int err;

	memset(&c, 0xa5, sizeof(c));
	err = kmqtt_connect_decode(p, len, &c);
	CLAIM(!c.version || (c.version >= KMQTT_V31 && c.version <= KMQTT_V5));
	if (err) {
		claim_refused(err);
		return;
	}
	CLAIM(c.version);
	claim_text(&c.client_id, p, len);
	if (c.has_will) {
		claim_text(&c.will_topic, p, len);
		claim_inside(&c.will_payload, p, len);
		CLAIM(c.will_qos <= KMQTT_QOS2);
	} else {
		CLAIM(!c.will_qos && !c.will_retain);
	}
	if (c.has_user)
		claim_text(&c.user, p, len);
	if (c.has_password)
		claim_inside(&c.password, p, len);
	if (c.version != KMQTT_V5) {
		CLAIM(!c.props.present && !c.props.block_len);
		CLAIM(!c.has_password || c.has_user);
	} else {
		claim_props(&c.props, KMQTT_CONNECT, p, len);
	}
	if (c.version == KMQTT_V5 && c.has_will)
		claim_props(&c.will_props, KMQTT_WILL, p, len);
	else
		CLAIM(!c.will_props.present && !c.will_props.block_len);
}

/* Decode with @there of the bytes. */
static int publish_part(const struct kmqtt_fixed *fixed, u8 version,
			const u8 *body, size_t there, struct kmqtt_publish *pub)
{
	u8 *p = copy_of(body, there);
	int err;

	memset(pub, 0xa5, sizeof(*pub));
	err = kmqtt_publish_decode(fixed, version, p, there, pub);
	if (err)
		goto out;
	CLAIM(pub->head_len <= there && pub->head_len <= fixed->remaining);
	CLAIM(pub->head_len + pub->payload_len == fixed->remaining);
	CLAIM(pub->qos <= KMQTT_QOS2 && !!pub->qos == !!pub->id);
	CLAIM(!pub->dup || pub->qos);
	claim_text(&pub->topic, p, pub->head_len);
	if (version == KMQTT_V5) {
		claim_props(&pub->props, KMQTT_PUBLISH, p, pub->head_len);
		CLAIM(pub->props.block + pub->props.block_len ==
		      p + pub->head_len);
	} else {
		CLAIM(!pub->props.present && !pub->props.block_len);
		CLAIM(2U + pub->topic.len + (pub->qos ? 2 : 0) == pub->head_len);
	}
out:
	give_back(p);
	return err;
}

/* What is decided of a part is decided of the whole. */
static void publish(const struct kmqtt_fixed *fixed, u8 version, const u8 *p,
		    size_t len, u8 part)
{
	struct kmqtt_publish whole, some;
	int err, early;

	err = publish_part(fixed, version, p, len, &whole);
	CLAIM(err != -EAGAIN || len < fixed->remaining);
	if (err && err != -EAGAIN)
		claim_refused(err);
	early = publish_part(fixed, version, p, len * part / 64, &some);
	if (early == -EAGAIN)
		return;
	CLAIM(!early == !err && err != -EAGAIN);
	if (!err)
		CLAIM(some.head_len == whole.head_len && some.id == whole.id &&
		      some.topic.len == whole.topic.len &&
		      some.props.present == whole.props.present);
}

static void ack(u8 type, u8 version, const u8 *p, size_t len)
{
	u8 buf[KMQTT_ACK_MAX];
	struct kmqtt_fixed fixed;
	struct kmqtt_ack a, again;
	size_t n;
	int err;

	memset(&a, 0xa5, sizeof(a));
	err = kmqtt_ack_decode(type, version, p, len, &a);
	if (err) {
		claim_refused(err);
		return;
	}
	CLAIM(a.id);
	CLAIM(version == KMQTT_V5 || (!a.reason && len == 2));
	n = kmqtt_ack_encode(buf, type, a.id, a.reason, NULL);
	CLAIM(n <= sizeof(buf));
	CLAIM(!kmqtt_fixed_decode(buf, n, &fixed));
	CLAIM(fixed.type == type && fixed.len + fixed.remaining == n);
	CLAIM(kmqtt_fixed_allowed(&fixed, version));
	CLAIM(!kmqtt_ack_decode(type, version, buf + fixed.len,
				fixed.remaining, &again));
	CLAIM(again.id == a.id && again.reason == a.reason);
}

static void subscribe(u8 type, u8 version, const u8 *p, size_t len)
{
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	const u8 *pos;
	u8 options = 0;
	int ret;

	memset(&s, 0xa5, sizeof(s));
	ret = kmqtt_subscribe_decode(type, version, p, len, &s);
	if (ret) {
		claim_refused(ret);
		return;
	}
	CLAIM(s.id && s.version == version);
	CLAIM(version == KMQTT_V5 || !s.sub_id);
	CLAIM(type == KMQTT_SUBSCRIBE || !s.sub_id);
	CLAIM(s.pos > p && s.pos < s.end && s.end == p + len);
	do {
		pos = s.pos;
		ret = type == KMQTT_SUBSCRIBE ?
		      kmqtt_subscribe_next(&s, &filter, &options) :
		      kmqtt_unsubscribe_next(&s, &filter);
		if (ret <= 0)
			break;
		claim_text(&filter, p, len);
		CLAIM(filter.data == pos + 2);
		CLAIM(s.pos > pos && s.pos <= s.end);
		CLAIM((options & 3) != 3 && (options & 0x30) != 0x30 &&
		      !(options & 0xc0));
		CLAIM(version == KMQTT_V5 || options <= 2);
	} while (true);
	if (ret)
		claim_refused(ret);
	else
		CLAIM(s.pos == s.end);
}

/* Encode an answer with properties and hand back its body, exactly. */
static u8 *answer(u8 type, const struct kmqtt_props *props, u16 id, u8 reason,
		  struct kmqtt_fixed *fixed)
{
	u8 *buf = room(kmqtt_answer_max(props)), *body;
	size_t n;

	if (type == KMQTT_CONNACK)
		n = kmqtt_connack_encode(buf, KMQTT_V5, id & 1, reason, props);
	else if (type == KMQTT_DISCONNECT || type == KMQTT_AUTH)
		n = kmqtt_reasoned_encode(buf, type, reason, props);
	else
		n = kmqtt_ack_encode(buf, type, id, reason, props);
	CLAIM(n <= kmqtt_answer_max(props));
	CLAIM(!kmqtt_fixed_decode(buf, n, fixed));
	CLAIM(fixed->type == type && fixed->len + fixed->remaining == n);
	CLAIM(kmqtt_fixed_allowed(fixed, KMQTT_V5));
	body = copy_of(buf + fixed->len, fixed->remaining);
	give_back(buf);
	return body;
}

/* The properties at @p, which are the end of a body, are these. */
static void same_props(u8 type, const u8 *p, size_t len,
		       const struct kmqtt_props *props)
{
	struct ref_props ref;

	ref_props_read(&ref, type, p, len);
	CLAIM(ref.size == len);
	ref_props_same(&ref, props);
	ref_props_free(&ref);
}

static void reasoned(u8 type, const u8 *p, size_t len)
{
	struct kmqtt_reasoned r, again;
	struct kmqtt_fixed fixed;
	u8 *body;
	int err;

	memset(&r, 0xa5, sizeof(r));
	err = kmqtt_reasoned_decode(type, p, len, &r);
	if (err) {
		claim_refused(err);
		return;
	}
	if (len > 1)
		claim_props(&r.props, type, p, len);
	else
		CLAIM(!r.props.present && !r.props.block_len);
	body = answer(type, &r.props, 0, r.reason, &fixed);
	CLAIM(!kmqtt_reasoned_decode(type, body, fixed.remaining, &again));
	CLAIM(again.reason == r.reason);
	same_props(type, body + 1, fixed.remaining - 1, &r.props);
	give_back(body);
}

/* An acknowledgment with properties: identifier, reason, properties. */
static void make_ack(u8 type, const u8 *p, size_t len)
{
	struct kmqtt_props props = {};
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	struct kmqtt_fixed fixed;
	struct kmqtt_ack a;
	u8 reason, *body;
	u16 id;

	if (!kmqtt_read_u16(&cur, &id) || !id || !kmqtt_read_u8(&cur, &reason) ||
	    kmqtt_props_decode(&cur, type, &props))
		return;
	body = answer(type, &props, id, reason, &fixed);
	if (!kmqtt_ack_decode(type, KMQTT_V5, body, fixed.remaining, &a))
		CLAIM(a.id == id && a.reason == reason);
	same_props(type, body + 3, fixed.remaining - 3, &props);
	give_back(body);
}

/* Flags, reason and properties, as those of a CONNACK are. */
static void make_connack(const u8 *p, size_t len)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	u8 flags, reason, *body, old[KMQTT_ACK_MAX];
	struct kmqtt_props props = {};
	struct kmqtt_fixed fixed;

	if (!kmqtt_read_u8(&cur, &flags) || !kmqtt_read_u8(&cur, &reason))
		return;
	CLAIM(kmqtt_connack_encode(old, KMQTT_V311, flags & 1, reason,
				   &props) == 4);
	CLAIM(old[0] == 0x20 && old[1] == 2 && old[2] == (flags & 1));
	CLAIM(old[3] == kmqtt_connack_code(reason) && old[3] <= 5);
	CLAIM(!old[3] == (reason < KMQTT_REASON_UNSPECIFIED));
	CLAIM(kmqtt_connack_encode(old, KMQTT_V31, true, reason, &props) == 4);
	CLAIM(!old[2]);
	if (kmqtt_props_decode(&cur, KMQTT_CONNACK, &props))
		return;
	body = answer(KMQTT_CONNACK, &props, flags, reason, &fixed);
	CLAIM(body[0] == (flags & 1) && body[1] == reason);
	same_props(KMQTT_CONNACK, body + 2, fixed.remaining - 2, &props);
	give_back(body);
}

/* Identifier and number of codes of a SUBACK or UNSUBACK. */
static void make_suback(u8 type, u8 version, const u8 *p, size_t len)
{
	struct kmqtt_cursor cur = { .pos = p, .end = p + len };
	u32 head = 2 + (version == KMQTT_V5), nr;
	struct kmqtt_fixed fixed;
	u8 buf[KMQTT_SUBACK_HEAD_MAX];
	size_t n;
	u16 id;

	if (!kmqtt_read_u16(&cur, &id) || kmqtt_read_varint(&cur, &nr) ||
	    nr > KMQTT_REMAINING_MAX - 3)
		return;
	n = kmqtt_suback_head_encode(buf, type, version, id, nr);
	CLAIM(n <= sizeof(buf));
	CLAIM(!kmqtt_fixed_decode(buf, n, &fixed));
	CLAIM(fixed.type == type && kmqtt_fixed_allowed(&fixed, version));
	CLAIM(fixed.remaining == head + nr && n == fixed.len + head);
	CLAIM(get_unaligned_be16(buf + fixed.len) == id);
	CLAIM(version != KMQTT_V5 || !buf[n - 1]);
}

/* A packet that is there as a whole. */
static void control(const struct kmqtt_fixed *fixed, u8 version, const u8 *body)
{
	u8 *p = copy_of(body, fixed->remaining);
	size_t len = fixed->remaining;
	u8 type = fixed->type;

	switch (type) {
	case KMQTT_CONNECT:
		connect(p, len);
		break;
	case KMQTT_PUBACK:
	case KMQTT_PUBREC:
	case KMQTT_PUBREL:
	case KMQTT_PUBCOMP:
		ack(type, version, p, len);
		make_ack(type, p, len);
		break;
	case KMQTT_SUBSCRIBE:
	case KMQTT_UNSUBSCRIBE:
		subscribe(type, version, p, len);
		break;
	case KMQTT_DISCONNECT:
	case KMQTT_AUTH:
		reasoned(type, p, len);
		break;
	case KMQTT_CONNACK:
		make_connack(p, len);
		break;
	case KMQTT_SUBACK:
	case KMQTT_UNSUBACK:
		make_suback(type, version, p, len);
		break;
	}
	give_back(p);
}

/* For libFuzzer. */
int fuzz_one(const u8 *data, size_t size)
{
	struct kmqtt_fixed fixed;
	u8 version, part, *p;
	int err;

	if (!size)
		return 0;
	version = KMQTT_V31 + data[0] % 3;
	part = data[0] / 3 % 64;
	size--;
	p = copy_of(data + 1, size);
	memset(&fixed, 0xa5, sizeof(fixed));
	err = kmqtt_fixed_decode(p, size, &fixed);
	CLAIM(!err || err == -EBADMSG || (err == -EAGAIN && size < 5));
	if (err)
		goto out;
	CLAIM(fixed.type == p[0] >> 4 && fixed.flags == (p[0] & 0xf));
	CLAIM(fixed.type && fixed.len >= 2 && fixed.len <= size);
	CLAIM(fixed.len <= KMQTT_FIXED_HEADER_MAX);
	CLAIM(fixed.remaining <= KMQTT_REMAINING_MAX);
	if (!kmqtt_fixed_allowed(&fixed, version))
		goto out;
	if (fixed.type == KMQTT_PUBLISH)
		publish(&fixed, version, p + fixed.len, size - fixed.len, part);
	else if (fixed.remaining <= size - fixed.len)
		control(&fixed, version, p + fixed.len);
out:
	give_back(p);
	return 0;
}
