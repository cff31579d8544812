// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords that are to be checked. Whoever can open a connection can have one
 * checked, and each costs as much as the operator wants guessing to cost. So
 * there is a queue for each address, of which one check at a time is done; the
 * workqueue, which takes one work after the other, makes them take turns. An
 * address from which wrong passwords come waits after each of them, and so does
 * one from which clients come that are gone before they get their answer.
 */
#include "check.h"

#include <linux/random.h>
#include <linux/slab.h>

/* Milliseconds after the first failure, and after many. */
#define DELAY_FIRST	50
#define DELAY_MAX	2000

/* Failures are forgotten when there was none for so many seconds. */
#define MEMORY		60

/**
 * struct kmqtt_check_source - an address that checks come from
 * @hash: in its bucket; unhashed when it is about to be freed
 * @checks: all of them, constant
 * @addr: the address, or of IPv6 the network of 64 bits; constant
 * @queue: checks that wait, in their order
 * @running: the one that is done just now, or NULL
 * @nr: both together
 * @failures: how often it was wrong, or nobody waited for the result
 * @failed: jiffies of the last time
 * @idle: entry of those without a check
 * @work: does one check; queued or running if there is one
 */
struct kmqtt_check_source {
	struct hlist_node hash;
	struct kmqtt_checks *checks;
	struct in6_addr addr;
	struct list_head queue;
	struct kmqtt_check *running;
	u32 nr;
	u32 failures;
	unsigned long failed;
	struct list_head idle;
	struct delayed_work work;
};

/* Who has an address of IPv6 commonly has all of its network. */
static struct in6_addr source_addr(const struct in6_addr *addr)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct in6_addr source = *addr;

	if (memcmp(addr, mapped, sizeof(mapped)))
		memset(&source.s6_addr[8], 0, 8);
	return source;
}

static struct hlist_head *bucket_of(struct kmqtt_checks *checks,
				    const struct in6_addr *addr)
{
	u64 hash = siphash(addr, sizeof(*addr), &checks->secret);

	return &checks->buckets[hash % KMQTT_CHECK_BUCKETS];
}

static struct kmqtt_check_source *source_find(struct kmqtt_checks *checks,
					      const struct in6_addr *addr)
{
	struct kmqtt_check_source *source;

	lockdep_assert_held(&checks->lock);
	hlist_for_each_entry(source, bucket_of(checks, addr), hash)
		if (!memcmp(&source->addr, addr, sizeof(*addr)))
			return source;
	return NULL;
}

/* For a source without checks; its work may just be returning. */
static void source_free(struct kmqtt_check_source *source)
{
	lockdep_assert_held(&source->checks->lock);
	hlist_del_init(&source->hash);
	kfree(source);
}

static void idle_del(struct kmqtt_check_source *source)
{
	list_del_init(&source->idle);
	source->checks->nr_idle--;
}

static bool is_forgotten(const struct kmqtt_check_source *source)
{
	return time_after(jiffies, source->failed + MEMORY * HZ);
}

/* Remember the failures of a source that has no checks, as far as there is room. */
static void source_rest(struct kmqtt_check_source *source)
{
	struct kmqtt_checks *checks = source->checks;
	struct kmqtt_check_source *first, *next;

	/* Who has unhashed it frees it. */
	if (hlist_unhashed(&source->hash))
		return;
	if (!source->failures || is_forgotten(source)) {
		source_free(source);
		return;
	}
	list_add_tail(&source->idle, &checks->idle);
	checks->nr_idle++;
	list_for_each_entry_safe(first, next, &checks->idle, idle) {
		if (checks->nr_idle <= KMQTT_CHECK_SOURCES_MAX &&
		    !is_forgotten(first))
			break;
		idle_del(first);
		source_free(first);
	}
}

/* Jiffies that the next check has to wait. */
static unsigned long source_delay(struct kmqtt_check_source *source)
{
	unsigned int ms = DELAY_MAX;
	unsigned long due;

	if (!source->failures)
		return 0;
	if (is_forgotten(source)) {
		source->failures = 0;
		return 0;
	}
	if (source->failures <= ilog2(DELAY_MAX / DELAY_FIRST) + 1)
		ms = DELAY_FIRST << (source->failures - 1);
	due = source->failed + msecs_to_jiffies(ms);
	return time_before(jiffies, due) ? due - jiffies : 0;
}

static struct kmqtt_check *source_take(struct kmqtt_check_source *source)
{
	struct kmqtt_checks *checks = source->checks;
	struct kmqtt_check *check;

	spin_lock_bh(&checks->lock);
	check = list_first_entry_or_null(&source->queue, struct kmqtt_check,
					 list);
	if (check)
		list_del_init(&check->list);
	source->running = check;
	spin_unlock_bh(&checks->lock);
	return check;
}

static void count_result(struct kmqtt_check_source *source, int result)
{
	struct kmqtt_checks *checks = source->checks;

	if (!result || result == -EACCES)
		WRITE_ONCE(checks->done, checks->done + 1);
	if (result == -EACCES)
		WRITE_ONCE(checks->failed, checks->failed + 1);
	/* Whoever went away may have had nearly as much work done. */
	if (result == -EACCES || result == -ECANCELED) {
		source->failures++;
		source->failed = jiffies;
	}
}

/* A check has ended: count it, and see what comes next. */
static void source_next(struct kmqtt_check_source *source,
			struct kmqtt_check *check)
{
	struct kmqtt_checks *checks = source->checks;

	spin_lock_bh(&checks->lock);
	if (check) {
		source->running = NULL;
		source->nr--;
		WRITE_ONCE(checks->waiting, checks->waiting - 1);
		count_result(source, check->result);
	}
	/* It is pending here if a check came meanwhile, even if that is gone. */
	if (source->nr)
		queue_delayed_work(checks->wq, &source->work,
				   source_delay(source));
	else if (!delayed_work_pending(&source->work))
		source_rest(source);
	spin_unlock_bh(&checks->lock);
}

static void check_run(struct kmqtt_check *check)
{
	struct kmqtt_access *access = check->port->access;
	struct kmqtt_password password;
	struct kmqtt_realm *realm;
	bool known;

	rcu_read_lock();
	realm = kmqtt_port_realm(check->port);
	known = kmqtt_user_get_password(&realm->users, &check->user, &password);
	rcu_read_unlock();
	/* Whoever can't get in is told so as late as those who might have. */
	if (!check->password.data)
		known = false;
	check->result = kmqtt_password_check(&password, &check->password,
					     &check->stop);
	if (!check->result && !known)
		check->result = -EACCES;
	if (!check->result)
		check->stamp = kmqtt_password_stamp(&password,
						    &access->stamp_secret);
	memzero_explicit(&password, sizeof(password));
}

static void source_work(struct work_struct *work)
{
	struct kmqtt_check_source *source =
		container_of(to_delayed_work(work), struct kmqtt_check_source,
			     work);
	struct kmqtt_check *check = source_take(source);

	if (check)
		check_run(check);
	/* The source may be gone after this. */
	source_next(source, check);
	if (check)
		check->done(check);
}

static struct kmqtt_check_source *source_create(struct kmqtt_checks *checks,
						const struct in6_addr *addr,
						gfp_t gfp)
{
	struct kmqtt_check_source *source;

	source = kzalloc(sizeof(*source), gfp | __GFP_NOWARN);
	if (!source)
		return NULL;
	source->checks = checks;
	source->addr = *addr;
	INIT_LIST_HEAD(&source->queue);
	INIT_LIST_HEAD(&source->idle);
	INIT_DELAYED_WORK(&source->work, source_work);
	return source;
}

/* Returns true if @source was taken into the table. */
static bool check_queue(struct kmqtt_checks *checks, struct kmqtt_check *check,
			struct kmqtt_check_source *source)
{
	struct kmqtt_check_source *known = source_find(checks, &source->addr);

	if (!known)
		hlist_add_head(&source->hash, bucket_of(checks, &source->addr));
	else if (!list_empty(&known->idle))
		idle_del(known);
	check->source = known ?: source;
	list_add_tail(&check->list, &check->source->queue);
	WRITE_ONCE(checks->waiting, checks->waiting + 1);
	/* Those before are seen to by the work, one after the other. */
	if (!check->source->nr++)
		queue_delayed_work(checks->wq, &check->source->work,
				   source_delay(check->source));
	return !known;
}

/**
 * kmqtt_check_begin() - have a password checked
 * @checks: all of them
 * @check: the check, with its first four fields
 * @addr: where it comes from, IPv4 mapped into IPv6
 * @gfp: how to allocate
 *
 * Context: any but hard interrupts, as @gfp; takes the lock of the checks.
 * Return: 0, -EBUSY if there are too many, -ENOMEM.
 */
int kmqtt_check_begin(struct kmqtt_checks *checks, struct kmqtt_check *check,
		      const struct in6_addr *addr, gfp_t gfp)
{
	struct in6_addr key = source_addr(addr);
	struct kmqtt_check_source *source, *known;
	bool taken = false;
	int err = 0;

	check->stop = false;
	source = source_create(checks, &key, gfp);
	if (!source)
		return -ENOMEM;
	spin_lock_bh(&checks->lock);
	known = source_find(checks, &key);
	if (checks->waiting >= KMQTT_CHECKS_MAX ||
	    (known && known->nr >= KMQTT_CHECKS_PER_SOURCE_MAX)) {
		WRITE_ONCE(checks->refused, checks->refused + 1);
		err = -EBUSY;
	} else {
		taken = check_queue(checks, check, source);
	}
	spin_unlock_bh(&checks->lock);
	if (!taken)
		kfree(source);
	return err;
}

/**
 * kmqtt_check_cancel() - nobody wants to know any more
 * @checks: all of them
 * @check: a check that has begun; it may be over, if it was not freed
 *
 * Context: any but hard interrupts; takes the lock of the checks.
 * Return: true if it will not be done; false if its @done was called or will be
 * soon.
 */
bool kmqtt_check_cancel(struct kmqtt_checks *checks, struct kmqtt_check *check)
{
	bool waits;

	WRITE_ONCE(check->stop, true);
	spin_lock_bh(&checks->lock);
	waits = !list_empty(&check->list);
	if (waits) {
		list_del_init(&check->list);
		check->source->nr--;
		WRITE_ONCE(checks->waiting, checks->waiting - 1);
	}
	spin_unlock_bh(&checks->lock);
	return waits;
}

/**
 * kmqtt_checks_init() - begin to check passwords
 * @checks: all of them
 * @wq: where to do that; unbound
 *
 * Context: process, may sleep.
 */
void kmqtt_checks_init(struct kmqtt_checks *checks, struct workqueue_struct *wq)
{
	memset(checks, 0, sizeof(*checks));
	checks->wq = wq;
	get_random_bytes(&checks->secret, sizeof(checks->secret));
	spin_lock_init(&checks->lock);
	INIT_LIST_HEAD(&checks->idle);
}

/* Take a source out of the table. */
static struct kmqtt_check_source *next_source(struct kmqtt_checks *checks,
					      int *bucket)
{
	struct kmqtt_check_source *source = NULL;

	spin_lock_bh(&checks->lock);
	for (; *bucket < KMQTT_CHECK_BUCKETS; ++*bucket) {
		source = hlist_entry_safe(checks->buckets[*bucket].first,
					  struct kmqtt_check_source, hash);
		if (source)
			break;
	}
	if (source) {
		hlist_del_init(&source->hash);
		if (!list_empty(&source->idle))
			idle_del(source);
	}
	spin_unlock_bh(&checks->lock);
	return source;
}

/**
 * kmqtt_checks_uninit() - forget where they came from
 * @checks: all of them, of which none is left
 *
 * Works may still be returning: @checks->wq is to be destroyed afterwards.
 *
 * Context: process, may sleep; not on @checks->wq.
 */
void kmqtt_checks_uninit(struct kmqtt_checks *checks)
{
	struct kmqtt_check_source *source;
	int i = 0;

	WARN_ON_ONCE(checks->waiting);
	while ((source = next_source(checks, &i))) {
		/* One that had nothing left to do, but not yet been told so. */
		cancel_delayed_work_sync(&source->work);
		kfree(source);
	}
}
