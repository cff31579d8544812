/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_BENCH_BUFFER_H
#define _KMQTT_BENCH_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes to be written: those from @off to @len. */
struct buffer {
	uint8_t *data;
	size_t off;
	size_t len;
	size_t size;
};

static inline size_t buffer_left(const struct buffer *b)
{
	return b->len - b->off;
}

/* Forget @n written bytes. Return: those of @n that this buffer didn't have. */
static inline size_t buffer_consume(struct buffer *b, size_t n)
{
	size_t left = buffer_left(b);

	if (n < left) {
		b->off += n;
		return 0;
	}
	b->off = 0;
	b->len = 0;
	return n - left;
}

uint8_t *buffer_add(struct buffer *b, size_t n);
void buffer_put(struct buffer *b, const void *data, size_t n);
void buffer_free(struct buffer *b);

void *must_alloc(size_t n, size_t size);

#endif /* _KMQTT_BENCH_BUFFER_H */
