// SPDX-License-Identifier: GPL-2.0
/*
 * The broker tells about itself in retained messages below $SYS/broker, with
 * the names and the meaning that they have with Mosquitto. What Documentation/
 * monitoring.rst says of them is compared with this file by a test.
 *
 * One work item of a broker does it all. It begins when the broker gets its
 * first listener, and rests while there is neither a listener nor anybody who
 * could be told.
 */
#include "sys.h"

#include <linux/module.h>
#include <linux/slab.h>
#include "../broker.h"
#include "../net/conn.h"
#include "../net/pass.h"
#include "../net/registry.h"
#include "../protocol/event.h"
#include "../protocol/route.h"
#include "../version.h"
#include "load.h"
#include "present.h"

#define SYS_PREFIX	"$SYS/broker/"
#define SYS_TOPIC_MAX	64
#define SYS_VALUE_MAX	64

/* Seconds between two updates, as Mosquitto has them. */
#define INTERVAL_DEFAULT	10
#define INTERVAL_MAX		65535

/* What a topic has that has nothing: no value is as great. */
#define UNKNOWN			U64_MAX

static unsigned int sys_interval = INTERVAL_DEFAULT;

static int set_default(const char *text, const struct kernel_param *kp)
{
	return param_set_uint_minmax(text, kp, 0, INTERVAL_MAX);
}

static const struct kernel_param_ops sys_interval_ops = {
	.set = set_default,
	.get = param_get_uint,
};

module_param_cb(sys_interval, &sys_interval_ops, &sys_interval, 0444);
__MODULE_PARM_TYPE(sys_interval, "uint");
MODULE_PARM_DESC(sys_interval,
		 "Seconds between updates of $SYS topics, for brokers that begin (default: 10, 0 for none)");

/* What there is to tell. The first ones are those that have loads. */
enum sys_value {
	SYS_PACKETS_IN,
	SYS_PACKETS_OUT,
	SYS_PUBLISH_DROPPED,
	SYS_PUBLISH_IN,
	SYS_PUBLISH_OUT,
	SYS_BYTES_IN,
	SYS_BYTES_OUT,
	SYS_SOCKETS,
	SYS_CONNECTS,
	SYS_LOADS,
	SYS_CLIENTS = SYS_LOADS,
	SYS_CLIENTS_MAX,
	SYS_CLIENTS_OFFLINE,
	SYS_CLIENTS_ONLINE,
	SYS_CLIENTS_EXPIRED,
	SYS_MESSAGES,
	SYS_MESSAGE_BYTES,
	SYS_SUBSCRIPTIONS,
	SYS_SHARED,
	SYS_RETAINED,
	SYS_MEMORY,
	SYS_MEMORY_MAX,
	SYS_PAYLOAD_IN,
	SYS_PAYLOAD_OUT,
	SYS_UPTIME,
	SYS_VERSION,
	SYS_VALUES,
};

/* How a value is written. */
enum sys_kind {
	SYS_NUMBER,
	SYS_SECONDS,
	SYS_TEXT,
	SYS_LOAD,	/* in hundredths; a topic for each window */
};

struct sys_topic {
	const char *name;	/* below SYS_PREFIX */
	enum sys_kind kind;
	enum sys_value value;
};

#define TOPIC(_name, _value)						\
	{ .name = _name, .value = SYS_ ## _value }
#define LOAD(_name, _value)						\
	{								\
		.name = "load/" _name,					\
		.kind = SYS_LOAD,					\
		.value = SYS_ ## _value,				\
	}

static const struct sys_topic topics[] = {
	{ .name = "version", .kind = SYS_TEXT, .value = SYS_VERSION },
	{ .name = "uptime", .kind = SYS_SECONDS, .value = SYS_UPTIME },
	TOPIC("clients/total", CLIENTS),
	TOPIC("clients/maximum", CLIENTS_MAX),
	TOPIC("clients/disconnected", CLIENTS_OFFLINE),
	TOPIC("clients/inactive", CLIENTS_OFFLINE),
	TOPIC("clients/connected", CLIENTS_ONLINE),
	TOPIC("clients/active", CLIENTS_ONLINE),
	TOPIC("clients/expired", CLIENTS_EXPIRED),
	LOAD("messages/received", PACKETS_IN),
	LOAD("messages/sent", PACKETS_OUT),
	LOAD("publish/dropped", PUBLISH_DROPPED),
	LOAD("publish/received", PUBLISH_IN),
	LOAD("publish/sent", PUBLISH_OUT),
	LOAD("bytes/received", BYTES_IN),
	LOAD("bytes/sent", BYTES_OUT),
	LOAD("sockets", SOCKETS),
	LOAD("connections", CONNECTS),
	TOPIC("messages/stored", MESSAGES),
	TOPIC("store/messages/count", MESSAGES),
	TOPIC("store/messages/bytes", MESSAGE_BYTES),
	TOPIC("subscriptions/count", SUBSCRIPTIONS),
	TOPIC("shared_subscriptions/count", SHARED),
	TOPIC("retained messages/count", RETAINED),
	TOPIC("heap/current", MEMORY),
	TOPIC("heap/maximum", MEMORY_MAX),
	TOPIC("messages/received", PACKETS_IN),
	TOPIC("messages/sent", PACKETS_OUT),
	TOPIC("publish/messages/dropped", PUBLISH_DROPPED),
	TOPIC("publish/messages/received", PUBLISH_IN),
	TOPIC("publish/messages/sent", PUBLISH_OUT),
	TOPIC("publish/bytes/received", PAYLOAD_IN),
	TOPIC("publish/bytes/sent", PAYLOAD_OUT),
	TOPIC("bytes/received", BYTES_IN),
	TOPIC("bytes/sent", BYTES_OUT),
};

static const char *const windows[KMQTT_LOAD_WINDOWS] = {
	[KMQTT_LOAD_1MIN] = "/1min",
	[KMQTT_LOAD_5MIN] = "/5min",
	[KMQTT_LOAD_15MIN] = "/15min",
};

/**
 * struct kmqtt_sys - what a broker has told about itself
 * @broker: constant
 * @interval: seconds between updates, 0 for none; READ_ONCE() and WRITE_ONCE()
 * @work: updates; alone has all below
 * @begun: there is something to go on from
 * @last: seconds since boot up to which @loads are
 * @counted: counters at that moment
 * @loads: moving averages
 * @values: what there is to tell now
 * @told: what the topics have, or UNKNOWN; of those without windows the first
 */
struct kmqtt_sys {
	struct kmqtt_broker *broker;
	u32 interval;
	struct delayed_work work;
	bool begun;
	time64_t last;
	u64 counted[SYS_LOADS];
	u64 loads[SYS_LOADS][KMQTT_LOAD_WINDOWS];
	u64 values[SYS_VALUES];
	u64 told[ARRAY_SIZE(topics)][KMQTT_LOAD_WINDOWS];
};

/* Nobody could be told, and nobody can come. */
static bool is_idle(const struct kmqtt_broker *broker)
{
	const struct kmqtt_registry *registry = broker->registry;

	/*
	 * Read without the mutex: a listener that comes just now starts the
	 * work again when it is listed.
	 */
	return list_empty(&registry->listeners) &&
	       !READ_ONCE(registry->nr_conns) && !atomic_read(&broker->store.nr);
}

static u64 sum_of_qos(const u64 counters[KMQTT_QOS_INVALID])
{
	return counters[KMQTT_QOS0] + counters[KMQTT_QOS1] +
	       counters[KMQTT_QOS2];
}

static void read_counters(const struct kmqtt_stats *sum, u64 *values)
{
	values[SYS_PACKETS_IN] = sum->packets_in;
	values[SYS_PACKETS_OUT] = sum->packets_out;
	values[SYS_PUBLISH_DROPPED] = sum->dropped[KMQTT_DROP_QUEUE_FULL] +
				      sum->dropped[KMQTT_DROP_NO_MEMORY];
	values[SYS_PUBLISH_IN] = sum_of_qos(sum->messages_in);
	values[SYS_PUBLISH_OUT] = sum_of_qos(sum->messages_out);
	values[SYS_BYTES_IN] = sum->bytes_in;
	values[SYS_BYTES_OUT] = sum->bytes_out;
	values[SYS_SOCKETS] = sum->connects;
	values[SYS_CONNECTS] = sum->connects_in;
	values[SYS_PAYLOAD_IN] = sum->payload_in;
	values[SYS_PAYLOAD_OUT] = sum->payload_out;
}

static void read_values(struct kmqtt_sys *sys)
{
	struct kmqtt_broker *broker = sys->broker;
	struct kmqtt_present now;
	u64 *values = sys->values;
	struct kmqtt_stats sum;

	kmqtt_stats_sum(broker->stats, &sum);
	read_counters(&sum, values);
	kmqtt_present_read(broker, &sum, &now);
	values[SYS_CLIENTS] = max(now.sessions, now.clients);
	values[SYS_CLIENTS_MAX] = max(values[SYS_CLIENTS_MAX],
				      values[SYS_CLIENTS]);
	values[SYS_CLIENTS_ONLINE] = now.clients;
	values[SYS_CLIENTS_OFFLINE] = values[SYS_CLIENTS] - now.clients;
	values[SYS_CLIENTS_EXPIRED] = READ_ONCE(broker->store.nr_expired);
	values[SYS_MESSAGES] = now.messages;
	values[SYS_MESSAGE_BYTES] = now.message_bytes;
	values[SYS_SUBSCRIPTIONS] = now.subscriptions -
				    min(now.shared_subscriptions,
					now.subscriptions);
	values[SYS_SHARED] = now.shared_subscriptions;
	values[SYS_RETAINED] = now.retained;
	values[SYS_MEMORY] = now.memory;
	values[SYS_MEMORY_MAX] = max(values[SYS_MEMORY_MAX], now.memory);
	values[SYS_UPTIME] = now.uptime;
	values[SYS_VERSION] = 0;
}

static void update_loads(struct kmqtt_sys *sys)
{
	time64_t now = ktime_get_seconds();
	u32 seconds = min_t(time64_t, now - sys->last, U32_MAX);
	int i, w;

	if (sys->begun && !seconds)
		return;
	for (i = 0; i < SYS_LOADS; i++) {
		u64 events = sys->values[i] - sys->counted[i];

		for (w = 0; sys->begun && w < KMQTT_LOAD_WINDOWS; w++)
			sys->loads[i][w] = kmqtt_load_next(sys->loads[i][w],
							   events, seconds, w);
		sys->counted[i] = sys->values[i];
	}
	sys->last = now;
	sys->begun = true;
}

static int nr_windows(const struct sys_topic *topic)
{
	return topic->kind == SYS_LOAD ? KMQTT_LOAD_WINDOWS : 1;
}

static u64 value_of(const struct kmqtt_sys *sys, const struct sys_topic *topic,
		    int window)
{
	if (topic->kind != SYS_LOAD)
		return sys->values[topic->value];
	return kmqtt_load_hundredths(sys->loads[topic->value][window]);
}

static void write_value(const struct sys_topic *topic, u64 value,
			char text[SYS_VALUE_MAX])
{
	u64 whole = div_u64(value, 100);

	switch (topic->kind) {
	case SYS_NUMBER:
		snprintf(text, SYS_VALUE_MAX, "%llu", value);
		break;
	case SYS_SECONDS:
		snprintf(text, SYS_VALUE_MAX, "%llu seconds", value);
		break;
	case SYS_TEXT:
		snprintf(text, SYS_VALUE_MAX, "kmqtt version " KMQTT_VERSION);
		break;
	case SYS_LOAD:
		snprintf(text, SYS_VALUE_MAX, "%llu.%02llu", whole,
			 value - whole * 100);
		break;
	}
}

static void name_topic(const struct sys_topic *topic, int window,
		       char name[SYS_TOPIC_MAX], struct kmqtt_str *str)
{
	str->data = name;
	str->len = scnprintf(name, SYS_TOPIC_MAX, SYS_PREFIX "%s%s",
			     topic->name,
			     topic->kind == SYS_LOAD ? windows[window] : "");
}

/* Returns false if there is no memory for it. */
static bool publish(struct kmqtt_broker *broker, const struct sys_topic *topic,
		    int window, u64 value, struct kmqtt_batch *batch)
{
	char text[SYS_VALUE_MAX], name[SYS_TOPIC_MAX];
	struct kmqtt_msg *msg;
	struct kmqtt_str str;
	bool good;
	int err;

	write_value(topic, value, text);
	name_topic(topic, window, name, &str);
	msg = kmqtt_msg_create(&broker->memory, &str, NULL, strlen(text),
			       GFP_KERNEL);
	if (!msg)
		return false;
	err = kmqtt_msg_write(msg, text, strlen(text), GFP_KERNEL);
	msg->qos = KMQTT_QOS2;
	msg->retain = true;
	err = err ?: kmqtt_route(broker, NULL, msg, batch, &good);
	kmqtt_msg_put(msg);
	return !err;
}

/* Publish a value if it has changed. */
static void tell(struct kmqtt_sys *sys, int i, int window,
		 struct kmqtt_batch *batch)
{
	u64 value = value_of(sys, &topics[i], window);
	u64 *told = &sys->told[i][window];

	if (value == *told)
		return;
	*told = value;
	if (publish(sys->broker, &topics[i], window, value, batch))
		return;
	*told = UNKNOWN;
	kmqtt_event_dropped(sys->broker, NULL, KMQTT_DROP_NO_MEMORY);
}

static void update(struct kmqtt_sys *sys)
{
	struct kmqtt_pass *pass;
	int i, w;

	read_values(sys);
	update_loads(sys);
	pass = kmqtt_pass_take();
	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		for (w = 0; w < nr_windows(&topics[i]); w++)
			tell(sys, i, w, &pass->batch);
		cond_resched();
	}
	kmqtt_conn_flush_batch(pass);
	kmqtt_pass_give(pass);
}

static void forget_told(struct kmqtt_sys *sys)
{
	memset64(&sys->told[0][0], UNKNOWN, sizeof(sys->told) / sizeof(u64));
}

static void clear(struct kmqtt_sys *sys)
{
	char name[SYS_TOPIC_MAX];
	struct kmqtt_str str;
	int i, w;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		for (w = 0; w < nr_windows(&topics[i]); w++) {
			name_topic(&topics[i], w, name, &str);
			kmqtt_retained_clear(&sys->broker->retained, str.data,
					     str.len);
		}
	}
	forget_told(sys);
	/* Loads begin anew: nobody knows what was meanwhile. */
	memset(sys->loads, 0, sizeof(sys->loads));
	sys->begun = false;
}

static void sys_work(struct work_struct *work)
{
	struct kmqtt_sys *sys = container_of(to_delayed_work(work),
					     struct kmqtt_sys, work);
	u32 interval = READ_ONCE(sys->interval);

	if (!interval && sys->begun)
		clear(sys);
	if (!interval || (is_idle(sys->broker) && !sys->begun))
		return;
	update(sys);
	if (!is_idle(sys->broker))
		queue_delayed_work(kmqtt_wq.ctl, &sys->work,
				   (unsigned long)interval * HZ);
}

/**
 * kmqtt_sys_create() - prepare to tell about a broker
 * @broker: the broker
 *
 * Context: process, may sleep.
 * Return: what kmqtt_sys_destroy() frees, or NULL.
 */
struct kmqtt_sys *kmqtt_sys_create(struct kmqtt_broker *broker)
{
	struct kmqtt_sys *sys = kzalloc(sizeof(*sys), GFP_KERNEL);

	if (!sys)
		return NULL;
	sys->broker = broker;
	sys->interval = kmqtt_sys_default_interval();
	INIT_DELAYED_WORK(&sys->work, sys_work);
	forget_told(sys);
	return sys;
}

/**
 * kmqtt_sys_destroy() - tell nothing more
 * @sys: the broker's; its messages stay
 *
 * Context: process, may sleep; not on any of the module's workqueues.
 */
void kmqtt_sys_destroy(struct kmqtt_sys *sys)
{
	disable_delayed_work_sync(&sys->work);
	kfree(sys);
}

/**
 * kmqtt_sys_start() - the broker has got a listener
 * @sys: the broker's
 *
 * Context: any but hard interrupts.
 */
void kmqtt_sys_start(struct kmqtt_sys *sys)
{
	mod_delayed_work(kmqtt_wq.ctl, &sys->work, 0);
}

/**
 * kmqtt_sys_default_interval() - how often is it told if nobody says?
 *
 * Context: any.
 * Return: seconds, 0 for never.
 */
u32 kmqtt_sys_default_interval(void)
{
	return READ_ONCE(sys_interval);
}

/**
 * kmqtt_sys_interval() - how often is it told?
 * @sys: the broker's
 *
 * Context: any.
 * Return: seconds, 0 for never.
 */
u32 kmqtt_sys_interval(const struct kmqtt_sys *sys)
{
	return READ_ONCE(sys->interval);
}

/**
 * kmqtt_sys_set_interval() - tell more often, less often or nothing more
 * @sys: the broker's
 * @seconds: between updates, 0 for none, and what was told is gone
 *
 * Context: process, may sleep, until there was an update.
 */
void kmqtt_sys_set_interval(struct kmqtt_sys *sys, u32 seconds)
{
	WRITE_ONCE(sys->interval, seconds);
	mod_delayed_work(kmqtt_wq.ctl, &sys->work, 0);
	flush_delayed_work(&sys->work);
}
