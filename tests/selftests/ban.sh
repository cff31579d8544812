#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bans: who is not let in, and who has to go.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load "listen=127.0.0.1:1883,[::1]:1883"
python ban.py
finish
