/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_AGENT_H
#define _KMQTTCTL_CONF_AGENT_H

#include "option.h"
#include "read.h"

void agent_apply(struct reader *reader, const struct option *option,
		 const struct value *value);
void agent_apply_protocol(struct reader *reader, const struct option *option,
			  const struct value *value);
void agent_apply_version(struct reader *reader, const struct option *option,
			 const struct value *value);
void agent_apply_psk_file(struct reader *reader, const struct option *option,
			  const struct value *value);

const struct agent_line *agent_find(const struct spec *spec, const char *name);
bool agent_adds_up(const struct option *option);
char *agent_finish(struct reader *reader, struct spec *spec);
void agent_finish_all(struct reader *reader);
bool agent_is_proxied(const struct spec *spec);
const char *agent_unwritable(const char *text);
char *agent_read(struct report *report, const char *path);
void agent_free(struct spec *spec);

#endif /* _KMQTTCTL_CONF_AGENT_H */
