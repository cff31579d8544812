#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limited rates: who sends too much is held back, and loses nothing by it.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load
python rate.py
finish
