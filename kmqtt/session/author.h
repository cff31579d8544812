/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTT_SESSION_AUTHOR_H
#define _KMQTT_SESSION_AUTHOR_H

#include "store.h"

int kmqtt_author_note(struct kmqtt_author **known,
		      const struct kmqtt_session *session,
		      struct kmqtt_identity *identity, struct kmqtt_msg *msg,
		      gfp_t gfp);
struct kmqtt_ask kmqtt_author_ask(const struct kmqtt_msg *msg);

#endif /* _KMQTT_SESSION_AUTHOR_H */
