// SPDX-License-Identifier: GPL-2.0
/*
 * Every decoder with whole packets, with every beginning of them, and with
 * rubbish. Whatever a decoder accepts must lie inside the packet; reads
 * outside are for KASAN to see.
 */
#include "support.h"
#include <linux/slab.h>
#include "../wire/decode.h"

#define MUTATIONS	300
#define RANDOM_PACKETS	20000
#define RANDOM_MAX	64

struct packet_case {
	const char *desc;
	const char *bytes;
	u8 len;
	/* Lengths that the packet could also announce and still be valid. */
	u8 also_valid[4];
	/* The length without any filter, which is an error of its own. */
	u8 no_filter;
	u8 version;
};

#define PACKET(str)	.bytes = (str), .len = sizeof(str) - 1, \
			.version = KMQTT_V311
#define PACKET5(str)	.bytes = (str), .len = sizeof(str) - 1, \
			.version = KMQTT_V5

static const struct packet_case packet_cases[] = {
	{ "CONNECT of 3.1.1, just an id",
	  PACKET("\x10\x0f\0\4MQTT\4\2\0\x3c\0\3abc") },
	{ "CONNECT of 3.1.1, empty id",
	  PACKET("\x10\x0c\0\4MQTT\4\2\0\0\0\0") },
	{ "CONNECT of 3.1.1 with all",
	  PACKET("\x10\x21\0\4MQTT\4\xee\0\x3c\0\2id\0\2wt\0\3w\0m\0\4user\0\2p\xff") },
	{ "CONNECT of 3.1, just an id",
	  PACKET("\x10\x10\0\6MQIsdp\3\2\0\x3c\0\2id") },
	{ "CONNECT of 3.1 with user name",
	  PACKET("\x10\x16\0\6MQIsdp\3\x82\0\x3c\0\2id\0\4user"),
	  /* 3.1 allows user name and password to be left out. */
	  .also_valid = { 16 } },
	{ "CONNECT of 3.1 with user name and password",
	  PACKET("\x10\x1c\0\6MQIsdp\3\xc2\0\x3c\0\2id\0\4user\0\4pass"),
	  .also_valid = { 16, 22 } },
	{ "CONNECT of 3.1 with all",
	  PACKET("\x10\x25\0\6MQIsdp\3\xce\0\x3c\0\2id\0\2wt\0\3wml\0\4user\0\4pass"),
	  .also_valid = { 25, 31 } },
	{ "PUBLISH with QoS 0 and payload",
	  PACKET("\x30\x0a\0\3a/bhello"), .also_valid = { 5 } },
	{ "PUBLISH with QoS 0 and none", PACKET("\x31\x05\0\3a/b") },
	{ "PUBLISH with QoS 1 and none", PACKET("\x32\x07\0\3a/b\x12\x34") },
	{ "PUBLISH with QoS 2 and DUP", PACKET("\x3c\x07\0\3a/b\xff\xff") },
	{ "PUBLISH with an empty topic", PACKET("\x32\x04\0\0\0\1") },
	{ "PUBACK", PACKET("\x40\x02\x12\x34") },
	{ "PUBREC", PACKET("\x50\x02\x12\x34") },
	{ "PUBREL", PACKET("\x62\x02\x12\x34") },
	{ "PUBREL of 3.1 with DUP", PACKET("\x6a\x02\x12\x34") },
	{ "PUBCOMP", PACKET("\x70\x02\xff\xff") },
	{ "SUBSCRIBE to one filter", PACKET("\x82\x08\0\1\0\3a/b\2"),
	  .no_filter = 2 },
	{ "SUBSCRIBE to three filters",
	  PACKET("\x82\x11\0\1\0\3a/b\2\0\1#\1\0\2+/\0"),
	  .also_valid = { 8, 12 }, .no_filter = 2 },
	{ "UNSUBSCRIBE from one filter", PACKET("\xa2\x07\0\1\0\3a/b"),
	  .no_filter = 2 },
	{ "UNSUBSCRIBE from two filters",
	  PACKET("\xa2\x0a\0\1\0\3a/b\0\1#"), .also_valid = { 7 },
	  .no_filter = 2 },
	{ "CONNECT of 5, just an id",
	  PACKET5("\x10\x0f\0\4MQTT\5\2\0\x3c\0\0\2id") },
	{ "CONNECT of 5 with a will",
	  PACKET5("\x10\x23\0\4MQTT\5\x2e\0\x3c\5\21\0\0\0\1\0\2id\5\30\0\0\0\1\0\2wt\0\3w\0m") },
	{ "CONNECT of 5 with a password alone",
	  PACKET5("\x10\x13\0\4MQTT\5\x42\0\x3c\0\0\2id\0\2p\xff") },
	{ "PUBLISH of 5 without properties",
	  PACKET5("\x30\x0b\0\3a/b\0hello"), .also_valid = { 6 } },
	{ "PUBLISH of 5 with an alias", PACKET5("\x32\x08\0\0\0\1\3\43\0\1") },
	{ "PUBLISH of 5 with QoS 2 and properties",
	  PACKET5("\x34\x14\0\3a/b\0\1\x09\46\0\1n\0\1v\1\1pay"),
	  .also_valid = { 17 } },
	{ "PUBACK of 5",
	  PACKET5("\x40\x09\0\1\x10\5\37\0\2ok"), .also_valid = { 2, 3 } },
	{ "PUBREC of 5",
	  PACKET5("\x50\x0b\0\1\x80\7\46\0\1n\0\1v"),
	  .also_valid = { 2, 3 } },
	{ "PUBREL of 5", PACKET5("\x62\4\0\1\x92\0"), .also_valid = { 2, 3 } },
	{ "PUBCOMP of 5", PACKET5("\x70\4\0\1\0\0"), .also_valid = { 2, 3 } },
	{ "SUBSCRIBE of 5",
	  PACKET5("\x82\x0f\0\1\2\13\7\0\3a/b\x2d\0\1#\1"),
	  .also_valid = { 11 }, .no_filter = 5 },
	{ "UNSUBSCRIBE of 5",
	  PACKET5("\xa2\x0b\0\1\0\0\3a/b\0\1#"),
	  .also_valid = { 8 }, .no_filter = 3 },
	{ "DISCONNECT of 5",
	  PACKET5("\xe0\7\4\5\21\0\0\0\1"), .also_valid = { 1 } },
};

KUNIT_ARRAY_PARAM_DESC(packet, packet_cases, desc);

/* Everything accepted, strings and all, must be between these. */
struct bounds {
	struct kunit *test;
	u8 version;
	const u8 *start;
	const u8 *end;
};

static void expect_inside(const struct bounds *b, const struct kmqtt_str *s)
{
	KUNIT_EXPECT_TRUE(b->test, s->data >= b->start &&
			  s->data + s->len <= b->end);
}

static void expect_props(const struct bounds *b,
			 const struct kmqtt_props *props)
{
	if (props->block_len)
		KUNIT_EXPECT_TRUE(b->test, props->block > b->start &&
				  props->block + props->block_len <= b->end);
	KUNIT_EXPECT_EQ(b->test, !props->block_len, !props->present);
}

static int decode_connect(const struct bounds *b, const u8 *p, size_t len)
{
	struct kmqtt_connect c;
	int err = kmqtt_connect_decode(p, len, &c);

	if (err) {
		KUNIT_EXPECT_GE(b->test, kmqtt_decode_reason(err),
				KMQTT_REASON_UNSPECIFIED);
		return err;
	}
	expect_inside(b, &c.client_id);
	expect_props(b, &c.props);
	expect_props(b, &c.will_props);
	if (c.has_will) {
		expect_inside(b, &c.will_topic);
		expect_inside(b, &c.will_payload);
	}
	if (c.has_user)
		expect_inside(b, &c.user);
	if (c.has_password)
		expect_inside(b, &c.password);
	KUNIT_EXPECT_TRUE(b->test, c.has_user || !c.has_password ||
			  c.version == KMQTT_V5);
	KUNIT_EXPECT_LT(b->test, c.will_qos, KMQTT_QOS_INVALID);
	return 0;
}

static int decode_publish(const struct bounds *b,
			  const struct kmqtt_fixed *fixed, const u8 *p,
			  size_t len)
{
	struct kmqtt_publish pub;
	int err = kmqtt_publish_decode(fixed, b->version, p, len, &pub);

	if (err)
		return err;
	expect_inside(b, &pub.topic);
	expect_props(b, &pub.props);
	KUNIT_EXPECT_LE(b->test, pub.head_len, len);
	KUNIT_EXPECT_EQ(b->test, pub.head_len + pub.payload_len,
			fixed->remaining);
	KUNIT_EXPECT_EQ(b->test, !pub.id, !pub.qos);
	return 0;
}

static int decode_filters(const struct bounds *b, u8 type, const u8 *p,
			  size_t len)
{
	struct kmqtt_subscribe s;
	size_t filters = 0;
	int ret;

	ret = kmqtt_subscribe_decode(type, b->version, p, len, &s);
	if (ret)
		return ret;
	KUNIT_EXPECT_NE(b->test, s.id, 0);
	do {
		struct kmqtt_str filter;
		u8 options = 0;

		if (type == KMQTT_SUBSCRIBE)
			ret = kmqtt_subscribe_next(&s, &filter, &options);
		else
			ret = kmqtt_unsubscribe_next(&s, &filter);
		if (ret > 0) {
			expect_inside(b, &filter);
			KUNIT_EXPECT_LE(b->test, options & KMQTT_SUB_QOS,
					KMQTT_QOS2);
		}
		/* The walk must get on. */
		KUNIT_ASSERT_LE(b->test, ++filters, len);
	} while (ret > 0);
	return ret;
}

/* Decode a whole body as what its fixed header says, to the last field. */
static int decode_body(struct kunit *test, u8 version,
		       const struct kmqtt_fixed *fixed, const u8 *p, size_t len)
{
	const struct bounds b = {
		.test = test,
		.version = version,
		.start = p,
		.end = p + len,
	};
	struct kmqtt_reasoned reasoned;
	struct kmqtt_ack ack;
	int err;

	switch (fixed->type) {
	case KMQTT_CONNECT:
		return decode_connect(&b, p, len);
	case KMQTT_PUBLISH:
		return decode_publish(&b, fixed, p, len);
	case KMQTT_PUBACK:
	case KMQTT_PUBREC:
	case KMQTT_PUBREL:
	case KMQTT_PUBCOMP:
		err = kmqtt_ack_decode(fixed->type, version, p, len, &ack);
		KUNIT_EXPECT_TRUE(test, err || ack.id);
		return err;
	case KMQTT_SUBSCRIBE:
	case KMQTT_UNSUBSCRIBE:
		return decode_filters(&b, fixed->type, p, len);
	case KMQTT_DISCONNECT:
	case KMQTT_AUTH:
		err = kmqtt_reasoned_decode(fixed->type, p, len, &reasoned);
		if (!err)
			expect_props(&b, &reasoned.props);
		return err;
	default:
		return 0;
	}
}

/* Decode a body that a packet of @fixed would have with just these bytes. */
static int decode_as_whole(struct kunit *test, u8 version,
			   struct kmqtt_fixed fixed, const u8 *body, size_t len)
{
	/* Not the test's to free, which takes long among thousands. */
	u8 *exact = kmemdup(body, len, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, exact);
	fixed.remaining = len;
	err = decode_body(test, version, &fixed, exact, len);
	kfree(exact);
	return err;
}

static void packet_valid(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kmqtt_fixed fixed;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);

	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(exact, c->len, &fixed), 0);
	KUNIT_ASSERT_EQ(test, fixed.len + fixed.remaining, c->len);
	KUNIT_EXPECT_EQ(test, decode_as_whole(test, c->version, fixed,
					      exact + fixed.len,
					      fixed.remaining), 0);
}

/* The bytes that have arrived of a longer packet. */
static void packet_arriving(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	size_t len;

	for (len = 0; len < c->len; len++) {
		u8 *exact = kmqtt_test_exact(test, c->bytes, len);
		struct kmqtt_publish pub;
		struct kmqtt_fixed fixed;
		int err;

		err = kmqtt_fixed_decode(exact, len, &fixed);
		KUNIT_EXPECT_EQ_MSG(test, err, len < 2 ? -EAGAIN : 0,
				    "%zu bytes there", len);
		if (err || fixed.type != KMQTT_PUBLISH)
			continue;
		/* Only the head of a PUBLISH is decoded before the rest. */
		err = kmqtt_publish_decode(&fixed, c->version,
					   exact + fixed.len, len - fixed.len,
					   &pub);
		if (err)
			KUNIT_EXPECT_EQ_MSG(test, err, -EAGAIN,
					    "%zu bytes there", len);
		else
			KUNIT_EXPECT_LE(test, fixed.len + pub.head_len, len);
	}
}

/* A packet that says that it ends where it should not. */
static void packet_truncated(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kmqtt_fixed fixed;
	size_t len;

	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode((const u8 *)c->bytes, c->len,
						 &fixed), 0);
	for (len = 0; len < fixed.remaining; len++) {
		bool valid = len && memchr(c->also_valid, len,
					   sizeof(c->also_valid));
		bool none = len && len == c->no_filter;

		/* Payload is all that may be missing. */
		valid |= fixed.type == KMQTT_PUBLISH && c->also_valid[0] &&
			 len >= c->also_valid[0];
		/* Nothing is the short form of this one. */
		valid |= fixed.type == KMQTT_DISCONNECT && !len;
		KUNIT_EXPECT_EQ_MSG(test,
				    decode_as_whole(test, c->version, fixed,
						    c->bytes + fixed.len, len),
				    valid ? 0 : none ? -EPROTO : -EBADMSG,
				    "%zu bytes", len);
	}
}

/* All but a PUBLISH, whose payload may be anything, end where they end. */
static void packet_too_long(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kmqtt_fixed fixed;
	u8 body[64] = {};

	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode((const u8 *)c->bytes, c->len,
						 &fixed), 0);
	memcpy(body, c->bytes + fixed.len, fixed.remaining);
	KUNIT_EXPECT_EQ(test, decode_as_whole(test, c->version, fixed, body,
					      fixed.remaining + 1),
			fixed.type == KMQTT_PUBLISH ? 0 : -EBADMSG);
}

static void packet_mutated(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, c->len);
	for (i = 0; i < MUTATIONS; i++) {
		u32 changes = 1 + kmqtt_test_below(&rnd, 3);
		struct kmqtt_fixed fixed;
		u8 bytes[64];

		memcpy(bytes, c->bytes, c->len);
		while (changes--)
			bytes[kmqtt_test_below(&rnd, c->len)] =
				prandom_u32_state(&rnd) >>
				kmqtt_test_below(&rnd, 8);
		if (kmqtt_fixed_decode(bytes, c->len, &fixed))
			continue;
		if (fixed.len >= c->len)
			continue;
		decode_as_whole(test, c->version, fixed, bytes + fixed.len,
				c->len - fixed.len);
	}
}

/* Random bytes as the body of each type. */
static void packet_random(struct kunit *test)
{
	static const u8 first[] = {
		0x10, 0x30, 0x32, 0x3d, 0x40, 0x50, 0x62, 0x70, 0x82, 0xa2,
		0xe0, 0xf0,
	};
	static const char *const hellos[] = {
		"\0\4MQTT\4", "\0\4MQTT\5", "\0\6MQIsdp\3",
	};
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 31);
	for (i = 0; i < RANDOM_PACKETS; i++) {
		u32 len = kmqtt_test_below(&rnd, RANDOM_MAX);
		u8 bytes[RANDOM_MAX];
		struct kmqtt_fixed fixed = {
			.type = first[i % ARRAY_SIZE(first)] >> 4,
			.flags = first[i % ARRAY_SIZE(first)] & 0xf,
			.len = 2,
		};

		prandom_bytes_state(&rnd, bytes, sizeof(bytes));
		/* Short lengths, or hardly a field would be whole. */
		bytes[0] = 0;
		bytes[1] &= 0x0f;
		if (fixed.type == KMQTT_CONNECT && len > 10)
			memcpy(bytes, hellos[i / ARRAY_SIZE(first) % 3],
			       i / ARRAY_SIZE(first) % 3 < 2 ? 7 : 9);
		decode_as_whole(test, i / ARRAY_SIZE(first) & 1 ? KMQTT_V5 :
				KMQTT_V311, fixed, bytes, len);
	}
}

/* Random bytes as whole packets. */
static void packet_random_fixed(struct kunit *test)
{
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 32);
	for (i = 0; i < RANDOM_PACKETS; i++) {
		u32 len = kmqtt_test_below(&rnd, 8);
		struct kmqtt_fixed fixed;
		u8 bytes[8], *exact;
		int err;

		prandom_bytes_state(&rnd, bytes, sizeof(bytes));
		exact = kmemdup(bytes, len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, exact);
		err = kmqtt_fixed_decode(exact, len, &fixed);
		if (!err) {
			KUNIT_EXPECT_LE(test, fixed.len, len);
			KUNIT_EXPECT_LE(test, fixed.remaining,
					KMQTT_REMAINING_MAX);
		} else if (err == -EAGAIN) {
			KUNIT_EXPECT_LT(test, len, KMQTT_FIXED_HEADER_MAX);
		} else {
			KUNIT_EXPECT_EQ(test, err, -EBADMSG);
		}
		kfree(exact);
	}
}

static struct kunit_case packets_cases[] = {
	KUNIT_CASE_PARAM(packet_valid, packet_gen_params),
	KUNIT_CASE_PARAM(packet_arriving, packet_gen_params),
	KUNIT_CASE_PARAM(packet_truncated, packet_gen_params),
	KUNIT_CASE_PARAM(packet_too_long, packet_gen_params),
	KUNIT_CASE_PARAM(packet_mutated, packet_gen_params),
	KUNIT_CASE(packet_random),
	KUNIT_CASE(packet_random_fixed),
	{}
};

static struct kunit_suite packets_suite = {
	.name = "kmqtt_wire_packets",
	.test_cases = packets_cases,
};

kunit_test_suites(&packets_suite);
