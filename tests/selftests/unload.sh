#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading, with parameters and under load.

# Functions are called by point.
# shellcheck disable=SC2317
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

open_ports() {
	awk '$4 == "0A"' /proc/net/tcp /proc/net/tcp6
}

opens_nothing() {
	open_ports >"$tmp/before"
	load || return
	open_ports | diff "$tmp/before" -
}

refused() {
	! load "listen=$1" || return
	! loaded || return
	open_ports | diff "$tmp/before" -
}

port_is_open() {
	open_ports | grep -q "$1:075B "
}

point "loading it opens no port" opens_nothing
point "it unloads" unload

for bad in 1883 127.0.0.1 127.0.0.1: :1883 127.0.0.1:99999 127.0.0.1:x \
	300.1.1.1:1883 localhost:1883 "[::1:1883" "[:::1]:1883" "[]:1883" \
	192.0.2.77:1883 "[2001:db8::77]:1883" 127.0.0.1:1883,127.0.0.1:1883 \
	"127.0.0.1:1883,bad" "127.0.0.1:1883,[::1]:1883,0.0.0.0:99999"; do
	point "listen=$bad is refused and leaves nothing behind" refused "$bad"
done

point "it loads with addresses of both families" \
	load "listen=127.0.0.1:1883,[::1]:1883,127.0.0.1:1884"
point "the IPv4 port is open" port_is_open 0100007F
point "the IPv6 port is open" port_is_open 00000000000000000000000001000000
python unload.py
finish
