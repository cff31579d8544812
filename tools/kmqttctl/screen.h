/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_SCREEN_H
#define _KMQTTCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* Why screen_wait() came back. */
enum screen_event {
	SCREEN_TIMEOUT,		/* or somebody doesn't want to wait */
	SCREEN_RESIZED,		/* or has to be drawn anew */
	SCREEN_QUIT,
};

void screen_open(void);
void screen_close(void);
void screen_size(size_t *rows, size_t *columns);
void screen_begin(void);
void screen_line(const char *text);
void screen_end(void);
enum screen_event screen_wait(int milliseconds);

#endif /* _KMQTTCTL_SCREEN_H */
