/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_WEBSOCKET_H
#define _KMQTT_NET_WEBSOCKET_H

#include <linux/types.h>

struct kmqtt_conn;
struct kmqtt_websocket;
struct msghdr;

struct kmqtt_websocket *kmqtt_websocket_create(void);
int kmqtt_websocket_received(struct kmqtt_conn *conn, u8 *data, int len,
			     bool *more);
int kmqtt_websocket_send(struct kmqtt_conn *conn, struct msghdr *msg);
int kmqtt_websocket_flush(struct kmqtt_conn *conn);
bool kmqtt_websocket_is_behind(const struct kmqtt_conn *conn);
void kmqtt_websocket_close(struct kmqtt_conn *conn);

#endif /* _KMQTT_NET_WEBSOCKET_H */
