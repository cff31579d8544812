/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_LINUX_MINMAX_H
#define _FUZZ_LINUX_MINMAX_H

#define min_t(type, x, y) ({			\
	type _x = (x);				\
	type _y = (y);				\
	_x < _y ? _x : _y;			\
})

#endif /* _FUZZ_LINUX_MINMAX_H */
