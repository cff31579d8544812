// SPDX-License-Identifier: GPL-2.0
/*
 * The relay: a broker that parses nothing, the floor of what one in userspace
 * can cost. What a publisher's socket has is written as it is to the
 * subscribers of the publisher's group, which client identifiers tell:
 * pub-GROUP-NUMBER and sub-GROUP-NUMBER.
 *
 * Only CONNECT and SUBSCRIBE are read. Where a group has several publishers,
 * their packets have to be kept apart, too: of each its length is looked at.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "buffer.h"
#include "mqtt.h"
#include "pattern.h"

#define READ_MAX	(256 << 10)
#define EVENTS_MAX	256
#define GROUP_NAME_MAX	64

/* A member of no group has not sent its CONNECT yet. */
struct member {
	int fd;
	bool publisher;
	bool subscribed;
	bool wants_write;
	struct group *group;
	struct member *next;
	struct buffer in;
	struct buffer out;
};

struct group {
	char name[GROUP_NAME_MAX];
	unsigned int publishers;
	struct member *subscribers;
	struct group *next;
};

static struct group *groups;
static int epoll_fd;
static uint8_t rx[READ_MAX];

static struct group *find_group(const char *name, size_t len)
{
	struct group *group;

	if (len >= GROUP_NAME_MAX)
		len = GROUP_NAME_MAX - 1;
	for (group = groups; group; group = group->next)
		if (!strncmp(group->name, name, len) && !group->name[len])
			return group;
	group = must_alloc(1, sizeof(*group));
	memcpy(group->name, name, len);
	group->next = groups;
	groups = group;
	return group;
}

static void watch(struct member *m, int op, bool write)
{
	struct epoll_event event = {
		.events = EPOLLIN | (write ? EPOLLOUT : 0),
		.data.ptr = m,
	};

	m->wants_write = write;
	epoll_ctl(epoll_fd, op, m->fd, &event);
}

/* What can't be written at once is kept. A lost connection tells itself. */
static void send_to(struct member *m, const uint8_t *data, size_t len)
{
	ssize_t n = 0;

	if (!buffer_left(&m->out)) {
		n = write(m->fd, data, len);
		if (n == (ssize_t)len)
			return;
		if (n < 0 && errno != EAGAIN)
			return;
		if (n < 0)
			n = 0;
	}
	buffer_put(&m->out, data + n, len - n);
	if (!m->wants_write)
		watch(m, EPOLL_CTL_MOD, true);
}

static void send_rest(struct member *m)
{
	ssize_t n = write(m->fd, m->out.data + m->out.off,
			  buffer_left(&m->out));

	if (n > 0)
		buffer_consume(&m->out, n);
	if (!buffer_left(&m->out))
		watch(m, EPOLL_CTL_MOD, false);
}

static void relay_bytes(const struct group *group, const uint8_t *data,
			size_t len)
{
	struct member *m;

	for (m = group->subscribers; m; m = m->next)
		send_to(m, data, len);
}

/* Return: the length of the first packet, 0 if it isn't there yet. */
static size_t first_packet(const uint8_t *p, size_t len, size_t *head)
{
	uint32_t remaining;
	int n = len ? mqtt_get_varint(p + 1, len - 1, &remaining) : 0;

	if (n <= 0 || 1 + n + (size_t)remaining > len)
		return 0;
	*head = 1 + n;
	return 1 + n + remaining;
}

static void keep_from(struct buffer *in, size_t at)
{
	memmove(in->data, in->data + at, in->len - at);
	in->len -= at;
}

/* Relay whole packets only. */
static void relay_packets(struct member *m, const uint8_t *data, size_t len)
{
	size_t at = 0, n, head;

	buffer_put(&m->in, data, len);
	while ((n = first_packet(m->in.data + at, m->in.len - at, &head)))
		at += n;
	if (!at)
		return;
	relay_bytes(m->group, m->in.data, at);
	keep_from(&m->in, at);
}

static bool take_connect(struct member *m, const uint8_t *body, size_t len)
{
	static const uint8_t accepted[] = { MQTT_CONNACK << 4, 2, 0, 0 };
	static const uint8_t accepted5[] = { MQTT_CONNACK << 4, 3, 0, 0, 0 };
	const char *id, *group, *end;
	size_t at = 10;
	uint8_t level;

	if (len < at)
		return false;
	level = body[6];
	if (!mqtt_skip_properties(body, len, level, &at) || at + 2 > len ||
	    at + 2 + mqtt_get16(body + at) > len)
		return false;
	id = (const char *)body + at + 2;
	end = id + mqtt_get16(body + at);
	group = memchr(id, '-', end - id);
	if (!group)
		return false;
	group++;
	end = memchr(group, '-', end - group);
	if (!end)
		return false;
	m->publisher = id[0] == 'p';
	m->group = find_group(group, end - group);
	m->group->publishers += m->publisher;
	if (level == 5)
		send_to(m, accepted5, sizeof(accepted5));
	else
		send_to(m, accepted, sizeof(accepted));
	return true;
}

/* One topic filter is all that a subscriber of a group needs. */
static void take_subscribe(struct member *m, const uint8_t *packet,
			   size_t head, size_t len)
{
	/* MQTT 5 has the length of properties before the filter's length. */
	size_t at = head + 2;
	bool has_properties = len > at + 2 &&
			      at + 2 + mqtt_get16(packet + at) + 1 != len;
	uint8_t suback[] = {
		MQTT_SUBACK << 4, has_properties ? 4 : 3,
		packet[head], packet[head + 1], 0, 0
	};

	send_to(m, suback, 2 + suback[1]);
	if (m->subscribed)
		return;
	m->subscribed = true;
	m->next = m->group->subscribers;
	m->group->subscribers = m;
}

/* From one who is no publisher, as far as is known. */
static bool take_packets(struct member *m, const uint8_t *data, size_t len)
{
	size_t at = 0, n, head;
	const uint8_t *p;

	buffer_put(&m->in, data, len);
	while ((n = first_packet(m->in.data + at, m->in.len - at, &head))) {
		p = m->in.data + at;
		if (!m->group && (p[0] >> 4 != MQTT_CONNECT ||
				  !take_connect(m, p + head, n - head)))
			return false;
		if (m->group && p[0] >> 4 == MQTT_SUBSCRIBE && n >= head + 2)
			take_subscribe(m, p, head, n);
		at += n;
	}
	keep_from(&m->in, at);
	return true;
}

static void leave(struct member *m)
{
	struct member **link;

	if (m->subscribed) {
		link = &m->group->subscribers;
		while (*link != m)
			link = &(*link)->next;
		*link = m->next;
	}
	if (m->publisher)
		m->group->publishers--;
	close(m->fd);
	buffer_free(&m->in);
	buffer_free(&m->out);
	free(m);
}

static void member_event(struct member *m, uint32_t events)
{
	bool good = true;
	ssize_t n;

	if ((events & EPOLLOUT) && buffer_left(&m->out))
		send_rest(m);
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	n = read(m->fd, rx, sizeof(rx));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		good = false;
	else if (!m->publisher)
		good = take_packets(m, rx, n);
	else if (m->group->publishers == 1 && !m->in.len)
		relay_bytes(m->group, rx, n);
	else
		relay_packets(m, rx, n);
	if (!good)
		leave(m);
}

static void accept_member(int listener)
{
	struct member *m;
	int one = 1, fd;

	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	m = must_alloc(1, sizeof(*m));
	m->fd = fd;
	watch(m, EPOLL_CTL_ADD, false);
}

static int listen_at(const char *port)
{
	const struct addrinfo hints = {
		.ai_family = AF_INET,
		.ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *address;
	int fd, one = 1, error;

	error = getaddrinfo(NULL, port, &hints, &address);
	if (error) {
		fprintf(stderr, "kmqtt-bench: port %s: %s\n", port,
			gai_strerror(error));
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	error = bind(fd, address->ai_addr, address->ai_addrlen) ||
		listen(fd, SOMAXCONN);
	freeaddrinfo(address);
	if (!error)
		return fd;
	fprintf(stderr, "kmqtt-bench: port %s: %s\n", port, strerror(errno));
	close(fd);
	return -1;
}

static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * relay_run() - be the relay until the process is ended
 * @port: to listen at
 *
 * Return: the program's exit status, if it can't begin
 */
int relay_run(const char *port)
{
	struct epoll_event events[EVENTS_MAX], event = { .events = EPOLLIN };
	int listener = listen_at(port);
	int i, n;

	if (listener < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		n = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				member_event(events[i].data.ptr,
					     events[i].events);
			else
				accept_member(listener);
		}
	}
}
