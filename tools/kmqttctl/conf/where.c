// SPDX-License-Identifier: GPL-2.0
/*
 * What the options do that say where a listener is.
 */
#include "where.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../text.h"
#include "apply.h"
#include "lines.h"
#include "outside.h"
#include "spec.h"

static bool is_port(struct reader *reader, int64_t port)
{
	if (port >= 1 && port <= UINT16_MAX)
		return true;
	report_error(reader->report, &reader->at,
		     "a port is a number from 1 to 65535");
	return false;
}

/* The word behind a port, or NULL. */
static char *second_word(struct reader *reader, char *rest)
{
	char *word = line_word(&rest);

	if (word && *word == '#')
		return NULL;
	read_end(reader, rest);
	return word;
}

/* Also a wrong one is a listener: options are meant for it. */
static struct spec *open_spec(struct reader *reader)
{
	struct spec *spec = spec_new(reader);

	spec->opened = true;
	reader->spec = spec;
	return spec;
}

/* It is unknown where the kernel, or who loads what was saved, will be. */
static void set_path(struct reader *reader, struct spec *spec,
		     const char *path)
{
	struct endpoint *endpoint = &spec->endpoint;
	const char *why = NULL;
	char *whole;

	endpoint->transport = KMQTT_TRANSPORT_UNIX;
	endpoint->address.port = 0;
	if (!path) {
		report_error(reader->report, &reader->at,
			     "port 0 is for a Unix socket, and needs its path");
		return;
	}
	whole = outside_whole(path, &why);
	if (!whole)
		report_error(reader->report, &reader->at, "%.80s: %s", path,
			     why);
	else if (strlen(whole) > KMQTT_PATH_MAX)
		report_error(reader->report, &reader->at,
			     "the path of a Unix socket has up to %d bytes",
			     KMQTT_PATH_MAX);
	else
		memcpy(endpoint->path, whole, strlen(whole) + 1);
	free(whole);
}

/**
 * where_listener() - begin with a new listener
 * @reader: what was read up to here
 * @option: the option
 * @value: its value: a port, and behind it there may be a host; or 0 and the
 *	path of a Unix socket
 */
void where_listener(struct reader *reader, const struct option *option,
		    const struct value *value)
{
	char *word = second_word(reader, value->rest);
	struct spec *spec = open_spec(reader);

	if (!value->number) {
		set_path(reader, spec, word);
		return;
	}
	if (!is_port(reader, value->number))
		return;
	spec->endpoint.address.port = value->number;
	if (word)
		spec->host = conf_strdup(word);
}

/**
 * where_vsock_listener() - begin with a new listener for virtual machines
 * @reader: what was read up to here
 * @option: the option
 * @value: its value: a port, and behind it there may be a context identifier
 */
void where_vsock_listener(struct reader *reader, const struct option *option,
			  const struct value *value)
{
	char *word = second_word(reader, value->rest);
	struct endpoint *endpoint = &open_spec(reader)->endpoint;
	uint64_t cid;

	endpoint->transport = KMQTT_TRANSPORT_VSOCK;
	endpoint->address.port = 0;
	endpoint->port = value->number;
	if (!word)
		return;
	if (text_to_number(word, ENDPOINT_CID_ANY - 1, &cid))
		endpoint->cid = cid;
	else
		report_error(reader->report, &reader->at,
			     "a context identifier is a number from 0 to %u, not '%.80s'",
			     ENDPOINT_CID_ANY - 1, word);
}

/**
 * where_port() - let the default listener listen on a port
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void where_port(struct reader *reader, const struct option *option,
		const struct value *value)
{
	struct spec *spec = spec_default(reader);

	spec->at = reader->at;
	spec->opened = true;
	reader->spec = spec;
	if (is_port(reader, value->number))
		spec->endpoint.address.port = value->number;
}

/**
 * where_bind_address() - let the default listener listen at an address
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void where_bind_address(struct reader *reader, const struct option *option,
			const struct value *value)
{
	struct spec *spec = spec_default(reader);

	spec->at = reader->at;
	spec->opened = true;
	reader->spec = spec;
	free(spec->host);
	spec->host = conf_strdup(value->text);
}

/* Does the listener have addresses? */
static bool has_addresses(struct reader *reader, const struct option *option)
{
	if (endpoint_is_ip(&spec_of(reader)->endpoint))
		return true;
	report_error(reader->report, &reader->at,
		     "%s: only for listeners of TCP", option->name);
	return false;
}

/**
 * where_bind_interface() - let a listener have the addresses of an interface
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 *
 * Without a listener in front of it, it makes the default one.
 */
void where_bind_interface(struct reader *reader, const struct option *option,
			  const struct value *value)
{
	struct spec *spec = spec_of(reader);

	if (!has_addresses(reader, option))
		return;
	if (!reader->spec) {
		spec->at = reader->at;
		spec->opened = true;
		reader->spec = spec;
	}
	free(spec->interface.text);
	spec->interface.at = reader->at;
	spec->interface.text = conf_strdup(value->text);
}

/**
 * where_socket_domain() - let a listener have addresses of one kind
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void where_socket_domain(struct reader *reader, const struct option *option,
			 const struct value *value)
{
	if (!has_addresses(reader, option))
		return;
	if (!strcmp(value->text, "ipv4"))
		spec_of(reader)->family = AF_INET;
	else if (!strcmp(value->text, "ipv6"))
		spec_of(reader)->family = AF_INET6;
	else
		report_error(reader->report, &reader->at,
			     "%s is ipv4 or ipv6, not '%.80s'", option->name,
			     value->text);
}

/**
 * where_mptcp() - let a listener take Multipath TCP, or not
 * @reader: what was read up to here
 * @option: the option
 * @value: its value
 */
void where_mptcp(struct reader *reader, const struct option *option,
		 const struct value *value)
{
	if (has_addresses(reader, option))
		spec_of(reader)->endpoint.transport = value->number ?
			KMQTT_TRANSPORT_MPTCP : KMQTT_TRANSPORT_TCP;
}
