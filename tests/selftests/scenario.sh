#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The move from Mosquitto: one set of files, made of Debian's examples, and the
# same commands for both brokers. setup has let Mosquitto play already.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

python scenario.py "$top/build/selftests/scenario.json"
finish
