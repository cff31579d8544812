// SPDX-License-Identifier: GPL-2.0
/*
 * server PORT AGENT-FILE: kmqttd without a broker. What would be handed over is
 * told on standard output, a line of JSON each, and then sends back what it
 * gets. SIGHUP reads the file again, SIGTERM ends it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "../../tools/kmqttd/adopt.h"
#include "../../tools/kmqttd/listener.h"
#include "../../tools/kmqttd/log.h"
#include "../../tools/kmqttd/loop.h"

/* Whom the broker would not take. */
#define BANNED	"banned"

static struct listeners listeners;
static struct conn_counts counts;

/* The socket is blocking from here on: nothing but this thread uses it. */
static void *echo(void *arg)
{
	int fd = (intptr_t)arg;
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, n, MSG_NOSIGNAL) != n)
			break;
	close(fd);
	return NULL;
}

static void *open_nothing(void *arg)
{
	return arg;
}

static void close_nothing(void *state)
{
}

static void print_string(const char *name, const char *value)
{
	printf("\"%s\": \"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	printf("\", ");
}

static void print_adoption(const struct adoption *adoption)
{
	const struct identity *identity = adoption->identity;
	char peer[PEER_TEXT_MAX] = "";

	if (adoption->peer)
		peer_text(peer, adoption->peer);
	flockfile(stdout);
	putchar('{');
	print_string("peer", peer);
	print_string("user", identity->user);
	print_string("subject", identity->subject);
	print_string("cipher", identity->cipher);
	printf("\"listener\": %u, \"has_user\": %s, \"tls\": %u, \"websocket\": %s}\n",
	       adoption->listener, identity->has_user ? "true" : "false",
	       identity->tls_version, adoption->websocket ? "true" : "false");
	fflush(stdout);
	funlockfile(stdout);
}

static int adopt(void *state, const struct adoption *adoption,
		 char why[ADOPT_WHY_MAX])
{
	pthread_t thread;
	int fd;

	if (!strcmp(adoption->identity->user, BANNED)) {
		strcpy(why, "banned");
		return EACCES;
	}
	print_adoption(adoption);
	fd = dup(adoption->fd);
	/* The dup shares this with the agent's, which is about to be closed. */
	if (fcntl(fd, F_SETFL, 0) ||
	    pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd))
		err(1, "echo");
	pthread_detach(thread);
	return 0;
}

static void load(uint16_t port, const char *path)
{
	struct listener_entry entry = {
		.id = 7,
		.addr.in4 = { .sin_family = AF_UNSPEC, .sin_port = htons(port) },
	};
	char text[8192 + 1];
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	entry.agent = text;
	listeners_begin(&listeners);
	listeners_note(&listeners, &entry);
	listeners_commit(&listeners, true);
	/* What it weighs now, and whether it is there. */
	printf("{\"open\": %u, \"pending\": %u, \"adopted\": %lu, \"failed\": %lu, \"limited\": %lu}\n",
	       listeners_open(&listeners), listeners_pending(&listeners),
	       counts.adopted, counts.failed, counts.limited);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct adopter adopter = {
		.open = open_nothing,
		.adopt = adopt,
		.close = close_nothing,
	};
	struct signalfd_siginfo info = { .ssi_signo = 0 };
	struct epoll_event event = { .events = EPOLLIN };
	struct rlimit files = { .rlim_cur = 4096, .rlim_max = 4096 };
	sigset_t set;
	int signals;

	if (argc != 3)
		errx(2, "usage: server PORT AGENT-FILE");
	setrlimit(RLIMIT_NOFILE, &files);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, 0);
	log_begin(2);
	listeners.epoll = epoll_create1(0);
	listeners.counts = &counts;
	listeners.loops = loops_start(2, &adopter, &counts);
	epoll_ctl(listeners.epoll, EPOLL_CTL_ADD, signals, &event);
	load(atoi(argv[1]), argv[2]);
	while (info.ssi_signo != SIGTERM) {
		if (epoll_wait(listeners.epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.ptr)
			listener_accept(&listeners, event.data.ptr);
		else if (read(signals, &info, sizeof(info)) == sizeof(info) &&
			 info.ssi_signo == SIGHUP)
			load(atoi(argv[1]), argv[2]);
	}
	listeners_close(&listeners);
	loops_stop(listeners.loops);
	return 0;
}
