// SPDX-License-Identifier: GPL-2.0
/*
 * Fixed headers (MQTT 3.1.1, 2.2), and all that is written.
 */
#include "support.h"
#include "../wire/decode.h"
#include "../wire/encode.h"

struct length_case {
	const char *desc;
	u8 bytes[4];
	u8 len;
	u32 value;
	bool shortest;
};

static const struct length_case length_cases[] = {
	{ "0", { 0x00 }, 1, 0, true },
	{ "1", { 0x01 }, 1, 1, true },
	{ "127, last of one byte", { 0x7f }, 1, 127, true },
	{ "128, first of two", { 0x80, 0x01 }, 2, 128, true },
	{ "321", { 0xc1, 0x02 }, 2, 321, true },
	{ "16383, last of two", { 0xff, 0x7f }, 2, 16383, true },
	{ "16384, first of three", { 0x80, 0x80, 0x01 }, 3, 16384, true },
	{ "2097151, last of three", { 0xff, 0xff, 0x7f }, 3, 2097151, true },
	{ "2097152, first of four", { 0x80, 0x80, 0x80, 0x01 }, 4, 2097152,
	  true },
	{ "268435455, the last", { 0xff, 0xff, 0xff, 0x7f }, 4,
	  KMQTT_REMAINING_MAX, true },
	{ "0 in two bytes", { 0x80, 0x00 }, 2, 0, false },
	{ "1 in three bytes", { 0x81, 0x80, 0x00 }, 3, 1, false },
	{ "127 in four bytes", { 0xff, 0x80, 0x80, 0x00 }, 4, 127, false },
};

KUNIT_ARRAY_PARAM_DESC(length, length_cases, desc);

static void fixed_length(struct kunit *test)
{
	const struct length_case *c = test->param_value;
	struct kmqtt_fixed fixed;
	u8 packet[KMQTT_FIXED_HEADER_MAX];
	size_t len;
	u8 *exact;

	packet[0] = KMQTT_PUBLISH << 4;
	memcpy(packet + 1, c->bytes, c->len);
	for (len = 0; len <= c->len; len++) {
		exact = kmqtt_test_exact(test, packet, len);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_fixed_decode(exact, len, &fixed),
				    -EAGAIN, "%zu bytes there", len);
	}
	exact = kmqtt_test_exact(test, packet, len);
	KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(exact, len, &fixed), 0);
	KUNIT_EXPECT_EQ(test, fixed.type, KMQTT_PUBLISH);
	KUNIT_EXPECT_EQ(test, fixed.flags, 0);
	KUNIT_EXPECT_EQ(test, fixed.len, 1 + c->len);
	KUNIT_EXPECT_EQ(test, fixed.remaining, c->value);
	/* A longer form than needed is an error in 5.0 only. */
	KUNIT_EXPECT_TRUE(test, kmqtt_fixed_allowed(&fixed, KMQTT_V311));
	KUNIT_EXPECT_EQ(test, kmqtt_fixed_allowed(&fixed, KMQTT_V5),
			c->shortest);

	if (!c->shortest)
		return;
	exact = kmqtt_test_exact(test, packet, len);
	memset(exact, 0xee, len);
	KUNIT_EXPECT_EQ(test, kmqtt_fixed_encode(exact, packet[0], c->value),
			len);
	KUNIT_EXPECT_MEMEQ(test, exact, packet, len);
}

/* A fourth length byte that tells of a fifth. */
static void fixed_length_too_long(struct kunit *test)
{
	static const u8 packet[] = { 0x30, 0xff, 0xff, 0xff, 0xff, 0x7f };
	struct kmqtt_fixed fixed;
	size_t len;

	for (len = 1; len <= sizeof(packet); len++) {
		u8 *exact = kmqtt_test_exact(test, packet, len);

		KUNIT_EXPECT_EQ(test, kmqtt_fixed_decode(exact, len, &fixed),
				len < KMQTT_FIXED_HEADER_MAX ? -EAGAIN :
							       -EBADMSG);
	}
}

/* Bit n is set if flags n are allowed (MQTT 3.1.1, table 2.2). */
static const u16 allowed_flags[KMQTT_PACKET_TYPES] = {
	[KMQTT_CONNECT]		= BIT(0),
	[KMQTT_CONNACK]		= BIT(0),
	[KMQTT_PUBLISH]		= 0x3f3f,
	[KMQTT_PUBACK]		= BIT(0),
	[KMQTT_PUBREC]		= BIT(0),
	/* MQTT 3.1 has DUP in these. */
	[KMQTT_PUBREL]		= BIT(2) | BIT(10),
	[KMQTT_PUBCOMP]		= BIT(0),
	[KMQTT_SUBSCRIBE]	= BIT(2) | BIT(10),
	[KMQTT_SUBACK]		= BIT(0),
	[KMQTT_UNSUBSCRIBE]	= BIT(2) | BIT(10),
	[KMQTT_UNSUBACK]	= BIT(0),
	[KMQTT_PINGREQ]		= BIT(0),
	[KMQTT_PINGRESP]	= BIT(0),
	[KMQTT_DISCONNECT]	= BIT(0),
	[KMQTT_AUTH]		= BIT(0),
};

static void fixed_flags(struct kunit *test)
{
	unsigned int first;

	for (first = 0; first < 256; first++) {
		const u8 packet[] = { first, 0 };
		bool allowed = allowed_flags[first >> 4] & BIT(first & 0xf);
		struct kmqtt_fixed fixed;
		bool reserved;

		/* What is malformed needs no second byte to be so. */
		KUNIT_EXPECT_EQ_MSG(test, kmqtt_fixed_decode(packet, 1, &fixed),
				    allowed ? -EAGAIN : -EBADMSG,
				    "first byte %02x alone", first);
		KUNIT_EXPECT_EQ_MSG(test, kmqtt_fixed_decode(packet, 2, &fixed),
				    allowed ? 0 : -EBADMSG, "first byte %02x",
				    first);
		if (!allowed)
			continue;
		KUNIT_EXPECT_EQ(test, fixed.type, first >> 4);
		KUNIT_EXPECT_EQ(test, fixed.flags, first & 0xf);
		reserved = first >> 4 != KMQTT_PUBLISH && first & 8;
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_fixed_allowed(&fixed, KMQTT_V311),
				    !reserved, "first byte %02x", first);
		KUNIT_EXPECT_EQ_MSG(test,
				    kmqtt_fixed_allowed(&fixed, KMQTT_V5),
				    !reserved, "first byte %02x", first);
		KUNIT_EXPECT_TRUE(test,
				  kmqtt_fixed_allowed(&fixed, KMQTT_V31));
	}
}

static void fixed_round_trip(struct kunit *test)
{
	struct rnd_state rnd;
	u32 wrong = 0;
	int i;

	prandom_seed_state(&rnd, 311);
	for (i = 0; i < 20000; i++) {
		/* As many of each length. */
		u32 value = prandom_u32_state(&rnd) >>
			    (4 + kmqtt_test_below(&rnd, 28));
		u8 packet[KMQTT_FIXED_HEADER_MAX];
		struct kmqtt_fixed fixed;
		size_t len = kmqtt_fixed_encode(packet, 0x82, value);

		wrong += kmqtt_fixed_decode(packet, len - 1, &fixed) != -EAGAIN;
		wrong += kmqtt_fixed_decode(packet, len, &fixed) ||
			 fixed.len != len || fixed.remaining != value ||
			 fixed.type != KMQTT_SUBSCRIBE || fixed.flags != 2;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

struct connack_case {
	const char *desc;
	u8 version;
	bool present;
	enum kmqtt_reason reason;
	u8 len;
	u8 bytes[KMQTT_ACK_MAX];
};

static const struct connack_case connack_cases[] = {
	{ "3.1.1 accepted", KMQTT_V311, false, KMQTT_REASON_SUCCESS,
	  4, { 0x20, 2, 0, 0 } },
	{ "3.1.1 session present", KMQTT_V311, true, KMQTT_REASON_SUCCESS,
	  4, { 0x20, 2, 1, 0 } },
	{ "3.1 accepted", KMQTT_V31, false, KMQTT_REASON_SUCCESS,
	  4, { 0x20, 2, 0, 0 } },
	{ "3.1 has no session present", KMQTT_V31, true, KMQTT_REASON_SUCCESS,
	  4, { 0x20, 2, 0, 0 } },
	{ "protocol version", KMQTT_V311, false,
	  KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION, 4, { 0x20, 2, 0, 1 } },
	{ "client identifier", KMQTT_V311, false,
	  KMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID, 4, { 0x20, 2, 0, 2 } },
	{ "server unavailable", KMQTT_V311, false,
	  KMQTT_REASON_SERVER_UNAVAILABLE, 4, { 0x20, 2, 0, 3 } },
	{ "server busy", KMQTT_V311, false, KMQTT_REASON_SERVER_BUSY,
	  4, { 0x20, 2, 0, 3 } },
	{ "quota", KMQTT_V31, false, KMQTT_REASON_QUOTA_EXCEEDED,
	  4, { 0x20, 2, 0, 3 } },
	{ "user name or password", KMQTT_V31, false,
	  KMQTT_REASON_BAD_USER_NAME_OR_PASSWORD, 4, { 0x20, 2, 0, 4 } },
	{ "not authorized", KMQTT_V311, false, KMQTT_REASON_NOT_AUTHORIZED,
	  4, { 0x20, 2, 0, 5 } },
	{ "banned", KMQTT_V311, false, KMQTT_REASON_BANNED,
	  4, { 0x20, 2, 0, 5 } },
	{ "5 refused", KMQTT_V5, false,
	  KMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION,
	  5, { 0x20, 3, 0, 0x84, 0 } },
	{ "5 session present", KMQTT_V5, true, KMQTT_REASON_SUCCESS,
	  5, { 0x20, 3, 1, 0, 0 } },
};

KUNIT_ARRAY_PARAM_DESC(connack, connack_cases, desc);

static void encode_connack(struct kunit *test)
{
	const struct connack_case *c = test->param_value;
	const struct kmqtt_props props = {};
	u8 *exact = kmqtt_test_exact(test, c->bytes, c->len);

	memset(exact, 0xee, c->len);
	KUNIT_ASSERT_EQ(test, kmqtt_connack_encode(exact, c->version,
						   c->present, c->reason,
						   &props), c->len);
	KUNIT_EXPECT_MEMEQ(test, exact, c->bytes, c->len);
}

struct ack_case {
	const char *desc;
	enum kmqtt_packet_type type;
	u8 first;
};

static const struct ack_case ack_cases[] = {
	{ "PUBACK", KMQTT_PUBACK, 0x40 },
	{ "PUBREC", KMQTT_PUBREC, 0x50 },
	{ "PUBREL", KMQTT_PUBREL, 0x62 },
	{ "PUBCOMP", KMQTT_PUBCOMP, 0x70 },
	{ "UNSUBACK", KMQTT_UNSUBACK, 0xb0 },
};

KUNIT_ARRAY_PARAM_DESC(ack, ack_cases, desc);

static void encode_ack(struct kunit *test)
{
	static const u16 ids[] = { 1, 2, 0x00ff, 0x0100, 0x1234, 65535 };
	const struct ack_case *c = test->param_value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		const u8 want[] = { c->first, 2, ids[i] >> 8, ids[i] & 0xff };
		u8 *exact = kmqtt_test_exact(test, "????", 4);
		struct kmqtt_fixed fixed;
		struct kmqtt_ack ack;

		KUNIT_ASSERT_EQ(test, kmqtt_ack_encode(exact, c->type, ids[i],
						       0, NULL), 4);
		KUNIT_EXPECT_MEMEQ(test, exact, want, 4);
		KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(exact, 4, &fixed), 0);
		KUNIT_EXPECT_EQ(test, fixed.type, c->type);
		KUNIT_EXPECT_EQ(test, kmqtt_ack_decode(c->type, KMQTT_V311,
						       exact + 2,
						       fixed.remaining, &ack),
				0);
		KUNIT_EXPECT_EQ(test, ack.id, ids[i]);
	}
}

static void encode_pingresp(struct kunit *test)
{
	static const u8 want[] = { 0xd0, 0 };
	u8 *exact = kmqtt_test_exact(test, "??", 2);

	KUNIT_ASSERT_EQ(test, kmqtt_pingresp_encode(exact), 2);
	KUNIT_EXPECT_MEMEQ(test, exact, want, 2);
}

static void encode_suback(struct kunit *test)
{
	static const u32 filters[] = { 1, 2, 125, 126, 16381, 16382, 2000000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(filters); i++) {
		u8 head[KMQTT_SUBACK_HEAD_MAX];
		struct kmqtt_fixed fixed;
		size_t len;

		len = kmqtt_suback_head_encode(head, KMQTT_SUBACK, KMQTT_V311,
					       0xabcd, filters[i]);
		KUNIT_ASSERT_EQ(test, kmqtt_fixed_decode(head, len, &fixed), 0);
		KUNIT_EXPECT_EQ(test, fixed.type, KMQTT_SUBACK);
		KUNIT_EXPECT_EQ(test, fixed.remaining, filters[i] + 2);
		KUNIT_ASSERT_EQ(test, len, fixed.len + 2);
		KUNIT_EXPECT_EQ(test, head[fixed.len], 0xab);
		KUNIT_EXPECT_EQ(test, head[fixed.len + 1], 0xcd);
	}
}

static struct kunit_case fixed_cases[] = {
	KUNIT_CASE_PARAM(fixed_length, length_gen_params),
	KUNIT_CASE(fixed_length_too_long),
	KUNIT_CASE(fixed_flags),
	KUNIT_CASE(fixed_round_trip),
	{}
};

static struct kunit_case encode_cases[] = {
	KUNIT_CASE_PARAM(encode_connack, connack_gen_params),
	KUNIT_CASE_PARAM(encode_ack, ack_gen_params),
	KUNIT_CASE(encode_pingresp),
	KUNIT_CASE(encode_suback),
	{}
};

static struct kunit_suite fixed_suite = {
	.name = "kmqtt_wire_fixed_header",
	.test_cases = fixed_cases,
};

static struct kunit_suite encode_suite = {
	.name = "kmqtt_wire_encode",
	.test_cases = encode_cases,
};

kunit_test_suites(&fixed_suite, &encode_suite);
