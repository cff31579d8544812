#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What Documentation/tracing.rst tells to type, and kmqttctl's live views.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

point "the module loads" load listen=127.0.0.1:1883
python tracing.py
finish
