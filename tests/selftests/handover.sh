#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Work goes from softirq to threads and back, and nothing is lost on the way.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load listen=127.0.0.1:1883
python handover.py
finish
