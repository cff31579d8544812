/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_CHECK_H
#define _KMQTT_ACCESS_CHECK_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "port.h"

/* Checks that may wait, in all and of one address. */
#define KMQTT_CHECKS_MAX		4096
#define KMQTT_CHECKS_PER_SOURCE_MAX	256

/* Addresses without a check whose failures are remembered. */
#define KMQTT_CHECK_SOURCES_MAX		1024

#define KMQTT_CHECK_BUCKETS		256

struct kmqtt_check_source;

/**
 * struct kmqtt_checks - passwords that are to be checked
 * @wq: where that is done; outlives @sources
 * @secret: for @buckets; constant
 * @lock: guards what is below, and all sources; a leaf, taken with softirqs off
 * @buckets: struct kmqtt_check_source by address
 * @idle: those without a check, the one that failed first in front
 * @nr_idle: how many they are
 * @waiting: checks that wait or run; may be read without the lock, and so may
 *	the rest
 * @done: checks that have come to a result
 * @failed: those of them that found another password, or no user
 * @refused: checks that there was no room for
 */
struct kmqtt_checks {
	struct workqueue_struct *wq;
	siphash_key_t secret;
	spinlock_t lock;		/* all below */
	struct hlist_head buckets[KMQTT_CHECK_BUCKETS];
	struct list_head idle;
	u32 nr_idle;
	u32 waiting;
	u64 done;
	u64 failed;
	u64 refused;
};

/**
 * struct kmqtt_check - a password that is to be checked
 * @port: what the client came through
 * @user: who it says it is
 * @password: how it wants to prove that; no data if it doesn't
 * @done: called once, in process context, when @result is there; @done may free
 *	the check
 * @result: 0, -EACCES if it isn't the user's password, -ECANCELED, or another
 *	negative errno if that could not be told; for @done
 * @stamp: of the password, if @result is 0
 * @stop: nobody wants to know any more
 * @list: entry of its source
 * @source: where it came from
 *
 * The first four are the owner's, who keeps them until @done was called. The
 * last two are under the lock of the checks.
 */
struct kmqtt_check {
	struct kmqtt_port *port;
	struct kmqtt_str user;
	struct kmqtt_str password;
	void (*done)(struct kmqtt_check *check);
	int result;
	u64 stamp;
	bool stop;
	struct list_head list;
	struct kmqtt_check_source *source;
};

void kmqtt_checks_init(struct kmqtt_checks *checks,
		       struct workqueue_struct *wq);
void kmqtt_checks_uninit(struct kmqtt_checks *checks);
int kmqtt_check_begin(struct kmqtt_checks *checks, struct kmqtt_check *check,
		      const struct in6_addr *addr, gfp_t gfp);
bool kmqtt_check_cancel(struct kmqtt_checks *checks, struct kmqtt_check *check);

#endif /* _KMQTT_ACCESS_CHECK_H */
