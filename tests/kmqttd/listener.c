// SPDX-License-Identifier: GPL-2.0
/*
 * Which listeners are open, whatever lists there were.
 */
#include "../../tools/kmqttd/listener.h"

#include <unistd.h>
#include <sys/epoll.h>

#include "test.h"

#define GOOD	"protocol websockets\n"
#define WRONG	"protocol chat\n"

static void begin(struct listeners *listeners)
{
	*listeners = (struct listeners){
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	LIST_INIT(&listeners->list);
}

static void end(struct listeners *listeners)
{
	listeners_close(listeners);
	close(listeners->epoll);
}

/* A list with one entry; its port is any. */
static void list(struct listeners *listeners, uint32_t id, const char *agent)
{
	struct listener_entry entry = { .id = id, .agent = agent };

	listeners_begin(listeners);
	listeners_note(listeners, &entry);
}

/* What a list has said stays true when it is read again. */
static void twice(void)
{
	struct listeners listeners;

	begin(&listeners);
	list(&listeners, 1, GOOD);
	listeners_commit(&listeners);
	CLAIM(listeners_open(&listeners) == 1);
	list(&listeners, 1, WRONG);
	list(&listeners, 1, WRONG);
	listeners_commit(&listeners);
	CLAIM(!listeners_open(&listeners));
	list(&listeners, 1, GOOD);
	listeners_commit(&listeners);
	CLAIM(listeners_open(&listeners) == 1);
	listeners_begin(&listeners);
	listeners_commit(&listeners);
	CLAIM(!listeners_open(&listeners));
	end(&listeners);
}

const struct test listener_tests[] = {
	{ "listeners: a list that is read twice", twice },
	{ NULL, NULL }
};
