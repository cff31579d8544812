// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets that the agent listens on. They are told apart by their
 * addresses: one that stays in the configuration is never closed, and nobody
 * who is about to connect notices that something else changed.
 */
#include "listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "gate.h"
#include "log.h"
#include "service.h"

#define BACKLOG		4096

/* Connections that are accepted before other listeners have their turn. */
#define ACCEPTS		64

struct listener {
	LIST_ENTRY(listener) link;
	uint32_t id;
	union peer addr;
	char *agent;
	bool named;			/* in the list that is read */
	bool changed;			/* its service is not of this text */
	int fd;				/* -1 if it could not be opened */
	bool waiting;			/* it can't accept for a while */
	int error;			/* why it could not, told already */
	struct service *service;	/* NULL if its text is wrong */
	struct gate *gate;
};

static bool same_addr(const union peer *a, const union peer *b)
{
	if (a->sa.sa_family != b->sa.sa_family ||
	    a->in4.sin_port != b->in4.sin_port)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr,
					  &b->in6.sin6_addr) &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
	return true;
}

static void say_state(const struct listener *listener, int priority,
		      const char *what, const char *why)
{
	char text[PEER_TEXT_MAX] = "*";

	if (listener->addr.sa.sa_family == AF_UNSPEC)
		snprintf(text, sizeof(text), "*:%u",
			 ntohs(listener->addr.in4.sin_port));
	else
		peer_text(text, &listener->addr);
	log_say(priority, "listener %u (%s): %s%s%s", listener->id, text, what,
		why ? ": " : "", why ?: "");
}

static void watch(struct listeners *listeners, struct listener *listener)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.ptr = listener,
	};

	if (epoll_ctl(listeners->epoll, EPOLL_CTL_ADD, listener->fd, &event))
		say_state(listener, LOG_ERR, "epoll", strerror(errno));
}

/* As the module would: "all" is IPv6 and IPv4, or IPv4 if that is all. */
static int open_socket(const union peer *addr)
{
	bool all = addr->sa.sa_family == AF_UNSPEC;
	union peer bound = *addr;
	int fd, one = 1, v6only = !all;
	socklen_t len;

	if (all)
		bound.sa.sa_family = AF_INET6;
	fd = socket(bound.sa.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && all) {
		bound.sa.sa_family = AF_INET;
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
			    SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return -1;
	len = bound.sa.sa_family == AF_INET ? sizeof(bound.in4) :
					      sizeof(bound.in6);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (bound.sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
			sizeof(v6only))) ||
	    bind(fd, &bound.sa, len) || listen(fd, BACKLOG)) {
		one = errno;
		close(fd);
		errno = one;
		return -1;
	}
	return fd;
}

static void open_listener(struct listeners *listeners,
			  struct listener *listener)
{
	if (listener->fd >= 0 || !listener->service)
		return;
	listener->fd = open_socket(&listener->addr);
	if (listener->fd >= 0) {
		listener->error = 0;
		watch(listeners, listener);
		say_state(listener, LOG_NOTICE, "open", NULL);
	} else if (errno != listener->error) {
		listener->error = errno;
		say_state(listener, LOG_ERR, "can't listen", strerror(errno));
	}
}

static void close_socket(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	close(listener->fd);
	listener->fd = -1;
	listener->waiting = false;
	say_state(listener, LOG_NOTICE, "closed", NULL);
}

static void remove_listener(struct listener *listener)
{
	close_socket(listener);
	listener->gate->terms++;
	service_put(listener->service);
	gate_put(listener->gate);
	LIST_REMOVE(listener, link);
	free(listener->agent);
	free(listener);
}

static struct listener *add_listener(struct listeners *listeners,
				     const union peer *addr)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	listener->gate = gate_create();
	if (!listener->gate) {
		free(listener);
		return NULL;
	}
	listener->addr = *addr;
	listener->fd = -1;
	LIST_INSERT_HEAD(&listeners->list, listener, link);
	return listener;
}

/*
 * Read text and files, which may have changed. If the text is the same then a
 * file is wrong, maybe just for now, and what was read before is as right as
 * ever. If it isn't, going on as before could let in who should not be.
 */
static void load(struct listener *listener)
{
	char error[SETTINGS_ERROR_MAX];
	struct service *service;

	service = service_create(listener->id, listener->agent, listener->gate,
				 error);
	if (!service) {
		say_state(listener, LOG_ERR, listener->changed ||
			  !listener->service ? "not open" :
			  "goes on as before", error);
		if (!listener->changed)
			return;
		close_socket(listener);
	}
	service_put(listener->service);
	listener->service = service;
	listener->changed = false;
}

/**
 * listeners_begin() - begin with the list of what there should be
 * @listeners: what there is
 */
void listeners_begin(struct listeners *listeners)
{
	struct listener *listener;

	LIST_FOREACH(listener, &listeners->list, link)
		listener->named = false;
}

/**
 * listeners_note() - one of those that there should be
 * @listeners: what there is
 * @entry: what is in the list
 */
void listeners_note(struct listeners *listeners,
		    const struct listener_entry *entry)
{
	struct listener *listener;
	char *agent;

	LIST_FOREACH(listener, &listeners->list, link)
		if (same_addr(&listener->addr, &entry->addr))
			break;
	agent = strdup(entry->agent);
	if (agent && !listener)
		listener = add_listener(listeners, &entry->addr);
	if (!agent || !listener) {
		log_say(LOG_ERR, "listener %u: out of memory", entry->id);
		free(agent);
		return;
	}
	listener->named = true;
	/* With another number it is another listener, with the same socket. */
	if (!listener->agent || strcmp(listener->agent, agent) ||
	    listener->id != entry->id) {
		listener->changed = true;
		listener->gate->terms++;
	}
	listener->id = entry->id;
	free(listener->agent);
	listener->agent = agent;
}

/**
 * listeners_commit() - have what there should be
 * @listeners: what there is, with all of the list noted
 * @anew: read the files of all, not only of those that changed
 */
void listeners_commit(struct listeners *listeners, bool anew)
{
	struct listener *listener, *next;

	/* First, those that may be in the way of others. */
	for (listener = LIST_FIRST(&listeners->list); listener;
	     listener = next) {
		next = LIST_NEXT(listener, link);
		if (!listener->named)
			remove_listener(listener);
	}
	LIST_FOREACH(listener, &listeners->list, link) {
		if (anew || listener->changed || !listener->service)
			load(listener);
		open_listener(listeners, listener);
	}
}

/**
 * listeners_close() - close all
 * @listeners: what there is
 */
void listeners_close(struct listeners *listeners)
{
	while (!LIST_EMPTY(&listeners->list))
		remove_listener(LIST_FIRST(&listeners->list));
}

/**
 * listeners_retry() - try again what could not be done
 * @listeners: what there is
 */
void listeners_retry(struct listeners *listeners)
{
	struct listener *listener;

	LIST_FOREACH(listener, &listeners->list, link) {
		open_listener(listeners, listener);
		if (listener->waiting) {
			listener->waiting = false;
			watch(listeners, listener);
		}
	}
}

/**
 * listeners_open() - count those that are open
 * @listeners: what there is
 */
unsigned int listeners_open(const struct listeners *listeners)
{
	struct listener *listener;
	unsigned int nr = 0;

	LIST_FOREACH(listener, &listeners->list, link)
		nr += listener->fd >= 0;
	return nr;
}

/**
 * listeners_pending() - count handshakes that are under way
 * @listeners: what there is
 */
unsigned int listeners_pending(const struct listeners *listeners)
{
	struct listener *listener;
	unsigned int nr = 0;

	LIST_FOREACH(listener, &listeners->list, link)
		nr += gate_pending(listener->gate);
	return nr;
}

/* There is no room for a socket: polling for it would change nothing. */
static void wait_for_room(struct listeners *listeners,
			  struct listener *listener, int error)
{
	static struct log_limit limit;

	log_say_some(&limit, LOG_ERR, "listener %u: can't accept: %s",
		     listener->id, strerror(error));
	epoll_ctl(listeners->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
	listener->waiting = true;
}

/**
 * listener_accept() - take in those who wait at a listener
 * @listeners: what there is
 * @listener: one that is ready
 */
void listener_accept(struct listeners *listeners, struct listener *listener)
{
	unsigned int budget;
	struct conn *conn;
	union peer peer;
	socklen_t len;
	int fd;

	for (budget = ACCEPTS; budget; budget--) {
		len = sizeof(peer);
		peer = (union peer){ .in6.sin6_family = AF_UNSPEC };
		fd = accept4(listener->fd, &peer.sa, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
			       errno == ENOBUFS || errno == ENOMEM))
			wait_for_room(listeners, listener, errno);
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
		if (fd < 0)
			continue;
		peer_unmap(&peer);
		conn = conn_create(fd, &peer, listener->service,
				   listeners->counts);
		if (conn)
			loops_give(listeners->loops, conn);
	}
}
