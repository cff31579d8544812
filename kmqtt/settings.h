/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SETTINGS_H
#define _KMQTT_SETTINGS_H

#include "broker.h"

/**
 * struct kmqtt_settings - all that an operator can set of a broker
 * @limits: those of the broker
 * @outbox: of each session's queue
 * @max_connections: at a time
 * @max_per_source: connections at a time from one address
 * @max_sessions: with and without a connection
 * @check_retain_source: deliver retained messages only while their publishers
 *	may still publish them
 * @max_memory: bytes
 * @max_bans: at a time
 * @flapping_max: see struct kmqtt_flapping; kmqtt_flapping_prepare() comes first
 * @flapping_window: likewise
 * @flapping_ban: likewise
 * @sys_interval: seconds, see kmqtt_sys_set_interval(), which is who sets it
 * @texts: see struct kmqtt_broker
 */
struct kmqtt_settings {
	struct kmqtt_limits limits;
	struct kmqtt_outbox_limits outbox;
	u32 max_connections;
	u32 max_per_source;
	u32 max_sessions;
	bool check_retain_source;
	u64 max_memory;
	u32 max_bans;
	u32 flapping_max;
	u32 flapping_window;
	u32 flapping_ban;
	u32 sys_interval;
	struct kmqtt_text *texts[KMQTT_TEXTS];
};

void kmqtt_settings_default(struct kmqtt_settings *settings);
void kmqtt_settings_get(struct kmqtt_broker *broker,
			struct kmqtt_settings *settings);
void kmqtt_settings_apply(struct kmqtt_broker *broker,
			  const struct kmqtt_settings *settings);
struct kmqtt_text *kmqtt_text_create(const struct kmqtt_str *str);
void kmqtt_text_set(struct kmqtt_text __rcu **setting, struct kmqtt_text *text);

#endif /* _KMQTT_SETTINGS_H */
