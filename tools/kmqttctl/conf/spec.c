// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners while files are read: the one that options are about, and the
 * default one that may come of options in front of all others.
 */
#include "spec.h"

#include <stdlib.h>

#include "agent.h"

#define DEFAULT_PORT	1883

/**
 * spec_new() - add a listener
 * @reader: what was read up to here
 *
 * Return: the listener, which no line has opened yet.
 */
struct spec *spec_new(struct reader *reader)
{
	struct spec *spec = conf_check(calloc(1, sizeof(*spec)));

	spec->at = reader->at;
	spec->endpoint.address.port = DEFAULT_PORT;
	spec->endpoint.cid = ENDPOINT_CID_ANY;
	reader->specs = conf_grow(reader->specs, reader->nr_specs,
				  sizeof(*reader->specs));
	reader->specs[reader->nr_specs++] = spec;
	return spec;
}

/**
 * spec_default() - find the default listener, or make it
 * @reader: what was read up to here
 *
 * Return: the listener.
 */
struct spec *spec_default(struct reader *reader)
{
	if (!reader->spare)
		reader->spare = spec_new(reader);
	return reader->spare;
}

/**
 * spec_of() - the listener that an option is about
 * @reader: what was read up to here
 *
 * Return: the listener.
 */
struct spec *spec_of(struct reader *reader)
{
	return reader->spec ?: spec_default(reader);
}

/**
 * spec_free_security() - give back what it holds
 * @security: of a listener, or of all
 */
void spec_free_security(struct security *security)
{
	free(security->password_file.text);
	free(security->acl_file.text);
	free(security->psk_file.text);
	free(security->client_id_prefix.text);
}

/**
 * spec_free_all() - give back all listeners
 * @reader: with nothing more to read
 */
void spec_free_all(struct reader *reader)
{
	struct spec *spec;
	size_t i;

	for (i = 0; i < reader->nr_specs; i++) {
		spec = reader->specs[i];
		spec_free_security(&spec->security);
		agent_free(spec);
		free(spec->client_id_prefix.text);
		free(spec->host);
		free(spec->interface.text);
		free(spec);
	}
	free(reader->specs);
}
