#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kmqttd and the module together, with clients as people have them.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load sys_interval=0
python agent.py
finish
