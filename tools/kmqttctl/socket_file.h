/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_SOCKET_FILE_H
#define _KMQTTCTL_SOCKET_FILE_H

#include "conf/conf.h"

void socket_file_make_way(const struct endpoint *endpoint,
			  const struct conf *present);
void socket_file_clean_up(const struct conf *before, const struct conf *after);

#endif /* _KMQTTCTL_SOCKET_FILE_H */
