/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_ALIAS_H
#define _KMQTT_SESSION_ALIAS_H

#include "delivery.h"

/* Topic aliases that a client is given at most, however many it takes. */
#define KMQTT_ALIASES_OUT_MAX	64

/**
 * struct kmqtt_alias_topic - what a topic alias stands for
 * @len: bytes of @name
 * @name: the topic name
 */
struct kmqtt_alias_topic {
	u16 len;
	u8 name[];
};

/**
 * struct kmqtt_alias_slot - a topic alias that the broker may use
 * @topic: what the client knows it stands for, or NULL
 * @candidate: hash of the topic that came by last without having the alias
 */
struct kmqtt_alias_slot {
	struct kmqtt_alias_topic *topic;
	u32 candidate;
};

/**
 * struct kmqtt_aliases - the topic aliases of a connection (MQTT 5, 3.3.2.3.4)
 * @in_max: aliases that the client may use, 0 for none
 * @out_max: aliases that the broker may use, 0 for none
 * @in: topic by alias less one, or NULL; the receive side's
 * @out: slot by alias less one, or NULL; the transmit side's
 *
 * All of it is charged to the account that each call is told of.
 */
struct kmqtt_aliases {
	u16 in_max;
	u16 out_max;
	struct kmqtt_alias_topic **in;
	struct kmqtt_alias_slot *out;
};

void kmqtt_aliases_init(struct kmqtt_aliases *aliases, u16 in_max, u16 out_max);
void kmqtt_aliases_uninit(struct kmqtt_aliases *aliases,
			  struct kmqtt_memory *memory);
int kmqtt_alias_set(struct kmqtt_aliases *aliases, struct kmqtt_memory *memory,
		    u16 alias, const struct kmqtt_str *topic, gfp_t gfp);
int kmqtt_alias_get(const struct kmqtt_aliases *aliases, u16 alias,
		    struct kmqtt_str *topic);
void kmqtt_alias_use(struct kmqtt_aliases *aliases, struct kmqtt_memory *memory,
		     struct kmqtt_delivery *delivery);
void kmqtt_alias_unsent(struct kmqtt_aliases *aliases,
			struct kmqtt_memory *memory,
			const struct kmqtt_delivery *delivery);

/**
 * kmqtt_alias_choose() - use an alias for a packet if there may be one
 * @aliases: the aliases
 * @memory: account to charge
 * @delivery: the packet; gets an alias or none
 *
 * Context: the connection's transmit side.
 */
static inline void kmqtt_alias_choose(struct kmqtt_aliases *aliases,
				      struct kmqtt_memory *memory,
				      struct kmqtt_delivery *delivery)
{
	if (aliases->out_max)
		kmqtt_alias_use(aliases, memory, delivery);
}

#endif /* _KMQTT_SESSION_ALIAS_H */
