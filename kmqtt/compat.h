/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows which kernel this is built for. The code is
 * written for 6.12; what later kernels call differently is mapped here.
 */
#ifndef _KMQTT_COMPAT_H
#define _KMQTT_COMPAT_H

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

#endif /* _KMQTT_COMPAT_H */
