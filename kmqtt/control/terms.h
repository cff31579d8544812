/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_CONTROL_TERMS_H
#define _KMQTT_CONTROL_TERMS_H

#include <net/genetlink.h>
#include "../access/port.h"

int kmqtt_nl_read_terms(struct genl_info *info, struct kmqtt_terms *terms);
int kmqtt_nl_put_terms(struct sk_buff *skb, const struct kmqtt_terms *terms);

#endif /* _KMQTT_CONTROL_TERMS_H */
