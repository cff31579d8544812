/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_ACCESS_USER_H
#define _KMQTT_ACCESS_USER_H

#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include "../topic/memory.h"
#include "../wire/packet.h"
#include "cost.h"
#include "password.h"

/* Users that a broker may have. */
#define KMQTT_NR_USERS_MAX		65536
#define KMQTT_SCRAM_METHODS	(KMQTT_AUTH_METHOD_SCRAM_SHA_512 + 1)

/**
 * struct kmqtt_scram_key - what proves a password without telling it
 * @iterations: of the key derivation, 0 for no key
 * @salt_len: bytes of @salt
 * @salt: public
 * @stored_key: as in RFC 5802
 * @server_key: as in RFC 5802
 */
struct kmqtt_scram_key {
	u32 iterations;
	u8 salt_len;
	u8 salt[KMQTT_SCRAM_KEY_MAX];
	u8 stored_key[KMQTT_SCRAM_KEY_MAX];
	u8 server_key[KMQTT_SCRAM_KEY_MAX];
};

/**
 * struct kmqtt_user - a user, immutable: a change puts another in its place
 * @hash: in the table, keyed by @name
 * @rcu: lookups may stand on it while it is replaced
 * @scram: by enum kmqtt_auth_method
 * @password: for CONNECT
 * @name_len: bytes of @name
 * @name: UTF-8
 */
struct kmqtt_user {
	struct rhash_head hash;
	struct rcu_head rcu;
	struct kmqtt_scram_key scram[KMQTT_SCRAM_METHODS];
	struct kmqtt_password password;
	u16 name_len;
	u8 name[];
};

/**
 * struct kmqtt_users - all users of a broker
 * @table: the users
 * @mutex: serializes changes; may sleep
 * @nr: how many; under the mutex
 * @max: how many may be; constant
 * @costs: of their passwords, and how many have one; under the mutex
 * @memory: account for them
 */
struct kmqtt_users {
	struct rhashtable table;
	struct mutex mutex;		/* changes of table, nr, costs */
	u32 nr;
	u32 max;
	struct kmqtt_costs costs;
	struct kmqtt_memory *memory;
};

/**
 * struct kmqtt_user_info - all of a user; secret in part, to be zeroed
 * @scram: by enum kmqtt_auth_method
 * @password: for CONNECT
 * @name_len: bytes of @name
 * @name: name of the user
 */
struct kmqtt_user_info {
	struct kmqtt_scram_key scram[KMQTT_SCRAM_METHODS];
	struct kmqtt_password password;
	u16 name_len;
	u8 name[KMQTT_USER_MAX];
};

int kmqtt_users_init(struct kmqtt_users *users, struct kmqtt_memory *memory);
void kmqtt_users_uninit(struct kmqtt_users *users);
int kmqtt_user_set_scram(struct kmqtt_users *users,
			 const struct kmqtt_str *name,
			 enum kmqtt_auth_method method,
			 const struct kmqtt_scram_key *key);
int kmqtt_user_set_password(struct kmqtt_users *users,
			    const struct kmqtt_str *name,
			    const struct kmqtt_password *password);
int kmqtt_user_del(struct kmqtt_users *users, const struct kmqtt_str *name);
void kmqtt_users_clear(struct kmqtt_users *users);
int kmqtt_users_walk(struct rhashtable_iter *iter,
		     struct kmqtt_user_info *info, bool *again);
bool kmqtt_user_get_scram(struct kmqtt_users *users,
			  const struct kmqtt_str *name,
			  enum kmqtt_auth_method method,
			  struct kmqtt_scram_key *key);
bool kmqtt_user_get_password(struct kmqtt_users *users,
			     const struct kmqtt_str *name,
			     struct kmqtt_password *password);
u64 kmqtt_scram_key_stamp(const struct kmqtt_scram_key *key,
			  const siphash_key_t *secret);
u64 kmqtt_password_stamp(const struct kmqtt_password *password,
			 const siphash_key_t *secret);
bool kmqtt_user_has_stamp(struct kmqtt_users *users,
			  const struct kmqtt_str *name, u64 stamp,
			  const siphash_key_t *secret);

#endif /* _KMQTT_ACCESS_USER_H */
