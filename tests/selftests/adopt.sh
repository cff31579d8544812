#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Connections that aren't plain TCP, and those that an agent hands over.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load "listen=127.0.0.1:1883"
python adopt.py
finish
