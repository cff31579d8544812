// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the kmqtt family of generic netlink, their answers, and what
 * extended acks tell of errors.
 */
#include "nl.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>

/* Room for the largest answer the kernel makes, and for any request. */
#define ANSWER_SIZE	(64 * 1024)
#define REQUEST_SIZE	(4 * 1024 + 2 * 64 * 1024)

/* Events and messages that can wait for a slow terminal. */
#define EVENTS_SIZE	(1024 * 1024)

static const size_t genl_len = MNL_ALIGN(sizeof(struct genlmsghdr));

static enum exit_code fail(struct nl *nl, int error, const char *text)
{
	nl->error = (struct nl_error){ .err = error };
	if (text)
		snprintf(nl->error.text, sizeof(nl->error.text), "%s", text);
	return EXIT_FAILED;
}

/* Cleared, since libmnl does not clear the padding of attributes. */
static void *alloc(size_t size)
{
	void *mem = calloc(1, size);

	if (!mem)
		err(EXIT_FAILED, NULL);
	return mem;
}

/**
 * nl_begin() - start a request
 * @nl: socket, maybe not open yet
 * @cmd: command of the family
 */
void nl_begin(struct nl *nl, uint8_t cmd)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	if (!nl->request)
		nl->request = alloc(REQUEST_SIZE);
	nlh = mnl_nlmsg_put_header(nl->request);
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = KMQTT_FAMILY_VERSION;
}

/**
 * nl_put() - add an attribute to the request
 * @nl: socket with a request begun
 * @attr: type
 * @data: its content
 * @len: at most NL_STRING_MAX
 */
void nl_put(struct nl *nl, uint16_t attr, const void *data, size_t len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->request;

	if (!mnl_attr_put_check(nlh, REQUEST_SIZE, attr, len, data))
		errx(EXIT_FAILED, "the request is too large");
}

/**
 * nl_put_uint() - add an unsigned integer to the request
 * @nl: socket with a request begun
 * @attr: type
 * @value: fits in @size
 * @size: 1, 2, 4 or 8 bytes, or 0 for 4 or 8 as @value needs
 */
void nl_put_uint(struct nl *nl, uint16_t attr, uint64_t value,
		 unsigned int size)
{
	uint16_t v16 = value;
	uint32_t v32 = value;
	uint8_t v8 = value;

	if (!size)
		size = v32 == value ? 4 : 8;
	switch (size) {
	case 1:
		nl_put(nl, attr, &v8, 1);
		break;
	case 2:
		nl_put(nl, attr, &v16, 2);
		break;
	case 4:
		nl_put(nl, attr, &v32, 4);
		break;
	default:
		nl_put(nl, attr, &value, 8);
	}
}

/* Which of our attributes begins @offset bytes into the request? */
static uint16_t attr_at(const struct nl *nl, uint32_t offset)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->request;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, genl_len) {
		if ((const char *)attr - nl->request == offset)
			return mnl_attr_get_type(attr);
	}
	return 0;
}

static void read_policy(struct nl_error *error, const struct nlattr *policy)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, policy) {
		switch (mnl_attr_get_type(attr)) {
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			if (!mnl_attr_validate(attr, MNL_TYPE_U64))
				error->min = mnl_attr_get_u64(attr);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			if (!mnl_attr_validate(attr, MNL_TYPE_U64)) {
				error->max = mnl_attr_get_u64(attr);
				error->has_range = true;
			}
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				error->max_len = mnl_attr_get_u32(attr);
			break;
		}
	}
}

/* Read an extended ack, whose attributes begin @offset bytes into @nlh. */
static void read_ext_ack(struct nl *nl, const struct nlmsghdr *nlh,
			 size_t offset)
{
	struct nl_error *error = &nl->error;
	const struct nlattr *attr;
	size_t len;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	mnl_attr_for_each(attr, nlh, offset) {
		len = mnl_attr_get_payload_len(attr);
		switch (mnl_attr_get_type(attr)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(error->text, sizeof(error->text), "%.*s",
				 (int)len, mnl_attr_get_str(attr));
			break;
		case NLMSGERR_ATTR_OFFS:
			if (len == sizeof(uint32_t))
				error->attr = attr_at(nl,
						      mnl_attr_get_u32(attr));
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (len == sizeof(uint32_t)) {
				error->attr = mnl_attr_get_u32(attr);
				error->missing = true;
			}
			break;
		case NLMSGERR_ATTR_POLICY:
			read_policy(error, attr);
			break;
		}
	}
}

/* An ack, or an error with what is known about it. */
static enum exit_code read_error(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*ack);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ack))
		return fail(nl, EBADMSG, NULL);
	if (!ack->error)
		return EXIT_DONE;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) &&
	    ack->msg.nlmsg_len > sizeof(ack->msg))
		offset += ack->msg.nlmsg_len - sizeof(ack->msg);
	nl->error = (struct nl_error){ .err = -ack->error };
	read_ext_ack(nl, nlh, MNL_ALIGN(offset));
	return EXIT_REFUSED;
}

/* The end of a dump. */
static enum exit_code read_done(struct nl *nl, const struct nlmsghdr *nlh)
{
	const int *error = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error) || *error >= 0)
		return EXIT_DONE;
	nl->error = (struct nl_error){ .err = -*error };
	read_ext_ack(nl, nlh, sizeof(*error));
	return EXIT_REFUSED;
}

/* Read from the socket; 0 is an error that nl->error tells. */
static int receive(struct nl *nl)
{
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(nl->sock, nl->answer, ANSWER_SIZE);
	} while (len < 0 && errno == EINTR);
	if (len <= 0) {
		fail(nl, len ? errno : ECONNRESET, NULL);
		return 0;
	}
	return len;
}

/* Hand over all answers to the last request, up to its ack or end. */
static enum exit_code read_answers(struct nl *nl, nl_answer_fn *fn, void *arg)
{
	const struct nlmsghdr *nlh;
	bool interrupted = false;
	enum exit_code ret;
	int len;

	while ((len = receive(nl))) {
		nlh = (const struct nlmsghdr *)nl->answer;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq != nl->seq ||
			    nlh->nlmsg_pid != nl->portid)
				continue;
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				interrupted = true;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return read_error(nl, nlh);
			if (nlh->nlmsg_type == NLMSG_DONE) {
				ret = read_done(nl, nlh);
				if (ret == EXIT_DONE && interrupted)
					ret = EXIT_PARTIAL;
				return ret;
			}
			if (fn && nlh->nlmsg_type >= NLMSG_MIN_TYPE &&
			    mnl_nlmsg_get_payload_len(nlh) >= genl_len)
				fn(nlh, arg);
		}
	}
	return EXIT_FAILED;
}

static enum exit_code transact(struct nl *nl, uint16_t type, uint16_t flags,
			       nl_answer_fn *fn, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->request;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	nlh->nlmsg_pid = nl->portid;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return fail(nl, errno, NULL);
	return read_answers(nl, fn, arg);
}

static const char *const group_names[NL_GROUPS] = {
	[NL_EVENTS] = KMQTT_MCGRP_EVENTS,
	[NL_TAPS] = KMQTT_MCGRP_TAPS,
};

static void read_group(struct nl *nl, const struct nlattr *group)
{
	const struct nlattr *attr;
	const char *name = NULL;
	uint32_t id = 0;
	int i;

	mnl_attr_for_each_nested(attr, group) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_MCAST_GRP_NAME:
			if (!mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				name = mnl_attr_get_str(attr);
			break;
		case CTRL_ATTR_MCAST_GRP_ID:
			if (!mnl_attr_validate(attr, MNL_TYPE_U32))
				id = mnl_attr_get_u32(attr);
			break;
		}
	}
	for (i = 0; name && i < NL_GROUPS; i++)
		if (!strcmp(name, group_names[i]))
			nl->groups[i] = id;
}

static void read_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr, *group;
	struct nl *nl = arg;

	mnl_attr_for_each(attr, nlh, genl_len) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			if (!mnl_attr_validate(attr, MNL_TYPE_U16))
				nl->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(group, attr)
				read_group(nl, group);
			break;
		}
	}
}

/* Ask for the family by name, which makes the kernel load the module. */
static enum exit_code resolve(struct nl *nl)
{
	char *request = nl->request;
	struct genlmsghdr *genl;
	enum exit_code ret;

	nl->request = alloc(REQUEST_SIZE);
	nl_begin(nl, CTRL_CMD_GETFAMILY);
	genl = mnl_nlmsg_get_payload((struct nlmsghdr *)nl->request);
	genl->version = 1;
	nl_put(nl, CTRL_ATTR_FAMILY_NAME, KMQTT_FAMILY_NAME,
	       sizeof(KMQTT_FAMILY_NAME));
	ret = transact(nl, GENL_ID_CTRL, NLM_F_ACK, read_family, nl);
	free(nl->request);
	nl->request = request;
	if (ret == EXIT_REFUSED && nl->error.err == ENOENT)
		return fail(nl, ENOENT,
			    "the module kmqtt is not there and did not load");
	if (ret == EXIT_DONE && !nl->family)
		return fail(nl, EPROTO, NULL);
	return ret;
}

static enum exit_code open_socket(struct nl *nl)
{
	int one = 1;

	if (nl->sock)
		return EXIT_DONE;
	nl->answer = alloc(ANSWER_SIZE);
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return fail(nl, errno, NULL);
	nl->portid = mnl_socket_get_portid(nl->sock);
	/* Without these, errors are only less clear. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	return resolve(nl);
}

/**
 * nl_do() - send the request and wait for its end
 * @nl: socket with a request begun
 * @fn: called for each answer but the ack, or NULL
 * @arg: for @fn
 *
 * Return: EXIT_DONE, EXIT_REFUSED or EXIT_FAILED.
 */
enum exit_code nl_do(struct nl *nl, nl_answer_fn *fn, void *arg)
{
	enum exit_code ret = open_socket(nl);

	if (ret == EXIT_DONE)
		ret = transact(nl, nl->family, NLM_F_ACK, fn, arg);
	return ret;
}

/**
 * nl_dump() - send the request for a list and read it
 * @nl: socket with a request begun
 * @fn: called for each entry
 * @arg: for @fn
 *
 * Return: as nl_do(), or EXIT_PARTIAL if the list changed meanwhile in such a
 * way that entries may be there twice or not at all.
 */
enum exit_code nl_dump(struct nl *nl, nl_answer_fn *fn, void *arg)
{
	enum exit_code ret = open_socket(nl);

	if (ret == EXIT_DONE)
		ret = transact(nl, nl->family, NLM_F_DUMP, fn, arg);
	return ret;
}

/**
 * nl_join() - begin to receive events, or messages from a tap
 * @nl: socket
 * @group: NL_EVENTS or NL_TAPS
 *
 * Return: EXIT_DONE, EXIT_REFUSED or EXIT_FAILED.
 */
enum exit_code nl_join(struct nl *nl, enum nl_group group)
{
	uint32_t families = GENL_ID_CTRL;	/* also its group's number */
	enum exit_code ret = open_socket(nl);
	int size = EVENTS_SIZE, one = 1, fd;

	if (ret != EXIT_DONE)
		return ret;
	if (!nl->groups[group])
		return fail(nl, EOPNOTSUPP, "the module is too old for this");
	fd = mnl_socket_get_fd(nl->sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
				  &nl->groups[group],
				  sizeof(nl->groups[group])) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
				  &families, sizeof(families)) < 0) {
		fail(nl, errno, NULL);
		return EXIT_REFUSED;
	}
	/* What a tap loses is counted: no reason to stop until all is read. */
	if (group == NL_TAPS)
		mnl_socket_setsockopt(nl->sock, NETLINK_NO_ENOBUFS, &one,
				      sizeof(one));
	return EXIT_DONE;
}

/**
 * nl_wait() - wait until there is something to read, or a signal comes
 * @nl: socket, open
 * @milliseconds: how long at most; -1 for ever
 *
 * Return: true if there is.
 */
bool nl_wait(struct nl *nl, int milliseconds)
{
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(nl->sock),
		.events = POLLIN,
	};

	return poll(&fd, 1, milliseconds) > 0;
}

static bool is_farewell(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	uint16_t family = nl->family;

	if (nlh->nlmsg_type != GENL_ID_CTRL || genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	nl->family = 0;
	read_family(nlh, nl);
	if (nl->family == family)
		return true;
	nl->family = family;
	return false;
}

/**
 * nl_next_events() - wait for events
 * @nl: socket, joined
 * @lost: set if some were lost because nobody read them in time
 * @fn: called for each event
 * @arg: for @fn
 *
 * Return: EXIT_DONE to go on, or EXIT_FAILED.
 */
enum exit_code nl_next_events(struct nl *nl, bool *lost, nl_answer_fn *fn,
			      void *arg)
{
	const struct nlmsghdr *nlh;
	int len = receive(nl);

	*lost = !len && nl->error.err == ENOBUFS;
	if (*lost)
		return EXIT_DONE;
	if (!len)
		return EXIT_FAILED;
	nlh = (const struct nlmsghdr *)nl->answer;
	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (mnl_nlmsg_get_payload_len(nlh) < genl_len)
			continue;
		if (is_farewell(nl, nlh))
			return fail(nl, ENOENT, "the module was unloaded");
		if (nlh->nlmsg_type == nl->family)
			fn(nlh, arg);
	}
	return EXIT_DONE;
}

/**
 * nl_close() - give back all that a socket holds
 * @nl: socket, open or not
 */
void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->answer);
	free(nl->request);
	*nl = (struct nl){ .sock = NULL };
}
