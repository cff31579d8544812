// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that listens: to clients, to the broker, and to signals.
 */
#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "broker.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "notify.h"

/* Milliseconds between looks at what may have become possible. */
#define TICK		1000

/* Threads beyond this many don't help, whatever the machine. */
#define LOOPS_MAX	16

#define STATUS_MAX	256

struct agent {
	int epoll;
	int signals;
	bool stop;
	bool stale;			/* listeners may have changed */
	bool anew;			/* files, too, if they are stale */
	int64_t next_load;		/* not before */
	struct broker broker;
	struct listeners listeners;
	struct conn_counts counts;
	char status[STATUS_MAX];
};

/* Each handshake needs a file, and so does the way to the broker. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_say(LOG_WARNING, "limit of files: %s", strerror(errno));
}

static bool watch(struct agent *agent, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (!epoll_ctl(agent->epoll, EPOLL_CTL_ADD, fd, &event))
		return true;
	log_say(LOG_ERR, "epoll: %s", strerror(errno));
	return false;
}

/* Other threads inherit that signals are none of theirs. */
static bool take_signals(struct agent *agent)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	agent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return agent->signals >= 0 &&
	       watch(agent, agent->signals, &agent->signals);
}

static void take_news(struct agent *agent, enum broker_news news)
{
	switch (news) {
	case BROKER_UNSURE:
		agent->stale = true;
		break;
	case BROKER_CHANGED:
		agent->stale = true;
		agent->anew = true;
		break;
	case BROKER_GONE:
		/* It takes its listeners with it, and clients. */
		listeners_close(&agent->listeners);
		broker_disconnect(&agent->broker);
		break;
	case BROKER_SAME:
		break;
	}
}

static void load(struct agent *agent)
{
	enum broker_news news;

	notify("RELOADING=1");
	agent->stale = false;
	agent->next_load = conn_now() + TICK;
	news = broker_list(&agent->broker, &agent->listeners);
	if (news == BROKER_SAME) {
		listeners_commit(&agent->listeners, agent->anew);
		agent->anew = false;
	}
	take_news(agent, news);
	notify("READY=1");
}

static bool connect_broker(struct agent *agent)
{
	if (!broker_connect(&agent->broker))
		return false;
	if (!watch(agent, broker_fd(&agent->broker), &agent->broker))
		return false;
	agent->stale = true;
	return true;
}

static void read_signal(struct agent *agent)
{
	struct signalfd_siginfo info;

	if (read(agent->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		agent->stale = true;
		agent->anew = true;
		agent->next_load = 0;
	} else {
		agent->stop = true;
	}
}

/* Shown by systemctl status. */
static void tell_status(struct agent *agent)
{
	char status[STATUS_MAX];

	snprintf(status, sizeof(status),
		 "STATUS=%u listeners, %u handshakes; %lu handed over, %lu failed, %lu too many",
		 listeners_open(&agent->listeners),
		 listeners_pending(&agent->listeners), agent->counts.adopted,
		 agent->counts.failed, agent->counts.limited);
	if (!strcmp(status, agent->status))
		return;
	memcpy(agent->status, status, sizeof(status));
	notify(status);
}

static void tick(struct agent *agent)
{
	if (!agent->broker.there && broker_may_connect())
		connect_broker(agent);
	listeners_retry(&agent->listeners);
	tell_status(agent);
}

static void serve(struct agent *agent)
{
	struct epoll_event event;
	int64_t next = 0;

	while (!agent->stop) {
		/* One by one, as each may end what another one is about. */
		if (epoll_wait(agent->epoll, &event, 1, TICK) == 1) {
			if (event.data.ptr == &agent->signals)
				read_signal(agent);
			else if (event.data.ptr == &agent->broker)
				take_news(agent,
					  broker_read(&agent->broker));
			else
				listener_accept(&agent->listeners,
						event.data.ptr);
		}
		/* Not for each of many events that were lost. */
		if (agent->stale && agent->broker.there &&
		    conn_now() >= agent->next_load)
			load(agent);
		if (conn_now() >= next) {
			next = conn_now() + TICK;
			tick(agent);
		}
	}
}

static unsigned int nr_loops(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	/* With two, one handshake doesn't hold up all others. */
	return cpus < 2 ? 2 : cpus < LOOPS_MAX ? cpus : LOOPS_MAX;
}

/**
 * agent_run() - do what an agent does, until a signal ends it
 *
 * Return: how it ended.
 */
enum exit_code agent_run(void)
{
	static struct agent agent;
	struct adopter adopter = broker_adopter(&agent.broker);

	raise_files();
	agent.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (agent.epoll < 0 || !take_signals(&agent) || !connect_broker(&agent))
		return EXIT_FAILED;
	LIST_INIT(&agent.listeners.list);
	agent.listeners.epoll = agent.epoll;
	agent.listeners.counts = &agent.counts;
	agent.listeners.loops = loops_start(nr_loops(), &adopter,
					    &agent.counts);
	if (!agent.listeners.loops) {
		log_say(LOG_ERR, "threads: %s", strerror(errno));
		return EXIT_FAILED;
	}
	serve(&agent);
	notify("STOPPING=1");
	listeners_close(&agent.listeners);
	loops_stop(agent.listeners.loops);
	broker_disconnect(&agent.broker);
	close(agent.signals);
	close(agent.epoll);
	return EXIT_DONE;
}
