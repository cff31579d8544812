/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_AGENT_H
#define _KMQTTD_AGENT_H

#include "exit.h"

enum exit_code agent_run(void);

#endif /* _KMQTTD_AGENT_H */
