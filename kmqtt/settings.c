// SPDX-License-Identifier: GPL-2.0
/*
 * What an operator can set: what it is at first, and how it gets to where it
 * is looked at.
 */
#include "settings.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include "control/sys.h"
#include "net/registry.h"

/* A quarter of the machine: enough to work with, not enough to take it down. */
static u64 default_memory(void)
{
	return (u64)totalram_pages() * PAGE_SIZE / 4;
}

/**
 * kmqtt_settings_default() - what is set when nobody has set anything
 * @settings: the settings
 *
 * What Mosquitto has where it has a limit, and otherwise what keeps one
 * careless client from harming the others.
 *
 * Context: any.
 */
void kmqtt_settings_default(struct kmqtt_settings *settings)
{
	*settings = (struct kmqtt_settings) {
		.limits = {
			.connect_timeout = 10,
			.max_connect_size = 16 << 10,
			.max_packet_size = KMQTT_PACKET_MAX,
			.max_payload_size = KMQTT_REMAINING_MAX,
			.max_subscriptions = 10000,
			.max_retained = 1000000,
			.max_session_expiry = KMQTT_EXPIRY_NEVER,
			.receive_max = 100,
			.topic_alias_max = 10,
			.max_qos = KMQTT_QOS2,
			.redirect = KMQTT_REDIRECT_OFF,
			.retain_available = true,
			.wildcard_available = true,
			.shared_available = true,
			.sub_ids_available = true,
			.bh_path = true,
		},
		.outbox = {
			.max_inflight = 100,
			.max_queued = 10000,
			.max_bytes = 64 << 20,
			.max_inflight_bytes = S64_MAX,
		},
		.max_connections = 20000,
		.max_per_source = 10000,
		.max_sessions = 100000,
		.check_retain_source = true,
		.max_memory = default_memory(),
		.max_bans = 4096,
		.flapping_window = 60,
		.flapping_ban = 300,
		.sys_interval = kmqtt_sys_default_interval(),
	};
}

/**
 * kmqtt_settings_get() - what is set now
 * @broker: the broker
 * @settings: the settings, without texts
 *
 * Context: process; the settings mutex held.
 */
void kmqtt_settings_get(struct kmqtt_broker *broker,
			struct kmqtt_settings *settings)
{
	lockdep_assert_held(&broker->settings_mutex);
	*settings = (struct kmqtt_settings) {
		.limits = broker->limits,
		.outbox = broker->store.outbox_limits,
		.max_connections = broker->registry->max_conns,
		.max_per_source = broker->registry->max_per_source,
		.max_sessions = broker->store.max,
		.check_retain_source = broker->store.check_retain_source,
		.max_memory = broker->memory.limit,
		.max_bans = broker->access.bans.max,
		.flapping_max = broker->access.flapping.max,
		.flapping_window = broker->access.flapping.window,
		.flapping_ban = broker->access.flapping.ban,
		.sys_interval = kmqtt_sys_interval(broker->sys),
	};
}

static void apply_limits(struct kmqtt_limits *to, const struct kmqtt_limits *from)
{
	WRITE_ONCE(to->connect_timeout, from->connect_timeout);
	WRITE_ONCE(to->max_connect_size, from->max_connect_size);
	WRITE_ONCE(to->max_packet_size, from->max_packet_size);
	WRITE_ONCE(to->max_payload_size, from->max_payload_size);
	WRITE_ONCE(to->max_subscriptions, from->max_subscriptions);
	WRITE_ONCE(to->max_retained, from->max_retained);
	WRITE_ONCE(to->max_session_expiry, from->max_session_expiry);
	WRITE_ONCE(to->receive_max, from->receive_max);
	WRITE_ONCE(to->topic_alias_max, from->topic_alias_max);
	WRITE_ONCE(to->max_keepalive, from->max_keepalive);
	WRITE_ONCE(to->max_qos, from->max_qos);
	WRITE_ONCE(to->redirect, from->redirect);
	WRITE_ONCE(to->retain_available, from->retain_available);
	WRITE_ONCE(to->wildcard_available, from->wildcard_available);
	WRITE_ONCE(to->shared_available, from->shared_available);
	WRITE_ONCE(to->sub_ids_available, from->sub_ids_available);
	WRITE_ONCE(to->validate_payload, from->validate_payload);
	WRITE_ONCE(to->bh_path, from->bh_path);
}

static void apply_outbox(struct kmqtt_outbox_limits *to,
			 const struct kmqtt_outbox_limits *from)
{
	WRITE_ONCE(to->max_inflight, from->max_inflight);
	WRITE_ONCE(to->max_queued, from->max_queued);
	WRITE_ONCE(to->max_bytes, from->max_bytes);
	WRITE_ONCE(to->max_inflight_bytes, from->max_inflight_bytes);
	WRITE_ONCE(to->queue_qos0, from->queue_qos0);
	WRITE_ONCE(to->upgrade_qos, from->upgrade_qos);
}

static void apply_bans(struct kmqtt_access *access,
		       const struct kmqtt_settings *from)
{
	WRITE_ONCE(access->bans.max, from->max_bans);
	WRITE_ONCE(access->flapping.window, from->flapping_window);
	WRITE_ONCE(access->flapping.ban, from->flapping_ban);
	WRITE_ONCE(access->flapping.max, from->flapping_max);
}

/**
 * kmqtt_settings_apply() - have these settings from now on
 * @broker: the broker
 * @settings: the settings; its texts are left alone
 *
 * Context: process; the settings mutex held.
 */
void kmqtt_settings_apply(struct kmqtt_broker *broker,
			  const struct kmqtt_settings *settings)
{
	lockdep_assert_held(&broker->settings_mutex);
	apply_limits(&broker->limits, &settings->limits);
	apply_outbox(&broker->store.outbox_limits, &settings->outbox);
	WRITE_ONCE(broker->registry->max_conns, settings->max_connections);
	WRITE_ONCE(broker->registry->max_per_source, settings->max_per_source);
	WRITE_ONCE(broker->store.max, settings->max_sessions);
	WRITE_ONCE(broker->store.check_retain_source,
		   settings->check_retain_source);
	WRITE_ONCE(broker->memory.limit, settings->max_memory);
	apply_bans(&broker->access, settings);
}

/**
 * kmqtt_text_create() - make a text
 * @str: what is in it
 *
 * Context: process, may sleep.
 * Return: the text for kmqtt_text_set() or kfree(), or NULL.
 */
struct kmqtt_text *kmqtt_text_create(const struct kmqtt_str *str)
{
	struct kmqtt_text *text;

	text = kmalloc(struct_size(text, data, str->len), GFP_KERNEL);
	if (!text)
		return NULL;
	text->len = str->len;
	memcpy(text->data, str->data, str->len);
	return text;
}

/**
 * kmqtt_text_set() - have another text from now on
 * @setting: the setting
 * @text: the text, which is the setting's from now on; NULL for none
 *
 * Context: any.
 */
void kmqtt_text_set(struct kmqtt_text __rcu **setting, struct kmqtt_text *text)
{
	text = unrcu_pointer(xchg(setting, RCU_INITIALIZER(text)));
	if (text)
		kfree_rcu(text, rcu);
}
