// SPDX-License-Identifier: GPL-2.0
/*
 * Keep of what root may do only what an agent needs: hand sockets over to the
 * broker, have the kernel load its TLS, and listen on ports below 1024.
 */
#include "privileges.h"

#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <unistd.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "exit.h"

#define CAPABILITY(nr)	((uint32_t)1 << (nr))

#define CAPABILITIES	(CAPABILITY(CAP_NET_ADMIN) | \
			 CAPABILITY(CAP_NET_BIND_SERVICE))

static void become(const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		errx(EXIT_USAGE, "there is no user '%s'", name);
	/* Capabilities, too, would go with root. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ||
	    initgroups(name, user->pw_gid) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		err(EXIT_FAILED, "user '%s'", name);
}

/* No program gets them back, which takes root to say. */
static void bound(uint32_t capabilities)
{
	unsigned int cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap >= 32 || !(capabilities & CAPABILITY(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static void keep(uint32_t capabilities)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		err(EXIT_FAILED, "capabilities");
	data[0].permitted &= capabilities;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ .permitted = 0 };
	if (syscall(SYS_capset, &header, data))
		err(EXIT_FAILED, "capabilities");
	if (!(data[0].permitted & CAPABILITY(CAP_NET_ADMIN)))
		errx(EXIT_FAILED, "not permitted without CAP_NET_ADMIN");
}

/**
 * privileges_drop() - give up what isn't needed
 * @user: whom to become, or NULL
 *
 * There must be one thread only. Ends the program if it can't be done.
 */
void privileges_drop(const char *user)
{
	bound(CAPABILITIES);
	if (user)
		become(user);
	keep(CAPABILITIES);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(EXIT_FAILED, "no_new_privs");
	/* Private keys don't belong into a core file. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
