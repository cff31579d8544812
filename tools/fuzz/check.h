/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the targets share: memory whose ends are watched, claims, and a second
 * opinion on UTF-8 and properties that has nothing in common with the module.
 */
#ifndef _FUZZ_CHECK_H
#define _FUZZ_CHECK_H

#include "../../kmqtt/wire/decode.h"
#include "../../kmqtt/wire/encode.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define CLAIM(what) do {				\
	if (!(what))					\
		claim_fail(__FILE__, __LINE__, #what);	\
} while (0)

/**
 * struct ref_value - a property as the second opinion has it
 * @text: string or binary data, in the packet
 * @number: any other value
 */
struct ref_value {
	struct kmqtt_str text;
	u32 number;
};

/**
 * struct ref_props - properties as the second opinion has them
 * @size: bytes with their length; 0 if they are refused
 * @short_of: they may be good, but there is more to come
 * @value: of those in @present
 * @present: a bit for each identifier
 * @forward: the properties that go on to subscribers, as bytes
 * @forward_len: bytes there
 */
struct ref_props {
	size_t size;
	bool short_of;
	struct ref_value value[KMQTT_PROPERTIES];
	u64 present;
	u8 *forward;
	size_t forward_len;
};

void claim_fail(const char *file, int line, const char *what);
u8 *room(size_t len);
u8 *copy_of(const u8 *data, size_t len);
void give_back(u8 *p);

bool ref_utf8(const u8 *s, size_t len, bool nul);
void ref_props_read(struct ref_props *r, u8 type, const u8 *p, size_t len);
void ref_props_free(struct ref_props *r);
void ref_props_same(const struct ref_props *r, const struct kmqtt_props *props);

void claim_inside(const struct kmqtt_str *s, const u8 *p, size_t len);
void claim_text(const struct kmqtt_str *s, const u8 *p, size_t len);
void claim_props(const struct kmqtt_props *props, u8 type, const u8 *p,
		 size_t len);

int fuzz_one(const u8 *data, size_t size);

#endif /* _FUZZ_CHECK_H */
