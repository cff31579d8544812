/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows which kernel this is built for. The code is
 * written for 6.12; what later kernels call differently is mapped here.
 */
#ifndef _KMQTT_COMPAT_H
#define _KMQTT_COMPAT_H

#include <linux/base64.h>
#include <linux/timer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define kmqtt_from_timer timer_container_of
#else
#define kmqtt_from_timer from_timer
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define kmqtt_sockaddr(addr) ((struct sockaddr_unsized *)(addr))
#else
#define kmqtt_sockaddr(addr) ((struct sockaddr *)(addr))
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define kmqtt_base64_encode(from, len, to) \
	base64_encode(from, len, to, true, BASE64_STD)
#define kmqtt_base64_decode(from, len, to) \
	base64_decode(from, len, to, true, BASE64_STD)
#else
#define kmqtt_base64_encode base64_encode
#define kmqtt_base64_decode base64_decode
#endif

/* Later releases of 6.12 have it as well. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 30)
#define kmqtt_sk_net_upgrade sk_net_refcnt_upgrade
#else
#define kmqtt_sk_net_upgrade(sk) do {					\
	__netns_tracker_free(sock_net(sk), &(sk)->ns_tracker, false);	\
	(sk)->sk_net_refcnt = 1;					\
	get_net_track(sock_net(sk), &(sk)->ns_tracker, GFP_KERNEL);	\
	sock_inuse_add(sock_net(sk), 1);				\
} while (0)
#endif

#endif /* _KMQTT_COMPAT_H */
