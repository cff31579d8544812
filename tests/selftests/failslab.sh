#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Allocations of the module fail, and nothing else does.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

if [ ! -e /sys/kernel/debug/failslab/require-start ]; then
	skip "allocations that fail" "this kernel can't make them fail"
	finish
fi
python failslab.py
finish
