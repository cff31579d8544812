// SPDX-License-Identifier: GPL-2.0
/*
 * A connection from accept() to the broker: what a proxy says, the handshake of
 * TLS, the request of WebSocket, each of them if the listener is of that kind.
 *
 * Nothing is read beyond the end of a stage, since what follows is for another
 * one or for the broker. What a connection holds in memory grows with what
 * came in, up to limits, and not with what was announced.
 */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "log.h"
#include "upgrade.h"

/* How long a refused client has to read why, in milliseconds. */
#define DRAIN_TIME	2000

/* Reads in a row from a client that is not listened to any more. */
#define DRAIN_READS	16

/* Reads in a row of a request: one may give no more than a byte. */
#define REQUEST_READS	128

#define CHUNK		4096

/* Room for a request to begin with; many need no more. */
#define REQUEST_SIZE	512

static const char went_away[] = "the client went away";

static struct log_limit refusals, limits, failures, adoptions;

/**
 * conn_now() - tell the time
 *
 * Return: milliseconds.
 */
int64_t conn_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void say_limited(const union peer *peer, const struct service *service,
			struct conn_counts *counts)
{
	char text[PEER_TEXT_MAX];

	counts->limited++;
	peer_text(text, peer);
	log_say_some(&limits, LOG_WARNING,
		     "listener %u: %s: too many handshakes at a time",
		     service->listener, text);
}

static bool enter_source(struct conn *conn, struct conn_counts *counts)
{
	struct service *service = conn->service;

	conn->source = gate_enter_source(service->gate, &conn->peer,
					 service->settings.max_per_source);
	if (!conn->source)
		say_limited(&conn->peer, service, counts);
	return conn->source;
}

/**
 * conn_create() - begin with a connection
 * @fd: its socket, that of the connection from now on, even if there is none
 * @peer: where it comes from
 * @service: of its listener
 * @counts: where to count it if there are too many
 *
 * Return: for conn_advance(), or NULL.
 */
struct conn *conn_create(int fd, const union peer *peer,
			 struct service *service, struct conn_counts *counts)
{
	const struct settings *settings = &service->settings;
	struct conn *conn;
	int one = 1;

	if (!gate_enter(service->gate, settings->max_handshakes)) {
		say_limited(peer, service, counts);
		close(fd);
		return NULL;
	}
	conn = calloc(1, sizeof(*conn));
	if (!conn) {
		gate_leave(service->gate);
		close(fd);
		return NULL;
	}
	conn->fd = fd;
	conn->peer = *peer;
	conn->service = service_get(service);
	conn->deadline = conn_now() + settings->timeout * 1000ll;
	conn->proxy.version = settings->proxy;
	conn->proxy.require_tls = settings->proxy_tls;
	conn->stage = settings->proxy ? CONN_PROXY : CONN_TLS;
	/* All of a proxy's clients would be one source. */
	if (!settings->proxy && !enter_source(conn, counts)) {
		conn_free(conn);
		return NULL;
	}
	/* The next flight must not wait for the last one's ack. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return conn;
}

/**
 * conn_free() - end a connection, unless the broker has its socket
 * @conn: the connection
 */
void conn_free(struct conn *conn)
{
	struct service *service = conn->service;

	close(conn->fd);
	tls_free(conn->tls);
	free(conn->identity);
	free(conn->request);
	gate_leave_source(service->gate, conn->source);
	gate_leave(service->gate);
	service_put(service);
	free(conn);
}

static void say_refused(const struct conn *conn, const struct conn_env *env,
			const char *what, const char *why)
{
	char text[PEER_TEXT_MAX];

	env->counts->failed++;
	peer_text(text, &conn->peer);
	log_say_some(&refusals, LOG_NOTICE, "listener %u: %s: %s: %s",
		     conn->service->listener, text, what, why);
}

/* Closing at once would reset the connection, and the reason may get lost. */
static enum conn_wait drain(struct conn *conn)
{
	int64_t deadline = conn_now() + DRAIN_TIME;

	shutdown(conn->fd, SHUT_WR);
	tls_free(conn->tls);
	conn->tls = NULL;
	if (conn->deadline > deadline)
		conn->deadline = deadline;
	conn->stage = CONN_DRAIN;
	return CONN_READ;
}

static enum conn_wait advance_drain(struct conn *conn)
{
	char buf[CHUNK];
	int budget;
	ssize_t n;

	for (budget = DRAIN_READS; budget; budget--) {
		n = recv(conn->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return CONN_END;
	}
	return CONN_READ;
}

static enum conn_wait advance_proxy(struct conn *conn,
				    const struct conn_env *env)
{
	enum proxy_result result = PROXY_MORE;
	char buf[PROXY_BUFFER];
	ssize_t n;

	while (result == PROXY_MORE) {
		n = recv(conn->fd, buf, proxy_wants(&conn->proxy),
			 MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return CONN_READ;
		if (n <= 0)
			return CONN_END;
		result = proxy_feed(&conn->proxy, buf, n, &conn->peer);
	}
	if (result == PROXY_BAD) {
		say_refused(conn, env, "PROXY protocol", "not a header of it");
		return CONN_END;
	}
	peer_unmap(&conn->peer);
	if (result == PROXY_PLAIN) {
		say_refused(conn, env, "PROXY protocol",
			    "the client has no TLS");
		return CONN_END;
	}
	conn->proxied = result == PROXY_PEER;
	if (!enter_source(conn, env->counts))
		return CONN_END;
	conn->stage = CONN_TLS;
	return CONN_READ;
}

/* The kernel goes on from here, and OpenSSL has done its part. */
static enum conn_wait finish_tls(struct conn *conn, const struct conn_env *env)
{
	const char *why = NULL;

	conn->identity = malloc(sizeof(*conn->identity));
	if (!conn->identity)
		return CONN_END;
	switch (tls_offload(conn->tls, conn->fd)) {
	case TLS_DONE:
		break;
	case TLS_CLOSED:
		say_refused(conn, env, "TLS", went_away);
		return CONN_END;
	default:
		env->counts->failed++;
		log_say_some(&failures, LOG_ERR, "listener %u: %s",
			     conn->service->listener, conn->tls->why);
		return CONN_END;
	}
	if (!identity_read(conn->identity, conn->tls, &conn->service->settings,
			   &why)) {
		say_refused(conn, env, "certificate or identity", why);
		ktls_alert(conn->fd, SSL3_AL_FATAL, SSL_AD_ACCESS_DENIED);
		return drain(conn);
	}
	tls_free(conn->tls);
	conn->tls = NULL;
	conn->stage = CONN_UPGRADE;
	return CONN_READ;
}

static enum conn_wait advance_tls(struct conn *conn,
				  const struct conn_env *env)
{
	if (!conn->service->ctx) {
		conn->stage = CONN_UPGRADE;
		return CONN_READ;
	}
	if (!conn->tls)
		conn->tls = tls_new(conn->service->ctx);
	if (!conn->tls)
		return CONN_END;
	switch (tls_advance(conn->tls, conn->fd)) {
	case TLS_READ:
		return CONN_READ;
	case TLS_WRITE:
		return CONN_WRITE;
	case TLS_DONE:
		return finish_tls(conn, env);
	case TLS_FAILED:
		say_refused(conn, env, "TLS", conn->tls->why);
		return drain(conn);
	default:
		if (conn->tls->total)
			say_refused(conn, env, "TLS", went_away);
		return CONN_END;
	}
}

static bool grow_request(struct conn *conn)
{
	size_t size = 2 * conn->request_size ?: REQUEST_SIZE;
	char *request;

	if (conn->request_len < conn->request_size)
		return true;
	request = realloc(conn->request, size);
	if (!request)
		return false;
	conn->request = request;
	conn->request_size = size;
	return true;
}

/*
 * Read the request up to its end, and not beyond: the kernel speaks WebSocket
 * with what follows. Looking ahead (MSG_PEEK) is no way to find the end: TLS in
 * the kernel would keep each record without data that it sees. CONN_WRITE if
 * the request is complete, or too long.
 */
static enum conn_wait read_request(struct conn *conn)
{
	int budget = REQUEST_READS;
	size_t want, room;
	ssize_t n;

	while ((want = upgrade_wants(conn->request, conn->request_len)) &&
	       conn->request_len < UPGRADE_REQUEST_MAX) {
		/* Others have their turn; the rest makes it readable. */
		if (!budget--)
			return CONN_READ;
		if (!grow_request(conn))
			return CONN_END;
		room = conn->request_size - conn->request_len;
		n = recv(conn->fd, conn->request + conn->request_len,
			 want < room ? want : room, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return CONN_READ;
		if (n <= 0)
			return CONN_END;
		conn->request_len += n;
	}
	return CONN_WRITE;
}

static enum conn_wait advance_upgrade(struct conn *conn,
				      const struct conn_env *env)
{
	char answer[UPGRADE_ANSWER_MAX];
	enum conn_wait wait;
	int status;
	size_t len;

	if (!conn->service->settings.websocket) {
		conn->stage = CONN_ADOPT;
		return CONN_READ;
	}
	wait = read_request(conn);
	if (wait != CONN_WRITE)
		return wait;
	if (upgrade_wants(conn->request, conn->request_len))
		status = upgrade_too_long(answer);
	else
		status = upgrade_answer(&conn->service->settings,
					conn->request, conn->request_len,
					answer);
	len = strlen(answer);
	/* Nothing but a handshake was sent before: there is room for this. */
	if (send(conn->fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)len)
		return CONN_END;
	if (status == UPGRADE_DONE) {
		conn->stage = CONN_ADOPT;
		return CONN_READ;
	}
	answer[strcspn(answer, "\r")] = '\0';
	say_refused(conn, env, "WebSocket", answer);
	if (conn->identity)
		ktls_alert(conn->fd, SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY);
	return drain(conn);
}

/* The broker's limits and bans, and who has gone, are nothing wrong here. */
static int failure_priority(int err)
{
	switch (err) {
	case ENOSPC:
	case EUSERS:
	case EDQUOT:
	case EACCES:
	case EAGAIN:
	case ENOTCONN:
		return LOG_INFO;
	default:
		return LOG_WARNING;
	}
}

static enum conn_wait hand_over(struct conn *conn, const struct conn_env *env)
{
	static const struct identity nobody;
	struct adoption adoption = {
		.fd = conn->fd,
		.listener = conn->service->listener,
		.peer = conn->proxied ? &conn->peer : NULL,
		.identity = conn->identity ?: &nobody,
		.websocket = conn->service->settings.websocket,
	};
	char text[PEER_TEXT_MAX], why[ADOPT_WHY_MAX];
	int err;

	peer_text(text, &conn->peer);
	if (service_stale(conn->service)) {
		env->counts->failed++;
		log_say_some(&adoptions, LOG_INFO,
			     "listener %u: %s: begun before the listener changed",
			     adoption.listener, text);
		return CONN_END;
	}
	err = env->adopter->adopt(env->state, &adoption, why);
	if (err) {
		env->counts->failed++;
		log_say_some(&adoptions, failure_priority(err),
			     "listener %u: %s: the broker does not take it: %s",
			     adoption.listener, text, why);
	} else {
		env->counts->adopted++;
		log_say(LOG_INFO, "listener %u: %s: handed over%s%s",
			adoption.listener, text,
			conn->identity ? ", " : "",
			conn->identity ? conn->identity->cipher : "");
	}
	return CONN_END;
}

/**
 * conn_advance() - go on with a connection as far as its socket lets it
 * @conn: the connection
 * @env: of this thread
 *
 * Return: what it waits for now; conn_free() comes after CONN_END.
 */
enum conn_wait conn_advance(struct conn *conn, const struct conn_env *env)
{
	enum conn_wait wait = CONN_READ;
	enum conn_stage stage;

	do {
		stage = conn->stage;
		switch (stage) {
		case CONN_PROXY:
			wait = advance_proxy(conn, env);
			break;
		case CONN_TLS:
			wait = advance_tls(conn, env);
			break;
		case CONN_UPGRADE:
			wait = advance_upgrade(conn, env);
			break;
		case CONN_ADOPT:
			wait = hand_over(conn, env);
			break;
		case CONN_DRAIN:
			wait = advance_drain(conn);
			break;
		}
	} while (conn->stage != stage);
	return wait;
}

/**
 * conn_expire() - tell that a connection's time is up
 * @conn: the connection, for conn_free() now
 * @env: of this thread
 */
void conn_expire(struct conn *conn, const struct conn_env *env)
{
	static const char *const stages[] = {
		[CONN_PROXY] = "PROXY protocol",
		[CONN_TLS] = "TLS",
		[CONN_UPGRADE] = "WebSocket",
		[CONN_ADOPT] = "broker",
	};

	/* Of those it was told already. */
	if (conn->stage == CONN_DRAIN)
		return;
	say_refused(conn, env, stages[conn->stage], "it took too long");
}
