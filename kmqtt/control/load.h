/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_LOAD_H
#define _KMQTT_CONTROL_LOAD_H

#include <linux/types.h>

/* Bits of a load behind the point. */
#define KMQTT_LOAD_SHIFT	20

/* Over how long a load is averaged. */
enum kmqtt_load_window {
	KMQTT_LOAD_1MIN,
	KMQTT_LOAD_5MIN,
	KMQTT_LOAD_15MIN,
	KMQTT_LOAD_WINDOWS,
};

u64 kmqtt_load_next(u64 load, u64 events, u32 seconds,
		    enum kmqtt_load_window window);
u64 kmqtt_load_hundredths(u64 load);

#endif /* _KMQTT_CONTROL_LOAD_H */
