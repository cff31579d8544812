// SPDX-License-Identifier: GPL-2.0
/*
 * What is known when all files were read: which addresses the listeners have,
 * and which users and rules they share.
 */
#include "listen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "acl.h"
#include "agent.h"
#include "outside.h"
#include "passwd.h"
#include "spec.h"

/* A realm, and the files that it was read from. */
struct source {
	const struct security *security;
	uint32_t number;
};

struct finish {
	struct reader *reader;
	struct source *sources;
	size_t nr_sources;
};

/* The content of a file that an option names, or NULL. */
static char *read_path(struct reader *reader, const struct conf_text *path,
		       const char **file, size_t *len)
{
	const char *why = NULL;
	char *text = outside_read(path->text, len, &why);

	if (!text)
		report_error(reader->report, &path->at, "%s: %s", path->text,
			     why);
	else
		*file = conf_file(reader->conf, path->text);
	return text;
}

static void read_realm(struct reader *reader, struct conf_realm *realm,
		       const struct security *security)
{
	const char *file;
	char *text;
	size_t len;

	if (security->password_file.text) {
		realm->at = security->password_file.at;
		realm->authenticate = true;
		text = read_path(reader, &security->password_file, &file, &len);
		if (text) {
			passwd_read(realm, reader->report, file, text, len);
			explicit_bzero(text, len);
		}
		free(text);
	}
	if (security->acl_file.text) {
		realm->at = security->acl_file.at;
		realm->restrict_ = true;
		text = read_path(reader, &security->acl_file, &file, &len);
		if (text)
			acl_read(realm, reader->report, file, text, len);
		free(text);
	}
}

static bool same_path(const struct conf_text *a, const struct conf_text *b)
{
	return a->text && b->text ? !strcmp(a->text, b->text) :
				    a->text == b->text;
}

/* The realm of these files, which is read when it is needed first. */
static uint32_t realm_of(struct finish *finish, const struct place *at,
			 const struct security *security)
{
	struct conf *conf = finish->reader->conf;
	struct conf_realm *realm;
	struct source *source;
	size_t i;

	for (i = 0; i < finish->nr_sources; i++) {
		source = &finish->sources[i];
		if (same_path(&source->security->password_file,
			      &security->password_file) &&
		    same_path(&source->security->acl_file,
			      &security->acl_file))
			return source->number;
	}
	finish->sources = conf_grow(finish->sources, i,
				    sizeof(*finish->sources));
	finish->nr_sources++;
	source = &finish->sources[i];
	source->security = security;
	source->number = i;
	realm = conf_realm(conf, i);
	realm->at = *at;
	read_realm(finish->reader, realm, security);
	return i;
}

/*
 * Whether a listener lets in who gives no name: as it is set for it, or for
 * all, or else only if it can be reached from this machine alone.
 */
static struct conf_number anonymous_of(struct reader *reader,
				       const struct spec *spec,
				       const struct security *security,
				       const struct endpoint *endpoint)
{
	const struct conf_number *own = &spec->attrs[CONF_ANONYMOUS];
	/* Where the clients of a proxy are is not known. */
	bool local = endpoint_is_local(endpoint) && !agent_is_proxied(spec);

	if (own->set)
		return *own;
	if (security->anonymous.set)
		return security->anonymous;
	if (local && security->password_file.text)
		report_note(reader->report, &spec->at,
			    "who gives no user name may come in at this %s, since allow_anonymous is not set",
			    endpoint_is_ip(endpoint) ? "loopback address" :
						       "Unix socket");
	return (struct conf_number){
		.at = spec->at,
		.set = true,
		.value = local,
	};
}

/* What its listener says goes before what is said of all. */
static void set_prefix(struct conf_listener *listener, const struct spec *spec,
		       const struct security *security)
{
	const struct conf_text *from = spec->client_id_prefix.text ?
				       &spec->client_id_prefix :
				       &security->client_id_prefix;

	listener->client_id_prefix.at = from->at;
	if (from->text)
		listener->client_id_prefix.text = conf_strdup(from->text);
}

static const struct conf_listener *find_listener(const struct conf *conf,
						 const struct endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < conf->nr_listeners; i++)
		if (endpoint_same(&conf->listeners[i].endpoint, endpoint))
			return &conf->listeners[i];
	return NULL;
}

static void add_listener(struct finish *finish, const struct spec *spec,
			 const struct endpoint *endpoint, const char *agent)
{
	struct reader *reader = finish->reader;
	const struct security *security = reader->per_listener ?
					  &spec->security : &reader->security;
	const struct conf_listener *other;
	struct conf *conf = reader->conf;
	struct conf_listener *listener;

	other = find_listener(conf, endpoint);
	/* A name may stand for an address more than once. */
	if (other && other->at.line == spec->at.line &&
	    other->at.file == spec->at.file)
		return;
	if (other) {
		report_error(reader->report, &spec->at,
			     "line %u of %s listens there already",
			     other->at.line, other->at.file);
		return;
	}
	conf->listeners = conf_grow(conf->listeners, conf->nr_listeners,
				    sizeof(*conf->listeners));
	listener = &conf->listeners[conf->nr_listeners++];
	listener->at = spec->at;
	listener->endpoint = *endpoint;
	listener->realm = realm_of(finish, &spec->at, security);
	memcpy(listener->attrs, spec->attrs, sizeof(listener->attrs));
	listener->attrs[CONF_ANONYMOUS] = anonymous_of(reader, spec, security,
						       endpoint);
	listener->attrs[CONF_ASSIGN_CLIENT_ID] = security->assign_client_id;
	set_prefix(listener, spec, security);
	if (agent)
		listener->agent = conf_strdup(agent);
}

/* The one that is of the same family, or NULL. */
static const struct address *of_family(const struct address *addresses,
				       size_t nr, const struct address *like)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (addresses[i].len == like->len)
			return &addresses[i];
	return NULL;
}

/* A link-local address may have been given without the interface. */
static bool is_same_host(const struct address *own,
			 const struct address *wanted)
{
	return !memcmp(own->bytes, wanted->bytes, own->len) &&
	       (!wanted->ifindex || wanted->ifindex == own->ifindex);
}

/* What its host and its interface have in common; or 0, and it is told why. */
static size_t narrow(struct reader *reader, const struct spec *spec,
		     struct address addresses[OUTSIDE_ADDRESSES_MAX],
		     size_t nr)
{
	const struct conf_text *interface = &spec->interface;
	char own_text[ADDRESS_HOST_MAX], wanted[ADDRESS_HOST_MAX];
	struct address owns[OUTSIDE_ADDRESSES_MAX];
	const char *why = "it has no address of this kind";
	size_t nr_owns, left = 0, i;
	const struct address *own;

	nr_owns = outside_interface(interface->text, spec->family, owns, &why);
	for (i = 0; nr_owns && i < nr; i++) {
		own = of_family(owns, nr_owns, &addresses[i]);
		if (!own)
			continue;
		if (!is_same_host(own, &addresses[i])) {
			address_write_host(own, own_text);
			address_write_host(&addresses[i], wanted);
			report_error(reader->report, &interface->at,
				     "bind_interface: the first such address of %.80s is %s, not %s",
				     interface->text, own_text, wanted);
			return 0;
		}
		addresses[left++] = *own;
	}
	if (!left)
		report_error(reader->report, &interface->at,
			     "bind_interface %.80s: %s", interface->text, why);
	return left;
}

/* The addresses that it has; or 0, and it is told why. */
static size_t find_addresses(struct reader *reader, const struct spec *spec,
			     const char *host,
			     struct address addresses[OUTSIDE_ADDRESSES_MAX])
{
	const struct conf_text *interface = &spec->interface;
	const char *why = NULL;
	size_t nr = 1;

	if (host) {
		nr = outside_resolve(host, spec->family, addresses, &why);
		if (!nr)
			report_error(reader->report, &spec->at, "%.80s: %s",
				     host, why);
		return nr && interface->text ?
		       narrow(reader, spec, addresses, nr) : nr;
	}
	if (interface->text) {
		nr = outside_interface(interface->text, spec->family,
				       addresses, &why);
		if (!nr)
			report_error(reader->report, &interface->at,
				     "bind_interface %.80s: %s",
				     interface->text, why);
		return nr;
	}
	addresses[0] = (struct address){
		.len = spec->family == AF_INET ? 4 :
		       spec->family == AF_INET6 ? 16 : 0,
	};
	return nr;
}

/* At each of the addresses that it has. */
static void open_addresses(struct finish *finish, const struct spec *spec,
			   const char *host, const char *agent)
{
	struct address addresses[OUTSIDE_ADDRESSES_MAX];
	struct endpoint endpoint = spec->endpoint;
	size_t nr, i;

	nr = find_addresses(finish->reader, spec, host, addresses);
	for (i = 0; i < nr; i++) {
		endpoint.address = addresses[i];
		endpoint.address.port = spec->endpoint.address.port;
		add_listener(finish, spec, &endpoint, agent);
	}
}

static void open_spec(struct finish *finish, struct spec *spec)
{
	char *agent = agent_finish(finish->reader, spec);

	if (endpoint_is_ip(&spec->endpoint))
		open_addresses(finish, spec, spec->host, agent);
	/* One without a path was wrong already. */
	else if (spec->endpoint.path[0] ||
		 spec->endpoint.transport != KMQTT_TRANSPORT_UNIX)
		add_listener(finish, spec, &spec->endpoint, agent);
	free(agent);
}

/* Mosquitto's way to begin without being configured. */
static void open_locally(struct finish *finish)
{
	struct spec *spec = spec_default(finish->reader);
	char *agent = agent_finish(finish->reader, spec);

	if (spec->family != AF_INET6)
		open_addresses(finish, spec, "127.0.0.1", agent);
	if (spec->family != AF_INET)
		open_addresses(finish, spec, "::1", agent);
	free(agent);
}

/* At the places that the files name. */
static void open_all(struct finish *finish)
{
	struct reader *reader = finish->reader;
	size_t i;

	for (i = 0; i < reader->nr_specs; i++) {
		if (reader->specs[i]->opened)
			open_spec(finish, reader->specs[i]);
		else
			report_error(reader->report, &reader->specs[i]->at,
				     "this is about a listener, but does not stand behind the line of one");
	}
}

/**
 * listen_finish() - end what reading began
 * @reader: all files were read
 */
void listen_finish(struct reader *reader)
{
	struct finish finish = { .reader = reader };
	bool opened = false;
	size_t i;

	/* Without a listener there are users and rules nevertheless. */
	if (!reader->per_listener)
		realm_of(&finish, &reader->at, &reader->security);
	for (i = 0; i < reader->nr_specs; i++)
		opened |= reader->specs[i]->opened;
	if (!opened && reader->local_listeners)
		open_locally(&finish);
	else
		open_all(&finish);
	agent_finish_all(reader);
	free(finish.sources);
}
