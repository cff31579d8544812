/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the broker, by kmqttctl. */
#ifndef PAHO_C_BROKER_H
#define PAHO_C_BROKER_H

#include <stdbool.h>

/* Does kmqttctl reach a broker? */
bool broker_has_settings(void);

/* Change one until the scenario ends, which is skipped if that can't be. */
void broker_set(const char *name, long value);

/* Called when it ends. */
void broker_restore(void);

#endif
