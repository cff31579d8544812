/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_CREDENTIAL_H
#define _KMQTT_CONTROL_CREDENTIAL_H

#include <net/genetlink.h>
#include "../access/user.h"

int kmqtt_nl_user_name(struct genl_info *info, struct kmqtt_str *name);
int kmqtt_nl_set_user(struct genl_info *info, struct kmqtt_users *users);

#endif /* _KMQTT_CONTROL_CREDENTIAL_H */
