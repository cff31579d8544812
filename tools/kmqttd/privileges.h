/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_PRIVILEGES_H
#define _KMQTTD_PRIVILEGES_H

void privileges_drop(const char *user);

#endif /* _KMQTTD_PRIVILEGES_H */
