// SPDX-License-Identifier: GPL-2.0
/*
 * What the decoders make of packets of MQTT 5: the forms that only this
 * version has, field by field, and each way in which they can be wrong.
 */
#include "support.h"
#include "../wire/decode.h"

struct bytes_case {
	const char *desc;
	const char *bytes;
	u8 len;
	int err;
};

#define BODY(str)	.bytes = (str), .len = sizeof(str) - 1
#define HELLO(str)	BODY("\0\4MQTT\5" str)

static const struct bytes_case connect_cases[] = {
	{ "nothing but an empty id", HELLO("\2\0\0\0\0\0"), 0 },
	{ "properties", HELLO("\2\0\0\3\41\0\1\0\1a"), 0 },
	{ "no properties' length", HELLO("\2\0\0"), -EBADMSG },
	{ "properties' length 0 in two bytes", HELLO("\2\0\0\x80\0\0\1a"),
	  -EBADMSG },
	{ "properties beyond the end", HELLO("\2\0\0\x0b\41\0\1\0\1a"),
	  -EBADMSG },
	{ "half a length of properties", HELLO("\2\0\0\x80"), -EBADMSG },
	{ "a property twice", HELLO("\2\0\0\6\41\0\1\41\0\1\0\1a"), -EPROTO },
	{ "receive maximum 0", HELLO("\2\0\0\3\41\0\0\0\1a"), -EPROTO },
	{ "a property of wills", HELLO("\2\0\0\5\30\0\0\0\1\0\1a"), -EBADMSG },
	{ "a property of CONNACK", HELLO("\2\0\0\3\23\0\1\0\1a"), -EBADMSG },
	{ "reserved flag", HELLO("\3\0\0\0\0\1a"), -EBADMSG },
	{ "password alone", HELLO("\x42\0\0\0\0\1a\0\1p"), 0 },
	{ "password that is not there", HELLO("\x42\0\0\0\0\1a"), -EBADMSG },
	{ "user name that is not there", HELLO("\x82\0\0\0\0\1a"), -EBADMSG },
	{ "authentication method", HELLO("\2\0\0\4\25\0\1m\0\1a"), 0 },
	{ "authentication method and data",
	  HELLO("\2\0\0\x08\26\0\1d\25\0\1m\0\1a"), 0 },
	{ "authentication data alone", HELLO("\2\0\0\4\26\0\1d\0\1a"),
	  -EPROTO },
	{ "will", HELLO("\6\0\0\0\0\1a\0\0\1t\0\1m"), 0 },
	{ "will with properties",
	  HELLO("\6\0\0\0\0\1a\7\30\0\0\0\1\1\1\0\1t\0\1m"), 0 },
	{ "will without properties' length", HELLO("\6\0\0\0\0\1a\0\1t\0\1m"),
	  -EBADMSG },
	{ "will whose properties are none of a will's",
	  HELLO("\6\0\0\0\0\1a\3\41\0\1\0\1t\0\1m"), -EBADMSG },
	{ "will with a topic alias",
	  HELLO("\6\0\0\0\0\1a\3\43\0\1\0\1t\0\1m"), -EBADMSG },
	{ "will with a property twice",
	  HELLO("\6\0\0\0\0\1a\4\1\0\1\0\0\1t\0\1m"), -EPROTO },
	{ "will with properties beyond the end",
	  HELLO("\6\0\0\0\0\1a\x0a\0\1t\0\1m"), -EBADMSG },
	{ "will QoS 3", HELLO("\x1e\0\0\0\0\1a\0\0\1t\0\1m"), -EBADMSG },
	{ "will QoS without will", HELLO("\x0a\0\0\0\0\1a"), -EBADMSG },
	{ "will retain without will", HELLO("\x22\0\0\0\0\1a"), -EBADMSG },
	{ "a byte too many", HELLO("\2\0\0\0\0\1ab"), -EBADMSG },
	{ "level 5 of MQIsdp", BODY("\0\6MQIsdp\5\2\0\0\0\0\0"),
	  -EPROTONOSUPPORT },
};

KUNIT_ARRAY_PARAM_DESC(connect, connect_cases, desc);

static void connect_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_connect connect;

	KUNIT_EXPECT_EQ(test, kmqtt_connect_decode(exact, c->len, &connect),
			c->err);
	KUNIT_EXPECT_EQ(test, connect.version,
			c->err == -EPROTONOSUPPORT ? 0 : KMQTT_V5);
}

static void connect_fields(struct kunit *test)
{
	static const char head[] =
		"\0\4MQTT\5\xee\x12\x34\x08\21\0\0\0\x3c\41\0\x0a\0\2id";
	static const char rest[] =
		"\5\30\0\0\0\7\0\2wt\0\2\0\xff\0\1u\0\1p";
	size_t len = sizeof(head) + sizeof(rest) - 2;
	u8 *bytes = kunit_kmalloc(test, len, GFP_KERNEL);
	struct kmqtt_connect c;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memcpy(bytes, head, sizeof(head) - 1);
	memcpy(bytes + sizeof(head) - 1, rest, sizeof(rest) - 1);
	KUNIT_ASSERT_EQ(test, kmqtt_connect_decode(bytes, len, &c), 0);
	KUNIT_EXPECT_EQ(test, c.version, KMQTT_V5);
	KUNIT_EXPECT_TRUE(test, c.clean);
	KUNIT_EXPECT_EQ(test, c.keepalive, 0x1234);
	KUNIT_EXPECT_EQ(test, c.props.present,
			BIT_ULL(KMQTT_PROP_SESSION_EXPIRY) |
			BIT_ULL(KMQTT_PROP_RECEIVE_MAX));
	KUNIT_EXPECT_EQ(test, c.props.session_expiry, 60);
	KUNIT_EXPECT_EQ(test, c.props.receive_max, 10);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.client_id, "id"));
	KUNIT_EXPECT_TRUE(test, c.has_will);
	KUNIT_EXPECT_TRUE(test, c.will_retain);
	KUNIT_EXPECT_EQ(test, c.will_qos, 1);
	KUNIT_EXPECT_EQ(test, c.will_props.present,
			BIT_ULL(KMQTT_PROP_WILL_DELAY));
	KUNIT_EXPECT_EQ(test, c.will_props.will_delay, 7);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.will_topic, "wt"));
	KUNIT_ASSERT_EQ(test, c.will_payload.len, 2);
	KUNIT_EXPECT_MEMEQ(test, c.will_payload.data, "\0\xff", 2);
	KUNIT_EXPECT_TRUE(test, c.has_user);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.user, "u"));
	KUNIT_EXPECT_TRUE(test, c.has_password);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&c.password, "p"));
}

struct publish_case {
	const char *desc;
	u8 flags;
	const char *bytes;
	u8 len;
	int err;
	u8 topic_len;
	u32 payload_len;
};

static const struct publish_case publish_cases[] = {
	{ "no properties", 0, BODY("\0\1t\0pay"), 0, 1, 3 },
	{ "no properties, no payload", 0, BODY("\0\1t\0"), 0, 1, 0 },
	{ "no length of properties", 0, BODY("\0\1t"), -EBADMSG },
	{ "QoS 1 without length of properties", 2, BODY("\0\1t\0\1"),
	  -EBADMSG },
	{ "QoS 1", 2, BODY("\0\1t\0\1\0pay"), 0, 1, 3 },
	{ "QoS 2 with properties", 4, BODY("\0\1t\0\1\2\1\1pay"), 0, 1, 3 },
	{ "QoS 1 with id 0", 2, BODY("\0\1t\0\0\0"), -EBADMSG },
	{ "QoS 0 with DUP", 8, BODY("\0\1t\0"), -EBADMSG },
	{ "an alias for the topic", 0, BODY("\0\0\3\43\0\1pay"), 0, 0, 3 },
	{ "a topic and its alias", 0, BODY("\0\1t\3\43\0\1"), 0, 1, 0 },
	/* Refused later, by those who know the aliases. */
	{ "neither topic nor alias", 0, BODY("\0\0\0pay"), 0, 0, 3 },
	{ "an alias twice", 0, BODY("\0\0\6\43\0\1\43\0\1"), -EPROTO },
	{ "two subscription identifiers", 0, BODY("\0\1t\4\13\1\13\2"),
	  -EPROTO },
	{ "a property of CONNECT", 0, BODY("\0\1t\3\41\0\1"), -EBADMSG },
	{ "a property of wills", 0, BODY("\0\1t\5\30\0\0\0\1"), -EBADMSG },
	{ "a reason", 0, BODY("\0\1t\4\37\0\1r"), -EBADMSG },
	{ "properties beyond the end", 0, BODY("\0\1t\4\1\1a"), -EBADMSG },
	{ "length of properties in two bytes", 0, BODY("\0\1t\x80\0"),
	  -EBADMSG },
	{ "length of properties in five bytes", 0,
	  BODY("\0\1t\x80\x80\x80\x80\1"), -EBADMSG },
	{ "topic not UTF-8", 0, BODY("\0\1\xff\0"), -EBADMSG },
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
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_publish pub;

	KUNIT_ASSERT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V5, exact,
						   c->len, &pub), c->err);
	if (c->err)
		return;
	KUNIT_EXPECT_EQ(test, pub.topic.len, c->topic_len);
	KUNIT_EXPECT_EQ(test, pub.payload_len, c->payload_len);
	KUNIT_EXPECT_EQ(test, pub.head_len + pub.payload_len, c->len);
	/* In 3.1.1 what is a length here is payload. */
	KUNIT_ASSERT_EQ(test, kmqtt_publish_decode(&fixed, KMQTT_V311, exact,
						   c->len, &pub), 0);
	KUNIT_EXPECT_EQ(test, pub.props.present, 0);
	KUNIT_EXPECT_EQ(test, pub.props.block_len, 0);
	KUNIT_EXPECT_GT(test, pub.payload_len, c->payload_len);
}

/* Properties that aren't all there yet are no error, unless they never can. */
static void publish_arriving(struct kunit *test)
{
	static const u8 bytes[] = "\0\1t\7\1\1\2\0\0\0\5pay";
	struct kmqtt_fixed fixed = {
		.type = KMQTT_PUBLISH, .len = 2, .remaining = 14,
	};
	struct kmqtt_publish pub;
	size_t len;

	for (len = 0; len < 14; len++) {
		u8 *exact = kmqtt_test_exact(test, bytes, len);

		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_publish_decode(&fixed, KMQTT_V5,
							 exact, len, &pub),
				    len < 11 ? -EAGAIN : 0, "%zu bytes", len);
	}
	KUNIT_EXPECT_EQ(test, pub.head_len, 11);
	KUNIT_EXPECT_EQ(test, pub.props.message_expiry, 5);
	for (len = 0; len < 11; len++) {
		fixed.remaining = len;
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_publish_decode(&fixed, KMQTT_V5,
							 bytes, 14, &pub),
				    -EBADMSG, "%zu bytes", len);
	}
}

static bool ack_may_have(u8 type, u32 reason)
{
	switch (reason) {
	case 0x00:
		return true;
	case 0x10: case 0x80: case 0x83: case 0x87: case 0x90: case 0x91:
	case 0x97: case 0x99:
		return type == KMQTT_PUBACK || type == KMQTT_PUBREC;
	case 0x92:
		return type == KMQTT_PUBREL || type == KMQTT_PUBCOMP;
	default:
		return false;
	}
}

/* All reasons, with and without properties behind. */
static void ack_reasons(struct kunit *test)
{
	u8 type;
	u32 reason;

	for (type = KMQTT_PUBACK; type <= KMQTT_PUBCOMP; type++)
		for (reason = 0; reason < 256; reason++) {
			const u8 bytes[] = { 0x12, 0x34, reason, 0 };
			int want = ack_may_have(type, reason) ? 0 : -EPROTO;
			struct kmqtt_ack ack;

			KUNIT_EXPECT_EQ_MSG(test,
					    kmqtt_ack_decode(type, KMQTT_V5,
							     bytes, 3, &ack),
					    want, "reason %x", reason);
			KUNIT_EXPECT_EQ_MSG(test,
					    kmqtt_ack_decode(type, KMQTT_V5,
							     bytes, 4, &ack),
					    want, "reason %x", reason);
			KUNIT_EXPECT_EQ(test, ack.id, 0x1234);
			KUNIT_EXPECT_EQ(test, ack.reason, reason);
			KUNIT_EXPECT_EQ(test, kmqtt_ack_decode(type, KMQTT_V311,
							       bytes, 3, &ack),
					-EBADMSG);
		}
}

static const struct bytes_case ack_cases[] = {
	{ "just an id", BODY("\0\1"), 0 },
	{ "a reason string", BODY("\0\1\0\5\37\0\2ok"), 0 },
	{ "user properties", BODY("\0\1\0\x0a\46\0\0\0\0\46\0\0\0\0"), 0 },
	{ "id 0", BODY("\0\0\0\0"), -EBADMSG },
	{ "half an id", BODY("\1"), -EBADMSG },
	{ "nothing", BODY(""), -EBADMSG },
	{ "a byte too many", BODY("\0\1\0\0\0"), -EBADMSG },
	{ "properties beyond the end", BODY("\0\1\0\6\37\0\2ok"), -EBADMSG },
	{ "half a length", BODY("\0\1\0\x80"), -EBADMSG },
	{ "two reason strings", BODY("\0\1\0\x08\37\0\1a\37\0\1b"), -EPROTO },
	{ "a property of PUBLISH", BODY("\0\1\0\2\1\1"), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(ack, ack_cases, desc);

static void ack_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_ack ack;
	u8 type;

	for (type = KMQTT_PUBACK; type <= KMQTT_PUBCOMP; type++)
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_ack_decode(type, KMQTT_V5, exact,
						     c->len, &ack), c->err,
				    "type %u", type);
}

static void decode_reasons(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kmqtt_decode_reason(-EBADMSG),
			KMQTT_REASON_MALFORMED_PACKET);
	KUNIT_EXPECT_EQ(test, kmqtt_decode_reason(-EPROTO),
			KMQTT_REASON_PROTOCOL_ERROR);
	KUNIT_EXPECT_EQ(test, kmqtt_decode_reason(-EPROTONOSUPPORT),
			KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION);
}

static struct kunit_case v5_cases[] = {
	KUNIT_CASE_PARAM(connect_forms, connect_gen_params),
	KUNIT_CASE(connect_fields),
	KUNIT_CASE_PARAM(publish_forms, publish_gen_params),
	KUNIT_CASE(publish_arriving),
	KUNIT_CASE(ack_reasons),
	KUNIT_CASE_PARAM(ack_forms, ack_gen_params),
	KUNIT_CASE(decode_reasons),
	{}
};

static struct kunit_suite v5_suite = {
	.name = "kmqtt_wire_v5",
	.test_cases = v5_cases,
};

kunit_test_suites(&v5_suite);
