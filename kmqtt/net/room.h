/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to know of a socket that belongs to somebody else.
 */
#ifndef _KMQTT_NET_ROOM_H
#define _KMQTT_NET_ROOM_H

#include <net/sock.h>

/**
 * kmqtt_sock_has_room() - may a socket get something that it didn't ask for?
 * @sk: the socket; a reference or RCU keeps it
 *
 * An eighth is left for answers: who waits for one that there was no room for
 * would wait for ever.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_sock_has_room(const struct sock *sk)
{
	int room = READ_ONCE(sk->sk_rcvbuf);

	return atomic_read(&sk->sk_rmem_alloc) <= room - room / 8;
}

/**
 * kmqtt_sock_is_closed() - has its owner closed a socket?
 * @sk: the socket; a reference or RCU keeps it
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool kmqtt_sock_is_closed(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

#endif /* _KMQTT_NET_ROOM_H */
