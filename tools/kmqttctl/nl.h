/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_NL_H
#define _KMQTTCTL_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>

#include "exit.h"

/* Largest string that fits in an attribute, in bytes. */
#define NL_STRING_MAX	(UINT16_MAX - NLA_HDRLEN)

/* Multicast groups. */
enum nl_group {
	NL_EVENTS,
	NL_TAPS,
	NL_GROUPS
};

/* What the kernel, or the way to it, said against a request. */
struct nl_error {
	int err;		/* errno */
	char text[256];		/* or empty */
	uint16_t attr;		/* attribute to blame, or 0 */
	bool missing;		/* it isn't there */
	bool has_range;		/* min and max are what it may be */
	uint64_t min;
	uint64_t max;
	uint32_t max_len;	/* bytes that it may have, or 0 */
};

/*
 * A socket to the broker. All zero to begin with; the first request opens it.
 * Functions that return an exit code other than EXIT_DONE have set error.
 */
struct nl {
	struct mnl_socket *sock;
	unsigned int portid;
	unsigned int seq;
	uint16_t family;
	uint32_t groups[NL_GROUPS];	/* their numbers, 0 if there is none */
	char *answer;		/* buffer of answers */
	char *request;		/* buffer of requests */
	struct nl_error error;
};

typedef void nl_answer_fn(const struct nlmsghdr *nlh, void *arg);

void nl_begin(struct nl *nl, uint8_t cmd);
void nl_put(struct nl *nl, uint16_t attr, const void *data, size_t len);
void nl_put_uint(struct nl *nl, uint16_t attr, uint64_t value,
		 unsigned int size);
enum exit_code nl_do(struct nl *nl, nl_answer_fn *fn, void *arg);
enum exit_code nl_dump(struct nl *nl, nl_answer_fn *fn, void *arg);
enum exit_code nl_join(struct nl *nl, enum nl_group group);
bool nl_wait(struct nl *nl, int milliseconds);
enum exit_code nl_next_events(struct nl *nl, bool *lost, nl_answer_fn *fn,
			      void *arg);
void nl_close(struct nl *nl);

#endif /* _KMQTTCTL_NL_H */
