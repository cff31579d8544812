# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the selftests. They print a line of KTAP for each point that they
# test, without its number: `run` numbers them. What explains a failed point
# stands in front of it.

selftests=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
top=$(realpath "$selftests/../..")
kernel=${KMQTT_KERNEL:-stock}
ko=${KMQTT_KO:-$top/build/$kernel/kmqtt/kmqtt.ko}
ctl=${KMQTT_CTL:-$top/build/tools/kmqttctl}
tmp=${KMQTT_TMP:-/tmp}
export KMQTT_KERNEL=$kernel KMQTT_KO=$ko KMQTT_CTL=$ctl
export PYTHONDONTWRITEBYTECODE=1
failures=0

ok() {
	echo "ok - $*"
}

not_ok() {
	failures=$((failures + 1))
	echo "not ok - $*"
}

skip() {
	echo "ok - $1 # SKIP $2"
}

# What hangs is told of in the kernel's log, where there is SysRq.
show_blocked() {
	[ ! -e /proc/sysrq-trigger ] || echo w >/proc/sysrq-trigger
}

# point TEXT COMMAND...: passes if the command does.
point() {
	local text=$1 out=$tmp/point.out status
	shift
	"$@" >"$out" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		ok "$text"
	else
		tail -n 30 "$out" | sed 's/^/# /'
		echo "# status $status"
		not_ok "$text"
	fi
}

# scaled STOCK DEBUG: the number for this kernel.
scaled() {
	if [ "$kernel" = debug ]; then echo "$2"; else echo "$1"; fi
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

loaded() {
	[ -e /sys/module/kmqtt ]
}

not_loaded() {
	! loaded
}

# A broker that tells nothing by itself: what is counted is the test's.
load() {
	insmod "$ko" sys_interval=0 "$@"
}

# A module that doesn't go may hang for good: tell what it waits for.
unload() {
	local pid bound
	bound=$(scaled 60 120)

	rmmod kmqtt &
	pid=$!
	if ! wait_for "$bound" not_loaded; then
		show_blocked
		echo "rmmod does not come back"
		return 1
	fi
	wait $pid
}

# python HELPER [ARGUMENT...]: a helper prints points of its own.
python() {
	local helper=$1 status
	shift
	/usr/bin/python3 -s "$selftests/$helper" "$@"
	status=$?
	[ $status -eq 0 ] || failures=$((failures + 1))
	return $status
}

# The last line of a script.
finish() {
	local name
	if loaded; then
		point "the module unloads" unload
	fi
	for name in $(ip netns list 2>/dev/null | cut -d' ' -f1); do
		ip netns del "$name"
	done
	[ $failures -eq 0 ]
	exit
}
