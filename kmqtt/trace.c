// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints, and how they show what clients call themselves and their topics:
 * cut, and without what would control a terminal.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"

#include <linux/string.h>

/**
 * kmqtt_trace_text() - fill a field with a string of a client
 * @to: the field
 * @size: its bytes; what isn't needed is zeroed
 * @from: a string of UTF-8
 * @len: its bytes
 *
 * Context: any.
 */
void kmqtt_trace_text(char *to, size_t size, const u8 *from, size_t len)
{
	size_t i;

	if (len >= size) {
		len = size - 1;
		/* Leave no part of a character. */
		while (len && (from[len] & 0xc0) == 0x80)
			len--;
	}
	for (i = 0; i < len; i++) {
		/* Control characters: C0 and, of two bytes, C1. */
		bool control = from[i] < 0x20 || from[i] == 0x7f ||
			       (i && from[i - 1] == 0xc2 && from[i] < 0xa0);

		to[i] = control ? '?' : from[i];
		if (control && from[i] >= 0x80)
			to[i - 1] = '?';
	}
	memset(to + len, 0, size - len);
}

/**
 * kmqtt_trace_session_id() - fill a field with the identifier of a session
 * @to: the field, of KMQTT_TRACE_ID bytes
 * @session: the session, kept by RCU or a reference; or NULL
 *
 * Context: any.
 */
void kmqtt_trace_session_id(char *to, const struct kmqtt_session *session)
{
	if (session)
		kmqtt_trace_text(to, KMQTT_TRACE_ID, session->id,
				 session->id_len);
	else
		memset(to, 0, KMQTT_TRACE_ID);
}

/**
 * kmqtt_trace_id() - fill a field with the identifier of a client
 * @to: the field, of KMQTT_TRACE_ID bytes; empty before its CONNECT is accepted
 * @client: the client
 *
 * Context: a tracepoint: under RCU.
 */
void kmqtt_trace_id(char *to, const struct kmqtt_client *client)
{
	/* Pairs with kmqtt_admit(). */
	kmqtt_trace_session_id(to, smp_load_acquire(&client->session));
}
