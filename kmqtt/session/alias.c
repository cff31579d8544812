// SPDX-License-Identifier: GPL-2.0
/*
 * Topic aliases, in both directions. They live and die with the connection
 * [MQTT-3.3.2-7]; neither table exists before its first alias does.
 *
 * For what the broker sends, a topic has one alias that it may get, by its
 * hash, and gets it when it comes by for the second time in a row: topics that
 * are published to again and again become short, and topics that come once
 * cost nothing.
 */
#include "alias.h"

#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/slab.h>

/**
 * kmqtt_aliases_init() - no alias stands for anything yet
 * @aliases: the aliases
 * @in_max: aliases that the client may use, 0 for none
 * @out_max: aliases that the client takes, 0 for none
 *
 * Context: any.
 */
void kmqtt_aliases_init(struct kmqtt_aliases *aliases, u16 in_max, u16 out_max)
{
	*aliases = (struct kmqtt_aliases) {
		.in_max = in_max,
		.out_max = min(out_max, KMQTT_ALIASES_OUT_MAX),
	};
}

static void *table_create(struct kmqtt_memory *memory, size_t size, gfp_t gfp)
{
	void *table;

	if (!kmqtt_memory_charge(memory, size))
		return NULL;
	table = kvzalloc(size, gfp | __GFP_NOWARN);
	if (!table)
		kmqtt_memory_uncharge(memory, size);
	return table;
}

static void table_free(struct kmqtt_memory *memory, void *table, size_t size)
{
	if (!table)
		return;
	kmqtt_memory_uncharge(memory, size);
	kvfree(table);
}

static struct kmqtt_alias_topic *topic_create(struct kmqtt_memory *memory,
					      const u8 *name, u16 len,
					      gfp_t gfp)
{
	struct kmqtt_alias_topic *topic;
	size_t size = struct_size(topic, name, len);

	if (!kmqtt_memory_charge(memory, size))
		return NULL;
	topic = kmalloc(size, gfp | __GFP_NOWARN);
	if (!topic) {
		kmqtt_memory_uncharge(memory, size);
		return NULL;
	}
	topic->len = len;
	memcpy(topic->name, name, len);
	return topic;
}

static void topic_free(struct kmqtt_memory *memory,
		       struct kmqtt_alias_topic *topic)
{
	if (!topic)
		return;
	kmqtt_memory_uncharge(memory, struct_size(topic, name, topic->len));
	kfree(topic);
}

/**
 * kmqtt_aliases_uninit() - forget all aliases
 * @aliases: the aliases of a connection that has ended
 * @memory: account that they were charged to
 *
 * Context: any but hard interrupts.
 */
void kmqtt_aliases_uninit(struct kmqtt_aliases *aliases,
			  struct kmqtt_memory *memory)
{
	int i;

	for (i = 0; aliases->in && i < aliases->in_max; i++)
		topic_free(memory, aliases->in[i]);
	for (i = 0; aliases->out && i < aliases->out_max; i++)
		topic_free(memory, aliases->out[i].topic);
	table_free(memory, aliases->in,
		   aliases->in_max * sizeof(*aliases->in));
	table_free(memory, aliases->out,
		   aliases->out_max * sizeof(*aliases->out));
	aliases->in = NULL;
	aliases->out = NULL;
}

/**
 * kmqtt_alias_set() - the client has said what an alias stands for
 * @aliases: the aliases
 * @memory: account to charge
 * @alias: the alias
 * @topic: the topic
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Context: the connection's receive side.
 * Return: 0, -ENOMEM with nothing changed, -ERANGE if there is no such alias
 * ([MQTT-3.3.2-8], [MQTT-3.3.2-9]).
 */
int kmqtt_alias_set(struct kmqtt_aliases *aliases, struct kmqtt_memory *memory,
		    u16 alias, const struct kmqtt_str *topic, gfp_t gfp)
{
	size_t size = aliases->in_max * sizeof(*aliases->in);
	struct kmqtt_alias_topic *new;

	if (!alias || alias > aliases->in_max)
		return -ERANGE;
	if (!aliases->in)
		aliases->in = table_create(memory, size, gfp);
	if (!aliases->in)
		return -ENOMEM;
	new = topic_create(memory, topic->data, topic->len, gfp);
	if (!new)
		return -ENOMEM;
	topic_free(memory, aliases->in[alias - 1]);
	aliases->in[alias - 1] = new;
	return 0;
}

/**
 * kmqtt_alias_get() - what does an alias stand for?
 * @aliases: the aliases
 * @alias: the alias
 * @topic: the topic, until the alias is set anew
 *
 * Context: the connection's receive side.
 * Return: 0, -ERANGE if there is no such alias, -ENOENT if it stands for
 * nothing.
 */
int kmqtt_alias_get(const struct kmqtt_aliases *aliases, u16 alias,
		    struct kmqtt_str *topic)
{
	const struct kmqtt_alias_topic *known;

	if (!alias || alias > aliases->in_max)
		return -ERANGE;
	known = aliases->in ? aliases->in[alias - 1] : NULL;
	if (!known)
		return -ENOENT;
	topic->data = known->name;
	topic->len = known->len;
	return 0;
}

/* The one slot that a topic may have. */
static struct kmqtt_alias_slot *slot_of(struct kmqtt_aliases *aliases,
					const struct kmqtt_msg *msg, u32 *hash)
{
	*hash = jhash(kmqtt_msg_topic(msg), msg->topic_len, 0);
	return &aliases->out[*hash % aliases->out_max];
}

static bool stands_for(const struct kmqtt_alias_slot *slot,
		       const struct kmqtt_msg *msg)
{
	return slot->topic && slot->topic->len == msg->topic_len &&
	       !memcmp(slot->topic->name, kmqtt_msg_topic(msg), msg->topic_len);
}

/**
 * kmqtt_alias_use() - use an alias for a packet if that is worth it
 * @aliases: the aliases, of which the client takes some
 * @memory: account to charge
 * @delivery: the packet; gets an alias or none
 *
 * Without memory there is none.
 *
 * Context: the connection's transmit side.
 */
void kmqtt_alias_use(struct kmqtt_aliases *aliases, struct kmqtt_memory *memory,
		     struct kmqtt_delivery *delivery)
{
	size_t size = aliases->out_max * sizeof(*aliases->out);
	const struct kmqtt_msg *msg = delivery->msg;
	struct kmqtt_alias_topic *topic;
	struct kmqtt_alias_slot *slot;
	u32 hash;

	/* An alias takes three bytes; a topic has to be longer to gain. */
	if (!msg || msg->topic_len <= 3)
		return;
	if (!aliases->out)
		aliases->out = table_create(memory, size, GFP_ATOMIC);
	if (!aliases->out)
		return;
	slot = slot_of(aliases, msg, &hash);
	if (stands_for(slot, msg)) {
		delivery->alias = slot - aliases->out + 1;
		delivery->alias_known = true;
		return;
	}
	if (slot->candidate != hash) {
		slot->candidate = hash;
		return;
	}
	topic = topic_create(memory, kmqtt_msg_topic(msg), msg->topic_len,
			     GFP_ATOMIC);
	if (!topic)
		return;
	topic_free(memory, slot->topic);
	slot->topic = topic;
	delivery->alias = slot - aliases->out + 1;
}

/**
 * kmqtt_alias_unsent() - a packet didn't leave after all
 * @aliases: the aliases
 * @memory: account that they were charged to
 * @delivery: the packet that kmqtt_alias_choose() saw
 *
 * If it was to tell the client of an alias, the client doesn't know it.
 *
 * Context: the connection's transmit side.
 */
void kmqtt_alias_unsent(struct kmqtt_aliases *aliases,
			struct kmqtt_memory *memory,
			const struct kmqtt_delivery *delivery)
{
	struct kmqtt_alias_slot *slot;

	if (!delivery->alias || delivery->alias_known)
		return;
	slot = &aliases->out[delivery->alias - 1];
	topic_free(memory, slot->topic);
	slot->topic = NULL;
}
