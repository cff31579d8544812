// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers that grow, and memory that is there or ends the program: a load
 * generator without memory has nothing to measure.
 */
#include "buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (!memory) {
		fprintf(stderr, "kmqtt-bench: out of memory\n");
		exit(1);
	}
	return memory;
}

/**
 * must_alloc() - allocate zeroed memory
 * @n: how many elements
 * @size: of an element
 *
 * Return: the memory, never NULL.
 */
void *must_alloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size));
}

/**
 * buffer_add() - make a buffer longer
 * @b: the buffer
 * @n: by so many bytes
 *
 * Return: where these are, to be filled in. Good until the next call.
 */
uint8_t *buffer_add(struct buffer *b, size_t n)
{
	uint8_t *at;

	if (b->len + n > b->size) {
		b->size = (b->len + n) * 2;
		b->data = must(realloc(b->data, b->size));
	}
	at = b->data + b->len;
	b->len += n;
	return at;
}

void buffer_put(struct buffer *b, const void *data, size_t n)
{
	if (n)
		memcpy(buffer_add(b, n), data, n);
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){};
}
