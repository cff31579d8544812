// SPDX-License-Identifier: GPL-2.0
/*
 * The methods of enhanced authentication that there are (MQTT 5, 4.12).
 */
#include "auth.h"

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "scram.h"

static const struct kmqtt_auth_ops * const methods[] = {
	&kmqtt_scram_sha_256,
	&kmqtt_scram_sha_512,
};

/**
 * kmqtt_auth_create() - begin an exchange
 * @port: what the client came through
 * @method: name of the method
 *
 * Context: process, may sleep.
 * Return: the exchange, ERR_PTR(-ENOENT) if there is no such method,
 * ERR_PTR(-ENOMEM).
 */
struct kmqtt_auth *kmqtt_auth_create(struct kmqtt_port *port,
				     const struct kmqtt_str *method)
{
	struct kmqtt_auth *auth;
	int i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		if (method->len != strlen(methods[i]->name) ||
		    memcmp(method->data, methods[i]->name, method->len))
			continue;
		auth = methods[i]->create(methods[i], port);
		if (!auth)
			return ERR_PTR(-ENOMEM);
		auth->ops = methods[i];
		auth->port = port;
		return auth;
	}
	return ERR_PTR(-ENOENT);
}

/**
 * kmqtt_auth_step() - take a message of the client
 * @auth: the exchange
 * @data: the message
 *
 * Context: process, may sleep.
 * Return: KMQTT_REASON_CONTINUE_AUTHENTICATION or KMQTT_REASON_SUCCESS, both
 * with @auth->out to be sent; or the reason that the exchange ends with.
 */
enum kmqtt_reason kmqtt_auth_step(struct kmqtt_auth *auth,
				  const struct kmqtt_str *data)
{
	auth->out_len = 0;
	if (data->len > KMQTT_AUTH_MESSAGE_MAX)
		return KMQTT_REASON_IMPLEMENTATION_SPECIFIC;
	return auth->ops->step(auth, data);
}

/**
 * kmqtt_auth_destroy() - end an exchange
 * @auth: the exchange, or NULL
 *
 * Context: any but hard interrupts.
 */
void kmqtt_auth_destroy(struct kmqtt_auth *auth)
{
	if (auth)
		auth->ops->destroy(auth);
}
