/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_UPGRADE_H
#define _KMQTTD_UPGRADE_H

#include <stddef.h>

#include "settings.h"

/* The longest request, and the longest answer. */
#define UPGRADE_REQUEST_MAX	8192
#define UPGRADE_ANSWER_MAX	256

#define UPGRADE_DONE		101

size_t upgrade_wants(const char *request, size_t len);
int upgrade_too_long(char answer[UPGRADE_ANSWER_MAX]);
int upgrade_answer(const struct settings *settings, char *request, size_t len,
		   char answer[UPGRADE_ANSWER_MAX]);

#endif /* _KMQTTD_UPGRADE_H */
