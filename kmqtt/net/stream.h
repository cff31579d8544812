/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_STREAM_H
#define _KMQTT_NET_STREAM_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include "../wire/cursor.h"

struct kmqtt_conn;
struct kmqtt_websocket;
struct msghdr;
struct sock;

/**
 * struct kmqtt_callbacks - what a socket calls of its own
 * @data_ready: something has come
 * @state_change: its state is another one
 * @write_space: there is room to send
 */
struct kmqtt_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*write_space)(struct sock *sk);
};

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
 * @callbacks: of its socket
 * @rcu: socket callbacks may stand on it while it is freed
 * @transport: enum kmqtt_transport
 * @tls: the socket does TLS
 * @handshake: strings are behind this structure
 * @websocket: frames around the bytes, or NULL
 *
 * Nothing of it changes once the connection is there.
 */
struct kmqtt_stream {
	struct kmqtt_callbacks callbacks;
	struct rcu_head rcu;
	u8 transport;
	bool tls;
	struct kmqtt_handshake handshake;
	struct kmqtt_websocket *websocket;
};

void kmqtt_callbacks_save(struct kmqtt_callbacks *callbacks,
			  const struct sock *sk);
struct kmqtt_stream *
kmqtt_stream_create(u8 transport, const struct kmqtt_handshake *handshake);
void kmqtt_stream_free(struct kmqtt_stream *stream);
int kmqtt_stream_read(struct kmqtt_conn *conn, u8 *to, size_t room,
		      bool *drained);
int kmqtt_stream_send(struct kmqtt_conn *conn, struct msghdr *msg);
void kmqtt_stream_close(struct kmqtt_conn *conn);

#endif /* _KMQTT_NET_STREAM_H */
