/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users whose password is "pencil", and exchanges with one of them; access
 * rules as they are written in files.
 */
#ifndef _KMQTT_TESTS_SUPPORT_ACCESS_H
#define _KMQTT_TESTS_SUPPORT_ACCESS_H

#include "support.h"
#include "../access/auth.h"
#include "../access/verdict.h"

#define SHA_256	KMQTT_AUTH_METHOD_SCRAM_SHA_256
#define SHA_512	KMQTT_AUTH_METHOD_SCRAM_SHA_512

struct kmqtt_port *kmqtt_test_port(struct kunit *test);
struct kmqtt_users *kmqtt_test_users(const struct kmqtt_port *port);
void kmqtt_test_user(struct kunit *test, struct kmqtt_port *port,
		     const char *name, enum kmqtt_auth_method method);
struct kmqtt_acl *kmqtt_test_acl(struct kunit *test,
				 struct kmqtt_memory *memory, const char *text);
void kmqtt_test_rules(struct kunit *test, struct kmqtt_port *port,
		      const char *text);
struct kmqtt_identity *kmqtt_test_identity(struct kunit *test,
					   struct kmqtt_port *port,
					   const char *user);
struct kmqtt_auth *kmqtt_test_auth(struct kunit *test,
				   struct kmqtt_port *port,
				   enum kmqtt_auth_method method);
enum kmqtt_reason kmqtt_test_step_bytes(struct kunit *test,
					struct kmqtt_auth *auth,
					const void *data, size_t len);
enum kmqtt_reason kmqtt_test_step(struct kunit *test, struct kmqtt_auth *auth,
				  const char *data);

#endif /* _KMQTT_TESTS_SUPPORT_ACCESS_H */
