// SPDX-License-Identifier: GPL-2.0
/*
 * Who is not let in: addresses and networks, client identifiers, users. All are
 * in one table; a network is found by looking for the address as far as any ban
 * goes into it, which operators do in few ways.
 */
#include "ban.h"

#include <linux/jhash.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

/* Bans that are forgotten before others get the lock. */
#define SWEEP_STEPS	64

/* The clock is not that of timers: look now and then. */
#define SWEEP_MAX	(3600UL * HZ)

static u32 hash_of(u8 kind, u8 prefix, const u8 *data, u32 len, u32 seed)
{
	return jhash(data, len, seed + (kind << 8 | prefix));
}

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_ban_key *key = data;

	return hash_of(key->kind, key->prefix, key->value.data, key->value.len,
		       seed);
}

static u32 hash_ban(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_ban *ban = data;

	return hash_of(ban->kind, ban->prefix, ban->data, ban->value_len, seed);
}

static int cmp_ban(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_ban_key *key = arg->key;
	const struct kmqtt_ban *ban = obj;

	return ban->kind != key->kind || ban->prefix != key->prefix ||
	       ban->value_len != key->value.len ||
	       memcmp(ban->data, key->value.data, key->value.len);
}

static const struct rhashtable_params ban_params = {
	.head_offset = offsetof(struct kmqtt_ban, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_ban,
	.obj_cmpfn = cmp_ban,
	.automatic_shrinking = true,
};

static size_t ban_size(size_t len)
{
	return struct_size_t(struct kmqtt_ban, data, len);
}

static size_t size_of(const struct kmqtt_ban *ban)
{
	return ban_size(ban->value_len + ban->reason_len);
}

/* One that is over is nobody's to see, but it may still be there. */
static bool is_over(const struct kmqtt_ban *ban)
{
	return ban->expiry.expires &&
	       ktime_get_coarse_boottime() >= ban->expiry.expires;
}

static struct kmqtt_ban *ban_find(struct kmqtt_bans *bans,
				  const struct kmqtt_ban_key *key)
{
	return rhashtable_lookup_fast(&bans->table, key, ban_params);
}

static struct kmqtt_ban *ban_create(struct kmqtt_bans *bans,
				    const struct kmqtt_ban_key *key,
				    const struct kmqtt_str *reason, gfp_t gfp)
{
	size_t size = ban_size(key->value.len + reason->len);
	struct kmqtt_ban *ban;

	if (!kmqtt_memory_charge(bans->memory, size))
		return NULL;
	ban = kzalloc(size, gfp | __GFP_NOWARN);
	if (!ban) {
		kmqtt_memory_uncharge(bans->memory, size);
		return NULL;
	}
	timerqueue_init(&ban->expiry);
	ban->kind = key->kind;
	ban->prefix = key->prefix;
	ban->value_len = key->value.len;
	ban->reason_len = reason->len;
	memcpy(ban->data, key->value.data, key->value.len);
	if (reason->len)
		memcpy(ban->data + key->value.len, reason->data, reason->len);
	return ban;
}

/* For one that nobody could look up. */
static void ban_free(struct kmqtt_bans *bans, struct kmqtt_ban *ban)
{
	kmqtt_memory_uncharge(bans->memory, size_of(ban));
	kfree(ban);
}

static void sweep_later(struct kmqtt_bans *bans)
{
	struct timerqueue_node *first = timerqueue_getnext(&bans->expiring);
	unsigned long delay = 0;
	s64 wait;

	lockdep_assert_held(&bans->lock);
	if (!first)
		return;
	wait = first->expires - ktime_get_coarse_boottime();
	if (wait > 0)
		delay = min_t(u64, nsecs_to_jiffies64(wait) + 1, SWEEP_MAX);
	mod_delayed_work(bans->wq, &bans->sweep, delay);
}

/* A ban is in the table: put it wherever else it has to be. */
static void ban_enter(struct kmqtt_bans *bans, struct kmqtt_ban *ban)
{
	struct rb_node **link = &bans->numbers.rb_node, *parent = NULL;

	lockdep_assert_held(&bans->lock);
	/* Numbers grow: it goes to the very right. */
	ban->number = bans->next++;
	while (*link) {
		parent = *link;
		link = &parent->rb_right;
	}
	rb_link_node(&ban->by_number, parent, link);
	rb_insert_color(&ban->by_number, &bans->numbers);
	if (ban->kind == KMQTT_BAN_ADDRESS && !bans->nr_prefix[ban->prefix]++)
		set_bit(ban->prefix, bans->prefixes);
	WRITE_ONCE(bans->nr, bans->nr + 1);
	bans->nr_flapping += ban->origin == KMQTT_BAN_ORIGIN_FLAPPING;
	if (ban->expiry.expires && timerqueue_add(&bans->expiring, &ban->expiry))
		sweep_later(bans);
}

/* A ban is in the table no more: nor anywhere else. */
static void ban_leave(struct kmqtt_bans *bans, struct kmqtt_ban *ban)
{
	lockdep_assert_held(&bans->lock);
	rb_erase(&ban->by_number, &bans->numbers);
	if (ban->kind == KMQTT_BAN_ADDRESS && !--bans->nr_prefix[ban->prefix])
		clear_bit(ban->prefix, bans->prefixes);
	WRITE_ONCE(bans->nr, bans->nr - 1);
	bans->nr_flapping -= ban->origin == KMQTT_BAN_ORIGIN_FLAPPING;
	if (ban->expiry.expires)
		timerqueue_del(&bans->expiring, &ban->expiry);
	kmqtt_memory_uncharge(bans->memory, size_of(ban));
	kfree_rcu(ban, rcu);
}

static void ban_remove(struct kmqtt_bans *bans, struct kmqtt_ban *ban)
{
	rhashtable_remove_fast(&bans->table, &ban->hash, ban_params);
	ban_leave(bans, ban);
}

/* Forget some of those that are over. */
static void forget_some(struct kmqtt_bans *bans)
{
	struct timerqueue_node *first;
	int steps = SWEEP_STEPS;

	lockdep_assert_held(&bans->lock);
	while (steps-- && (first = timerqueue_getnext(&bans->expiring))) {
		struct kmqtt_ban *ban =
			container_of(first, struct kmqtt_ban, expiry);

		if (!is_over(ban))
			break;
		ban_remove(bans, ban);
	}
}

static void sweep(struct work_struct *work)
{
	struct kmqtt_bans *bans =
		container_of(to_delayed_work(work), struct kmqtt_bans, sweep);

	spin_lock_bh(&bans->lock);
	forget_some(bans);
	sweep_later(bans);
	spin_unlock_bh(&bans->lock);
}

/**
 * kmqtt_bans_init() - nobody is banned yet
 * @bans: who is not let in
 * @memory: account to charge
 * @wq: workqueue that forgets what is over; outlives @bans
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_bans_init(struct kmqtt_bans *bans, struct kmqtt_memory *memory,
		    struct workqueue_struct *wq)
{
	memset(bans, 0, sizeof(*bans));
	bans->memory = memory;
	bans->wq = wq;
	spin_lock_init(&bans->lock);
	bans->next = 1;
	bans->numbers = RB_ROOT;
	timerqueue_init_head(&bans->expiring);
	INIT_DELAYED_WORK(&bans->sweep, sweep);
	return rhashtable_init(&bans->table, &ban_params);
}

/* For rhashtable_free_and_destroy(). */
static void free_ban(void *ptr, void *arg)
{
	ban_free(arg, ptr);
}

/**
 * kmqtt_bans_uninit() - forget all bans
 * @bans: who is not let in; nobody looks anything up any more
 *
 * Context: process, may sleep; not on the workqueue of @bans.
 */
void kmqtt_bans_uninit(struct kmqtt_bans *bans)
{
	disable_delayed_work_sync(&bans->sweep);
	rhashtable_free_and_destroy(&bans->table, free_ban, bans);
}

/**
 * kmqtt_ban_mask() - leave of an address what counts
 * @to: the network that it is in
 * @addr: the address
 * @prefix: bits that count, up to KMQTT_BAN_PREFIX_MAX
 *
 * Context: any.
 * Return: true if the two are the same.
 */
bool kmqtt_ban_mask(struct in6_addr *to, const struct in6_addr *addr,
		    unsigned int prefix)
{
	unsigned int bytes = prefix / 8, bits = prefix % 8;

	memset(to, 0, sizeof(*to));
	memcpy(to->s6_addr, addr->s6_addr, bytes);
	if (bits)
		to->s6_addr[bytes] = addr->s6_addr[bytes] & (0xff00 >> bits);
	return !memcmp(to, addr, sizeof(*to));
}

/* Clients can have the broker make bans: leave room for those of operators. */
static bool has_room(const struct kmqtt_bans *bans, const struct kmqtt_ban *ban)
{
	u32 max = READ_ONCE(bans->max);

	if (ban->origin == KMQTT_BAN_ORIGIN_FLAPPING &&
	    bans->nr_flapping >= max / 2)
		return false;
	return bans->nr < max;
}

/* Into the table, in the place of @old if there is one. */
static int ban_insert(struct kmqtt_bans *bans, struct kmqtt_ban *ban,
		      struct kmqtt_ban *old)
{
	lockdep_assert_held(&bans->lock);
	/* It may be for longer, and the operator's. */
	if (old && ban->origin == KMQTT_BAN_ORIGIN_FLAPPING && !is_over(old))
		return -EEXIST;
	if (old)
		return rhashtable_replace_fast(&bans->table, &old->hash,
					       &ban->hash, ban_params);
	if (!has_room(bans, ban))
		forget_some(bans);
	if (!has_room(bans, ban))
		return -ENOSPC;
	/* What else it may say comes from an allocation that failed, too. */
	return rhashtable_insert_fast(&bans->table, &ban->hash, ban_params) ?
	       -ENOMEM : 0;
}

/**
 * kmqtt_ban_add() - from now on, don't let somebody in
 * @bans: who is not let in
 * @key: whom; a ban of the same is replaced, if not by KMQTT_BAN_ORIGIN_FLAPPING
 * @seconds: for how long, 0 for good
 * @origin: who wants it so
 * @reason: what to note about it, up to KMQTT_BAN_REASON_MAX bytes
 * @gfp: how to allocate
 *
 * Who is there already is for the caller to see to: whoever goes online and does
 * not see the ban is seen to be online after this.
 *
 * Context: any but hard interrupts, as @gfp; takes the lock of the bans.
 * Return: 0, -EEXIST if there is a ban that stays, -ENOMEM, -ENOSPC if there are
 * too many.
 */
int kmqtt_ban_add(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key,
		  u32 seconds, enum kmqtt_ban_origin origin,
		  const struct kmqtt_str *reason, gfp_t gfp)
{
	struct kmqtt_ban *ban, *old;
	int err;

	ban = ban_create(bans, key, reason, gfp);
	if (!ban)
		return -ENOMEM;
	ban->origin = origin;
	if (seconds)
		ban->expiry.expires = ktime_add_ns(ktime_get_coarse_boottime(),
						   (u64)seconds * NSEC_PER_SEC);
	spin_lock_bh(&bans->lock);
	old = ban_find(bans, key);
	err = ban_insert(bans, ban, old);
	if (!err) {
		ban_enter(bans, ban);
		if (old)
			ban_leave(bans, old);
	}
	spin_unlock_bh(&bans->lock);
	if (err)
		ban_free(bans, ban);
	/* Pairs with cmpxchg() of the state of clients. */
	smp_mb();
	return err;
}

/**
 * kmqtt_ban_del() - let somebody in again
 * @bans: who is not let in
 * @key: whom, as the ban has it
 *
 * Context: any but hard interrupts; takes the lock of the bans.
 * Return: 0, or -ENOENT if there is no such ban.
 */
int kmqtt_ban_del(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key)
{
	struct kmqtt_ban *ban;
	int err = -ENOENT;

	spin_lock_bh(&bans->lock);
	ban = ban_find(bans, key);
	if (ban && !is_over(ban)) {
		ban_remove(bans, ban);
		err = 0;
	}
	spin_unlock_bh(&bans->lock);
	return err;
}

static bool is_banned(struct kmqtt_bans *bans, const struct kmqtt_ban_key *key)
{
	const struct kmqtt_ban *ban;
	bool banned;

	rcu_read_lock();
	ban = ban_find(bans, key);
	banned = ban && !is_over(ban);
	rcu_read_unlock();
	return banned;
}

static bool is_ipv4(const struct in6_addr *addr)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

/**
 * kmqtt_ban_has_address() - is an address banned, or a network that it is in?
 * @bans: who is not let in
 * @addr: the address, IPv4 mapped into IPv6
 *
 * A network of IPv6 has no addresses of IPv4 in it.
 *
 * Context: any but hard interrupts; takes RCU for a moment.
 * Return: true if it is.
 */
bool kmqtt_ban_has_address(struct kmqtt_bans *bans, const struct in6_addr *addr)
{
	unsigned int prefix = is_ipv4(addr) ? KMQTT_BAN_PREFIX_IPV4 : 0;
	const unsigned int end = KMQTT_BAN_PREFIX_MAX + 1;
	struct in6_addr network;
	struct kmqtt_ban_key key = {
		.kind = KMQTT_BAN_ADDRESS,
		.value = { .data = network.s6_addr, .len = sizeof(network) },
	};

	if (!kmqtt_bans_any(bans))
		return false;
	for_each_set_bit_from(prefix, bans->prefixes, end) {
		kmqtt_ban_mask(&network, addr, prefix);
		key.prefix = prefix;
		if (is_banned(bans, &key))
			return true;
	}
	return false;
}

/**
 * kmqtt_ban_has_name() - is a client identifier or a user banned?
 * @bans: who is not let in
 * @kind: KMQTT_BAN_CLIENT or KMQTT_BAN_USER
 * @name: which; nobody if it is empty
 *
 * Context: any but hard interrupts; takes RCU for a moment.
 * Return: true if it is.
 */
bool kmqtt_ban_has_name(struct kmqtt_bans *bans, enum kmqtt_ban_kind kind,
			const struct kmqtt_str *name)
{
	struct kmqtt_ban_key key = { .kind = kind, .value = *name };

	return kmqtt_bans_any(bans) && name->len && is_banned(bans, &key);
}

/**
 * kmqtt_bans_next() - walk over the bans in the order in which they were made
 * @bans: who is not let in
 * @after: number of the ban where the walk was, or 0
 *
 * A walk may rest for any time between two steps.
 *
 * Context: under RCU, which also keeps the ban; takes the lock of the bans.
 * Return: the next ban that is not over, or NULL.
 */
const struct kmqtt_ban *kmqtt_bans_next(struct kmqtt_bans *bans, u64 after)
{
	struct rb_node *node;
	struct kmqtt_ban *ban = NULL, *at;

	spin_lock_bh(&bans->lock);
	node = bans->numbers.rb_node;
	while (node) {
		at = rb_entry(node, struct kmqtt_ban, by_number);
		if (at->number > after) {
			ban = at;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	while (ban && is_over(ban))
		ban = rb_entry_safe(rb_next(&ban->by_number), struct kmqtt_ban,
				    by_number);
	spin_unlock_bh(&bans->lock);
	return ban;
}

/**
 * kmqtt_ban_expires_in() - for how long a ban will last
 * @ban: a ban that is not over, or was not just now
 *
 * Context: any.
 * Return: seconds, a part of one as a whole; 0 for good.
 */
u32 kmqtt_ban_expires_in(const struct kmqtt_ban *ban)
{
	s64 left = ban->expiry.expires - ktime_get_coarse_boottime();

	if (!ban->expiry.expires)
		return 0;
	return max_t(s64, div_s64(left + NSEC_PER_SEC - 1, NSEC_PER_SEC), 1);
}
