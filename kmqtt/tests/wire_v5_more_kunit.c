// SPDX-License-Identifier: GPL-2.0
/*
 * Subscribing, DISCONNECT and AUTH of MQTT 5, and what the broker writes in
 * this version, byte for byte.
 */
#include "support.h"
#include "../wire/decode.h"
#include "../wire/encode.h"

struct bytes_case {
	const char *desc;
	const char *bytes;
	u8 len;
	int err;
};

#define BODY(str)	.bytes = (str), .len = sizeof(str) - 1

static const struct bytes_case subscribe_cases[] = {
	{ "one filter", BODY("\0\1\0\0\1a\0"), 0 },
	{ "all options", BODY("\0\1\0\0\1a\x2e"), 0 },
	{ "subscription identifier", BODY("\0\1\2\13\1\0\1a\0"), 0 },
	{ "user properties", BODY("\0\1\5\46\0\0\0\0\0\1a\0"), 0 },
	{ "subscription identifier 0", BODY("\0\1\2\13\0\0\1a\0"), -EPROTO },
	{ "two subscription identifiers", BODY("\0\1\4\13\1\13\1\0\1a\0"),
	  -EPROTO },
	{ "a property of PUBLISH", BODY("\0\1\2\1\1\0\1a\0"), -EBADMSG },
	{ "no filter", BODY("\0\1\0"), -EPROTO },
	{ "properties and no filter", BODY("\0\1\2\13\1"), -EPROTO },
	{ "no length of properties", BODY("\0\1"), -EBADMSG },
	{ "properties beyond the end", BODY("\0\1\x0c\13\1\0\1a\0"), -EBADMSG },
	{ "id 0", BODY("\0\0\0\0\1a\0"), -EBADMSG },
	{ "no options", BODY("\0\1\0\0\1a"), -EBADMSG },
	{ "filter not UTF-8", BODY("\0\1\0\0\1\xff\0"), -EBADMSG },
	{ "the second filter wrong", BODY("\0\1\0\0\1a\0\0\1b\3"), -EPROTO },
	{ "the second filter truncated", BODY("\0\1\0\0\1a\0\0\2b"), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(subscribe, subscribe_cases, desc);

static int subscribe(const u8 *bytes, size_t len)
{
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	u8 options;
	int ret;

	ret = kmqtt_subscribe_decode(KMQTT_SUBSCRIBE, KMQTT_V5, bytes, len, &s);
	if (ret)
		return ret;
	do
		ret = kmqtt_subscribe_next(&s, &filter, &options);
	while (ret > 0);
	return ret;
}

static void subscribe_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);

	KUNIT_EXPECT_EQ(test, subscribe(exact, c->len), c->err);
}

static void subscribe_options(struct kunit *test)
{
	u8 bytes[] = { 0, 1, 0, 0, 1, 'a', 0 };
	u32 options;

	for (options = 0; options < 256; options++) {
		int want = 0;

		if ((options & 3) == 3 || (options >> 4 & 3) == 3)
			want = -EPROTO;
		if (options >> 6)
			want = -EBADMSG;
		bytes[6] = options;
		KUNIT_EXPECT_EQ_MSG(test, subscribe(bytes, sizeof(bytes)), want,
				    "options %02x", options);
	}
}

static void subscribe_fields(struct kunit *test)
{
	static const u8 bytes[] =
		"\x12\x34\4\13\xff\xff\3\0\3a/+\x2d\0\1#\x12";
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	u8 options;

	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_decode(KMQTT_SUBSCRIBE, KMQTT_V5,
						     bytes, sizeof(bytes) - 1,
						     &s), 0);
	KUNIT_EXPECT_EQ(test, s.id, 0x1234);
	KUNIT_EXPECT_EQ(test, s.sub_id, 0xffff);
	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_next(&s, &filter, &options), 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&filter, "a/+"));
	KUNIT_EXPECT_EQ(test, options, 1 | KMQTT_SUB_NO_LOCAL |
			KMQTT_SUB_RETAIN_AS_PUBLISHED | KMQTT_RETAIN_DONT_SEND);
	KUNIT_ASSERT_EQ(test, kmqtt_subscribe_next(&s, &filter, &options), 1);
	KUNIT_EXPECT_TRUE(test, kmqtt_test_str_is(&filter, "#"));
	KUNIT_EXPECT_EQ(test, options, 2 | KMQTT_RETAIN_SEND_IF_NEW);
	KUNIT_EXPECT_EQ(test, kmqtt_subscribe_next(&s, &filter, &options), 0);
}

static const struct bytes_case unsubscribe_cases[] = {
	{ "one filter", BODY("\0\1\0\0\1a"), 0 },
	{ "two filters", BODY("\0\1\0\0\1a\0\0"), 0 },
	{ "user properties", BODY("\0\1\5\46\0\0\0\0\0\1a"), 0 },
	{ "subscription identifier", BODY("\0\1\2\13\1\0\1a"), -EBADMSG },
	{ "no filter", BODY("\0\1\0"), -EPROTO },
	{ "no length of properties", BODY("\0\1"), -EBADMSG },
	{ "id 0", BODY("\0\0\0\0\1a"), -EBADMSG },
	{ "options", BODY("\0\1\0\0\1a\0"), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(unsubscribe, unsubscribe_cases, desc);

static void unsubscribe_forms(struct kunit *test)
{
	const struct bytes_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_subscribe s;
	struct kmqtt_str filter;
	int ret;

	ret = kmqtt_subscribe_decode(KMQTT_UNSUBSCRIBE, KMQTT_V5, exact, c->len,
				     &s);
	if (!ret)
		do
			ret = kmqtt_unsubscribe_next(&s, &filter);
		while (ret > 0);
	KUNIT_EXPECT_EQ(test, ret, c->err);
}

/* Table 3-10, what a client may send. */
static bool disconnect_may_have(u32 reason)
{
	return !reason || reason == 4 || (reason >= 0x80 && reason <= 0x83) ||
	       reason == 0x90 || (reason >= 0x93 && reason <= 0x99);
}

static void disconnect_reasons(struct kunit *test)
{
	u32 reason;

	for (reason = 0; reason < 256; reason++) {
		const u8 bytes[] = { reason, 0 };
		int want = disconnect_may_have(reason) ? 0 : -EPROTO;
		struct kmqtt_reasoned r;

		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_reasoned_decode(KMQTT_DISCONNECT,
							  bytes, 1, &r),
				    want, "reason %02x", reason);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_reasoned_decode(KMQTT_DISCONNECT,
							  bytes, 2, &r),
				    want, "reason %02x", reason);
		KUNIT_EXPECT_EQ(test, r.reason, reason);
	}
}

static void auth_reasons(struct kunit *test)
{
	u32 reason;

	for (reason = 0; reason < 256; reason++) {
		const u8 bytes[] = { reason, 4, KMQTT_PROP_AUTH_METHOD, 0, 1,
				     'm' };
		struct kmqtt_reasoned r;

		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_reasoned_decode(KMQTT_AUTH, bytes, 6,
							  &r),
				    reason == 0x18 || reason == 0x19 ?
				    0 : -EPROTO, "reason %02x", reason);
		/* Without its method it is none [MQTT-4.12.0-5]. */
		KUNIT_EXPECT_EQ(test, kmqtt_reasoned_decode(KMQTT_AUTH, bytes,
							    1, &r), -EPROTO);
	}
}

struct reasoned_case {
	const char *desc;
	u8 type;
	const char *bytes;
	u8 len;
	int err;
};

static const struct reasoned_case reasoned_cases[] = {
	{ "DISCONNECT of no byte", KMQTT_DISCONNECT, BODY(""), 0 },
	{ "DISCONNECT with expiry", KMQTT_DISCONNECT,
	  BODY("\0\5\21\0\0\0\1"), 0 },
	{ "DISCONNECT with user property", KMQTT_DISCONNECT,
	  BODY("\0\5\46\0\0\0\0"), 0 },
	{ "DISCONNECT with expiry twice", KMQTT_DISCONNECT,
	  BODY("\0\x0a\21\0\0\0\1\21\0\0\0\1"), -EPROTO },
	{ "DISCONNECT with a method", KMQTT_DISCONNECT,
	  BODY("\0\4\25\0\1m"), -EBADMSG },
	{ "DISCONNECT with a byte too many", KMQTT_DISCONNECT,
	  BODY("\0\0\0"), -EBADMSG },
	{ "DISCONNECT with half a length", KMQTT_DISCONNECT, BODY("\0\x80"),
	  -EBADMSG },
	{ "DISCONNECT with too few properties", KMQTT_DISCONNECT,
	  BODY("\0\6\21\0\0\0\1"), -EBADMSG },
	{ "AUTH of no byte", KMQTT_AUTH, BODY(""), -EPROTO },
	{ "AUTH without properties", KMQTT_AUTH, BODY("\x18\0"), -EPROTO },
	{ "AUTH with data alone", KMQTT_AUTH, BODY("\x18\4\26\0\1d"),
	  -EPROTO },
	{ "AUTH with method and data", KMQTT_AUTH,
	  BODY("\x18\x08\25\0\1m\26\0\1d"), 0 },
	{ "AUTH with expiry", KMQTT_AUTH,
	  BODY("\x18\x09\25\0\1m\21\0\0\0\1"), -EBADMSG },
	{ "AUTH with a byte too many", KMQTT_AUTH,
	  BODY("\x18\4\25\0\1m\0"), -EBADMSG },
};

KUNIT_ARRAY_PARAM_DESC(reasoned, reasoned_cases, desc);

static void reasoned_forms(struct kunit *test)
{
	const struct reasoned_case *c = test->param_value;
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);
	struct kmqtt_reasoned r;

	KUNIT_EXPECT_EQ(test, kmqtt_reasoned_decode(c->type, exact, c->len, &r),
			c->err);
}

/* Room for just as much as the encoder is allowed to write. */
static u8 *answer(struct kunit *test, const struct kmqtt_props *props)
{
	u8 *p = kunit_kmalloc(test, kmqtt_answer_max(props), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static void expect_bytes(struct kunit *test, const u8 *p, size_t len,
			 const char *want, size_t want_len)
{
	KUNIT_ASSERT_EQ(test, len, want_len);
	KUNIT_EXPECT_MEMEQ(test, p, want, want_len);
}

#define EXPECT_BYTES(test, p, len, want) \
	expect_bytes(test, p, len, want, sizeof(want) - 1)

static void encode_connack(struct kunit *test)
{
	struct kmqtt_props props = {};
	u8 *p = answer(test, &props);

	EXPECT_BYTES(test, p,
		     kmqtt_connack_encode(p, KMQTT_V5, true,
					  KMQTT_REASON_SUCCESS, &props),
		     "\x20\3\1\0\0");
	EXPECT_BYTES(test, p,
		     kmqtt_connack_encode(p, KMQTT_V5, false,
					  KMQTT_REASON_BANNED, &props),
		     "\x20\3\0\x8a\0");
	props.receive_max = 100;
	props.assigned_id = kmqtt_test_str("id");
	props.max_qos = 1;
	kmqtt_prop_add(&props, KMQTT_PROP_MAX_QOS);
	kmqtt_prop_add(&props, KMQTT_PROP_RECEIVE_MAX);
	kmqtt_prop_add(&props, KMQTT_PROP_ASSIGNED_ID);
	p = answer(test, &props);
	EXPECT_BYTES(test, p,
		     kmqtt_connack_encode(p, KMQTT_V5, false,
					  KMQTT_REASON_SUCCESS, &props),
		     "\x20\x0d\0\0\x0a\22\0\2id\41\0\x64\44\1");
	/* Others know nothing of them. */
	EXPECT_BYTES(test, p,
		     kmqtt_connack_encode(p, KMQTT_V311, true,
					  KMQTT_REASON_SUCCESS, &props),
		     "\x20\2\1\0");
}

static void encode_ack(struct kunit *test)
{
	struct kmqtt_props props = {};
	u8 *p = kmqtt_test_exact(test, "?????", KMQTT_ACK_MAX);

	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBACK, 0x1234, 0,
					       NULL), "\x40\2\x12\x34");
	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBACK, 0x1234, 0x10,
					       NULL), "\x40\3\x12\x34\x10");
	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBREL, 1, 0x92, NULL),
		     "\x62\3\0\1\x92");
	p = answer(test, &props);
	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBCOMP, 1, 0, &props),
		     "\x70\4\0\1\0\0");
	props.reason_string = kmqtt_test_str("no");
	kmqtt_prop_add(&props, KMQTT_PROP_REASON_STRING);
	p = answer(test, &props);
	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBREC, 1, 0x80,
					       &props),
		     "\x50\x09\0\1\x80\5\37\0\2no");
	EXPECT_BYTES(test, p, kmqtt_ack_encode(p, KMQTT_PUBREL, 1, 0x92,
					       &props),
		     "\x62\x09\0\1\x92\5\37\0\2no");
}

static void encode_reasoned(struct kunit *test)
{
	struct kmqtt_props props = {};
	u8 *p = answer(test, &props);

	EXPECT_BYTES(test, p, kmqtt_reasoned_encode(p, KMQTT_DISCONNECT, 0x8e,
						    &props), "\xe0\2\x8e\0");
	props.server_reference = kmqtt_test_str("h:1");
	kmqtt_prop_add(&props, KMQTT_PROP_SERVER_REFERENCE);
	p = answer(test, &props);
	EXPECT_BYTES(test, p, kmqtt_reasoned_encode(p, KMQTT_DISCONNECT, 0x9d,
						    &props),
		     "\xe0\x08\x9d\6\34\0\3h:1");
	props = (struct kmqtt_props) {};
	props.auth_method = kmqtt_test_str("m");
	kmqtt_prop_add(&props, KMQTT_PROP_AUTH_METHOD);
	p = answer(test, &props);
	EXPECT_BYTES(test, p, kmqtt_reasoned_encode(p, KMQTT_AUTH, 0x18,
						    &props),
		     "\xf0\6\x18\4\25\0\1m");
}

/* The longest that there is: lengths of three bytes, and all announced. */
static void encode_longest(struct kunit *test)
{
	u8 *text = kunit_kmalloc(test, KMQTT_STRING_MAX, GFP_KERNEL), *p;
	struct kmqtt_props props = {};
	struct kmqtt_fixed fixed;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, text);
	memset(text, 'x', KMQTT_STRING_MAX);
	props.reason_string.data = text;
	props.reason_string.len = KMQTT_STRING_MAX;
	kmqtt_prop_add(&props, KMQTT_PROP_REASON_STRING);
	p = answer(test, &props);
	len = kmqtt_ack_encode(p, KMQTT_PUBACK, 1, 0x80, &props);
	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(p, len, &fixed), 0);
	KUNIT_EXPECT_EQ(test, fixed.len + fixed.remaining, len);
	KUNIT_EXPECT_EQ(test, fixed.remaining, 3 + 3 + 3 + KMQTT_STRING_MAX);
	KUNIT_EXPECT_LE(test, len, kmqtt_answer_max(&props));
	KUNIT_EXPECT_MEMEQ(test, p + len - KMQTT_STRING_MAX, text,
			   KMQTT_STRING_MAX);
}

static void encode_suback(struct kunit *test)
{
	u8 *p = kmqtt_test_exact(test, "????????", KMQTT_SUBACK_HEAD_MAX);

	EXPECT_BYTES(test, p, kmqtt_suback_head_encode(p, KMQTT_SUBACK,
						       KMQTT_V5, 0x1234, 2),
		     "\x90\5\x12\x34\0");
	EXPECT_BYTES(test, p, kmqtt_suback_head_encode(p, KMQTT_UNSUBACK,
						       KMQTT_V5, 0x1234, 2),
		     "\xb0\5\x12\x34\0");
	EXPECT_BYTES(test, p, kmqtt_suback_head_encode(p, KMQTT_SUBACK,
						       KMQTT_V311, 1, 2),
		     "\x90\4\0\1");
	EXPECT_BYTES(test, p, kmqtt_suback_head_encode(p, KMQTT_SUBACK,
						       KMQTT_V5, 1,
						       2097152 - 3),
		     "\x90\x80\x80\x80\1\0\1\0");
}

static struct kunit_case v5_decode_cases[] = {
	KUNIT_CASE_PARAM(subscribe_forms, subscribe_gen_params),
	KUNIT_CASE(subscribe_options),
	KUNIT_CASE(subscribe_fields),
	KUNIT_CASE_PARAM(unsubscribe_forms, unsubscribe_gen_params),
	KUNIT_CASE(disconnect_reasons),
	KUNIT_CASE(auth_reasons),
	KUNIT_CASE_PARAM(reasoned_forms, reasoned_gen_params),
	{}
};

static struct kunit_case v5_encode_cases[] = {
	KUNIT_CASE(encode_connack),
	KUNIT_CASE(encode_ack),
	KUNIT_CASE(encode_reasoned),
	KUNIT_CASE(encode_longest),
	KUNIT_CASE(encode_suback),
	{}
};

static struct kunit_suite v5_decode_suite = {
	.name = "kmqtt_wire_v5_more",
	.test_cases = v5_decode_cases,
};

static struct kunit_suite v5_encode_suite = {
	.name = "kmqtt_wire_v5_encode",
	.test_cases = v5_encode_cases,
};

kunit_test_suites(&v5_decode_suite, &v5_encode_suite);
