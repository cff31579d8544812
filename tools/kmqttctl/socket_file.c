// SPDX-License-Identifier: GPL-2.0
/*
 * Files of Unix sockets. The kernel makes them and leaves them, as bind() does:
 * one that is there already keeps a listener from being opened. So they are
 * removed when their listener is gone, or when its place is to be taken.
 */
#include "socket_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A listener that is gone may take a moment to close its socket. */
#define TRIES		50
#define PAUSE_US	20000

static bool has(const struct conf *conf, const struct endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++)
		if (endpoint_same(&conf->listeners[i].endpoint, endpoint))
			return true;
	return false;
}

/* Does anybody listen there, or may somebody? */
static bool is_used(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool used;
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	used = !connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) ||
	       errno != ECONNREFUSED;
	close(fd);
	return used;
}

static bool is_socket(const char *path)
{
	struct stat stat;

	return !lstat(path, &stat) && S_ISSOCK(stat.st_mode);
}

/**
 * socket_file_make_way() - remove what a listener that is gone has left
 * @endpoint: where a listener is to be opened
 * @present: a configuration with the listeners that are open
 *
 * What is no socket stays, and so does one on which somebody listens.
 */
void socket_file_make_way(const struct endpoint *endpoint,
			  const struct conf *present)
{
	if (endpoint->transport == KMQTT_TRANSPORT_UNIX &&
	    !has(present, endpoint) && is_socket(endpoint->path) &&
	    !is_used(endpoint->path))
		unlink(endpoint->path);
}

/**
 * socket_file_clean_up() - remove what listeners have left
 * @before: a configuration with the listeners that were open
 * @after: one with those that still are
 */
void socket_file_clean_up(const struct conf *before, const struct conf *after)
{
	const struct endpoint *endpoint;
	unsigned int tries;
	size_t i;

	for (i = 0; i < before->nr_listeners; i++) {
		endpoint = &before->listeners[i].endpoint;
		if (endpoint->transport != KMQTT_TRANSPORT_UNIX ||
		    has(after, endpoint) || !is_socket(endpoint->path))
			continue;
		for (tries = 0; is_used(endpoint->path); tries++) {
			if (tries == TRIES)
				break;
			usleep(PAUSE_US);
		}
		if (tries < TRIES)
			unlink(endpoint->path);
	}
}
