/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_CONF_WHERE_H
#define _KMQTTCTL_CONF_WHERE_H

#include "option.h"
#include "read.h"

void where_listener(struct reader *reader, const struct option *option,
		    const struct value *value);
void where_vsock_listener(struct reader *reader, const struct option *option,
			  const struct value *value);
void where_port(struct reader *reader, const struct option *option,
		const struct value *value);
void where_bind_address(struct reader *reader, const struct option *option,
			const struct value *value);
void where_bind_interface(struct reader *reader, const struct option *option,
			  const struct value *value);
void where_socket_domain(struct reader *reader, const struct option *option,
			 const struct value *value);
void where_mptcp(struct reader *reader, const struct option *option,
		 const struct value *value);

#endif /* _KMQTTCTL_CONF_WHERE_H */
