/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_OUTSIDE_H
#define _KMQTTCTL_CONF_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "../address.h"

/* Addresses that a name may stand for. */
#define OUTSIDE_ADDRESSES_MAX	16

char *outside_read(const char *path, size_t *len, const char **why);
char *outside_whole(const char *path, const char **why);
bool outside_probe(const char *path, bool directory, const char **why);
char **outside_list(const char *path, size_t *nr, const char **why);
size_t outside_resolve(const char *host, int family,
		       struct address addresses[OUTSIDE_ADDRESSES_MAX],
		       const char **why);
size_t outside_interface(const char *name, int family,
			 struct address addresses[OUTSIDE_ADDRESSES_MAX],
			 const char **why);
char *outside_agent(const char *text);

#endif /* _KMQTTCTL_CONF_OUTSIDE_H */
