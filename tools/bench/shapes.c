// SPDX-License-Identifier: GPL-2.0
/*
 * The patterns that are a flow of messages: who gets what.
 */
#include <stdio.h>

#include "flow.h"
#include "pattern.h"

static void numbered_topic(const struct bench *b, uint32_t n,
			   char text[MQTT_TOPIC_MAX])
{
	snprintf(text, MQTT_TOPIC_MAX, "%s/%07u", b->prefix, n);
}

static void own_filter(struct client *c, uint32_t n, char text[MQTT_TOPIC_MAX])
{
	(void)n;
	numbered_topic(c->worker->bench, c->index, text);
}

static void common_filter(struct client *c, uint32_t n,
			  char text[MQTT_TOPIC_MAX])
{
	numbered_topic(c->worker->bench, n, text);
}

static void pair_run(struct bench *b)
{
	const struct shape shape = {
		.publishers = b->options->number,
		.subscribers = b->options->number,
		.copies = 1,
		.stride = 1,
		.pairs = true,
		.topic = numbered_topic,
		.filters = 1,
		.filter = own_filter,
	};

	flow_run(b, &shape);
}

static void fanout_run(struct bench *b)
{
	const struct shape shape = {
		.publishers = 1,
		.subscribers = b->options->number,
		.copies = b->options->number,
		.stride = 1,
		.topics = 1,
		.topic = numbered_topic,
		.filters = 1,
		.filter = common_filter,
	};

	flow_run(b, &shape);
}

static void fanin_run(struct bench *b)
{
	const struct shape shape = {
		.publishers = b->options->number,
		.subscribers = 1,
		.copies = 1,
		.stride = 1,
		.topics = 1,
		.topic = numbered_topic,
		.filters = 1,
		.filter = common_filter,
	};

	flow_run(b, &shape);
}

static void shared_filter(struct client *c, uint32_t n,
			  char text[MQTT_TOPIC_MAX])
{
	const struct bench *b = c->worker->bench;

	snprintf(text, MQTT_TOPIC_MAX, "$share/%s/%s/%07u", b->run, b->prefix,
		 n);
}

static void shared_run(struct bench *b)
{
	const struct shape shape = {
		.publishers = b->options->publishers,
		.subscribers = b->options->number,
		.copies = 1,
		.stride = 0,
		.topics = 1,
		.topic = numbered_topic,
		.filters = 1,
		.filter = shared_filter,
	};

	flow_run(b, &shape);
}

/*
 * Topics of topics: PREFIX/LEVEL.../LEVEL. One level names the subscriber, the
 * others are digits of the topic's number, of which the last level takes all
 * that is left. Subscribers are named by the first level for FILTER_HASH, by
 * the last one for FILTER_PLUS.
 */
#define LEVEL_TOPICS	16

static void digits(char *text, size_t size, uint32_t n, uint32_t levels)
{
	size_t at = 0;

	for (; levels > 1; levels--, n /= LEVEL_TOPICS)
		at += snprintf(text + at, size - at, "/%02u",
			       n % LEVEL_TOPICS);
	snprintf(text + at, size - at, "/%07u", n);
}

static void tree_topic(const struct bench *b, uint32_t n,
		       char text[MQTT_TOPIC_MAX])
{
	const struct options *o = b->options;
	uint32_t owner = n % o->number;
	char levels[128];

	digits(levels, sizeof(levels), n / o->number, o->depth - 1);
	if (o->filter == FILTER_PLUS)
		snprintf(text, MQTT_TOPIC_MAX, "%s%s/s%07u", b->prefix, levels,
			 owner);
	else
		snprintf(text, MQTT_TOPIC_MAX, "%s/s%07u%s", b->prefix, owner,
			 levels);
}

static void tree_filter(struct client *c, uint32_t n,
			char text[MQTT_TOPIC_MAX])
{
	static const char pluses[] = "/+/+/+/+/+/+/+/+";
	const struct bench *b = c->worker->bench;
	const struct options *o = b->options;

	if (o->filter == FILTER_EXACT)
		tree_topic(b, n * o->number + c->index, text);
	else if (o->filter == FILTER_HASH)
		snprintf(text, MQTT_TOPIC_MAX, "%s/s%07u/#", b->prefix,
			 c->index);
	else
		snprintf(text, MQTT_TOPIC_MAX, "%s%.*s/s%07u", b->prefix,
			 2 * (int)(o->depth - 1), pluses, c->index);
}

static void topics_run(struct bench *b)
{
	const struct options *o = b->options;
	/* Each subscriber gets as many topics as the others do. */
	uint32_t each = (o->topics + o->number - 1) / o->number;
	const struct shape shape = {
		.publishers = o->publishers,
		.subscribers = o->number,
		.copies = 1,
		.stride = o->number,
		.topics = each * o->number,
		.topic = tree_topic,
		.filters = o->filter == FILTER_EXACT ? each : 1,
		.filter = tree_filter,
	};

	flow_run(b, &shape);
}

const struct pattern pair_pattern = {
	.name = "pair",
	.help = "N publishers, each with a subscriber of its own",
	.run = pair_run,
};

const struct pattern fanout_pattern = {
	.name = "fanout",
	.help = "one publisher, N subscribers",
	.run = fanout_run,
};

const struct pattern fanin_pattern = {
	.name = "fanin",
	.help = "N publishers, one subscriber",
	.run = fanin_run,
};

const struct pattern shared_pattern = {
	.name = "shared",
	.help = "M publishers, a shared subscription of N",
	.run = shared_run,
};

const struct pattern topics_pattern = {
	.name = "topics",
	.help = "M publishers, many topics, N subscribers with wildcards",
	.run = topics_run,
};
