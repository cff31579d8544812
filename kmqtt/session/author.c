// SPDX-License-Identifier: GPL-2.0
/*
 * Who a retained message is from. It is asked about whenever somebody is to get
 * the message, so that what a client may no longer publish is not spread on its
 * behalf, long after the client is gone.
 */
#include "author.h"

#include <linux/slab.h>
#include "../access/verdict.h"

/**
 * struct session_author - a client that has published messages
 * @author: what messages have
 * @memory: account that was charged
 * @identity: who the client was; holds a reference
 * @origin: stands for @id
 * @id_len: bytes of @id
 * @id: client identifier
 *
 * Constant, but for references.
 */
struct session_author {
	struct kmqtt_author author;
	struct kmqtt_memory *memory;
	struct kmqtt_identity *identity;
	u64 origin;
	u16 id_len;
	u8 id[];
};

static struct session_author *session_author(struct kmqtt_author *author)
{
	return container_of(author, struct session_author, author);
}

static void author_release(struct kmqtt_author *author)
{
	struct session_author *a = session_author(author);

	kmqtt_identity_put(a->identity);
	kmqtt_memory_uncharge(a->memory, struct_size(a, id, a->id_len));
	kfree(a);
}

/* Returns an author with a reference for the caller, or NULL. */
static struct kmqtt_author *author_create(const struct kmqtt_session *session,
					  struct kmqtt_identity *identity,
					  gfp_t gfp)
{
	struct kmqtt_memory *memory = session->store->memory;
	struct session_author *a;
	size_t size = struct_size(a, id, session->id_len);

	if (!kmqtt_memory_charge(memory, size))
		return NULL;
	a = kmalloc(size, gfp | __GFP_NOWARN);
	if (!a) {
		kmqtt_memory_uncharge(memory, size);
		return NULL;
	}
	refcount_set(&a->author.refs, 1);
	a->author.release = author_release;
	a->memory = memory;
	a->identity = kmqtt_identity_get(identity);
	a->origin = session->origin;
	a->id_len = session->id_len;
	memcpy(a->id, session->id, session->id_len);
	return &a->author;
}

/**
 * kmqtt_author_note() - have a message that is to be retained know its author
 * @known: the author, made here if it is NULL; holds a reference, which the
 *	caller gives back when the client publishes nothing more
 * @session: session of the client that publishes the message
 * @identity: who the client is; the caller has a reference
 * @msg: a message that nobody else has yet, and that has no author
 * @gfp: GFP_ATOMIC or GFP_KERNEL
 *
 * Does nothing for a message that isn't to be retained. Whether authors are
 * asked about is decided when the message is to be delivered.
 *
 * Context: any but hard interrupts; who may write @known.
 * Return: 0 or -ENOMEM.
 */
int kmqtt_author_note(struct kmqtt_author **known,
		      const struct kmqtt_session *session,
		      struct kmqtt_identity *identity, struct kmqtt_msg *msg,
		      gfp_t gfp)
{
	if (!msg->retain || !msg->payload_len || WARN_ON_ONCE(msg->author))
		return 0;
	if (!*known)
		*known = author_create(session, identity, gfp);
	if (!*known)
		return -ENOMEM;
	refcount_inc(&(*known)->refs);
	msg->author = *known;
	return 0;
}

/**
 * kmqtt_author_ask() - may its author still publish a message?
 * @msg: a message that has an author, and keeps what is returned
 *
 * Context: any.
 * Return: what to ask kmqtt_verdict().
 */
struct kmqtt_ask kmqtt_author_ask(const struct kmqtt_msg *msg)
{
	const struct session_author *a = session_author(msg->author);

	return (struct kmqtt_ask) {
		.identity = a->identity,
		.origin = a->origin,
		.client_id.data = a->id,
		.client_id.len = a->id_len,
		.topic.data = kmqtt_msg_topic(msg),
		.topic.len = msg->topic_len,
		.access = KMQTT_ACL_ACCESS_WRITE,
	};
}
