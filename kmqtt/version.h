/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of all of it: the module, the tools, and what is packaged. The
 * Makefiles and dkms.conf read it from here.
 */
#ifndef _KMQTT_VERSION_H
#define _KMQTT_VERSION_H

#define KMQTT_VERSION "0.1.0"

#endif /* _KMQTT_VERSION_H */
