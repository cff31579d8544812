/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_READ_H
#define _KMQTTCTL_CONF_READ_H

#include "conf.h"

/* Who may come in, and do what. */
struct security {
	struct conf_text password_file;
	struct conf_text acl_file;
	struct conf_text psk_file;
	struct conf_text client_id_prefix;
	struct conf_number anonymous;
	struct conf_number assign_client_id;
};

struct option;

/* An option that the agent of a listener has to know. */
struct agent_line {
	struct place at;
	const struct option *option;
	char *value;
};

/* What files say of a listener, before its addresses are known. */
struct spec {
	struct place at;	/* of what opened it, or else was first about it */
	bool opened;
	char *host;		/* or NULL for all addresses */
	struct endpoint endpoint;	/* but for its address */
	struct conf_text interface;
	int family;
	struct conf_number attrs[CONF_NR_ATTRS];
	struct conf_text client_id_prefix;
	struct security security;
	struct agent_line *agent;
	size_t nr_agent;
};

/* Files that are being read. */
struct reader {
	struct conf *conf;
	struct report *report;
	struct place at;	/* the line that is being read */
	unsigned int depth;	/* of include_dir */
	bool only_agent;	/* no option is for anybody else */
	bool in_bridge;
	bool per_listener;
	bool local_listeners;
	struct security security;	/* of all listeners */
	bool psk_used;		/* there is a listener for its psk_file */
	struct spec **specs;
	size_t nr_specs;
	struct spec *spec;	/* the one that options are about, or NULL */
	struct spec *spare;	/* the default listener, or NULL */
};

bool read_conf(struct conf *conf, struct report *report, const char *path);
void read_file(struct reader *reader, const char *path);
void read_end(struct reader *reader, char *rest);

#endif /* _KMQTTCTL_CONF_READ_H */
