/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_BAN_H
#define _KMQTT_ACCESS_BAN_H

#include <linux/bitmap.h>
#include <linux/in6.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>
#include "../topic/memory.h"
#include "../wire/packet.h"

/* Bits of an address, IPv4 mapped into IPv6, and those that make it that. */
#define KMQTT_BAN_PREFIX_MAX	128
#define KMQTT_BAN_PREFIX_IPV4	96

/**
 * enum kmqtt_ban_kind - what somebody is banned by
 * @KMQTT_BAN_ADDRESS: address, or network
 * @KMQTT_BAN_CLIENT: client identifier
 * @KMQTT_BAN_USER: user name
 */
enum kmqtt_ban_kind {
	KMQTT_BAN_ADDRESS,
	KMQTT_BAN_CLIENT,
	KMQTT_BAN_USER,
};

/**
 * struct kmqtt_ban_key - whom a ban is about
 * @kind: what @value is
 * @prefix: bits that count of an address; 0 for others
 * @value: a struct in6_addr, IPv4 mapped into IPv6 and zero behind @prefix; or
 *	a string that is not empty
 */
struct kmqtt_ban_key {
	enum kmqtt_ban_kind kind;
	u8 prefix;
	struct kmqtt_str value;
};

/**
 * struct kmqtt_ban - a ban, immutable: a change puts another in its place
 * @hash: in the table, keyed by whom it is about
 * @by_number: in the order in which they were made, under the lock of the bans
 * @expiry: when it is over, of the clock that goes on in suspend; 0 for never.
 *	Its node is under the lock of the bans, what it expires at constant
 * @rcu: lookups may stand on it while it is freed
 * @number: no other ban of the broker ever has it
 * @kind: enum kmqtt_ban_kind
 * @origin: enum kmqtt_ban_origin
 * @prefix: as in struct kmqtt_ban_key
 * @value_len: bytes of the value
 * @reason_len: bytes of what is noted about it
 * @data: both, one behind the other
 */
struct kmqtt_ban {
	struct rhash_head hash;
	struct rb_node by_number;
	struct timerqueue_node expiry;
	struct rcu_head rcu;
	u64 number;
	u8 kind;
	u8 origin;
	u8 prefix;
	u16 value_len;
	u16 reason_len;
	u8 data[];
};

/**
 * struct kmqtt_bans - who is not let in by a broker
 * @memory: account to charge
 * @wq: where @sweep runs; outlives it
 * @table: struct kmqtt_ban; changed under @lock, read under RCU
 * @lock: guards what is below; taken with softirqs off
 * @nr: how many there are; may be read without the lock
 * @nr_flapping: how many of them the broker has made by itself
 * @max: how many may be, and by the broker itself half as many; READ_ONCE() and
 *	WRITE_ONCE()
 * @next: number of the next one
 * @numbers: all, by their numbers
 * @expiring: those that will be over, by when
 * @prefixes: the bits of addresses that count for at least one; may be read
 *	without the lock
 * @nr_prefix: for how many, of each
 * @sweep: forgets those that are over; pending if there is anything in @expiring
 */
struct kmqtt_bans {
	struct kmqtt_memory *memory;
	struct workqueue_struct *wq;
	struct rhashtable table;
	spinlock_t lock;		/* all below, and changes of table */
	u32 nr;
	u32 nr_flapping;
	u32 max;
	u64 next;
	struct rb_root numbers;
	struct timerqueue_head expiring;
	DECLARE_BITMAP(prefixes, KMQTT_BAN_PREFIX_MAX + 1);
	u32 nr_prefix[KMQTT_BAN_PREFIX_MAX + 1];
	struct delayed_work sweep;
};

int kmqtt_bans_init(struct kmqtt_bans *bans, struct kmqtt_memory *memory,
		    struct workqueue_struct *wq);
void kmqtt_bans_uninit(struct kmqtt_bans *bans);
bool kmqtt_ban_mask(struct in6_addr *to, const struct in6_addr *addr,
		    unsigned int prefix);
int kmqtt_ban_add(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key,
		  u32 seconds, enum kmqtt_ban_origin origin,
		  const struct kmqtt_str *reason, gfp_t gfp);
int kmqtt_ban_del(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key);
bool kmqtt_ban_has_address(struct kmqtt_bans *bans,
			   const struct in6_addr *addr);
bool kmqtt_ban_has_name(struct kmqtt_bans *bans, enum kmqtt_ban_kind kind,
			const struct kmqtt_str *name);
const struct kmqtt_ban *kmqtt_bans_next(struct kmqtt_bans *bans, u64 after);
u32 kmqtt_ban_expires_in(const struct kmqtt_ban *ban);

/**
 * kmqtt_bans_any() - is there anything to look up?
 * @bans: who is not let in
 *
 * Context: any.
 * Return: false if nobody is banned.
 */
static inline bool kmqtt_bans_any(const struct kmqtt_bans *bans)
{
	return READ_ONCE(bans->nr);
}

#endif /* _KMQTT_ACCESS_BAN_H */
