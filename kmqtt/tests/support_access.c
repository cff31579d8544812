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
