// SPDX-License-Identifier: GPL-2.0
/*
 * What the decoders make of valid packets, field by field, and each way in
 * which a packet can be malformed.
 */
#include "support.h"
#include "../wire/decode.h"

#define BODY(str)	.bytes = (str), .len = sizeof(str) - 1

struct connect_case {
	const char *desc;
	const char *bytes;
	u8 len;
	int err;
	enum kmqtt_reason reason;
};

#define MALFORMED	.err = -EBADMSG, \
			.reason = KMQTT_REASON_MALFORMED_PACKET
#define WRONG		.err = -EPROTO, \
			.reason = KMQTT_REASON_PROTOCOL_ERROR
#define UNSUPPORTED	.err = -EPROTONOSUPPORT, \
			.reason = KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION

static const struct connect_case connect_cases[] = {
	{ "another protocol", BODY("\0\4HTTP\4\2\0\0\0\0"), WRONG },
	{ "protocol name in lower case", BODY("\0\4mqtt\4\2\0\0\0\0"),
	  WRONG },
	{ "protocol name too long", BODY("\0\5MQTTs\4\2\0\0\0\0"),
	  WRONG },
	{ "no protocol name", BODY("\0\0\4\2\0\0\0\0"), WRONG },
	{ "protocol name not UTF-8", BODY("\0\4MQT\xff\4\2\0\0\0\0"),
	  MALFORMED },
	{ "level 0", BODY("\0\4MQTT\0\2\0\0\0\0"), UNSUPPORTED },
	{ "level 3 of MQTT", BODY("\0\4MQTT\3\2\0\0\0\0"), UNSUPPORTED },
	{ "level 5", BODY("\0\4MQTT\5\2\0\0\0\0\0"), 0 },
	{ "level 6", BODY("\0\4MQTT\6\2\0\0\0\0"), UNSUPPORTED },
	{ "level 132, a bridge", BODY("\0\4MQTT\x84\2\0\0\0\0"), UNSUPPORTED },
	{ "level 4 of MQIsdp", BODY("\0\6MQIsdp\4\2\0\0\0\1a"), UNSUPPORTED },
	{ "level 5 and nothing else", BODY("\0\4MQTT\5"), MALFORMED },
	{ "reserved flag", BODY("\0\4MQTT\4\3\0\0\0\0"), MALFORMED },
	{ "will QoS without will", BODY("\0\4MQTT\4\x0a\0\0\0\0"), MALFORMED },
	{ "will retain without will", BODY("\0\4MQTT\4\x22\0\0\0\0"),
	  MALFORMED },
	{ "will QoS 3", BODY("\0\4MQTT\4\x1e\0\0\0\1a\0\1t\0\1m"), MALFORMED },
	{ "password without user name",
	  BODY("\0\4MQTT\4\x42\0\0\0\1a\0\1p"), MALFORMED },
	{ "password without user name in 3.1",
	  BODY("\0\6MQIsdp\3\x42\0\0\0\1a\0\1p"), MALFORMED },
	{ "client id not UTF-8", BODY("\0\4MQTT\4\2\0\0\0\1\xff"), MALFORMED },
	{ "client id with U+0000", BODY("\0\4MQTT\4\2\0\0\0\1\0"), MALFORMED },
	{ "will topic not UTF-8",
	  BODY("\0\4MQTT\4\6\0\0\0\1a\0\1\xc0\0\1m"), MALFORMED },
	{ "user name not UTF-8",
	  BODY("\0\4MQTT\4\x82\0\0\0\1a\0\1\xc0"), MALFORMED },
	{ "user name not UTF-8 in 3.1",
	  BODY("\0\6MQIsdp\3\x82\0\0\0\1a\0\1\xc0"), MALFORMED },
	{ "user name not UTF-8 in 3.1, before a password",
	  BODY("\0\6MQIsdp\3\xc2\0\0\0\1a\0\1\xc0\0\1p"), MALFORMED },
	{ "user name left out", BODY("\0\4MQTT\4\x82\0\0\0\1a"), MALFORMED },
	{ "password left out", BODY("\0\4MQTT\4\xc2\0\0\0\1a\0\1u"),
	  MALFORMED },
	{ "user name without its bytes in 3.1",
	  BODY("\0\6MQIsdp\3\x82\0\0\0\1a\0\4"), MALFORMED },
	{ "password without its bytes in 3.1",
	  BODY("\0\6MQIsdp\3\xc2\0\0\0\1a\0\1u\0\4"), MALFORMED },
	{ "a byte too many", BODY("\0\4MQTT\4\2\0\0\0\1ab"), MALFORMED },
	{ "credentials without their flags",
	  BODY("\0\4MQTT\4\2\0\0\0\1a\0\1u\0\1p"), MALFORMED },
	/* Reserved in 3.1.1, "not used" in 3.1. */
	{ "reserved flag in 3.1", BODY("\0\6MQIsdp\3\3\0\0\0\1a"), 0 },
	{ "empty user name and password",
	  BODY("\0\4MQTT\4\xc2\0\0\0\1a\0\0\0\0"), 0 },
	{ "password that is not UTF-8",
	  BODY("\0\4MQTT\4\xc2\0\0\0\1a\0\1u\0\2\0\xff"), 0 },
	{ "will payload that is not UTF-8",
	  BODY("\0\4MQTT\4\6\0\0\0\1a\0\1t\0\2\0\xff"), 0 },
	{ "empty will payload", BODY("\0\4MQTT\4\6\0\0\0\1a\0\1t\0\0"), 0 },
};

KUNIT_ARRAY_PARAM_DESC(connect, connect_cases, desc);

static void connect_forms(struct kunit *test)
{
	const struct connect_case *c = test->param_value;
	struct kmqtt_connect connect;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	int err = kmqtt_connect_decode(exact, c->len, &connect);

	KUNIT_EXPECT_EQ(test, err, c->err);
	if (err)
		KUNIT_EXPECT_EQ(test, kmqtt_decode_reason(err), c->reason);
}

static void connect_fields(struct kunit *test)
{
	static const char body[] =
		"\0\4MQTT\4\xee\x12\x34\0\2id\0\2wt\0\3w\0m\0\4user\0\2p\xff";
	struct kmqtt_connect c;

	KUNIT_ASSERT_EQ(test, kmqtt_connect_decode((const u8 *)body,
						   sizeof(body) - 1, &c), 0);
	KUNIT_EXPECT_EQ(test, c.version, KMQTT_V311);
	KUNIT_EXPECT_TRUE(test, c.clean);
	KUNIT_EXPECT_EQ(test, c.keepalive, 0x1234);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.client_id, "id"));
	KUNIT_EXPECT_TRUE(test, c.has_will);
	KUNIT_EXPECT_TRUE(test, c.will_retain);
	KUNIT_EXPECT_EQ(test, c.will_qos, 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.will_topic, "wt"));
	KUNIT_ASSERT_EQ(test, c.will_payload.len, 3);
	KUNIT_EXPECT_MEMEQ(test, c.will_payload.data, "w\0m", 3);
	KUNIT_EXPECT_TRUE(test, c.has_user);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.user, "user"));
	KUNIT_EXPECT_TRUE(test, c.has_password);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.password, "p\xff"));
}

static void connect_fields_none(struct kunit *test)
{
	static const char body[] = "\0\6MQIsdp\3\0\0\0\0\2id";
	struct kmqtt_connect c;

	KUNIT_ASSERT_EQ(test, kmqtt_connect_decode((const u8 *)body,
						   sizeof(body) - 1, &c), 0);
	KUNIT_EXPECT_EQ(test, c.version, KMQTT_V31);
	KUNIT_EXPECT_FALSE(test, c.clean);
	KUNIT_EXPECT_EQ(test, c.keepalive, 0);
	KUNIT_EXPECT_FALSE(test, c.has_will);
	KUNIT_EXPECT_FALSE(test, c.has_user);
	KUNIT_EXPECT_FALSE(test, c.has_password);
}

/* The version is told even if the packet is refused, for the CONNACK. */
static void connect_refused_version(struct kunit *test)
{
	struct kmqtt_connect c;

	KUNIT_EXPECT_EQ(test, kmqtt_connect_decode((const u8 *)"\0\4MQTT\5",
						   7, &c), -EBADMSG);
	KUNIT_EXPECT_EQ(test, c.version, KMQTT_V5);
	KUNIT_EXPECT_EQ(test, kmqtt_connect_decode((const u8 *)"\0\4MQTT\6",
						   7, &c), -EPROTONOSUPPORT);
	KUNIT_EXPECT_EQ(test, c.version, 0);
}

/* MQTT 3.1: credentials that the flags announce may be missing. */
static void connect_left_out(struct kunit *test)
{
	static const char body[] = "\0\6MQIsdp\3\xc2\0\0\0\2id\0\4user\0\4pass";
	struct kmqtt_connect c;

	KUNIT_ASSERT_EQ(test, kmqtt_connect_decode((const u8 *)body, 16, &c),
			0);
	KUNIT_EXPECT_FALSE(test, c.has_user);
	KUNIT_EXPECT_FALSE(test, c.has_password);
	KUNIT_ASSERT_EQ(test, kmqtt_connect_decode((const u8 *)body, 22, &c),
			0);
	KUNIT_EXPECT_TRUE(test, c.has_user);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.user, "user"));
	KUNIT_EXPECT_FALSE(test, c.has_password);
}

struct publish_case {
	const char *desc;
	u8 flags;
	const char *bytes;
	u8 len;
	int err;
	u16 id;
	u32 payload_len;
};

static const struct publish_case publish_cases[] = {
	{ "QoS 0", 0x0, BODY("\0\1tpay"), 0, 0, 3 },
	{ "QoS 0 with RETAIN", 0x1, BODY("\0\1t"), 0, 0, 0 },
	{ "QoS 0 with DUP", 0x8, BODY("\0\1t"), -EBADMSG },
	{ "QoS 1", 0x2, BODY("\0\1t\0\1pay"), 0, 1, 3 },
	{ "QoS 1 with DUP and RETAIN", 0xb, BODY("\0\1t\xff\xff"), 0, 65535 },
	{ "QoS 2", 0x4, BODY("\0\1t\x12\x34p"), 0, 0x1234, 1 },
	{ "QoS 1 with id 0", 0x2, BODY("\0\1t\0\0pay"), -EBADMSG },
	{ "QoS 2 with id 0", 0x4, BODY("\0\1t\0\0pay"), -EBADMSG },
	{ "QoS 1 without id", 0x2, BODY("\0\1t\1"), -EBADMSG },
	{ "topic not UTF-8", 0x0, BODY("\0\1\x80pay"), -EBADMSG },
	{ "topic with U+0000", 0x0, BODY("\0\2t\0pay"), -EBADMSG },
	{ "topic longer than the packet", 0x0, BODY("\0\5tpay"), -EBADMSG },
	{ "nothing", 0x0, BODY(""), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(publish, publish_cases, desc);

static void publish_forms(struct kunit *test)
{
	const struct publish_case *c = test->param_value;
	const struct kmqtt_fixed fixed = {
		.type = KMQTT_PUBLISH,
		.flags = c->flags,
		.len = 2,
		.remaining = c->len,
	};
	struct kmqtt_publish pub;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);

	KUNIT_ASSERT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V311, exact,
						   c->len, &pub), c->err);
	if (c->err)
		return;
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&pub.topic, "t"));
	KUNIT_EXPECT_EQ(test, pub.qos, c->flags >> 1 & 3);
	KUNIT_EXPECT_EQ(test, pub.dup, !!(c->flags & 8));
	KUNIT_EXPECT_EQ(test, pub.retain, c->flags & 1);
	KUNIT_EXPECT_EQ(test, pub.id, c->id);
	KUNIT_EXPECT_EQ(test, pub.payload_len, c->payload_len);
	KUNIT_EXPECT_EQ(test, pub.head_len + pub.payload_len, c->len);
}

/* Bytes of the next packet lie behind: they are none of this one's. */
static void publish_ends(struct kunit *test)
{
	const struct kmqtt_fixed fixed = {
		.type = KMQTT_PUBLISH, .len = 2, .remaining = 4,
	};
	struct kmqtt_publish pub;

	KUNIT_EXPECT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V311,
						   (const u8 *)"\0\4abcd", 6,
						   &pub), -EBADMSG);
	KUNIT_EXPECT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V311,
						   (const u8 *)"\0\2ab\x30\0",
						   6, &pub), 0);
	KUNIT_EXPECT_EQ(test, pub.payload_len, 0);
}

struct bytes_case {
	const char *desc;
	const char *bytes;
	u8 len;
	int err;
};

static const struct bytes_case ack_cases[] = {
	{ "id 1", BODY("\0\1"), 0 },
	{ "id 65535", BODY("\xff\xff"), 0 },
	{ "id 0", BODY("\0\0"), -EBADMSG },
	{ "nothing", BODY(""), -EBADMSG },
	{ "one byte", BODY("\1"), -EBADMSG },
	{ "three bytes", BODY("\0\1\0"), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(ack, ack_cases, desc);

static void ack_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_ack ack;

	KUNIT_ASSERT_EQ(test, kmqtt_ack_decode(KMQTT_PUBACK, KMQTT_V311, exact,
					       c->len, &ack), c->err);
	if (c->err)
		return;
	KUNIT_EXPECT_EQ(test, ack.id, exact[0] << 8 | exact[1]);
	KUNIT_EXPECT_EQ(test, ack.reason, KMQTT_REASON_SUCCESS);
}

static const struct bytes_case subscribe_cases[] = {
	{ "QoS 0", BODY("\0\1\0\1a\0"), 0 },
	{ "QoS 2", BODY("\0\1\0\1a\2"), 0 },
	{ "QoS 3", BODY("\0\1\0\1a\3"), -EBADMSG },
	{ "reserved bits", BODY("\0\1\0\1a\4"), -EBADMSG },
	{ "reserved high bit", BODY("\0\1\0\1a\x81"), -EBADMSG },
	{ "id 0", BODY("\0\0\0\1a\0"), -EBADMSG },
	{ "no filter", BODY("\0\1"), -EPROTO },
	{ "no QoS", BODY("\0\1\0\1a"), -EBADMSG },
	{ "second filter without QoS", BODY("\0\1\0\1a\0\0\1b"), -EBADMSG },
	{ "half an id", BODY("\1"), -EBADMSG },
	{ "nothing", BODY(""), -EBADMSG },
	{ "filter not UTF-8", BODY("\0\1\0\1\xff\0"), -EBADMSG },
	{ "filter with U+0000", BODY("\0\1\0\1\0\0"), -EBADMSG },
	/* Refused later: it is a well-formed string. */
	{ "empty filter", BODY("\0\1\0\0\0"), 0 },
};

KUNIT_ARRAY_PARAM_DESC(subscribe, subscribe_cases, desc);

static void subscribe_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	u8 qos;
	int ret;

	ret = kmqtt_subscribe_decode(KMQTT_SUBSCRIBE, KMQTT_V311, exact,
				     c->len, &s);
	if (!ret)
		do
			ret = kmqtt_subscribe_next(&s, &filter, &qos);
		while (ret > 0);
	KUNIT_EXPECT_EQ(test, ret, c->err);
}

static void subscribe_fields(struct kunit *test)
{
	static const char body[] = "\x12\x34\0\3a/+\2\0\1#\1";
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	u8 qos;

	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_decode(KMQTT_SUBSCRIBE,
						     KMQTT_V311,
						     (const u8 *)body,
						     sizeof(body) - 1, &s), 0);
	KUNIT_EXPECT_EQ(test, s.id, 0x1234);
	KUNIT_EXPECT_EQ(test, s.sub_id, 0);
	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_next(&s, &filter, &qos), 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&filter, "a/+"));
	KUNIT_EXPECT_EQ(test, qos, 2);
	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_next(&s, &filter, &qos), 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&filter, "#"));
	KUNIT_EXPECT_EQ(test, qos, 1);
	KUNIT_EXPECT_EQ(test, kmqtt_subscribe_next(&s, &filter, &qos), 0);
	KUNIT_EXPECT_EQ(test, kmqtt_subscribe_next(&s, &filter, &qos), 0);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE_PARAM(connect_forms, connect_gen_params),
	KUNIT_CASE(connect_fields),
	KUNIT_CASE(connect_fields_none),
	KUNIT_CASE(connect_refused_version),
	KUNIT_CASE(connect_left_out),
	KUNIT_CASE_PARAM(publish_forms, publish_gen_params),
	KUNIT_CASE(publish_ends),
	KUNIT_CASE_PARAM(ack_forms, ack_gen_params),
	KUNIT_CASE_PARAM(subscribe_forms, subscribe_gen_params),
	KUNIT_CASE(subscribe_fields),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "kmqtt_wire_decode",
	.test_cases = decode_cases,
};

kunit_test_suites(&decode_suite);
