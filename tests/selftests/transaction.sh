#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A configuration as one transaction of netlink, without the tool that reads
# it from files.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load
python transaction.py
finish
