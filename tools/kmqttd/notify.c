// SPDX-License-Identifier: GPL-2.0
/*
 * Tell systemd how it goes, as sd_notify(3) does, without its library.
 */
#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

/**
 * notify() - tell systemd, if it wants to know
 * @state: lines of NAME=VALUE
 */
void notify(const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;
	int fd;

	if (!path)
		return;
	len = strlen(path);
	if (len < 2 || len > sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	/* A name that isn't in the file system. */
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* There is nobody else to tell that this went wrong. */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&addr,
		   offsetof(struct sockaddr_un, sun_path) + len) < 0)
		len = 0;
	close(fd);
}
