/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_ERRNO_H
#define _FUZZ_LINUX_ERRNO_H

#include <asm/errno.h>

#endif /* _FUZZ_LINUX_ERRNO_H */
