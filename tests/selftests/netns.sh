#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A broker for each network namespace, and what happens when one goes.

# Functions are called by point.
# shellcheck disable=SC2317
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

two_namespaces() {
	ip netns add left && ip netns add right || return
	ip link add vleft netns left type veth peer name vright netns right || return
	ip -n left link set lo up && ip -n left link set vleft up || return
	ip -n right link set lo up && ip -n right link set vright up || return
	ip -n left addr add 10.77.0.1/24 dev vleft || return
	ip -n right addr add 10.77.0.2/24 dev vright || return
	ip -n left addr add fd77::1/64 dev vleft nodad || return
	ip -n right addr add fd77::2/64 dev vright nodad
}

point "the module loads with namespaces there" eval 'ip netns add before && load'
point "namespaces are made while it is loaded" two_namespaces
point "one that was there before has a broker" "$ctl" -n before stats
python netns.py
finish
