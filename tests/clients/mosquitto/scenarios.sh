#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Scenarios with mosquitto_pub, mosquitto_sub and mosquitto_rr.
#
#	scenarios.sh HOST PORT
#
# Prints a line "ok - ..." or "not ok - ..." for each scenario; ../run numbers
# them. KMQTT_TIMEOUT_SCALE, KMQTT_CLIENTS_BIG, KMQTT_CLIENTS_TAG,
# KMQTT_CLIENTS_VERSIONS and KMQTT_CTL are those of ../run.
#
# play() calls the scenarios by name, which shellcheck doesn't see:
# shellcheck disable=SC2317

set -u

[ $# -eq 2 ] || {
	echo "usage: scenarios.sh HOST PORT" >&2
	exit 2
}

host=$1
port=$2
scale=${KMQTT_TIMEOUT_SCALE:-1}
big=${KMQTT_CLIENTS_BIG:-1}
tag=${KMQTT_CLIENTS_TAG:-$$}
ctl=${KMQTT_CTL:-kmqttctl}
mib=1048576

keepalive=$((60 * scale))
[ "$keepalive" -le 65535 ] || keepalive=65535

# Every scenario runs in a subshell of its own, so that fail() ends it and
# nothing of it is left. These are set for it:
version=	# 3.1, 3.1.1 or 5.0
base=		# topics start with it
id=		# client ids start with it
limit=		# seconds that one answer may take
work=		# directory for files

fail() {
	echo "# $*"
	exit 1
}

# skip REASON: the scenario can't be played here.
skip() {
	echo "$*" >"$work/skipped"
	exit 77
}

mosquitto_options() {
	local name=${version%.0}

	options=(-h "$host" -p "$port" -k "$keepalive" -V "mqttv${name//./}")
}

# have_settings: can settings of the broker be changed?
have_settings() {
	"$ctl" -j broker >"$work/settings" 2>&1
}

# setting NAME VALUE: change one, as long as the scenario runs.
setting() {
	local old

	have_settings || skip "kmqttctl reaches no broker"
	old=$(sed -n "s/.*\"${1//-/_}\":\([0-9]*\).*/\1/p" "$work/settings")
	"$ctl" broker set "$1" "$2" || fail "kmqttctl: exit status $?"
	settings+=("$1" "$old")
}

# pub OPTION...: publish; returns when the broker has acknowledged it.
pub() {
	local options

	mosquitto_options
	timeout "$limit" mosquitto_pub "${options[@]}" "$@" ||
		fail "mosquitto_pub $*: exit status $?"
}

# once OPTION...: mosquitto_sub in the foreground.
once() {
	local options

	mosquitto_options
	timeout "$limit" mosquitto_sub "${options[@]}" "$@" ||
		fail "mosquitto_sub $*: exit status $?"
}

# A subscriber in the background has a name. What it prints is read from a
# pipe: what mosquitto_sub -d says about its packets, and messages as
# "> QOS RETAIN TOPIC PAYLOAD".
declare -A sub_pid sub_fd early
settings=()	# what setting() has changed, and what it was
format='> %q %r %t %p'

# start NAME OPTION...: start a subscriber.
start() {
	local name=$1 options fd
	shift

	mosquitto_options
	exec {fd}< <(exec stdbuf -oL mosquitto_sub "${options[@]}" -d \
		-F "$format" "$@" 2>&1)
	sub_pid[$name]=$!
	sub_fd[$name]=$fd
	early[$name]=
}

# await NAME PATTERN: read until a line matches. Messages before that are kept
# for expect().
await() {
	local name=$1 pattern=$2 line

	while IFS= read -r -t "$limit" -u "${sub_fd[$name]}" line; do
		# shellcheck disable=SC2053 # the right side is a pattern
		[[ $line != $pattern ]] || return 0
		[[ $line != "> "* ]] || early[$name]+=$line$'\n'
	done
	fail "$name: nothing like '$pattern'"
}

# subscribe NAME OPTION...: start a subscriber, and wait for its SUBACK.
subscribe() {
	start "$@"
	await "$1" "Subscribed (mid: *"
}

# expect NAME QOS RETAIN TOPIC PAYLOAD: the next message must be this one.
expect() {
	local name=$1 line=
	shift

	if [ -n "${early[$name]}" ]; then
		line=${early[$name]%%$'\n'*}
		early[$name]=${early[$name]#*$'\n'}
	else
		until [[ $line == "> "* ]]; do
			IFS= read -r -t "$limit" -u "${sub_fd[$name]}" line ||
				fail "$name: no message, expected $*"
		done
	fi
	[ "$line" = "> $*" ] || fail "$name: got '$line', expected '> $*'"
}

# rest NAME: print what comes until the subscriber ends by itself (-C), as
# "QOS PAYLOAD".
rest() {
	timeout "$limit" sed -n 's/^> \([012]\) 0 [^ ]* /\1 /p' \
		<&"${sub_fd[$1]}" || fail "$1: more messages were expected"
}

# leave NAME: end a subscriber with a DISCONNECT packet.
leave() {
	kill -TERM "${sub_pid[$1]}"
	await "$1" "*sending DISCONNECT"
}

# die NAME: end a subscriber without one.
die() {
	kill -KILL "${sub_pid[$1]}"
}

# Called on every way out of a scenario.
clean_up() {
	local pid

	for pid in "${sub_pid[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	[ ${#settings[@]} -eq 0 ] || "$ctl" broker set "${settings[@]}"
}

same() {
	cmp "$1" "$2" >"$work/differ" 2>&1 || fail "$(<"$work/differ")"
}

every_qos() {
	local pub sub

	for sub in 0 1 2; do
		subscribe "sub$sub" -q "$sub" -t "$base/t"
	done
	for pub in 0 1 2; do
		pub -q "$pub" -t "$base/t" -m "published $pub"
		for sub in 0 1 2; do
			expect "sub$sub" $((pub < sub ? pub : sub)) 0 \
				"$base/t" "published $pub"
		done
	done
}

retained() {
	subscribe live -q 1 -t "$base/#"
	pub -q 1 -r -t "$base/one" -m first
	expect live 1 0 "$base/one" first
	pub -q 1 -r -t "$base/one" -m second
	expect live 1 0 "$base/one" second

	subscribe late -q 1 -t "$base/+"
	expect late 1 1 "$base/one" second
	leave late

	pub -q 1 -r -t "$base/one" -n
	subscribe later -q 1 -t "$base/+"
	pub -q 1 -t "$base/two" -m marker
	expect later 1 0 "$base/two" marker
}

will() {
	local qos

	subscribe watch -q 2 -t "$base/will/#"
	subscribe polite -t "$base/any" --will-topic "$base/will/none" \
		--will-payload "asked for"
	leave polite
	# With MQTT 5, mosquitto_sub asks for it when it is told to end.
	[ "$version" != 5.0 ] || expect watch 0 0 "$base/will/none" "asked for"
	for qos in 0 1 2; do
		subscribe dying -t "$base/any" --will-topic "$base/will/$qos" \
			--will-qos "$qos" --will-payload gone
		die dying
		expect watch "$qos" 0 "$base/will/$qos" gone
	done

	subscribe dying -t "$base/any" --will-topic "$base/will/kept" \
		--will-qos 1 --will-retain --will-payload gone
	die dying
	expect watch 1 0 "$base/will/kept" gone
	subscribe late -q 1 -t "$base/will/kept"
	expect late 1 1 "$base/will/kept" gone
	pub -r -t "$base/will/kept" -n
	expect watch 0 0 "$base/will/kept" ""
}

offline_queue() {
	local qos

	once -i "$id-sub" -t "$base/none" -E
	once -i "$id-sub" -c -q 2 -t "$base/queue/#" -E
	for qos in 1 2; do
		seq 1 200 | pub -l -q "$qos" -t "$base/queue/$qos"
	done
	pub -q 2 -t "$base/queue/end" -m end

	once -i "$id-sub" -c -q 2 -t "$base/queue/#" -C 401 -F '%q %p' \
		>"$work/got"
	{
		seq -f '1 %g' 1 200
		seq -f '2 %g' 1 200
		echo 2 end
	} >"$work/expected"
	same "$work/got" "$work/expected"
	once -i "$id-sub" -t "$base/none" -E
}

# mosquitto_sub connects again by itself a second after it has lost the
# connection; stopped, it can't do that while the test goes on.
take_over() {
	subscribe old -i "$id-same" -q 1 -t "$base/#"
	pub -q 1 -t "$base/to" -m old
	expect old 1 0 "$base/to" old

	kill -STOP "${sub_pid[old]}"
	subscribe new -i "$id-same" -q 1 -t "$base/#"
	pub -q 1 -t "$base/to" -m new
	expect new 1 0 "$base/to" new
	die new

	kill -CONT "${sub_pid[old]}"
	await old "*sending CONNECT"
	await old "Subscribed (mid: *"
	pub -q 1 -t "$base/to" -m "old again"
	expect old 1 0 "$base/to" "old again"
}

reconnect() {
	once -i "$id-again" -t "$base/none" -E
	subscribe sub -i "$id-again" -c -q 2 -t "$base/#"
	kill -STOP "${sub_pid[sub]}"
	once -i "$id-again" -c -q 2 -t "$base/#" -E
	pub -q 2 -t "$base/news" -m "while away"
	kill -CONT "${sub_pid[sub]}"
	await sub "*sending CONNECT"
	expect sub 2 0 "$base/news" "while away"
	pub -q 2 -t "$base/news" -m "back again"
	expect sub 2 0 "$base/news" "back again"
	leave sub
	once -i "$id-again" -t "$base/none" -E
}

# payload_of SIZE QOS
payload_of() {
	local size=$1 qos=$2
	local payload=$work/payload-$1 format='> %l\n%p'

	[ -e "$payload" ] || seq "$size" | head -c "$size" >"$payload"
	subscribe sub -q "$qos" -t "$base/payload" -C 1
	pub -q "$qos" -t "$base/payload" -f "$payload"
	await sub "> $size"
	# The shell has read no byte beyond that line.
	timeout "$limit" head -c "$size" <&"${sub_fd[sub]}" |
		cmp - "$payload" >"$work/differ" 2>&1 ||
		fail "payload: $(<"$work/differ")"
	await sub "*sending DISCONNECT"
}

one_mib() {
	local qos

	for qos in 0 1 2; do
		payload_of "$mib" "$qos"
	done
}

hundred_mib() {
	local qos=1

	[ "$version" = 3.1 ] || qos=0
	payload_of $((100 * mib)) "$qos"
}

# A filter of one subscriber and, as an extended regular expression, the
# topics that it matches.
wildcards() {
	local filters=(
		'#'		'.*'
		'red/#'		'red(/.*)?'
		'+/3/+'		'[^/]*/3/[^/]*'
		'+/+/state'	'[^/]*/[^/]*/state'
		'green/2/set'	'green/2/set'
		'+'		'[^/]*'
		'blue/+/'	'blue/[^/]*/'
		'red/+'		'red/[^/]*'
	)
	local topics=(red {red,green,blue}/{2,3}{/state,/set,/,})
	local i topic

	for ((i = 0; i < ${#filters[@]}; i += 2)); do
		printf '%s\n' "${topics[@]}" |
			grep -Ex "${filters[i + 1]}" | sed 's/^/1 /' \
			>"$work/expected$i"
		echo 1 end >>"$work/expected$i"
		subscribe "sub$i" -q 1 -t "$base/${filters[i]}" \
			-t "$base/end/of/all/topics" \
			-C "$(wc -l <"$work/expected$i")"
	done
	for topic in "${topics[@]}"; do
		pub -q 1 -t "$base/$topic" -m "$topic"
	done
	pub -q 1 -t "$base/end/of/all/topics" -m end
	for ((i = 0; i < ${#filters[@]}; i += 2)); do
		rest "sub$i" >"$work/got"
		same "$work/got" "$work/expected$i"
	done
}

# burst QOS
burst() {
	local qos=$1

	subscribe sub -q "$qos" -t "$base/burst" -C 1000
	seq -f "$qos %g" 1 1000 >"$work/expected"
	seq 1 1000 | pub -q "$qos" -t "$base/burst" -l
	rest sub >"$work/got"
	same "$work/got" "$work/expected"
}

burst_0() { burst 0; }
burst_1() { burst 1; }
burst_2() { burst 2; }

unsubscribe() {
	start sub -q 1 -t "$base/keep" -t "$base/drop/#" -U "$base/drop/#"
	await sub "*received UNSUBACK*"
	pub -q 1 -t "$base/drop/it" -m after
	pub -q 1 -t "$base/keep" -m kept
	expect sub 1 0 "$base/keep" kept
}

# play SCENARIO DESCRIPTION
play() {
	local scenario=$1 name="$version: $2"

	if [ "$scenario" = hundred_mib ] && [ "$big" = 0 ]; then
		echo "ok - $name # SKIP KMQTT_CLIENTS_BIG=0"
		return
	fi
	base=$tag/mosquitto/$version/$scenario
	id=$tag-m${version//./}$((++count))
	limit=$((20 * scale))
	[ "$scenario" != hundred_mib ] || limit=$((120 * scale))
	(trap clean_up EXIT; "$scenario")
	case $? in
	0)
		echo "ok - $name"
		;;
	77)
		echo "ok - $name # SKIP $(<"$work/skipped")"
		;;
	*)
		echo "not ok - $name"
		failed=1
		;;
	esac
}

play_all() {
	play every_qos "qos 0, 1 and 2 both ways"
	play retained "retained: set, get, replace, clear"
	play will "will: sent for a killed client, after DISCONNECT on request"
	play one_mib "payload of 1 MiB"
	play hundred_mib "payload of 100 MiB"
	play wildcards "wildcards over many topics"
	play burst_0 "burst of 1000, qos 0, in order"
	play burst_1 "burst of 1000, qos 1, in order"
	play unsubscribe "unsubscribe"
	# With MQTT 5, mosquitto_sub 2.0 loses count of what it gets of QoS 2,
	# and doesn't connect again after the broker's DISCONNECT.
	[ "$version" != 5.0 ] || return
	play offline_queue "persistent session: offline queue of qos 1 and 2"
	play burst_2 "burst of 1000, qos 2, in order"
	play take_over "take-over of a client id"
	play reconnect "reconnect by itself, session kept"
}

# shellcheck source=tests/clients/mosquitto/scenarios5.sh
. "$(dirname "$(realpath "$0")")/scenarios5.sh"

count=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

for version in ${KMQTT_CLIENTS_VERSIONS:-3.1 3.1.1 5.0}; do
	play_all
	[ "$version" != 5.0 ] || play_5
done
exit "$failed"
