// SPDX-License-Identifier: GPL-2.0
/*
 * The last packets of a connection: what is remembered, and what becomes of
 * answers that leave in pieces.
 */
#include "support.h"
#include "../protocol/client.h"

static void no_op(struct kmqtt_link *link)
{
}

static const struct kmqtt_link_ops ops = {
	.flush = no_op,
};

static struct kmqtt_client *client_create(struct kunit *test)
{
	struct kmqtt_client *client;

	client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client);
	client->history = kunit_kzalloc(test, sizeof(*client->history),
					GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client->history);
	client->broker = kunit_kzalloc(test, sizeof(*client->broker),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client->broker);
	kmqtt_link_init(&client->link, &ops);
	return client;
}

static void expect_packet(struct kunit *test, const struct kmqtt_past *past,
			  unsigned int nr, u8 type, u32 len)
{
	struct kmqtt_past_packet packet = {};

	KUNIT_EXPECT_TRUE(test, kmqtt_history_read(past, nr, &packet));
	KUNIT_EXPECT_EQ(test, packet.type, type);
	KUNIT_EXPECT_EQ(test, packet.len, len);
	KUNIT_EXPECT_LT(test, packet.age, 60000);
}

static void history_last(struct kunit *test)
{
	struct kmqtt_history *history = client_create(test)->history;
	struct kmqtt_past_packet packet;
	int i;

	KUNIT_EXPECT_FALSE(test, kmqtt_history_read(&history->in, 0, &packet));
	kmqtt_history_note(&history->in, KMQTT_CONNECT, 20);
	expect_packet(test, &history->in, 0, KMQTT_CONNECT, 22);
	KUNIT_EXPECT_FALSE(test, kmqtt_history_read(&history->in, 1, &packet));
	for (i = 0; i < 2 * KMQTT_HISTORY_PACKETS; i++)
		kmqtt_history_note(&history->in, KMQTT_PUBLISH, i);
	for (i = 0; i < KMQTT_HISTORY_PACKETS; i++)
		expect_packet(test, &history->in, i, KMQTT_PUBLISH,
			      2 + 2 * KMQTT_HISTORY_PACKETS - 1 - i);
	KUNIT_EXPECT_FALSE(test, kmqtt_history_read(&history->in, i, &packet));
	kmqtt_history_note(&history->in, KMQTT_AUTH, KMQTT_REMAINING_MAX);
	expect_packet(test, &history->in, 0, KMQTT_AUTH, KMQTT_PACKET_MAX);
	KUNIT_EXPECT_FALSE(test, kmqtt_history_read(&history->out, 0, &packet));
}

/* A PUBACK, a SUBACK of 203 bytes and a PINGRESP. */
static u32 put_answers(u8 *to)
{
	static const u8 head[] = { 0x40, 2, 0, 1, 0x90, 0xc8, 1 };
	static const u8 tail[] = { 0xd0, 0 };

	memcpy(to, head, sizeof(head));
	memset(to + sizeof(head), 0, 200);
	memcpy(to + sizeof(head) + 200, tail, sizeof(tail));
	return sizeof(head) + 200 + sizeof(tail);
}

/*
 * The answers leave in pieces of @step bytes, of which no more than @room are
 * in the send buffer.
 */
static void send_in_pieces(struct kunit *test, u32 step, u32 room)
{
	struct kmqtt_client *client = client_create(test);
	struct kmqtt_past_packet packet;
	u32 len, copied, rest = 0;
	u8 *data;

	data = kunit_kzalloc(test, 256, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	len = put_answers(data);
	KUNIT_ASSERT_EQ(test, kmqtt_link_reserve(&client->link, len,
						 GFP_KERNEL), 0);
	kmqtt_link_ack(&client->link, data, len);
	while (client->link.acks_len) {
		copied = kmqtt_link_copy_acks(&client->link, data, room);
		rest = kmqtt_history_answers(client, rest, data, copied,
					     min(step, copied));
		kmqtt_link_drop_acks(&client->link, min(step, copied));
	}
	KUNIT_EXPECT_EQ(test, rest, 0);
	expect_packet(test, &client->history->out, 0, KMQTT_PINGRESP, 2);
	expect_packet(test, &client->history->out, 1, KMQTT_SUBACK, 203);
	expect_packet(test, &client->history->out, 2, KMQTT_PUBACK, 4);
	KUNIT_EXPECT_FALSE(test, kmqtt_history_read(&client->history->out, 3,
						    &packet));
	kmqtt_link_uninit(&client->link);
}

static void history_pieces(struct kunit *test)
{
	u32 step, room;

	for (step = 1; step <= 250; step += 1 + step / 8)
		send_in_pieces(test, step, 256);
	/* The buffer ends in the middle of a header. */
	for (room = 1; room <= 10; room++)
		for (step = 1; step <= room; step++)
			send_in_pieces(test, step, room);
}

static struct kunit_case history_cases[] = {
	KUNIT_CASE(history_last),
	KUNIT_CASE(history_pieces),
	{}
};

static struct kunit_suite history_suite = {
	.name = "kmqtt_protocol_history",
	.test_cases = history_cases,
};

kunit_test_suites(&history_suite);
