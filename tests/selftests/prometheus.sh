#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What kmqttctl prints for Prometheus, and the dashboard that shows it.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

ip link set lo up
point "the module loads" load "listen=127.0.0.1:1883,[::1]:1883"
python prometheus.py
finish
