#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Access rules: what they allow here and what they allow with Mosquitto, of
# which all expectations are.
#
# ACL_BROKERS: whom to ask, "mosquitto kmqtt" if nothing is said; one kernel will do
# for Mosquitto.

# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

brokers=${ACL_BROKERS:-$(scaled "mosquitto kmqtt" kmqtt)}
[[ $brokers != *kmqtt* ]] || point "the module loads" load
# shellcheck disable=SC2086 # a word for each
python acl.py $brokers
finish
