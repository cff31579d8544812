/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_TEXT_H
#define _KMQTTCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Enough for any number, size or time in words. */
#define TEXT_NUMBER_MAX	32

/* Enough for a point in time. */
#define TEXT_TIME_MAX	64

bool text_to_number(const char *text, uint64_t max, uint64_t *value);
bool text_to_bytes(const char *text, uint64_t max, uint64_t *value);
bool text_to_seconds(const char *text, uint64_t max, uint64_t *value);

void text_of_bytes(char text[TEXT_NUMBER_MAX], uint64_t value);
void text_of_seconds(char text[TEXT_NUMBER_MAX], uint64_t value);
void text_of_time(char text[TEXT_TIME_MAX], const struct timespec *time);

char *text_escape(const char *text, size_t len, bool quote);
size_t text_width(const char *text);
size_t text_fit(const char *text, size_t columns);
size_t text_utf8_len(const char *text, size_t len);

#endif /* _KMQTTCTL_TEXT_H */
