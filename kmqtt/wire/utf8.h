/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_WIRE_UTF8_H
#define _KMQTT_WIRE_UTF8_H

#include <linux/types.h>

bool kmqtt_utf8_valid(const u8 *s, size_t len);

#endif /* _KMQTT_WIRE_UTF8_H */
