// SPDX-License-Identifier: GPL-2.0
/*
 * The broker in the kernel: which listeners it has that name an agent, and how
 * it gets their connections.
 */
#include "broker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

#include "log.h"

/* How often to read a list again that changed while it was read. */
#define LIST_TRIES	5

/* Reads in a row of what the broker tells. */
#define EVENT_READS	256

#define STATE_MAX	16

#define UNLOADED	"the module was unloaded"

/* Of the module, gone with it. */
static const char state_path[] = "/sys/module/kmqtt/initstate";

static const char *error_text(const struct nl *nl)
{
	return nl->error.text[0] ? nl->error.text : strerror(nl->error.err);
}

/**
 * broker_connect() - begin to follow what the broker does
 * @broker: not connected
 *
 * Return: false if there is none.
 */
bool broker_connect(struct broker *broker)
{
	if (nl_join(&broker->events, NL_EVENTS) != EXIT_DONE) {
		log_say(LOG_ERR, "no broker: %s", error_text(&broker->events));
		nl_close(&broker->events);
		return false;
	}
	broker->generation++;
	broker->there = true;
	return true;
}

/**
 * broker_may_connect() - is the module there, and to stay?
 *
 * Who asks for the family while it is not makes the kernel load the module
 * again. That is welcome when the agent starts, and not when somebody has just
 * removed it.
 */
bool broker_may_connect(void)
{
	FILE *file = fopen(state_path, "re");
	char state[STATE_MAX] = "";
	bool known;

	if (!file)
		return false;
	known = fgets(state, sizeof(state), file);
	fclose(file);
	return known && strcmp(state, "going\n");
}

/**
 * broker_disconnect() - follow it no longer
 * @broker: connected or not
 */
void broker_disconnect(struct broker *broker)
{
	broker->there = false;
	nl_close(&broker->events);
	nl_close(&broker->requests);
}

/**
 * broker_fd() - the socket that is readable when there is news
 * @broker: connected
 */
int broker_fd(const struct broker *broker)
{
	return mnl_socket_get_fd(broker->events.sock);
}

static enum broker_news say_gone(const char *why)
{
	log_say(LOG_NOTICE, "the broker is gone: %s", why);
	return BROKER_GONE;
}

static void read_event(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	bool *changed = arg;

	if (genl->cmd == KMQTT_CMD_CONFIG_NTF)
		*changed = true;
}

/**
 * broker_read() - read news
 * @broker: connected, and there is something to read
 */
enum broker_news broker_read(struct broker *broker)
{
	bool changed = false, unsure = false, lost;
	int budget = EVENT_READS;

	do {
		if (nl_next_events(&broker->events, &lost, read_event,
				   &changed) != EXIT_DONE)
			return say_gone(error_text(&broker->events));
		unsure |= lost;
	} while (--budget && nl_wait(&broker->events, 0));
	if (changed)
		return BROKER_CHANGED;
	return unsure ? BROKER_UNSURE : BROKER_SAME;
}

static void read_attr(const struct nlattr *attr, struct listener_entry *entry,
		      char agent[KMQTT_AGENT_MAX + 1])
{
	size_t len = mnl_attr_get_payload_len(attr);
	const void *data = mnl_attr_get_payload(attr);

	switch (mnl_attr_get_type(attr)) {
	case KMQTT_A_LISTENER_ID:
		if (len == sizeof(uint32_t))
			entry->id = mnl_attr_get_u32(attr);
		break;
	case KMQTT_A_LISTENER_PORT:
		/* It is at the same place in all of them. */
		if (len == sizeof(uint16_t))
			entry->addr.in4.sin_port =
				htons(mnl_attr_get_u16(attr));
		break;
	case KMQTT_A_LISTENER_ADDR4:
		if (len == sizeof(struct in_addr)) {
			entry->addr.sa.sa_family = AF_INET;
			memcpy(&entry->addr.in4.sin_addr, data, len);
		}
		break;
	case KMQTT_A_LISTENER_ADDR6:
		if (len == sizeof(struct in6_addr)) {
			entry->addr.sa.sa_family = AF_INET6;
			memcpy(&entry->addr.in6.sin6_addr, data, len);
		}
		break;
	case KMQTT_A_LISTENER_IFINDEX:
		if (len == sizeof(uint32_t))
			entry->addr.in6.sin6_scope_id = mnl_attr_get_u32(attr);
		break;
	case KMQTT_A_LISTENER_AGENT:
		if (len <= KMQTT_AGENT_MAX) {
			memcpy(agent, data, len);
			agent[len] = '\0';
			entry->agent = agent;
		}
		break;
	}
}

static void read_listener(const struct nlmsghdr *nlh, void *arg)
{
	struct listener_entry entry = {
		.addr.in6.sin6_family = AF_UNSPEC,
	};
	char agent[KMQTT_AGENT_MAX + 1];
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		read_attr(attr, &entry, agent);
	if (entry.agent)
		listeners_note(arg, &entry);
}

/**
 * broker_list() - ask which listeners there should be
 * @broker: connected
 * @listeners: where to note them
 *
 * Return: BROKER_SAME if all are noted, BROKER_UNSURE if there was no answer
 * that can be relied on, or BROKER_GONE.
 */
enum broker_news broker_list(struct broker *broker, struct listeners *listeners)
{
	static struct log_limit limit;
	struct nl *nl = &broker->requests;
	int tries = LIST_TRIES;
	enum exit_code ret;

	if (!nl->sock && !broker_may_connect())
		return say_gone(UNLOADED);
	do {
		listeners_begin(listeners);
		nl_begin(nl, KMQTT_CMD_LISTENER_GET);
		ret = nl_dump(nl, read_listener, listeners);
	} while (ret == EXIT_PARTIAL && --tries);
	if (ret == EXIT_DONE)
		return BROKER_SAME;
	/* It is the family that isn't there, told of by an event that got lost. */
	if (ret != EXIT_PARTIAL && nl->error.err == ENOENT)
		return say_gone(UNLOADED);
	log_say_some(&limit, LOG_ERR, "can't read the list of listeners: %s",
		     ret == EXIT_PARTIAL ? "it changes all the time" :
					   error_text(nl));
	nl_close(nl);
	return BROKER_UNSURE;
}

/* Of a thread that hands over connections. */
struct adopting {
	struct broker *broker;
	unsigned int generation;
	struct nl nl;
};

static void *open_adopting(void *arg)
{
	struct adopting *adopting = calloc(1, sizeof(*adopting));

	/* There is no way to go on without it. */
	if (!adopting)
		abort();
	adopting->broker = arg;
	return adopting;
}

static void close_adopting(void *state)
{
	struct adopting *adopting = state;

	nl_close(&adopting->nl);
	free(adopting);
}

static void put_text(struct nl *nl, uint16_t attr, const char *text)
{
	if (*text)
		nl_put(nl, attr, text, strlen(text));
}

static void put_peer(struct nl *nl, const union peer *peer)
{
	if (peer->sa.sa_family == AF_INET) {
		nl_put(nl, KMQTT_A_ADOPT_ADDR4, &peer->in4.sin_addr,
		       sizeof(peer->in4.sin_addr));
	} else {
		nl_put(nl, KMQTT_A_ADOPT_ADDR6, &peer->in6.sin6_addr,
		       sizeof(peer->in6.sin6_addr));
	}
	nl_put_uint(nl, KMQTT_A_ADOPT_PORT, ntohs(peer->in4.sin_port), 2);
}

static void put_adoption(struct nl *nl, const struct adoption *adoption)
{
	const struct identity *identity = adoption->identity;

	nl_begin(nl, KMQTT_CMD_CONN_ADOPT);
	nl_put_uint(nl, KMQTT_A_ADOPT_FD, adoption->fd, 4);
	nl_put_uint(nl, KMQTT_A_ADOPT_LISTENER, adoption->listener, 4);
	if (adoption->peer)
		put_peer(nl, adoption->peer);
	/*
	 * An empty one says that there had to be one. It is sent as a string
	 * with its end, since the kernel takes no attribute without any byte.
	 */
	if (identity->has_user)
		nl_put(nl, KMQTT_A_ADOPT_USER, identity->user,
		       strlen(identity->user) + 1);
	put_text(nl, KMQTT_A_ADOPT_SUBJECT, identity->subject);
	if (identity->tls_version)
		nl_put_uint(nl, KMQTT_A_ADOPT_TLS_VERSION,
			    identity->tls_version, 2);
	put_text(nl, KMQTT_A_ADOPT_CIPHER, identity->cipher);
	if (adoption->websocket)
		nl_put(nl, KMQTT_A_ADOPT_WEBSOCKET, "", 0);
}

static enum exit_code request_adoption(struct nl *nl,
				       const struct adoption *adoption)
{
	if (!nl->sock && !broker_may_connect()) {
		nl->error = (struct nl_error){ .err = ENOENT, .text = UNLOADED };
		return EXIT_FAILED;
	}
	put_adoption(nl, adoption);
	return nl_do(nl, NULL, NULL);
}

static int adopt(void *state, const struct adoption *adoption,
		 char why[ADOPT_WHY_MAX])
{
	struct adopting *adopting = state;
	struct broker *broker = adopting->broker;
	struct nl *nl = &adopting->nl;
	enum exit_code ret;

	/* The number of the family may have changed with the module. */
	if (adopting->generation != broker->generation) {
		nl_close(nl);
		adopting->generation = broker->generation;
	}
	ret = request_adoption(nl, adoption);
	if (ret == EXIT_DONE)
		return 0;
	snprintf(why, ADOPT_WHY_MAX, "%s", error_text(nl));
	/* Without its number it would ask nobody knows whom. */
	if (ret == EXIT_FAILED || !nl->family)
		adopting->generation = 0;
	return nl->error.err ?: EIO;
}

/**
 * broker_adopter() - have the broker take connections over
 * @broker: the broker, which outlives the threads
 */
struct adopter broker_adopter(struct broker *broker)
{
	return (struct adopter){
		.open = open_adopting,
		.adopt = adopt,
		.close = close_adopting,
		.arg = broker,
	};
}
