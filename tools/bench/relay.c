// SPDX-License-Identifier: GPL-2.0
#include "pattern.h"
int relay_run(const char *port) { (void)port; return 2; }
