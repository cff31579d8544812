#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Passwords: who gets in with one, and what it costs others to have them checked.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load "listen=127.0.0.1:1883"
python password.py
finish
