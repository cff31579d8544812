/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KMQTTCTL_EXIT_H
#define _KMQTTCTL_EXIT_H

/* How kmqttctl ends; kmqttctl(8) promises these numbers. */
enum exit_code {
	EXIT_DONE	= 0,
	EXIT_REFUSED	= 1,	/* the kernel answered with an error */
	EXIT_USAGE	= 2,	/* wrong arguments */
	EXIT_FAILED	= 3,	/* nothing to talk to, or no way to go on */
	EXIT_PARTIAL	= 4,	/* a list that may not be complete */
};

#endif /* _KMQTTCTL_EXIT_H */
