/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_APPLY_H
#define _KMQTTCTL_CONF_APPLY_H

#include "option.h"
#include "read.h"

/* The value of an option, and what follows it in the line. */
struct value {
	int64_t number;		/* of a bool, an int or a time */
	char *text;		/* of the others */
	char *rest;
};

void apply_own(struct reader *reader, const struct field *field,
	       const char *name, char *rest);
void apply_setting(struct reader *reader, const struct option *option,
		   const struct value *value);
void apply_listener_attr(struct reader *reader, const struct option *option,
			 const struct value *value);
void apply_acl_file(struct reader *reader, const struct option *option,
		    const struct value *value);
void apply_allow_anonymous(struct reader *reader, const struct option *option,
			   const struct value *value);
void apply_include_dir(struct reader *reader, const struct option *option,
		       const struct value *value);
void apply_log_dest(struct reader *reader, const struct option *option,
		    const struct value *value);
void apply_password_file(struct reader *reader, const struct option *option,
			 const struct value *value);
void apply_per_listener(struct reader *reader, const struct option *option,
			const struct value *value);
void apply_protocol_versions(struct reader *reader, const struct option *option,
			     const struct value *value);
void apply_zero_length_clientid(struct reader *reader,
				const struct option *option,
				const struct value *value);
void apply_auto_id_prefix(struct reader *reader, const struct option *option,
			  const struct value *value);
void apply_listener_auto_id_prefix(struct reader *reader,
				   const struct option *option,
				   const struct value *value);
void apply_local_listeners(struct reader *reader, const struct option *option,
			   const struct value *value);

#endif /* _KMQTTCTL_CONF_APPLY_H */
