#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Users: how they are made and forgotten, and who gets in as one of them.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load "listen=127.0.0.1:1883"
python user.py
finish
