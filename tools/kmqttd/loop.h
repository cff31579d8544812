/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTD_LOOP_H
#define _KMQTTD_LOOP_H

#include <stdbool.h>

#include "conn.h"

struct loops;

struct loops *loops_start(unsigned int nr, const struct adopter *adopter,
			  struct conn_counts *counts);
void loops_give(struct loops *loops, struct conn *conn);
void loops_stop(struct loops *loops);

#endif /* _KMQTTD_LOOP_H */
