#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the broker tells about itself in $SYS topics, next to what Mosquitto
# tells.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

ip link set lo up
point "the module loads" load "listen=127.0.0.1:1883"
python sys_topics.py
finish
