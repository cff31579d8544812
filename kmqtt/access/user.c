// SPDX-License-Identifier: GPL-2.0
/*
 * Users and what proves that somebody is one. Passwords are never here, only
 * what was derived from them, and that is zeroed when it goes.
 */
#include "user.h"

#include <linux/jhash.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Users that are forgotten before others get to run. */
#define CLEAR_STEPS	256

static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_str *key = data;

	return jhash(key->data, key->len, seed);
}

static u32 hash_user(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_user *user = data;

	return jhash(user->name, user->name_len, seed);
}

static int cmp_user(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kmqtt_user *user = obj;
	const struct kmqtt_str *key = arg->key;

	return user->name_len != key->len ||
	       memcmp(user->name, key->data, key->len);
}

static const struct rhashtable_params user_params = {
	.head_offset = offsetof(struct kmqtt_user, hash),
	.hashfn = hash_key,
	.obj_hashfn = hash_user,
	.obj_cmpfn = cmp_user,
	.automatic_shrinking = true,
};

static size_t user_size(u16 name_len)
{
	return struct_size_t(struct kmqtt_user, name, name_len);
}

/**
 * kmqtt_users_init() - make an empty table of users
 * @users: the table
 * @memory: account to charge
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int kmqtt_users_init(struct kmqtt_users *users, struct kmqtt_memory *memory)
{
	mutex_init(&users->mutex);
	users->nr = 0;
	users->max = KMQTT_NR_USERS_MAX;
	users->memory = memory;
	kmqtt_costs_init(&users->costs, memory);
	return rhashtable_init(&users->table, &user_params);
}

static void user_free(struct kmqtt_users *users, struct kmqtt_user *user)
{
	kmqtt_memory_uncharge(users->memory, user_size(user->name_len));
	kfree_sensitive(user);
}

/* For rhashtable_free_and_destroy(). */
static void free_user(void *ptr, void *arg)
{
	user_free(arg, ptr);
}

/**
 * kmqtt_users_uninit() - forget all users
 * @users: the table; nobody looks anything up any more
 *
 * Context: process, may sleep.
 */
void kmqtt_users_uninit(struct kmqtt_users *users)
{
	rhashtable_free_and_destroy(&users->table, free_user, users);
	kmqtt_costs_uninit(&users->costs);
	mutex_destroy(&users->mutex);
}

static void user_free_rcu(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct kmqtt_user, rcu));
}

/* Readers may stand on it. */
static void user_drop(struct kmqtt_users *users, struct kmqtt_user *user)
{
	kmqtt_memory_uncharge(users->memory, user_size(user->name_len));
	call_rcu(&user->rcu, user_free_rcu);
}

/* Take a user out of the table; the caller has the mutex. */
static void user_remove(struct kmqtt_users *users, struct kmqtt_user *user)
{
	lockdep_assert_held(&users->mutex);
	rhashtable_remove_fast(&users->table, &user->hash, user_params);
	users->nr--;
	if (user->password.iterations)
		kmqtt_costs_del(&users->costs, &user->password);
	user_drop(users, user);
}

static struct kmqtt_user *user_find(struct kmqtt_users *users,
				    const struct kmqtt_str *name)
{
	return rhashtable_lookup_fast(&users->table, name, user_params);
}

static struct kmqtt_user *user_create(struct kmqtt_users *users,
				      const struct kmqtt_str *name)
{
	struct kmqtt_user *user;

	if (!kmqtt_memory_charge(users->memory, user_size(name->len)))
		return NULL;
	user = kzalloc(user_size(name->len), GFP_KERNEL);
	if (!user) {
		kmqtt_memory_uncharge(users->memory, user_size(name->len));
		return NULL;
	}
	user->name_len = name->len;
	memcpy(user->name, name->data, name->len);
	return user;
}

/* One more in the table, or one in the place of another. */
static int user_enter(struct kmqtt_users *users, struct kmqtt_user *user,
		      struct kmqtt_user *old)
{
	if (old)
		return rhashtable_replace_fast(&users->table, &old->hash,
					       &user->hash, user_params);
	if (users->nr >= users->max)
		return -ENOSPC;
	/* What else it may say comes from an allocation that failed, too. */
	return rhashtable_insert_fast(&users->table, &user->hash, user_params) ?
	       -ENOMEM : 0;
}

/* Have @user from now on, which is gone if that fails. */
static int user_put(struct kmqtt_users *users, struct kmqtt_user *user,
		    struct kmqtt_user *old)
{
	struct kmqtt_costs *costs = &users->costs;
	int err = 0;

	lockdep_assert_held(&users->mutex);
	if (user->password.iterations)
		err = kmqtt_costs_add(costs, &user->password);
	if (err)
		goto err_user;
	err = user_enter(users, user, old);
	if (err)
		goto err_costs;
	if (!old) {
		users->nr++;
		return 0;
	}
	if (old->password.iterations)
		kmqtt_costs_del(costs, &old->password);
	user_drop(users, old);
	return 0;

err_costs:
	if (user->password.iterations)
		kmqtt_costs_del(costs, &user->password);
err_user:
	user_free(users, user);
	return err;
}

/* The user as it is, and a copy in @user. */
static struct kmqtt_user *user_copy(struct kmqtt_users *users,
				    const struct kmqtt_str *name,
				    struct kmqtt_user *user)
{
	struct kmqtt_user *old = user_find(users, name);

	if (old) {
		memcpy(user->scram, old->scram, sizeof(user->scram));
		user->password = old->password;
	}
	return old;
}

/* Give a user a key or a password, and make the user if need be. */
static int user_set(struct kmqtt_users *users, const struct kmqtt_str *name,
		    enum kmqtt_auth_method method,
		    const struct kmqtt_scram_key *key,
		    const struct kmqtt_password *password)
{
	struct kmqtt_user *user, *old;
	int err;

	user = user_create(users, name);
	if (!user)
		return -ENOMEM;
	mutex_lock(&users->mutex);
	old = user_copy(users, name, user);
	if (key)
		user->scram[method] = *key;
	if (password)
		user->password = *password;
	err = user_put(users, user, old);
	mutex_unlock(&users->mutex);
	return err;
}

/**
 * kmqtt_user_set_scram() - give a user a key, and make the user if need be
 * @users: all users
 * @name: name of the user
 * @method: what the key is for
 * @key: the key; copied
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, -ENOSPC if there are too many users.
 */
int kmqtt_user_set_scram(struct kmqtt_users *users,
			 const struct kmqtt_str *name,
			 enum kmqtt_auth_method method,
			 const struct kmqtt_scram_key *key)
{
	return user_set(users, name, method, key, NULL);
}

/**
 * kmqtt_user_set_password() - give a user a password, and make the user if need
 *	be
 * @users: all users
 * @name: name of the user
 * @password: what the password is told by; copied
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, -ENOSPC if there are too many users.
 */
int kmqtt_user_set_password(struct kmqtt_users *users,
			    const struct kmqtt_str *name,
			    const struct kmqtt_password *password)
{
	return user_set(users, name, 0, NULL, password);
}

/**
 * kmqtt_user_del() - forget a user
 * @users: all users
 * @name: name of the user
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOENT if there is no such user.
 */
int kmqtt_user_del(struct kmqtt_users *users, const struct kmqtt_str *name)
{
	struct kmqtt_user *user;

	mutex_lock(&users->mutex);
	user = user_find(users, name);
	if (user)
		user_remove(users, user);
	mutex_unlock(&users->mutex);
	return user ? 0 : -ENOENT;
}

/* Returns true if there may be more. */
static bool clear_some(struct kmqtt_users *users, struct rhashtable_iter *iter)
{
	struct kmqtt_user *user;
	int steps = CLEAR_STEPS;

	rhashtable_walk_start(iter);
	while (steps && (user = rhashtable_walk_next(iter))) {
		/* It begins again where the table has changed its size. */
		if (IS_ERR(user))
			continue;
		user_remove(users, user);
		steps--;
	}
	rhashtable_walk_stop(iter);
	return !steps;
}

/**
 * kmqtt_users_clear() - forget all users
 * @users: all users
 *
 * Context: process, may sleep.
 */
void kmqtt_users_clear(struct kmqtt_users *users)
{
	struct rhashtable_iter iter;

	mutex_lock(&users->mutex);
	/* A walk that has rested where somebody was removed leaves others out. */
	while (users->nr) {
		rhashtable_walk_enter(&users->table, &iter);
		while (clear_some(users, &iter))
			cond_resched();
		rhashtable_walk_exit(&iter);
	}
	mutex_unlock(&users->mutex);
}

/**
 * kmqtt_user_get_scram() - look a key up
 * @users: all users
 * @name: name of the user
 * @method: what the key is for
 * @key: copy of the key, on success; the caller zeroes it after use
 *
 * Context: any but hard interrupts.
 * Return: true if there is one.
 */
bool kmqtt_user_get_scram(struct kmqtt_users *users,
			  const struct kmqtt_str *name,
			  enum kmqtt_auth_method method,
			  struct kmqtt_scram_key *key)
{
	const struct kmqtt_user *user;
	bool found;

	rcu_read_lock();
	user = user_find(users, name);
	found = user && user->scram[method].iterations;
	if (found)
		*key = user->scram[method];
	rcu_read_unlock();
	return found;
}

/**
 * kmqtt_user_get_password() - look a password up
 * @users: all users
 * @name: name of the user
 * @password: copy of what it is told by; if there is none, of a password that
 *	nobody knows and that takes as long to check as most do
 *
 * Context: any but hard interrupts.
 * Return: true if there is one.
 */
bool kmqtt_user_get_password(struct kmqtt_users *users,
			     const struct kmqtt_str *name,
			     struct kmqtt_password *password)
{
	const struct kmqtt_user *user;
	bool found;

	/* For everybody, so that the time doesn't tell who exists. */
	kmqtt_costs_make_up(&users->costs, password);
	rcu_read_lock();
	user = user_find(users, name);
	found = user && user->password.iterations;
	if (found)
		*password = user->password;
	rcu_read_unlock();
	return found;
}

/**
 * kmqtt_scram_key_stamp() - what tells a key from others
 * @key: the key
 * @secret: of the broker
 *
 * Context: any.
 * Return: the stamp, the same for the same key.
 */
u64 kmqtt_scram_key_stamp(const struct kmqtt_scram_key *key,
			  const siphash_key_t *secret)
{
	return siphash(key, offsetofend(struct kmqtt_scram_key, server_key),
		       secret);
}

/**
 * kmqtt_password_stamp() - what tells a password from others
 * @password: what the password is told by
 * @secret: of the broker
 *
 * Context: any.
 * Return: the stamp, the same for the same password with the same salt.
 */
u64 kmqtt_password_stamp(const struct kmqtt_password *password,
			 const siphash_key_t *secret)
{
	return siphash(password, offsetofend(struct kmqtt_password, hash),
		       secret);
}

/**
 * kmqtt_user_has_stamp() - does a user still have certain credentials?
 * @users: all users
 * @name: name of the user
 * @stamp: of a key or a password
 * @secret: of the broker
 *
 * Context: any but hard interrupts.
 * Return: true if the user has something with this stamp.
 */
bool kmqtt_user_has_stamp(struct kmqtt_users *users,
			  const struct kmqtt_str *name, u64 stamp,
			  const siphash_key_t *secret)
{
	const struct kmqtt_user *user;
	bool found = false;
	int i;

	rcu_read_lock();
	user = user_find(users, name);
	if (user)
		found = user->password.iterations &&
			kmqtt_password_stamp(&user->password, secret) == stamp;
	for (i = 0; user && !found && i < KMQTT_SCRAM_METHODS; i++)
		found = user->scram[i].iterations &&
			kmqtt_scram_key_stamp(&user->scram[i], secret) == stamp;
	rcu_read_unlock();
	return found;
}

/* No bytes between that nobody has written. */
static_assert(offsetofend(struct kmqtt_scram_key, server_key) ==
	      sizeof(u32) + sizeof(u8) + 3 * KMQTT_SCRAM_KEY_MAX);
static_assert(offsetofend(struct kmqtt_password, hash) ==
	      sizeof(u32) + 2 * sizeof(u8) + KMQTT_PASSWORD_SALT_MAX +
	      KMQTT_PASSWORD_HASH_LEN);

/**
 * kmqtt_users_walk() - walk on to the next user
 * @iter: a walk over the table, between two steps
 * @info: what is told of the user
 * @again: set to true if the walk has begun again, since the table changed
 *	its size, or may have left somebody out, since the user where it stood
 *	is gone
 *
 * Context: process; takes RCU for a moment.
 * Return: 1 with a user, 0 at the end.
 */
int kmqtt_users_walk(struct rhashtable_iter *iter,
		     struct kmqtt_user_info *info, bool *again)
{
	const struct rhash_head *place = iter->p;
	const struct kmqtt_user *user;

	if (rhashtable_walk_start_check(iter) || (place && !iter->p))
		*again = true;
	do {
		user = rhashtable_walk_next(iter);
		if (IS_ERR(user))
			*again = true;
	} while (IS_ERR(user));
	if (user) {
		memcpy(info->scram, user->scram, sizeof(info->scram));
		info->password = user->password;
		info->name_len = user->name_len;
		memcpy(info->name, user->name, user->name_len);
	}
	rhashtable_walk_stop(iter);
	return !!user;
}
