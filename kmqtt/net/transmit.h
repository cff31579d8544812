/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_NET_TRANSMIT_H
#define _KMQTT_NET_TRANSMIT_H

struct kmqtt_conn;
struct kmqtt_pass;

void kmqtt_transmit(struct kmqtt_conn *conn, struct kmqtt_pass *pass);
void kmqtt_transmit_last(struct kmqtt_conn *conn, struct kmqtt_pass *pass);

#endif /* _KMQTT_NET_TRANSMIT_H */
