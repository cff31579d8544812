// SPDX-License-Identifier: GPL-2.0
/*
 * Messages as they come by, for who looks on.
 */
#include "tap.h"

#include "../topic/name.h"

/**
 * kmqtt_tap_show() - show messages to those who want to see them
 * @broker: where
 * @from: session of who published them, or NULL
 * @msgs: messages of one topic
 * @nr: how many
 *
 * Context: under RCU, in softirq or process context.
 * Return: how often one was shown.
 */
u32 kmqtt_tap_show(const struct kmqtt_broker *broker,
		   const struct kmqtt_session *from, struct kmqtt_msg **msgs,
		   u32 nr)
{
	const u8 *topic = kmqtt_msg_topic(msgs[0]);
	struct kmqtt_tap *tap;
	u32 shown = 0, i;

	hlist_for_each_entry_rcu(tap, &broker->taps, list) {
		if (!kmqtt_topic_matches(tap->filter, tap->filter_len, topic,
					 msgs[0]->topic_len))
			continue;
		for (i = 0; i < nr; i++)
			tap->message(tap, msgs[i], from);
		shown += nr;
	}
	return shown;
}
