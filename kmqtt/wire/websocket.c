// SPDX-License-Identifier: GPL-2.0
/*
 * WebSocket frames (RFC 6455, 5). What a client's frames carry is one stream of
 * bytes to MQTT, wherever frames and messages begin and end [MQTT-6.0.0-2], so
 * it is handed on as it comes and no length that is announced costs memory.
 */
#include "websocket.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* The first two bytes of a header (RFC 6455, 5.2). */
#define HEAD_FIN	0x80
#define HEAD_RSV	0x70
#define HEAD_OPCODE	0x0f
#define HEAD_MASKED	0x80
#define HEAD_LEN	0x7f
#define HEAD_START	2

/* Values of HEAD_LEN that tell of a length behind the two bytes. */
#define LEN_16		126
#define LEN_64		127
#define LEN_16_MAX	0xffff

#define MASK_LEN	4

enum ws_opcode {
	OP_CONTINUATION	= 0x0,
	OP_TEXT		= 0x1,
	OP_BINARY	= 0x2,
	OP_CLOSE	= 0x8,
	OP_PING		= 0x9,
	OP_PONG		= 0xa,
};

static u8 opcode(const struct kmqtt_ws *ws)
{
	return ws->head[0] & HEAD_OPCODE;
}

/* Control frames have the high bit in their opcodes (RFC 6455, 5.5). */
static bool is_control(const struct kmqtt_ws *ws)
{
	return ws->head[0] & 0x08;
}

/* Bytes of the header, as far as it tells by now. */
static u32 head_size(const struct kmqtt_ws *ws)
{
	if (ws->head_len < HEAD_START)
		return HEAD_START;
	switch (ws->head[1] & HEAD_LEN) {
	case LEN_16:
		return HEAD_START + sizeof(u16) + MASK_LEN;
	case LEN_64:
		return HEAD_START + sizeof(u64) + MASK_LEN;
	default:
		return HEAD_START + MASK_LEN;
	}
}

/*
 * Undo the mask (RFC 6455, 5.3) of @len bytes that are next in the frame's
 * payload. @to may be @from, or before it and overlap.
 */
static void unmask(const struct kmqtt_ws *ws, u8 *to, const u8 *from, size_t len)
{
	const u8 *mask = ws->head + ws->head_len - MASK_LEN;
	union {
		u8 byte[8];
		u64 word;
	} key;
	size_t i;

	/* From here on it repeats itself in each word. */
	for (i = 0; i < sizeof(key); i++)
		key.byte[i] = mask[(ws->done + i) % MASK_LEN];
	for (; len >= sizeof(key); len -= sizeof(key)) {
		put_unaligned(get_unaligned((const u64 *)from) ^ key.word,
			      (u64 *)to);
		from += sizeof(key);
		to += sizeof(key);
	}
	for (i = 0; i < len; i++)
		to[i] = from[i] ^ key.byte[i];
}

/*
 * May a client say this? 1004 has no meaning, 1005, 1006 and 1015 are never
 * sent (RFC 6455, 7.4.1); the registry has 1012 to 1014 besides. Other codes
 * below 3000 are reserved for what the protocol may become (7.4.2).
 */
static bool code_valid(u16 code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static void fail(struct kmqtt_ws *ws, u16 code)
{
	ws->failed = true;
	kmqtt_ws_close(ws, code);
}

/* Why the two bytes that a header begins with are refused; 0 if they aren't. */
static u16 start_check(const struct kmqtt_ws *ws)
{
	u8 len = ws->head[1] & HEAD_LEN;

	/* What these bits mean is for extensions to say (RFC 6455, 5.2). */
	if (ws->head[0] & HEAD_RSV)
		return KMQTT_WS_PROTOCOL_ERROR;
	/* A client masks all that it sends (5.1). */
	if (!(ws->head[1] & HEAD_MASKED))
		return KMQTT_WS_PROTOCOL_ERROR;
	/* Control frames are short and in one piece (5.5). */
	if (is_control(ws) && (!(ws->head[0] & HEAD_FIN) ||
			       len > KMQTT_WS_CONTROL_MAX))
		return KMQTT_WS_PROTOCOL_ERROR;
	switch (opcode(ws)) {
	case OP_CONTINUATION:	/* of nothing? (5.4) */
		return ws->fragmented ? 0 : KMQTT_WS_PROTOCOL_ERROR;
	case OP_BINARY:		/* in the midst of another message? (5.4) */
		return ws->fragmented ? KMQTT_WS_PROTOCOL_ERROR : 0;
	case OP_TEXT:		/* [MQTT-6.0.0-1] */
		return ws->fragmented ? KMQTT_WS_PROTOCOL_ERROR :
					KMQTT_WS_UNSUPPORTED;
	case OP_CLOSE:		/* with half a code? (5.5.1) */
		return len == 1 ? KMQTT_WS_PROTOCOL_ERROR : 0;
	case OP_PING:
	case OP_PONG:
		return 0;
	default:		/* reserved (5.2) */
		return KMQTT_WS_PROTOCOL_ERROR;
	}
}

/*
 * The length that the header tells. It has to be in as few bytes as possible,
 * and its highest bit is 0 (RFC 6455, 5.2).
 */
static bool len_decode(struct kmqtt_ws *ws)
{
	u8 len = ws->head[1] & HEAD_LEN;

	switch (len) {
	case LEN_16:
		ws->len = get_unaligned_be16(ws->head + HEAD_START);
		return ws->len >= LEN_16;
	case LEN_64:
		ws->len = get_unaligned_be64(ws->head + HEAD_START);
		return ws->len > LEN_16_MAX && !(ws->len >> 63);
	default:
		ws->len = len;
		return true;
	}
}

/* A close frame has come as a whole: it is answered with its code (5.5.1). */
static void close_end(struct kmqtt_ws *ws)
{
	if (!ws->len) {
		ws->peer_code = KMQTT_WS_NO_CODE;
	} else if (!code_valid(ws->peer_code)) {
		fail(ws, KMQTT_WS_PROTOCOL_ERROR);
		return;
	}
	ws->closed = true;
	kmqtt_ws_close(ws, ws->peer_code);
}

/* The frame has come as a whole. */
static void frame_end(struct kmqtt_ws *ws)
{
	ws->head_len = 0;
	switch (opcode(ws)) {
	case OP_PING:
		/* Who was told to close ignores what comes then (1.4). */
		ws->ping_len = ws->len;
		ws->pong_due = !ws->close_sent;
		break;
	case OP_CLOSE:
		close_end(ws);
		break;
	}
}

/* The header has come as a whole. */
static void frame_begin(struct kmqtt_ws *ws)
{
	if (!len_decode(ws)) {
		fail(ws, KMQTT_WS_PROTOCOL_ERROR);
		return;
	}
	ws->done = 0;
	if (!is_control(ws))
		ws->fragmented = !(ws->head[0] & HEAD_FIN);
	/* Of several pings only the last has to be answered (5.5.3). */
	if (opcode(ws) == OP_PING)
		ws->pong_due = false;
	if (!ws->len)
		frame_end(ws);
}

/* Take what there is of a header, or of its first two bytes. */
static size_t take_head(struct kmqtt_ws *ws, const u8 *from, size_t len)
{
	size_t n = min_t(size_t, head_size(ws) - ws->head_len, len);
	u16 code;

	memcpy(ws->head + ws->head_len, from, n);
	ws->head_len += n;
	if (ws->head_len == HEAD_START) {
		code = start_check(ws);
		if (code)
			fail(ws, code);
	} else if (ws->head_len == head_size(ws)) {
		frame_begin(ws);
	}
	return n;
}

/* Take @len bytes of a control frame's payload. */
static void take_control(struct kmqtt_ws *ws, u8 *from, size_t len)
{
	size_t i;

	switch (opcode(ws)) {
	case OP_PING:
		unmask(ws, ws->ping + ws->done, from, len);
		break;
	case OP_CLOSE:
		/* What is behind the code is for people to read (5.5.1). */
		unmask(ws, from, from, len);
		for (i = 0; i < len && ws->done + i < sizeof(u16); i++)
			ws->peer_code = ws->peer_code << 8 | from[i];
		break;
	}
}

/**
 * kmqtt_ws_decode() - take the frames off bytes that a client has sent
 * @ws: the WebSocket
 * @data: the bytes, which are changed in place: those of MQTT move to the front
 * @len: how many; they may begin and end anywhere in a frame
 * @got: how many bytes of MQTT there are now, on failure, too: they came before
 *	what is wrong
 *
 * Whoever calls this looks at kmqtt_ws_due() and @ws->closed then. Nothing is
 * taken from what follows a close frame or a failure, in later calls neither.
 *
 * Context: any.
 * Return: 0, or -EPROTO if the client has broken the rules of RFC 6455 or
 * [MQTT-6.0.0-1]: a close frame that says so is due and the connection is to be
 * closed when it is sent (RFC 6455, 7.1.7).
 */
int kmqtt_ws_decode(struct kmqtt_ws *ws, u8 *data, size_t len, size_t *got)
{
	u8 *from = data, *to = data, *end = data + len;
	size_t n;

	while (from < end && !ws->closed && !ws->failed) {
		if (ws->head_len < head_size(ws)) {
			from += take_head(ws, from, end - from);
			continue;
		}
		n = min_t(u64, ws->len - ws->done, end - from);
		if (is_control(ws)) {
			take_control(ws, from, n);
		} else {
			unmask(ws, to, from, n);
			to += n;
		}
		from += n;
		ws->done += n;
		if (ws->done == ws->len)
			frame_end(ws);
	}
	*got = to - data;
	return ws->failed ? -EPROTO : 0;
}

/**
 * kmqtt_ws_close() - have a close frame sent, unless one is or was already
 * @ws: the WebSocket
 * @code: enum kmqtt_ws_code
 *
 * No frame may follow the one that kmqtt_ws_answer() writes then. The client
 * answers it with its own, and decoding goes on until that has come.
 *
 * Context: any.
 */
void kmqtt_ws_close(struct kmqtt_ws *ws, u16 code)
{
	if (ws->close_code)
		return;
	ws->close_code = code;
	ws->close_due = true;
}

/**
 * kmqtt_ws_answer() - write the control frames that are due
 * @ws: the WebSocket, for which they are no longer due then
 * @to: room for KMQTT_WS_ANSWER_MAX bytes
 *
 * They may stand between any two frames (RFC 6455, 5.4). If there is a close
 * frame it is the last of them, and @ws->close_sent is set.
 *
 * Context: any.
 * Return: bytes written, 0 if nothing is due.
 */
size_t kmqtt_ws_answer(struct kmqtt_ws *ws, u8 *to)
{
	u8 *p = to;

	if (ws->pong_due) {
		*p++ = HEAD_FIN | OP_PONG;
		*p++ = ws->ping_len;
		memcpy(p, ws->ping, ws->ping_len);
		p += ws->ping_len;
		ws->pong_due = false;
	}
	if (ws->close_due) {
		bool has_code = ws->close_code != KMQTT_WS_NO_CODE;

		*p++ = HEAD_FIN | OP_CLOSE;
		*p++ = has_code ? sizeof(u16) : 0;
		if (has_code) {
			put_unaligned_be16(ws->close_code, p);
			p += sizeof(u16);
		}
		ws->close_due = false;
		ws->close_sent = true;
	}
	return p - to;
}

/**
 * kmqtt_ws_head() - write the header of a frame with bytes of MQTT
 * @to: room for KMQTT_WS_HEAD_MAX bytes
 * @len: bytes that follow the header, less than 2^63
 *
 * The frame is a binary message by itself, without a mask (RFC 6455, 5.1).
 *
 * Context: any.
 * Return: bytes written: 2, 4 or 10.
 */
size_t kmqtt_ws_head(u8 *to, u64 len)
{
	to[0] = HEAD_FIN | OP_BINARY;
	if (len < LEN_16) {
		to[1] = len;
		return HEAD_START;
	}
	if (len <= LEN_16_MAX) {
		to[1] = LEN_16;
		put_unaligned_be16(len, to + HEAD_START);
		return HEAD_START + sizeof(u16);
	}
	to[1] = LEN_64;
	put_unaligned_be64(len, to + HEAD_START);
	return HEAD_START + sizeof(u64);
}
