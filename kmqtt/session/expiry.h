/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_EXPIRY_H
#define _KMQTT_SESSION_EXPIRY_H

#include <linux/types.h>

struct kmqtt_session;
struct kmqtt_store;
struct timer_list;
struct work_struct;

void kmqtt_session_arm(struct kmqtt_session *session);
void kmqtt_session_disarm(struct kmqtt_session *session);
void kmqtt_session_disarm_sync(struct kmqtt_session *session);
void kmqtt_session_timeout(struct timer_list *t);
void kmqtt_store_due_work(struct work_struct *work);
void kmqtt_store_drop_due(struct kmqtt_store *store);

#endif /* _KMQTT_SESSION_EXPIRY_H */
