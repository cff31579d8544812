/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_BASE64_H
#define _KMQTTCTL_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* The longest salt, key or hash. */
#define BASE64_BYTES_MAX	64

/* What it makes in base64, and its end. */
#define BASE64_TEXT_MAX		((BASE64_BYTES_MAX + 2) / 3 * 4 + 1)

const char *base64_read(const char *text, const char *ends, uint8_t *to,
			size_t *len);
void base64_write(char text[BASE64_TEXT_MAX], const uint8_t *bytes, size_t len);

#endif /* _KMQTTCTL_BASE64_H */
