/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_SHARE_H
#define _KMQTT_SESSION_SHARE_H

#include "session.h"

enum kmqtt_delivered kmqtt_share_deliver(struct kmqtt_group *group,
					 struct kmqtt_msg *msg, bool ready_only,
					 struct kmqtt_batch *batch);
void kmqtt_share_move(struct kmqtt_session *session);

#endif /* _KMQTT_SESSION_SHARE_H */
