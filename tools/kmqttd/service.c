// SPDX-License-Identifier: GPL-2.0
/*
 * How the connections of a listener are to be treated.
 */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>

#include "context.h"
#include "identity.h"
#include "tls.h"

/**
 * service_create() - do what a listener's text says
 * @listener: number of the listener
 * @agent: its text
 * @gate: of the listener
 * @error: what is wrong, if anything is
 *
 * Return: for service_put(), or NULL.
 */
struct service *service_create(uint32_t listener, const char *agent,
			       struct gate *gate,
			       char error[SETTINGS_ERROR_MAX])
{
	struct service *service = calloc(1, sizeof(*service));
	bool good;

	if (!service) {
		snprintf(error, SETTINGS_ERROR_MAX, "out of memory");
		return NULL;
	}
	service->refs = 1;
	service->listener = listener;
	service->gate = gate_get(gate);
	service->terms = gate->terms;
	good = settings_read(&service->settings, agent, error);
	if (good && settings_has_tls(&service->settings)) {
		service->ctx = context_create(&service->settings, error);
		good = service->ctx;
	}
	if (good && service->ctx) {
		tls_prepare(service->ctx);
		identity_prepare(service->ctx);
	}
	if (good)
		return service;
	service_put(service);
	return NULL;
}

/**
 * service_get() - hold a service
 * @service: the service
 */
struct service *service_get(struct service *service)
{
	service->refs++;
	return service;
}

/**
 * service_stale() - is it none of the listener's any more?
 * @service: the service
 */
bool service_stale(const struct service *service)
{
	return service->terms != service->gate->terms;
}

/**
 * service_put() - hold it no longer
 * @service: the service, or NULL
 */
void service_put(struct service *service)
{
	if (!service || --service->refs)
		return;
	SSL_CTX_free(service->ctx);
	settings_free(&service->settings);
	gate_put(service->gate);
	free(service);
}
