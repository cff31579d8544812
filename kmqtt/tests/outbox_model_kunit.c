// SPDX-License-Identifier: GPL-2.0
/*
 * The outbox against a model: a plain list of all messages ever queued, with
 * what became of each. And packet identifiers, all around.
 */
#include "support.h"
#include "../session/outbox.h"

#define ENTRIES		3000
#define PASS_MAX	12
#define IDS		65535

struct model_entry {
	u8 qos;
	u16 id;
	u8 nr_ids;
	bool shared;
	bool sent;
	bool dup;
	bool released;
	bool done;
};

struct model {
	struct kmqtt_memory *memory;
	struct kmqtt_outbox outbox;
	struct kmqtt_outbox_limits limits;
	struct kmqtt_msg *msg;
	struct kmqtt_group *group;
	struct rnd_state rnd;
	u64 assured;			/* position of the next assured one */
	int nr;
	int first;			/* all before are done */
	struct model_entry entries[ENTRIES];
};

static struct model *model_create(struct kunit *test, u64 position)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	m->limits.max_inflight = 7;
	m->limits.max_queued = U32_MAX;
	m->limits.max_bytes = U64_MAX;
	m->msg = kmqtt_test_msg(test, m->memory, "t", 9);
	m->group = kunit_kzalloc(test, sizeof(*m->group), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->group);
	kref_init(&m->group->ref);
	kmqtt_outbox_init(&m->outbox, m->memory);
	m->outbox.assured.head = position;
	m->outbox.assured.next = position;
	m->outbox.assured.tail = position;
	m->assured = position;
	return m;
}

static void model_destroy(struct kunit *test, struct model *m)
{
	kmqtt_outbox_uninit(&m->outbox);
	KUNIT_EXPECT_EQ(test, refcount_read(&m->msg->refs), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&m->group->ref), 1);
	kmqtt_msg_put(m->msg);
	KUNIT_EXPECT_EQ(test, kmqtt_memory_used(m->memory), 0);
}

/* Subscription identifiers of all deliveries. */
static const u32 sub_ids[] = { 7, KMQTT_REMAINING_MAX, 300 };

static int push(struct model *m, const struct model_entry *e)
{
	const struct kmqtt_offer offer = {
		.msg = m->msg,
		.group = e->shared ? m->group : NULL,
		.ids = sub_ids,
		.nr_ids = e->nr_ids,
		.qos = e->qos,
	};

	return kmqtt_outbox_push(&m->outbox, &offer, &m->limits);
}

static int push_plain(struct model *m)
{
	return push(m, &(struct model_entry) { .qos = 1 });
}

static void model_push(struct kunit *test, struct model *m)
{
	struct model_entry *e = &m->entries[m->nr];

	e->qos = kmqtt_test_below(&m->rnd, 3);
	if (e->qos)
		e->id = m->assured++ % IDS + 1;
	e->shared = !kmqtt_test_below(&m->rnd, 3);
	e->nr_ids = kmqtt_test_below(&m->rnd, 4);
	KUNIT_ASSERT_EQ(test, push(m, e), 0);
	m->nr++;
}

static u32 model_inflight(const struct model *m)
{
	u32 inflight = 0;
	int i;

	for (i = m->first; i < m->nr; i++)
		inflight += m->entries[i].qos && m->entries[i].sent &&
			    !m->entries[i].done;
	return inflight;
}

/* The entry that is due: the first that isn't sent and may be. */
static struct model_entry *model_due(struct model *m)
{
	bool window = model_inflight(m) < m->limits.max_inflight;
	int i;

	for (i = m->first; i < m->nr; i++) {
		struct model_entry *e = &m->entries[i];

		if (!e->sent && !e->done && (!e->qos || window))
			return e;
	}
	return NULL;
}

/* What goes with the message, in whatever form it was kept. */
static void expect_ids(struct kunit *test, const struct model *m,
		       const struct model_entry *e,
		       const struct kmqtt_extra *extra, u32 sub_id)
{
	if (!e->shared && e->nr_ids <= 1) {
		KUNIT_ASSERT_NULL(test, extra);
		KUNIT_EXPECT_EQ(test, sub_id, e->nr_ids ? sub_ids[0] : 0);
		return;
	}
	KUNIT_ASSERT_NOT_NULL(test, extra);
	KUNIT_EXPECT_PTR_EQ(test, extra->group, e->shared ? m->group : NULL);
	KUNIT_ASSERT_EQ(test, extra->nr_ids, e->nr_ids);
	KUNIT_EXPECT_MEMEQ(test, extra->ids, sub_ids,
			   e->nr_ids * sizeof(*sub_ids));
	KUNIT_EXPECT_EQ(test, sub_id, 0);
}

static struct model_entry *model_take(struct kunit *test, struct model *m)
{
	struct model_entry *e = model_due(m);
	struct kmqtt_delivery d;
	bool taken = kmqtt_outbox_next(&m->outbox, m->limits.max_inflight, &d);

	KUNIT_ASSERT_EQ(test, taken, !!e);
	if (!e)
		return NULL;
	KUNIT_EXPECT_EQ(test, d.id, e->id);
	KUNIT_EXPECT_EQ(test, !d.msg, e->released);
	KUNIT_EXPECT_EQ(test, d.first, e->released ? 0x62 :
			0x30 | e->qos << 1 | (e->dup ? 8 : 0));
	if (!e->released)
		expect_ids(test, m, e, d.extra, d.sub_id);
	e->sent = true;
	/* It has expired, or is too large. */
	if (!e->released && !kmqtt_test_below(&m->rnd, 6)) {
		kmqtt_outbox_discard(&m->outbox, &d);
		e->done = true;
	}
	kmqtt_delivery_put(&d);
	return e;
}

/* A client acknowledges something, mostly something that it was sent. */
static void model_acknowledge(struct kunit *test, struct model *m)
{
	struct model_entry *e;
	u32 kind = kmqtt_test_below(&m->rnd, 4);
	bool waits;
	int ret;

	if (m->first == m->nr)
		return;
	e = &m->entries[m->first + kmqtt_test_below(&m->rnd,
						    min(m->nr - m->first, 20))];
	if (!e->qos)
		return;
	waits = e->sent && !e->done;
	if (!kind) {
		ret = kmqtt_outbox_puback(&m->outbox, e->id);
		waits = waits && e->qos == 1;
		e->done |= waits;
	} else if (kind == 1) {
		ret = kmqtt_outbox_pubrec(&m->outbox, e->id);
		waits = waits && e->qos == 2;
		e->released |= waits;
	} else if (kind == 2) {
		ret = kmqtt_outbox_reject(&m->outbox, e->id);
		waits = waits && e->qos == 2 && !e->released;
		e->done |= waits;
	} else {
		ret = kmqtt_outbox_pubcomp(&m->outbox, e->id);
		waits = waits && e->qos == 2 && e->released;
		e->done |= waits;
	}
	KUNIT_EXPECT_EQ(test, ret, waits ? 0 : -ENOENT);
}

/* One pass of a transmit side: take, be interrupted, give back, settle. */
static void model_pass(struct kunit *test, struct model *m)
{
	struct kmqtt_outbox_mark marks[PASS_MAX];
	struct model_entry *taken[PASS_MAX];
	u32 nr = 0, keep, i;

	while (nr < PASS_MAX) {
		kmqtt_outbox_mark(&m->outbox, &marks[nr]);
		taken[nr] = model_take(test, m);
		if (!taken[nr])
			break;
		if (taken[nr]->done)
			continue;
		nr++;
		if (!kmqtt_test_below(&m->rnd, 4))
			model_acknowledge(test, m);
	}
	keep = kmqtt_test_below(&m->rnd, 2 * PASS_MAX);
	if (keep < nr) {
		kmqtt_outbox_rewind(&m->outbox, &marks[keep]);
		for (i = keep; i < nr; i++)
			taken[i]->sent = false;
	}
	kmqtt_outbox_sent(&m->outbox);
	for (i = 0; i < min(keep, nr); i++)
		if (!taken[i]->qos)
			taken[i]->done = true;
}

/* Without a connection: others get what they may, all of it or some. */
static void model_share(struct kunit *test, struct model *m)
{
	bool ended = !kmqtt_test_below(&m->rnd, 4);
	u32 left = kmqtt_test_below(&m->rnd, 30);
	struct kmqtt_entry entry;
	u64 pos = 0;
	int i;

	for (i = m->first; i < m->nr && left; i++) {
		struct model_entry *e = &m->entries[i];
		bool begun = e->sent || e->dup;

		if (!e->qos || e->done || e->released || !e->shared ||
		    (begun && !(ended && e->qos == 1)))
			continue;
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_take_shared(&m->outbox,
								 ended, &pos,
								 &entry));
		KUNIT_EXPECT_EQ(test, entry.qos, e->qos);
		KUNIT_EXPECT_TRUE(test, entry.flags & KMQTT_ENTRY_EXTRA);
		expect_ids(test, m, e, entry.extra, 0);
		e->done = !begun && kmqtt_test_below(&m->rnd, 2);
		/* Nobody wants it, or somebody does. */
		if (!begun && !e->done)
			KUNIT_EXPECT_TRUE(test, kmqtt_outbox_put_back(&m->outbox,
								      pos,
								      &entry));
		e->done |= begun;
		kmqtt_extra_put(entry.extra);
		kmqtt_msg_put(entry.msg);
		left--;
	}
	if (left)
		KUNIT_EXPECT_FALSE(test, kmqtt_outbox_take_shared(&m->outbox,
								  ended, &pos,
								  &entry));
}

/* The connection is lost, another comes. */
static void model_reconnect(struct kunit *test, struct model *m)
{
	int i;

	kmqtt_outbox_drop_best_effort(&m->outbox);
	for (i = m->first; i < m->nr; i++)
		m->entries[i].done |= !m->entries[i].qos;
	model_share(test, m);
	kmqtt_outbox_restart(&m->outbox);
	for (i = m->first; i < m->nr; i++) {
		struct model_entry *e = &m->entries[i];

		e->dup |= e->sent;
		e->sent = false;
	}
}

static void model_compare(struct kunit *test, struct model *m)
{
	u64 bytes = 0, inflight = 0;
	u32 queued = 0;
	int i;

	while (m->first < m->nr && m->entries[m->first].done)
		m->first++;
	for (i = m->first; i < m->nr; i++) {
		const struct model_entry *e = &m->entries[i];

		if (!e->done && !e->released) {
			bytes += kmqtt_msg_size(m->msg);
			if (e->qos && e->sent)
				inflight += kmqtt_msg_size(m->msg);
		}
		queued += !e->done && !e->sent;
	}
	KUNIT_ASSERT_EQ(test, m->outbox.bytes, bytes);
	KUNIT_ASSERT_EQ(test, m->outbox.inflight_bytes, inflight);
	KUNIT_ASSERT_EQ(test, kmqtt_outbox_queued(&m->outbox), queued);
	KUNIT_ASSERT_EQ(test, m->outbox.inflight, model_inflight(m));
}

struct position_case {
	const char *desc;
	u64 position;
};

static const struct position_case position_cases[] = {
	{ "from the start", 0 },
	{ "before identifier 65535", IDS - 20 },
	{ "before position 65536", 65536 - 20 },
	{ "after many turns", 12345ULL * IDS - 20 },
	{ "before position 2^32", BIT_ULL(32) - 20 },
	{ "at a large position", BIT_ULL(48) + 12345 },
};

KUNIT_ARRAY_PARAM_DESC(position, position_cases, desc);

static void model_random(struct kunit *test)
{
	const struct position_case *c = test->param_value;
	struct model *m = model_create(test, c->position);

	prandom_seed_state(&m->rnd, c->position);
	while (m->nr < ENTRIES) {
		u32 what = kmqtt_test_below(&m->rnd, 40);

		if (what < 14)
			model_push(test, m);
		else if (what < 28)
			model_acknowledge(test, m);
		else if (what < 39)
			model_pass(test, m);
		else
			model_reconnect(test, m);
		model_compare(test, m);
	}
	model_destroy(test, m);
}

/* Identifiers go round from 65535 to 1 and never are 0. */
static void ids_wrap(struct kunit *test)
{
	const struct position_case *c = test->param_value;
	struct model *m = model_create(test, c->position);
	u16 want = c->position % IDS + 1;
	struct kmqtt_delivery d;
	int i;

	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, push_plain(m), 0);
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&m->outbox, 1, &d));
		kmqtt_msg_put(d.msg);
		KUNIT_ASSERT_EQ(test, d.id, want);
		KUNIT_ASSERT_EQ(test, kmqtt_outbox_puback(&m->outbox, 0),
				-ENOENT);
		KUNIT_ASSERT_EQ(test, kmqtt_outbox_puback(&m->outbox, want), 0);
		want = want == IDS ? 1 : want + 1;
	}
	model_destroy(test, m);
}

/* All identifiers in use: the next message waits for the oldest. */
static void ids_exhausted(struct kunit *test)
{
	struct model *m = model_create(test, 1000);
	struct kmqtt_delivery d;
	u32 i, wrong = 0;

	for (i = 0; i < IDS + 2; i++)
		KUNIT_ASSERT_EQ(test, push_plain(m), 0);
	for (i = 0; i < IDS; i++) {
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&m->outbox, U32_MAX,
							  &d));
		kmqtt_msg_put(d.msg);
		wrong += d.id != (1000 + i) % IDS + 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_ASSERT_FALSE(test, kmqtt_outbox_next(&m->outbox, U32_MAX, &d));
	/* The second oldest frees an identifier, but not the oldest's. */
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(&m->outbox, 1002), 0);
	KUNIT_ASSERT_FALSE(test, kmqtt_outbox_next(&m->outbox, U32_MAX, &d));
	KUNIT_EXPECT_EQ(test, kmqtt_outbox_puback(&m->outbox, 1001), 0);
	for (i = 1001; i <= 1002; i++) {
		KUNIT_ASSERT_TRUE(test, kmqtt_outbox_next(&m->outbox, U32_MAX,
							  &d));
		kmqtt_msg_put(d.msg);
		KUNIT_EXPECT_EQ(test, d.id, i);
	}
	model_destroy(test, m);
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM(model_random, position_gen_params),
	KUNIT_CASE_PARAM(ids_wrap, position_gen_params),
	KUNIT_CASE(ids_exhausted),
	{}
};

static struct kunit_suite model_suite = {
	.name = "kmqtt_outbox_model",
	.test_cases = model_cases,
};

kunit_test_suites(&model_suite);
