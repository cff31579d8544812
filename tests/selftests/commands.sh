#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every command of kmqttctl: what it prints, and who may use it.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load listen=127.0.0.1:1883
python commands.py
finish
