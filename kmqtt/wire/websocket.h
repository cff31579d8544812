/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames of a WebSocket, as a server sees them (RFC 6455, 5): a client's
 * are taken off the stream of MQTT's bytes, ours are put on it. The handshake
 * (RFC 6455, 4) is over before, and no extension was agreed on in it.
 */
#ifndef _KMQTT_WIRE_WEBSOCKET_H
#define _KMQTT_WIRE_WEBSOCKET_H

#include <linux/types.h>

/* Why a WebSocket is closed (RFC 6455, 7.4.1). */
enum kmqtt_ws_code {
	KMQTT_WS_NORMAL		= 1000,
	KMQTT_WS_GOING_AWAY	= 1001,
	KMQTT_WS_PROTOCOL_ERROR	= 1002,
	KMQTT_WS_UNSUPPORTED	= 1003,
	KMQTT_WS_NO_CODE	= 1005,	/* never sent: stands for an empty frame */
	KMQTT_WS_POLICY		= 1008,
	KMQTT_WS_TOO_BIG	= 1009,
};

enum kmqtt_ws_limits {
	KMQTT_WS_CLIENT_HEAD_MAX	= 14,	/* bytes: longest header with a mask */
	KMQTT_WS_HEAD_MAX		= 10,	/* bytes: longest header without one */
	KMQTT_WS_CONTROL_MAX		= 125,	/* bytes: payload of a control frame */
	/* Bytes: a pong, and a close frame with its code. */
	KMQTT_WS_ANSWER_MAX		= 2 + KMQTT_WS_CONTROL_MAX + 4,
};

/**
 * struct kmqtt_ws - a WebSocket between two reads; begins as zeroes
 * @len: bytes of payload of the present frame, once its header is there
 * @done: bytes of that payload that have come
 * @close_code: enum kmqtt_ws_code that we close with, 0 if we don't
 * @peer_code: what the client has closed with, if @closed
 * @head_len: bytes in @head
 * @ping_len: bytes in @ping, if @pong_due
 * @fragmented: a message has begun whose last frame hasn't
 * @pong_due: @ping has come as a whole and is to be answered
 * @close_due: a close frame is to be sent
 * @close_sent: it has been taken
 * @closed: the client has sent a close frame: nothing follows
 * @failed: the client has broken the rules: nothing more is looked at
 * @head: header of the present frame with its mask, as far as it has come
 * @ping: payload of the last ping, as far as it has come
 *
 * Calls for the same struct exclude each other: its owner sees to that.
 */
struct kmqtt_ws {
	u64 len;
	u64 done;
	u16 close_code;
	u16 peer_code;
	u8 head_len;
	u8 ping_len;
	bool fragmented;
	bool pong_due;
	bool close_due;
	bool close_sent;
	bool closed;
	bool failed;
	u8 head[KMQTT_WS_CLIENT_HEAD_MAX];
	u8 ping[KMQTT_WS_CONTROL_MAX];
};

/**
 * kmqtt_ws_due() - is there a control frame to be sent?
 * @ws: the WebSocket
 *
 * Context: any.
 * Return: true if kmqtt_ws_answer() has something to write.
 */
static inline bool kmqtt_ws_due(const struct kmqtt_ws *ws)
{
	return ws->pong_due || ws->close_due;
}

int kmqtt_ws_decode(struct kmqtt_ws *ws, u8 *data, size_t len, size_t *got);
void kmqtt_ws_close(struct kmqtt_ws *ws, u16 code);
size_t kmqtt_ws_answer(struct kmqtt_ws *ws, u8 *to);
size_t kmqtt_ws_head(u8 *to, u64 len);

#endif /* _KMQTT_WIRE_WEBSOCKET_H */
