// SPDX-License-Identifier: GPL-2.0
/*
 * Properties (MQTT 5, 2.2.2), each in each packet: what comes in, what goes
 * out, and what is refused.
 */
#include "support.h"
#include "../wire/encode.h"

#define PACKET(name)	BIT(KMQTT_##name)
#define HELLO		(PACKET(CONNECT) | PACKET(CONNACK))
#define MESSAGE		(PACKET(PUBLISH) | BIT(KMQTT_WILL))
#define ACKS		(PACKET(PUBACK) | PACKET(PUBREC) | PACKET(PUBREL) | \
			 PACKET(PUBCOMP))
#define ANSWERS		(ACKS | PACKET(CONNACK) | PACKET(SUBACK) | \
			 PACKET(UNSUBACK) | PACKET(DISCONNECT) | PACKET(AUTH))
#define EVERY		(ANSWERS | MESSAGE | PACKET(CONNECT) | \
			 PACKET(SUBSCRIBE) | PACKET(UNSUBSCRIBE))

/* What a field is, and whether 0 is an error. */
enum kind {
	BYTE,
	TWO,
	TWO_NOT_0,
	FOUR,
	FOUR_NOT_0,
	VARINT,
	STRING,
	BINARY,
	PAIR,
};

/* MQTT 5, table 2-4, with a value for each. */
struct prop_case {
	const char *desc;
	u8 id;
	enum kind kind;
	u16 packets;
	size_t offset;
	u32 number;
	const char *bytes;
	u8 len;
};

#define FIELD(name)	offsetof(struct kmqtt_props, name)
#define BYTES(str)	.bytes = (str), .len = sizeof(str) - 1

static const struct prop_case prop_cases[] = {
	{ "Payload Format Indicator", 1, BYTE, MESSAGE,
	  FIELD(payload_format), 1, BYTES("\1\1") },
	{ "Message Expiry Interval", 2, FOUR, MESSAGE,
	  FIELD(message_expiry), 0x01020304, BYTES("\2\1\2\3\4") },
	{ "Content Type", 3, STRING, MESSAGE,
	  FIELD(content_type), 0, BYTES("\3\0\2ct") },
	{ "Response Topic", 8, STRING, MESSAGE,
	  FIELD(response_topic), 0, BYTES("\10\0\3r/t") },
	{ "Correlation Data", 9, BINARY, MESSAGE,
	  FIELD(correlation_data), 0, BYTES("\11\0\3\0\xff\1") },
	{ "Subscription Identifier", 11, VARINT,
	  PACKET(PUBLISH) | PACKET(SUBSCRIBE),
	  FIELD(subscription_id), 129, BYTES("\13\x81\1") },
	{ "Session Expiry Interval", 17, FOUR, HELLO | PACKET(DISCONNECT),
	  FIELD(session_expiry), U32_MAX, BYTES("\21\xff\xff\xff\xff") },
	{ "Assigned Client Identifier", 18, STRING, PACKET(CONNACK),
	  FIELD(assigned_id), 0, BYTES("\22\0\2ai") },
	{ "Server Keep Alive", 19, TWO, PACKET(CONNACK),
	  FIELD(server_keep_alive), 0x1234, BYTES("\23\x12\x34") },
	{ "Authentication Method", 21, STRING, HELLO | PACKET(AUTH),
	  FIELD(auth_method), 0, BYTES("\25\0\4SHA1") },
	{ "Authentication Data", 22, BINARY, HELLO | PACKET(AUTH),
	  FIELD(auth_data), 0, BYTES("\26\0\2\xfe\0") },
	{ "Request Problem Information", 23, BYTE, PACKET(CONNECT),
	  FIELD(request_problem), 1, BYTES("\27\1") },
	{ "Will Delay Interval", 24, FOUR, BIT(KMQTT_WILL),
	  FIELD(will_delay), 0x05060708, BYTES("\30\5\6\7\10") },
	{ "Request Response Information", 25, BYTE, PACKET(CONNECT),
	  FIELD(request_response), 0, BYTES("\31\0") },
	{ "Response Information", 26, STRING, PACKET(CONNACK),
	  FIELD(response_info), 0, BYTES("\32\0\2ri") },
	{ "Server Reference", 28, STRING,
	  PACKET(CONNACK) | PACKET(DISCONNECT),
	  FIELD(server_reference), 0, BYTES("\34\0\2sr") },
	{ "Reason String", 31, STRING, ANSWERS,
	  FIELD(reason_string), 0, BYTES("\37\0\2rs") },
	{ "Receive Maximum", 33, TWO_NOT_0, HELLO,
	  FIELD(receive_max), 0x0100, BYTES("\41\1\0") },
	{ "Topic Alias Maximum", 34, TWO, HELLO,
	  FIELD(topic_alias_max), 0x0201, BYTES("\42\2\1") },
	{ "Topic Alias", 35, TWO, PACKET(PUBLISH),
	  FIELD(topic_alias), 0xffff, BYTES("\43\xff\xff") },
	{ "Maximum QoS", 36, BYTE, PACKET(CONNACK),
	  FIELD(max_qos), 1, BYTES("\44\1") },
	{ "Retain Available", 37, BYTE, PACKET(CONNACK),
	  FIELD(retain_available), 0, BYTES("\45\0") },
	{ "User Property", 38, PAIR, EVERY,
	  0, 0, BYTES("\46\0\1n\0\2va") },
	{ "Maximum Packet Size", 39, FOUR_NOT_0, HELLO,
	  FIELD(max_packet_size), 0x00010000, BYTES("\47\0\1\0\0") },
	{ "Wildcard Subscription Available", 40, BYTE, PACKET(CONNACK),
	  FIELD(wildcard_available), 1, BYTES("\50\1") },
	{ "Subscription Identifier Available", 41, BYTE, PACKET(CONNACK),
	  FIELD(sub_id_available), 0, BYTES("\51\0") },
	{ "Shared Subscription Available", 42, BYTE, PACKET(CONNACK),
	  FIELD(shared_available), 1, BYTES("\52\1") },
};

KUNIT_ARRAY_PARAM_DESC(prop, prop_cases, desc);

/* Decode @len bytes of properties, of which all are there. */
static int decode(struct kunit *test, u8 type, const void *block, u32 len,
		  struct kmqtt_props *props)
{
	struct kmqtt_cursor c;
	u8 *exact, head[4];
	size_t head_len;
	int err;

	head_len = kmqtt_varint_encode(head, len);
	exact = kunit_kmalloc(test, head_len + len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, exact);
	memcpy(exact, head, head_len);
	memcpy(exact + head_len, block, len);
	c.pos = exact;
	c.end = exact + head_len + len;
	err = kmqtt_props_decode(&c, type, props);
	if (!err) {
		KUNIT_EXPECT_PTR_EQ(test, c.pos, c.end);
		KUNIT_EXPECT_PTR_EQ(test, props->block, exact + head_len);
		KUNIT_EXPECT_EQ(test, props->block_len, len);
	}
	return err;
}

/* Is the field what the bytes of the case say? */
static void expect_field(struct kunit *test, const struct prop_case *c,
			 const struct kmqtt_props *props)
{
	const void *field = (const u8 *)props + c->offset;
	const struct kmqtt_str *s = field;

	KUNIT_EXPECT_TRUE(test, kmqtt_prop_has(props, c->id));
	switch (c->kind) {
	case BYTE:
		KUNIT_EXPECT_EQ(test, *(u8 *)field, c->number);
		break;
	case TWO:
	case TWO_NOT_0:
		KUNIT_EXPECT_EQ(test, *(u16 *)field, c->number);
		break;
	case FOUR:
	case FOUR_NOT_0:
	case VARINT:
		KUNIT_EXPECT_EQ(test, *(u32 *)field, c->number);
		break;
	case STRING:
	case BINARY:
		KUNIT_ASSERT_EQ(test, s->len, c->len - 3);
		KUNIT_EXPECT_MEMEQ(test, s->data, c->bytes + 3, s->len);
		break;
	case PAIR:
		break;
	}
}

/* Encoding gives @block with its length in front, and no byte more. */
static void expect_encoded(struct kunit *test, const struct kmqtt_props *props,
			   const void *block, u32 len)
{
	u8 head[4], *bytes;
	u32 head_len;

	head_len = kmqtt_varint_encode(head, len);
	bytes = kunit_kmalloc(test, head_len + len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_ASSERT_EQ(test, kmqtt_props_len(props), len);
	KUNIT_ASSERT_EQ(test, kmqtt_props_encode(bytes, props), head_len + len);
	KUNIT_EXPECT_MEMEQ(test, bytes, head, head_len);
	KUNIT_EXPECT_MEMEQ(test, bytes + head_len, block, len);
}

static void prop_packets(struct kunit *test)
{
	const struct prop_case *c = test->param_value;
	u8 twice[32];
	u8 type;

	memcpy(twice, c->bytes, c->len);
	memcpy(twice + c->len, c->bytes, c->len);
	for (type = 0; type < KMQTT_PACKET_TYPES; type++) {
		struct kmqtt_props props;
		int err = decode(test, type, c->bytes, c->len, &props);

		if (!(c->packets & BIT(type))) {
			KUNIT_EXPECT_EQ_MSG(test, err, -EBADMSG, "type %u",
					    type);
			continue;
		}
		KUNIT_ASSERT_EQ_MSG(test, err, 0, "type %u", type);
		KUNIT_EXPECT_EQ(test, props.present, BIT_ULL(c->id));
		expect_field(test, c, &props);
		/* The broker has no user properties of its own. */
		expect_encoded(test, &props, c->bytes,
			       c->kind == PAIR ? 0 : c->len);
		KUNIT_EXPECT_EQ_MSG(test, decode(test, type, twice, 2 * c->len,
						 &props),
				    c->kind == PAIR ? 0 : -EPROTO, "type %u",
				    type);
	}
}

/* Not all of the announced length is there, or the length is too short. */
static void prop_truncated(struct kunit *test)
{
	const struct prop_case *c = test->param_value;
	u8 type = __ffs(c->packets);
	struct kmqtt_props props;
	u8 bytes[16];
	size_t len;

	bytes[0] = c->len;
	memcpy(bytes + 1, c->bytes, c->len);
	for (len = 0; len <= c->len; len++) {
		u8 *exact = kmqtt_test_exact(test, bytes, len);
		struct kmqtt_cursor cur = { .pos = exact, .end = exact + len };

		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_props_decode(&cur, type, &props),
				    -EAGAIN, "%zu bytes there", len);
	}
	for (len = 1; len < c->len; len++)
		KUNIT_EXPECT_EQ_MSG(test,
				    decode(test, type, c->bytes, len, &props),
				    -EBADMSG, "%zu bytes", len);
	KUNIT_EXPECT_EQ(test, decode(test, type, "", 0, &props), 0);
	KUNIT_EXPECT_EQ(test, props.present, 0);
	/* Behind the property begins another, which isn't there. */
	bytes[c->len + 1] = KMQTT_PROP_USER;
	KUNIT_EXPECT_EQ(test, decode(test, type, bytes + 1, c->len + 1,
				     &props), -EBADMSG);
}

/* All that a packet may have, at once and in both directions. */
static void prop_together(struct kunit *test)
{
	u8 type;

	for (type = 0; type < KMQTT_PACKET_TYPES; type++) {
		u8 block[200], back[200], own[200];
		u32 len = 0, back_len = 0, own_len = 0;
		struct kmqtt_props props;
		int i;

		for (i = 0; i < ARRAY_SIZE(prop_cases); i++) {
			const struct prop_case *c = &prop_cases[i];

			if (!(c->packets & BIT(type)))
				continue;
			memcpy(block + len, c->bytes, c->len);
			len += c->len;
			back_len += c->len;
			memcpy(back + sizeof(back) - back_len, c->bytes,
			       c->len);
			if (c->kind == PAIR)
				continue;
			memcpy(own + own_len, c->bytes, c->len);
			own_len += c->len;
		}
		KUNIT_ASSERT_EQ(test, decode(test, type, block, len, &props),
				0);
		expect_encoded(test, &props, own, own_len);
		/* In which order they come doesn't matter. */
		KUNIT_ASSERT_EQ(test, decode(test, type,
					     back + sizeof(back) - len, len,
					     &props), 0);
		expect_encoded(test, &props, own, own_len);
		for (i = 0; i < ARRAY_SIZE(prop_cases); i++)
			if (prop_cases[i].packets & BIT(type))
				expect_field(test, &prop_cases[i], &props);
	}
}

static bool is_known(u32 id)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(prop_cases); i++)
		if (prop_cases[i].id == id)
			return true;
	return false;
}

/* Identifiers that there are not, with whatever behind them. */
static void prop_unknown(struct kunit *test)
{
	struct kmqtt_props props;
	u8 bytes[6] = {};
	u32 id, len;
	u8 type;

	for (id = 0; id < 256; id++) {
		if (is_known(id))
			continue;
		bytes[0] = id;
		for (type = 0; type < KMQTT_PACKET_TYPES; type++)
			for (len = 1; len <= sizeof(bytes); len += 5)
				KUNIT_EXPECT_EQ_MSG(test,
						    decode(test, type, bytes,
							   len, &props),
						    -EBADMSG, "identifier %u",
						    id);
	}
}

struct value_case {
	const char *desc;
	u8 type;
	const char *bytes;
	u8 len;
	int err;
};

static const struct value_case value_cases[] = {
	{ "byte 0", KMQTT_PUBLISH, BYTES("\1\0"), 0 },
	{ "byte 2", KMQTT_PUBLISH, BYTES("\1\2"), -EPROTO },
	{ "byte 255", KMQTT_CONNECT, BYTES("\27\xff"), -EPROTO },
	{ "byte 128", KMQTT_CONNECT, BYTES("\31\x80"), -EPROTO },
	{ "QoS 2 as maximum, which is not to be sent", KMQTT_CONNACK,
	  BYTES("\44\2"), -EPROTO },
	{ "expiry 0", KMQTT_PUBLISH, BYTES("\2\0\0\0\0"), 0 },
	{ "expiry of a session 0", KMQTT_CONNECT, BYTES("\21\0\0\0\0"), 0 },
	{ "will delay 0", KMQTT_WILL, BYTES("\30\0\0\0\0"), 0 },
	{ "keep alive 0", KMQTT_CONNACK, BYTES("\23\0\0"), 0 },
	{ "receive maximum 0", KMQTT_CONNECT, BYTES("\41\0\0"), -EPROTO },
	{ "receive maximum 65535", KMQTT_CONNECT, BYTES("\41\xff\xff"), 0 },
	{ "topic alias maximum 0", KMQTT_CONNECT, BYTES("\42\0\0"), 0 },
	/* Another reason than the decoder has: its user refuses it. */
	{ "topic alias 0", KMQTT_PUBLISH, BYTES("\43\0\0"), 0 },
	{ "packet size 0", KMQTT_CONNECT, BYTES("\47\0\0\0\0"), -EPROTO },
	{ "packet size 1", KMQTT_CONNECT, BYTES("\47\0\0\0\1"), 0 },
	{ "subscription identifier 0", KMQTT_SUBSCRIBE, BYTES("\13\0"),
	  -EPROTO },
	{ "subscription identifier 1", KMQTT_SUBSCRIBE, BYTES("\13\1"), 0 },
	{ "largest subscription identifier", KMQTT_SUBSCRIBE,
	  BYTES("\13\xff\xff\xff\x7f"), 0 },
	{ "subscription identifier of five bytes", KMQTT_SUBSCRIBE,
	  BYTES("\13\x80\x80\x80\x80\1"), -EBADMSG },
	{ "subscription identifier 1 in two bytes", KMQTT_SUBSCRIBE,
	  BYTES("\13\x81\0"), -EBADMSG },
	{ "subscription identifier 128 in three bytes", KMQTT_SUBSCRIBE,
	  BYTES("\13\x80\x81\0"), -EBADMSG },
	{ "subscription identifier 0 in two bytes", KMQTT_SUBSCRIBE,
	  BYTES("\13\x80\0"), -EBADMSG },
	{ "identifier in two bytes", KMQTT_PUBLISH, BYTES("\x81\0\1"),
	  -EBADMSG },
	{ "empty string", KMQTT_PUBLISH, BYTES("\3\0\0"), 0 },
	{ "string not UTF-8", KMQTT_PUBLISH, BYTES("\3\0\1\xff"), -EBADMSG },
	{ "string with U+0000", KMQTT_PUBLISH, BYTES("\3\0\1\0"), -EBADMSG },
	{ "string with a surrogate", KMQTT_WILL,
	  BYTES("\10\0\3\xed\xa0\x80"), -EBADMSG },
	{ "string into the next property", KMQTT_PUBLISH,
	  BYTES("\3\0\3x\1\1"), 0 },
	{ "empty binary", KMQTT_PUBLISH, BYTES("\11\0\0"), 0 },
	{ "user property without name and value", KMQTT_PUBLISH,
	  BYTES("\46\0\0\0\0"), 0 },
	{ "user property whose name is not UTF-8", KMQTT_PUBLISH,
	  BYTES("\46\0\1\xc0\0\0"), -EBADMSG },
	{ "user property whose value is not UTF-8", KMQTT_PUBLISH,
	  BYTES("\46\0\0\0\1\xc0"), -EBADMSG },
	{ "user property whose value has U+0000", KMQTT_PUBLISH,
	  BYTES("\46\0\0\0\1\0"), -EBADMSG },
	{ "the same property with another value", KMQTT_PUBLISH,
	  BYTES("\1\0\46\0\0\0\0\1\1"), -EPROTO },
	{ "the second one truncated", KMQTT_PUBLISH, BYTES("\1\1\1"),
	  -EPROTO },
};

KUNIT_ARRAY_PARAM_DESC(value, value_cases, desc);

static void prop_values(struct kunit *test)
{
	const struct value_case *c = test->param_value;
	struct kmqtt_props props;

	KUNIT_EXPECT_EQ(test, decode(test, c->type, c->bytes, c->len, &props),
			c->err);
}

static const struct value_case length_cases[] = {
	{ "nothing there", 0, BYTES(""), -EAGAIN },
	{ "half a length", 0, BYTES("\x80"), -EAGAIN },
	{ "three bytes of a length of four", 0, BYTES("\xff\xff\xff"),
	  -EAGAIN },
	{ "length of five bytes", 0, BYTES("\x80\x80\x80\x80\1"), -EBADMSG },
	{ "0 in two bytes", 0, BYTES("\x80\0"), -EBADMSG },
	{ "2 in two bytes", 0, BYTES("\x82\0\1\1"), -EBADMSG },
	{ "2 in four bytes", 0, BYTES("\x82\x80\x80\0\1\1"), -EBADMSG },
	{ "the largest length", 0, BYTES("\xff\xff\xff\x7f\1\1"), -EAGAIN },
	{ "bytes of others behind", 0, BYTES("\2\1\1\1\1"), 0 },
	{ "none, and bytes of others behind", 0, BYTES("\0\1\1"), 0 },
};

KUNIT_ARRAY_PARAM_DESC(length, length_cases, desc);

static void prop_length(struct kunit *test)
{
	const struct value_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_cursor cur = { .pos = exact, .end = exact + c->len };
	struct kmqtt_props props;

	KUNIT_ASSERT_EQ(test, kmqtt_props_decode(&cur, KMQTT_PUBLISH, &props),
			c->err);
	if (!c->err)
		KUNIT_EXPECT_PTR_EQ(test, cur.pos, exact + 1 + exact[0]);
}

static struct kunit_case property_cases[] = {
	KUNIT_CASE_PARAM(prop_packets, prop_gen_params),
	KUNIT_CASE_PARAM(prop_truncated, prop_gen_params),
	KUNIT_CASE(prop_together),
	KUNIT_CASE(prop_unknown),
	KUNIT_CASE_PARAM(prop_values, value_gen_params),
	KUNIT_CASE_PARAM(prop_length, length_gen_params),
	{}
};

static struct kunit_suite property_suite = {
	.name = "kmqtt_wire_property",
	.test_cases = property_cases,
};

kunit_test_suites(&property_suite);
