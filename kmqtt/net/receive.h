/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_RECEIVE_H
#define _KMQTT_NET_RECEIVE_H

#include <linux/types.h>

struct kmqtt_conn;
struct kmqtt_pass;

void kmqtt_receive(struct kmqtt_conn *conn, struct kmqtt_pass *pass);
void kmqtt_receive_drop_tail(struct kmqtt_conn *conn);
void kmqtt_receive_rest(struct kmqtt_conn *conn, struct kmqtt_pass *pass);
void kmqtt_receive_drain(struct kmqtt_conn *conn, struct kmqtt_pass *pass,
			 size_t bytes);

#endif /* _KMQTT_NET_RECEIVE_H */
