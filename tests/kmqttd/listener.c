// SPDX-License-Identifier: GPL-2.0
/*
 * Which listeners are open, whatever lists there were.
 */
#include "../../tools/kmqttd/listener.h"

#include <stdlib.h>
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
	listeners_commit(&listeners, false);
	CLAIM(listeners_open(&listeners) == 1);
	list(&listeners, 1, WRONG);
	list(&listeners, 1, WRONG);
	listeners_commit(&listeners, false);
	CLAIM(!listeners_open(&listeners));
	list(&listeners, 1, GOOD);
	listeners_commit(&listeners, false);
	CLAIM(listeners_open(&listeners) == 1);
	listeners_begin(&listeners);
	listeners_commit(&listeners, false);
	CLAIM(!listeners_open(&listeners));
	end(&listeners);
}

static void write_psk(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CLAIM(file && fputs(text, file) >= 0);
	if (file)
		fclose(file);
}

/* Files are read when they may have changed, and as long as they are wrong. */
static void files(void)
{
	char path[] = "/tmp/kmqttd-listener-XXXXXX", agent[64];
	struct listeners listeners;
	int fd = mkstemp(path);

	CLAIM(fd >= 0);
	snprintf(agent, sizeof(agent), "psk_file %s\n", path);
	begin(&listeners);
	write_psk(path, "wrong\n");
	list(&listeners, 1, agent);
	listeners_commit(&listeners, false);
	CLAIM(!listeners_open(&listeners));
	write_psk(path, "a:00\n");
	list(&listeners, 1, agent);
	listeners_commit(&listeners, false);
	CLAIM(listeners_open(&listeners) == 1);
	/* It goes on as before, but not as another one. */
	write_psk(path, "wrong\n");
	list(&listeners, 1, agent);
	listeners_commit(&listeners, false);
	listeners_commit(&listeners, true);
	CLAIM(listeners_open(&listeners) == 1);
	list(&listeners, 2, agent);
	listeners_commit(&listeners, false);
	CLAIM(!listeners_open(&listeners));
	end(&listeners);
	close(fd);
	unlink(path);
}

const struct test listener_tests[] = {
	{ "listeners: a list that is read twice", twice },
	{ "listeners: when files are read", files },
	{ NULL, NULL }
};
