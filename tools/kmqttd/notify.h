/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_NOTIFY_H
#define _KMQTTD_NOTIFY_H

void notify(const char *state);

#endif /* _KMQTTD_NOTIFY_H */
