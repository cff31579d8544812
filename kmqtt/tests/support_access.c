// SPDX-License-Identifier: GPL-2.0
#include "support_access.h"

#include "../access/scram.h"
#include "../broker.h"
#include "../compat.h"

static const char *const method_names[] = {
	[SHA_256] = "SCRAM-SHA-256",
	[SHA_512] = "SCRAM-SHA-512",
};

/* Keys in base64 of the password "pencil" with 4096 iterations. */
struct keys {
	const char *salt;
	const char *stored;
	const char *server;
};

static const struct keys pencil[] = {
	[SHA_256] = {
		"W22ZaJ0SNY7soEsUEjb6gQ==",
		"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
		"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
	},
	[SHA_512] = {
		"AAECAwQFBgcICQoLDA0ODw==",
		"DBrOiJLJVkZeM/lYBjyn8Hk/LQ2RrM3V/Yg5Hd19QfaCFV/oaPeQAMJkwtvBdi4XgARejU3ucE9eDagBMHJ+Vw==",
		"2vDce8mhwQs1RvSfuxS4bDFFONxrAOi/yeePIaiwig2xiC16lQeN+wHOzONm/18VM49JFg9XoAyQ7oHFPavA3g==",
	},
};

static void access_exit(void *access)
{
	kmqtt_access_uninit(access);
}

static void port_exit(void *port)
{
	kmqtt_port_put(port);
}

/**
 * kmqtt_test_port() - a port of a broker without users, which the test's end
 *	frees
 * @test: the test
 *
 * Context: process, may sleep.
 * Return: the port.
 */
struct kmqtt_port *kmqtt_test_port(struct kunit *test)
{
	static const struct kmqtt_terms terms;
	struct kmqtt_access *access;
	struct kmqtt_memory *memory;
	struct kmqtt_port *port;

	memory = kmqtt_test_memory(test, KMQTT_TEST_MEMORY);
	access = kunit_kzalloc(test, sizeof(*access), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, access);
	KUNIT_ASSERT_EQ(test, kmqtt_access_init(access, memory, kmqtt_wq.ctl),
			0);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, access_exit, access), 0);
	port = kmqtt_port_create(access, 1, &terms);
	KUNIT_ASSERT_NOT_NULL(test, port);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, port_exit, port),
			0);
	return port;
}

/**
 * kmqtt_test_users() - whom a port knows
 * @port: the port
 *
 * Context: any; nobody changes the port's realm meanwhile.
 * Return: the users.
 */
struct kmqtt_users *kmqtt_test_users(const struct kmqtt_port *port)
{
	struct kmqtt_users *users;

	rcu_read_lock();
	users = &kmqtt_port_realm(port)->users;
	rcu_read_unlock();
	return users;
}

/**
 * kmqtt_test_user() - make a user whose password is "pencil"
 * @test: the test
 * @port: the port
 * @name: name of the user
 * @method: what the keys are for
 *
 * Context: process, may sleep.
 */
void kmqtt_test_user(struct kunit *test, struct kmqtt_port *port,
		     const char *name, enum kmqtt_auth_method method)
{
	struct kmqtt_scram_key key = { .iterations = 4096 };
	struct kmqtt_str str = kmqtt_test_str(name);
	const struct keys *k = &pencil[method];

	/* They have their padding: no more comes out than fits. */
	key.salt_len = kmqtt_base64_decode(k->salt, strlen(k->salt), key.salt);
	kmqtt_base64_decode(k->stored, strlen(k->stored), key.stored_key);
	kmqtt_base64_decode(k->server, strlen(k->server), key.server_key);
	KUNIT_ASSERT_EQ(test, key.salt_len, 16);
	KUNIT_ASSERT_EQ(test,
			kmqtt_user_set_scram(kmqtt_test_users(port), &str,
					     method, &key), 0);
}

static const char *const rights[] = {
	[KMQTT_ACL_ACCESS_DENY] = "deny ",
	[KMQTT_ACL_ACCESS_READ] = "read ",
	[KMQTT_ACL_ACCESS_WRITE] = "write ",
	[KMQTT_ACL_ACCESS_READWRITE] = "readwrite ",
};

/* Step over a word if it is there. */
static bool skip(const char **text, const char *word)
{
	if (!strstarts(*text, word))
		return false;
	*text += strlen(word);
	return true;
}

/* A line of a file of rules; @user is who the last "user" was. */
static void add_line(struct kunit *test, struct kmqtt_acl *acl,
		     const char *line, struct kmqtt_str *user)
{
	enum kmqtt_acl_access access = KMQTT_ACL_ACCESS_READWRITE;
	enum kmqtt_acl_kind kind = KMQTT_ACL_KIND_PATTERN;
	static const struct kmqtt_str none;
	struct kmqtt_str topic;
	int i;

	if (skip(&line, "user ")) {
		*user = kmqtt_test_str(line);
		return;
	}
	if (skip(&line, "topic "))
		kind = user->len ? KMQTT_ACL_KIND_USER :
				   KMQTT_ACL_KIND_ANONYMOUS;
	else
		KUNIT_ASSERT_TRUE(test, skip(&line, "pattern "));
	for (i = 0; i < ARRAY_SIZE(rights); i++)
		if (skip(&line, rights[i]))
			access = i;
	topic = kmqtt_test_str(line);
	KUNIT_ASSERT_EQ(test,
			kmqtt_acl_add(acl, kind,
				      kind == KMQTT_ACL_KIND_USER ? user : &none,
				      access, &topic), 0);
}

/**
 * kmqtt_test_acl() - make rules
 * @test: the test
 * @memory: account to charge
 * @text: as in Mosquitto's acl_file
 *
 * Context: process, may sleep.
 * Return: the rules, sealed.
 */
struct kmqtt_acl *kmqtt_test_acl(struct kunit *test,
				 struct kmqtt_memory *memory, const char *text)
{
	struct kmqtt_acl *acl = kmqtt_acl_create(memory);
	struct kmqtt_str user = {};
	char *copy, *rest, *line;

	KUNIT_ASSERT_NOT_NULL(test, acl);
	copy = kunit_kstrdup(test, text, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	rest = copy;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_line(test, acl, line, &user);
	KUNIT_ASSERT_EQ(test, kmqtt_acl_seal(acl), 0);
	return acl;
}

/**
 * kmqtt_test_rules() - give a port a realm of its own with other rules
 * @test: the test
 * @port: the port
 * @text: as in Mosquitto's acl_file, or NULL for no rules
 *
 * Context: process, may sleep.
 */
void kmqtt_test_rules(struct kunit *test, struct kmqtt_port *port,
		      const char *text)
{
	struct kmqtt_access *access = port->access;
	struct kmqtt_realm *realm, *old;

	realm = kmqtt_realm_create(access, 7);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, realm);
	if (text)
		realm->acl = kmqtt_test_acl(test, access->memory, text);
	mutex_lock(&access->mutex);
	old = kmqtt_port_set_realm(port, realm);
	mutex_unlock(&access->mutex);
	kmqtt_realm_put(old);
}

/**
 * kmqtt_test_identity() - be a user
 * @test: the test
 * @port: what the client came through
 * @user: user name, empty for none
 *
 * Context: process, may sleep.
 * Return: the identity, with a reference for the caller.
 */
struct kmqtt_identity *kmqtt_test_identity(struct kunit *test,
					   struct kmqtt_port *port,
					   const char *user)
{
	struct kmqtt_str name = kmqtt_test_str(user);
	struct kmqtt_identity *identity;

	identity = kmqtt_identity_create(port, &name, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, identity);
	return identity;
}

/**
 * kmqtt_test_auth() - begin an exchange
 * @test: the test
 * @port: the port
 * @method: its method
 *
 * Context: process, may sleep.
 * Return: the exchange, for the caller to destroy.
 */
struct kmqtt_auth *kmqtt_test_auth(struct kunit *test,
				   struct kmqtt_port *port,
				   enum kmqtt_auth_method method)
{
	struct kmqtt_str name = kmqtt_test_str(method_names[method]);
	struct kmqtt_auth *auth = kmqtt_auth_create(port, &name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, auth);
	return auth;
}

/**
 * kmqtt_test_step_bytes() - a message of the client, without a byte to spare
 * @test: the test
 * @auth: the exchange
 * @data: the message
 * @len: bytes of it
 *
 * Context: process, may sleep.
 * Return: what the exchange says.
 */
enum kmqtt_reason kmqtt_test_step_bytes(struct kunit *test,
					struct kmqtt_auth *auth,
					const void *data, size_t len)
{
	struct kmqtt_str str = { .len = len };
	enum kmqtt_reason reason;

	str.data = kmqtt_test_exact(test, data, len);
	reason = kmqtt_auth_step(auth, &str);
	kunit_kfree(test, str.data);
	return reason;
}

/**
 * kmqtt_test_step() - a message of the client that is text
 * @test: the test
 * @auth: the exchange
 * @data: the message
 *
 * Context: process, may sleep.
 * Return: what the exchange says.
 */
enum kmqtt_reason kmqtt_test_step(struct kunit *test, struct kmqtt_auth *auth,
				  const char *data)
{
	return kmqtt_test_step_bytes(test, auth, data, strlen(data));
}
