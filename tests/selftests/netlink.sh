#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Control over netlink, by its tool: each noun and verb, and who may not.

# Functions are called by point.
# shellcheck disable=SC2317
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

no_module() {
	local text status
	# Where the module isn't installed nothing can load it.
	text=$("$ctl" stats 2>&1)
	status=$?
	echo "$text"
	[ "$status" -eq 3 ] && [ -n "$text" ]
}

if modinfo kmqtt >/dev/null 2>&1; then
	skip "without the module the tool says so" "the module is installed"
else
	point "without the module the tool says so" no_module
fi
point "the module loads" load
python netlink.py
finish
