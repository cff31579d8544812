// SPDX-License-Identifier: GPL-2.0
/*
 * A connection to the broker. Packets are parsed where a read has put them;
 * only what is incomplete is copied, and of a payload nothing ever is.
 */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "packet.h"
#include "secure.h"
#include "tls.h"
#include "worker.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT	24
#endif

/**
 * client_fail() - end the run because of a client
 * @c: the client
 * @format: what happened
 */
void client_fail(struct client *c, const char *format, ...)
{
	char text[192];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bench_fail(c->worker->bench, "%s %u: %s", c->ops->role, c->index,
		   text);
}

static void watch(struct client *c, int op, bool write)
{
	struct epoll_event event = {
		.events = EPOLLIN | (write ? EPOLLOUT : 0),
		.data.ptr = c,
	};

	c->wants_write = write;
	epoll_ctl(c->worker->epoll_fd, op, c->fd, &event);
}

/* Spread the clients over the sources: each has ports of its own. */
static int bind_source(struct client *c)
{
	const struct bench *b = c->worker->bench;
	struct sockaddr_in source = { .sin_family = AF_INET };
	int one = 1;

	if (!b->options->sources)
		return 0;
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK +
				       c->index % b->options->sources);
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
		   sizeof(one));
	return bind(c->fd, (struct sockaddr *)&source, sizeof(source));
}

/**
 * client_open() - begin to connect
 * @c: the client, which is closed
 *
 * ->ready() is called when the broker has accepted it.
 */
void client_open(struct client *c)
{
	struct bench *b = c->worker->bench;
	int one = 1;

	c->opened_at = clock_ns();
	c->fd = socket(b->address.ss_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		client_fail(c, "socket: %s", strerror(errno));
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->state = CLIENT_CONNECTING;
	if (bind_source(c) ||
	    (connect(c->fd, (struct sockaddr *)&b->address, b->address_len) &&
	     errno != EINPROGRESS)) {
		client_fail(c, "cannot connect: %s%s", strerror(errno),
			    errno == EADDRNOTAVAIL ?
			    " (--sources gives more ports)" : "");
		return;
	}
	watch(c, EPOLL_CTL_ADD, true);
}

/* The relay and who looks at the broker learn from it who belongs together. */
static void write_connect(struct client *c)
{
	const struct bench *b = c->worker->bench;
	char id[64];
	struct mqtt_connect connect = {
		.version = b->options->version,
		.session = b->options->session && !b->end_sessions,
		.client_id = id,
		.user = b->options->user,
		.password = b->options->password,
	};

	packet_client_id(c, id, sizeof(id));
	mqtt_put_connect(&c->out, &connect);
}

static void begin_mqtt(struct client *c)
{
	c->state = CLIENT_CONNECTED;
	write_connect(c);
	client_flush(c);
	if (c->wants_write && !buffer_left(&c->out))
		watch(c, EPOLL_CTL_MOD, false);
}

static void go_on_shaking_hands(struct client *c)
{
	enum tls_step step = tls_advance(c->tls, c->fd);

	if (step == TLS_DONE)
		step = tls_offload(c->tls, c->fd);
	switch (step) {
	case TLS_READ:
	case TLS_WRITE:
		watch(c, EPOLL_CTL_MOD, step == TLS_WRITE);
		break;
	case TLS_DONE:
		tls_free(c->tls);
		c->tls = NULL;
		begin_mqtt(c);
		break;
	case TLS_CLOSED:
		client_fail(c, "the broker closed the connection in the TLS handshake");
		break;
	case TLS_FAILED:
		client_fail(c, "TLS: %s", c->tls->why);
		break;
	}
}

static void begin_shaking_hands(struct client *c)
{
	c->state = CLIENT_SHAKING_HANDS;
	c->tls = tls_new(c->worker->bench->tls);
	if (c->tls)
		go_on_shaking_hands(c);
	else
		client_fail(c, "TLS: out of memory");
}

static void finish_connecting(struct client *c)
{
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		client_fail(c, "cannot connect: %s", strerror(error));
		return;
	}
	if (c->worker->bench->tls)
		begin_shaking_hands(c);
	else
		begin_mqtt(c);
}

/* Write what there is; a burst that was begun goes first. */
static ssize_t write_some(struct client *c)
{
	struct buffer *first = &c->out, *second = &c->burst;
	struct iovec iov[2];
	ssize_t n;

	if (c->burst.off) {
		first = &c->burst;
		second = &c->out;
	}
	iov[0].iov_base = first->data + first->off;
	iov[0].iov_len = buffer_left(first);
	iov[1].iov_base = second->data + second->off;
	iov[1].iov_len = buffer_left(second);
	if (!iov[1].iov_len)
		n = write(c->fd, iov[0].iov_base, iov[0].iov_len);
	else if (!iov[0].iov_len)
		n = write(c->fd, iov[1].iov_base, iov[1].iov_len);
	else
		n = writev(c->fd, iov, 2);
	if (n > 0)
		buffer_consume(second, buffer_consume(first, n));
	return n;
}

/**
 * client_flush() - write all there is to write
 * @c: the client
 *
 * What the socket doesn't take is written when it is writable again.
 */
void client_flush(struct client *c)
{
	ssize_t n;

	if (c->state == CLIENT_CLOSED && c->ops->closed)
		c->ops->closed(c);
	if (c->state < CLIENT_CONNECTED)
		return;
	for (;;) {
		if (c->ops->fill && !buffer_left(&c->burst))
			c->ops->fill(c);
		if (!buffer_left(&c->burst) && !buffer_left(&c->out))
			break;
		n = write_some(c);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			client_fail(c, "write: %s", strerror(errno));
			return;
		}
		if (n < 0 || buffer_left(&c->burst) || buffer_left(&c->out)) {
			if (!c->wants_write)
				watch(c, EPOLL_CTL_MOD, true);
			return;
		}
	}
	if (c->wants_write)
		watch(c, EPOLL_CTL_MOD, false);
}

/* Keep what is incomplete until there is more. */
static void keep_rest(struct client *c, const uint8_t *data, size_t len)
{
	c->rest.len = 0;
	buffer_put(&c->rest, data, len);
}

static void client_read(struct client *c)
{
	struct worker *w = c->worker;
	size_t len = c->rest.len, used;
	uint64_t now;
	ssize_t n;

	if (len)
		memcpy(w->rx, c->rest.data, len);
	n = read(c->fd, w->rx + len, WORKER_READ_MAX - len);
	if (n <= 0) {
		if (!n)
			client_fail(c, "the broker closed the connection%s",
				    c->state == CLIENT_READY ? "" :
				    " instead of a CONNACK");
		else if (errno == EIO && w->bench->tls)
			secure_read_control(c);
		else if (errno != EAGAIN && errno != EINTR)
			client_fail(c, "read: %s", strerror(errno));
		return;
	}
	now = clock_ns();
	atomic_store_explicit(&w->bytes, w->bytes + n, memory_order_relaxed);
	len += n;
	used = packet_parse(c, w->rx, len, now);
	if (c->state == CLIENT_CLOSED)
		return;
	if (len - used == WORKER_READ_MAX)
		client_fail(c, "a packet of more than %u bytes",
			    WORKER_READ_MAX);
	else
		keep_rest(c, w->rx + used, len - used);
	if (buffer_left(&c->out))
		worker_touch(w, c);
}

/**
 * client_event() - do what epoll tells
 * @c: the client
 * @events: what there is
 */
void client_event(struct client *c, uint32_t events)
{
	if (c->state == CLIENT_CLOSED)
		return;
	if (c->state == CLIENT_CONNECTING) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			finish_connecting(c);
		return;
	}
	if (c->state == CLIENT_SHAKING_HANDS) {
		go_on_shaking_hands(c);
		return;
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		client_read(c);
	if (events & EPOLLOUT)
		worker_touch(c->worker, c);
}

/**
 * client_close() - close the connection
 * @c: the client, which may be closed
 *
 * A client that was connected says goodbye, if that doesn't take time.
 */
void client_close(struct client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	if (c->state == CLIENT_READY && !c->burst.off && !c->out.off) {
		mqtt_put_disconnect(&c->out);
		if (write(c->fd, c->out.data, c->out.len) < 0)
			c->out.len = 0;
	}
	close(c->fd);
	tls_free(c->tls);
	c->tls = NULL;
	c->state = CLIENT_CLOSED;
	c->skip = 0;
	c->rest.len = 0;
	buffer_consume(&c->out, buffer_left(&c->out));
	buffer_consume(&c->burst, buffer_left(&c->burst));
}

/**
 * client_free() - close the connection and free its memory
 * @c: the client
 */
void client_free(struct client *c)
{
	client_close(c);
	buffer_free(&c->rest);
	buffer_free(&c->out);
	buffer_free(&c->burst);
}

/**
 * client_subscribe() - queue a SUBSCRIBE or an UNSUBSCRIBE
 * @c: the client
 * @type: which of both
 * @first: its first topic filter
 * @n: how many
 * @filter: tells what they are
 *
 * The packet identifier tells the batch: the answer is known by it.
 */
void client_subscribe(struct client *c, enum mqtt_type type, uint32_t first,
		      uint32_t n, filter_fn filter)
{
	const struct options *o = c->worker->bench->options;
	size_t start = mqtt_begin(&c->out, type << 4 | 0x02);
	char text[MQTT_TOPIC_MAX];
	uint32_t i;

	mqtt_put16(buffer_add(&c->out, 2),
		   first / o->batch % UINT16_MAX + 1);
	if (o->version == 5)
		*buffer_add(&c->out, 1) = 0;
	for (i = first; i < first + n; i++) {
		filter(c, i, text);
		mqtt_put_text(&c->out, text);
		if (type == MQTT_SUBSCRIBE)
			*buffer_add(&c->out, 1) = o->sub_qos;
	}
	mqtt_end(&c->out, start);
	worker_touch(c->worker, c);
}
