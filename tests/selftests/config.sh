#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Configurations as a whole: kmqttctl load and save.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load "listen=127.0.0.1:1883"
python config.py
python config_options.py
finish
