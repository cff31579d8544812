#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages published by netlink, and those that are published as netlink sees
# them; packets of a client as netlink sees them.

# Functions are called by point.
# shellcheck disable=SC2317
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

goes_while_tapped() {
	local pid status

	"$ctl" pub tapped there retain || return
	"$ctl" sub '#' >"$tmp/tapped" &
	pid=$!
	wait_for 30 grep -q there "$tmp/tapped" || return
	unload || return
	wait "$pid"
	status=$?
	echo "status $status"
	[ "$status" -eq 3 ]
}

point "the module loads" load "listen=127.0.0.1:1883"
python tap.py
python tap_client.py
point "the module goes while somebody looks" goes_while_tapped
finish
