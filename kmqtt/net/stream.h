/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_STREAM_H
#define _KMQTT_NET_STREAM_H

#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "../wire/cursor.h"

struct kmqtt_conn;
struct kmqtt_websocket;
struct msghdr;

/**
 * struct kmqtt_handshake - what has come before MQTT
 * @tls_version: as TLS writes it, or 0
 * @websocket: what follows is in WebSocket's frames
 * @has_user: there has to be a proven user
 * @user: who it is, or empty
 * @subject: of its certificate, or the identity of its key
 * @cipher: name of the cipher suite
 */
struct kmqtt_handshake {
	u16 tls_version;
	bool websocket;
	bool has_user;
	struct kmqtt_str user;
	struct kmqtt_str subject;
	struct kmqtt_str cipher;
};

/**
 * struct kmqtt_stream - a connection's bytes, if they aren't plain TCP's
 * @wait: entry of the socket's wait queue
 * @transport: enum kmqtt_transport
 * @tls: the socket does TLS
 * @handshake: strings are behind this structure
 * @websocket: frames around the bytes, or NULL
 * @linger_work: waits for the client to close its side, when ours is closed
 * @lingered: how often it has looked
 *
 * What is not about lingering doesn't change once the connection is there.
 */
struct kmqtt_stream {
	struct wait_queue_entry wait;
	u8 transport;
	bool tls;
	struct kmqtt_handshake handshake;
	struct kmqtt_websocket *websocket;
	struct delayed_work linger_work;
	u8 lingered;
};

struct kmqtt_stream *
kmqtt_stream_create(u8 transport, const struct kmqtt_handshake *handshake);
void kmqtt_stream_free(struct kmqtt_stream *stream);
int kmqtt_stream_attach(struct kmqtt_conn *conn);
void kmqtt_stream_detach(struct kmqtt_conn *conn);
int kmqtt_stream_read(struct kmqtt_conn *conn, u8 *to, size_t room,
		      bool *drained);
int kmqtt_stream_send(struct kmqtt_conn *conn, struct msghdr *msg);
int kmqtt_stream_flush(struct kmqtt_conn *conn);
bool kmqtt_stream_is_behind(const struct kmqtt_conn *conn);
void kmqtt_stream_close(struct kmqtt_conn *conn);

#endif /* _KMQTT_NET_STREAM_H */
