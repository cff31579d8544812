# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What only MQTT 5 has. Sourced by scenarios.sh, whose names it uses.
#
# play() calls the scenarios by name, which shellcheck doesn't see:
# shellcheck disable=SC2034,SC2154,SC2317

# log_of COMMAND OPTION...: run a client, and have what it says in $said.
log_of() {
	local options command=$1
	shift

	mosquitto_options
	said=$(timeout "$limit" "$command" "${options[@]}" -d "$@" 2>&1)
}

# said PATTERN: must the last log_of() have said.
said() {
	# shellcheck disable=SC2053 # the right side is a pattern
	[[ $said == *$1* ]] || fail "nothing like '$1' in: ${said//$'\n'/; }"
}

# reason_of OPTION...: publish, QoS 1; the reason code of its acknowledgement
# is put into $reason.
reason_of() {
	log_of mosquitto_pub -q 1 -m "for its reason code" "$@" ||
		fail "mosquitto_pub $*: exit status $?"
	[[ $said =~ "received PUBACK (Mid: 1, RC:"([0-9]+)")" ]] ||
		fail "mosquitto_pub says of no PUBACK: $said"
	reason=${BASH_REMATCH[1]}
}

# collect NAME: read messages until that of $base/end; their payloads, without
# spaces in them, are appended to $collected.
collect() {
	local name=$1 line

	while IFS= read -r -t "$limit" -u "${sub_fd[$name]}" line; do
		case $line in
		"> "?" "?" $base/end "*)	return ;;
		"> "*)				collected+=${line##* }$'\n' ;;
		esac
	done
	fail "$name: no message to $base/end"
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# For intervals that the broker measures: short, but a client has to get some
# work done in it.
delay=$((scale < 4 ? 2 : 4))

# Whether a session is there is seen by whether it has a subscriber's part.
session_expiry() {
	local session=(-i "$id-sub" -q 1)

	once "${session[@]}" -x 3600 -t "$base/old" -E
	reason_of -t "$base/old"
	[ "$reason" = 0 ] || fail "no session after DISCONNECT: $reason"
	once "${session[@]}" -c -x 3600 -t "$base/new" -C 1 >"$work/got"
	[ "$(<"$work/got")" = "for its reason code" ] ||
		fail "got $(<"$work/got") from the session"

	# Clean start.
	once "${session[@]}" -x 3600 -t "$base/new" -E
	reason_of -t "$base/old"
	[ "$reason" = 16 ] || fail "a session after clean start: $reason"

	# Changed at DISCONNECT.
	once "${session[@]}" -c -x 3600 -t "$base/new" -E \
		-D disconnect session-expiry-interval 0
	reason_of -t "$base/new"
	[ "$reason" = 16 ] || fail "a session that expired: $reason"

	# The end of the connection is the end of the session.
	once "${session[@]}" -c -x 0 -t "$base/new" -E
	reason_of -t "$base/new"
	[ "$reason" = 16 ] || fail "a session of no time: $reason"

	local end=$((SECONDS + limit))

	once "${session[@]}" -c -x 1 -t "$base/new" -E
	until [ "$reason" = 16 ] && [ "$SECONDS" -le "$end" ]; do
		[ "$SECONDS" -le "$end" ] || fail "a session of 1 s is there"
		reason_of -t "$base/new"
	done
}

message_expiry() {
	local left format='%t %E' short="$base/a/short" kept="$base/b/kept"
	local session=(-i "$id-sub" -c -q 1 -t "$base/queue") end

	once "${session[@]}" -x 3600 -E
	pub -q 1 -t "$base/queue" -m long \
		-D publish message-expiry-interval 1000
	pub -q 1 -t "$base/queue" -m short \
		-D publish message-expiry-interval 1
	pub -q 1 -t "$base/queue" -m timeless
	pub -q 1 -r -t "$kept" -m kept
	pub -q 1 -r -t "$short" -m short \
		-D publish message-expiry-interval 2

	# The shorter-lived of the retained messages comes first, or not at all.
	end=$((SECONDS + limit))
	until [ "$(once -t "$short" -t "$kept" -C 1 -F %t)" = "$kept" ]; do
		[ "$SECONDS" -le "$end" ] || fail "$short doesn't expire"
	done
	pub -r -t "$kept" -n

	once "${session[@]}" -x 0 -C 2 -F '%p %E' >"$work/got"
	{
		read -r _ left
		IFS= read -r line
	} <"$work/got"
	if [ "$left" -lt 1 ] || [ "$left" -gt 999 ]; then
		fail "$left s of 1000 are left"
	fi
	[ "$line" = "timeless " ] || fail "got '$line', expected 'timeless'"
}

will_delay() {
	local format='> %q %r %t %p %C %F %R %D %P' start
	local will=(-c -x 3600 -t "$base/any" --will-topic "$base/will"
		--will-qos 1 -D will will-delay-interval)

	subscribe watch -q 1 -t "$base/will"

	# This one comes back.
	subscribe back -i "$id-back" "${will[@]}" "$delay" --will-payload back
	die back
	subscribe again -i "$id-back" -c -x 0 -t "$base/any"

	subscribe dying -i "$id-dying" "${will[@]}" "$delay" \
		--will-payload gone \
		-D will content-type text/plain \
		-D will payload-format-indicator 1 \
		-D will response-topic answer -D will correlation-data 17 \
		-D will user-property a 1
	start=$(now_ms)
	die dying
	expect watch 1 0 "$base/will" "gone text/plain 1 answer 17 a:1"
	[ $(($(now_ms) - start)) -ge $((delay * 1000 - 500)) ] ||
		fail "the will came after $(($(now_ms) - start)) ms"
	once -i "$id-dying" -x 0 -t "$base/any" -E

	# The end of the session is that of the delay.
	subscribe ending -i "$id-ending" -c -x 1 -t "$base/any" \
		--will-topic "$base/will" --will-payload ended \
		--will-qos 1 -D will will-delay-interval 3600
	die ending
	expect watch 1 0 "$base/will" "ended     "
}

request_response() {
	local options format='> %q %r %t %p/%R/%D' rr line

	mosquitto_options
	subscribe service -q 1 -t "$base/request"
	exec {rr}< <(timeout "$limit" mosquitto_rr "${options[@]}" -q 1 \
		-t "$base/request" -e "$base/answer" -m question \
		-D publish correlation-data "number 17" -F '%p/%R/%D')
	expect service 1 0 "$base/request" \
		"question/$base/answer/number 17"
	pub -q 1 -t "$base/answer" -m answer \
		-D publish correlation-data "number 17"
	IFS= read -r -t "$limit" -u "$rr" line ||
		fail "mosquitto_rr says nothing"
	[ "$line" = "answer//number 17" ] || fail "mosquitto_rr: got '$line'"
}

properties() {
	local format='> %q %r %t %p [%C] [%F] [%R] [%D] [%P]' qos

	subscribe sub -q 2 -t "$base/t" \
		-D connect user-property connect 1 \
		-D subscribe user-property subscribe 2 \
		-D disconnect user-property disconnect 3
	for qos in 0 1 2; do
		pub -q "$qos" -t "$base/t" -m text -r \
			-D connect user-property connect 4 \
			-D publish content-type "text/plain; x=ä" \
			-D publish payload-format-indicator 1 \
			-D publish response-topic answer \
			-D publish correlation-data 17 \
			-D publish user-property b 1 \
			-D publish user-property a "2 3" \
			-D publish user-property b 1 \
			-D publish user-property ä ♥ \
			-D publish user-property a 0
		expect sub "$qos" 0 "$base/t" "text [text/plain; x=ä] [1]" \
			"[answer] [17] [b:1 a:2 3 b:1 ä:♥ a:0]"
	done
	subscribe late -t "$base/t"
	expect late 0 1 "$base/t" "text [text/plain; x=ä] [1]" \
		"[answer] [17] [b:1 a:2 3 b:1 ä:♥ a:0]"
	pub -q 1 -t "$base/t" -r -n
	expect sub 1 0 "$base/t" " [] [] [] [] []"
	leave sub
}

# mosquitto_sub doesn't know those of the broker.
topic_alias() {
	local format='> %q %r %t %p[%A]' i

	subscribe sub -q 1 -t "$base/t"
	log_of mosquitto_pub -q 1 -t "$base/t" -D publish topic-alias 1 -l \
		< <(seq 1 5) || fail "mosquitto_pub: exit status $?"
	said "sending PUBLISH (d0, q1, r0, m5, '(null)'"
	for i in 1 2 3 4 5; do
		expect sub 1 0 "$base/t" "${i}[]"
	done
}

receive_maximum() {
	local session=(-i "$id-sub" -c -q 1 -t "$base/queue")

	# Of the client. With QoS 2, mosquitto_sub 2.0 loses count, and ends.
	once "${session[@]}" -x 3600 -E
	seq 1 50 | pub -l -q 1 -t "$base/queue"
	once "${session[@]}" -x 0 -C 50 -D connect receive-maximum 2 \
		>"$work/got"
	seq 1 50 >"$work/expected"
	same "$work/got" "$work/expected"

	# Of the broker: mosquitto_pub heeds it.
	! have_settings || setting receive-max 2
	subscribe sub -q 1 -t "$base/queue" -C 100
	seq 1 100 | pub -l -q 2 -t "$base/queue"
	rest sub | sed 's/^1 //' >"$work/got"
	seq 1 100 >"$work/expected"
	same "$work/got" "$work/expected"
}

packet_size() {
	local qos

	subscribe sub -q 2 -t "$base/t" -D connect maximum-packet-size 500
	for qos in 0 1 2; do
		pub -q "$qos" -t "$base/t" -m "$(printf %600s x)"
		pub -q "$qos" -t "$base/t" -m small
		expect sub "$qos" 0 "$base/t" small
	done
}

# mosquitto_pub heeds it: there isn't such a packet.
packet_size_of_broker() {
	setting max-packet-size 2000
	log_of mosquitto_pub -t "$base/t" -s < <(head -c 3000 /dev/zero)
	said "received CONNACK (0)"
	[[ $said != *"sending PUBLISH"* ]] || fail "too large, but: $said"
	pub -q 1 -t "$base/t" -m small
}

# A client that is stopped says nothing.
server_keep_alive() {
	subscribe watch -q 1 -t "$base/will"
	setting max-keepalive 2
	subscribe silent -k 1000 -q 1 -t "$base/any" --will-qos 1 \
		--will-topic "$base/will" --will-payload "was silent"
	kill -STOP "${sub_pid[silent]}"
	expect watch 1 0 "$base/will" "was silent"
}

assigned_id() {
	local first

	log_of mosquitto_sub -t "$base/t" -E
	[[ $said =~ "Client "([^ ]+)" received CONNACK (0)" ]] || fail "$said"
	first=${BASH_REMATCH[1]}
	log_of mosquitto_sub -t "$base/t" -E
	[[ $said =~ "Client "([^ ]+)" received CONNACK (0)" ]] || fail "$said"
	if [ "$first" = "(null)" ] || [ "${BASH_REMATCH[1]}" = "$first" ]; then
		fail "assigned are $first and ${BASH_REMATCH[1]}"
	fi
}

retain_as_published() {
	subscribe plain -q 1 -t "$base/t"
	subscribe flag -q 1 -t "$base/t" --retain-as-published
	pub -q 1 -r -t "$base/t" -m kept
	expect plain 1 0 "$base/t" kept
	expect flag 1 1 "$base/t" kept
	pub -q 1 -t "$base/t" -m "not kept"
	expect plain 1 0 "$base/t" "not kept"
	expect flag 1 0 "$base/t" "not kept"
	pub -r -t "$base/t" -n
}

shared_subscription() {
	local name

	for name in one two; do
		subscribe "$name" -i "$id-$name" -q 1 -t "\$share/group/$base/work" \
			-t "$base/end"
	done
	subscribe other -q 1 -t "\$share/other/$base/work" -t "$base/end"
	seq 1 40 | pub -q 1 -l -t "$base/work"
	pub -q 1 -t "$base/end" -m end

	collected=
	collect other
	seq 1 40 >"$work/expected"
	sort -n <<<"${collected%$'\n'}" | cmp - "$work/expected" ||
		fail "a group of one: got ${collected//$'\n'/ }"
	collected=
	collect one
	collect two
	sort -n <<<"${collected%$'\n'}" | cmp - "$work/expected" ||
		fail "a group of two: got ${collected//$'\n'/ }"

	# Who is left gets all. A new session tells that the old one is over.
	leave one
	once -i "$id-one" -t "$base/none" -E
	seq 1 10 | pub -q 1 -l -t "$base/work"
	pub -q 1 -t "$base/end" -m end
	collected=
	collect two
	[ "$collected" = "$(seq 1 10)"$'\n' ] ||
		fail "the one that is left: got ${collected//$'\n'/ }"
}

reason_codes() {
	reason_of -t "$base/t"
	[ "$reason" = 16 ] || fail "nobody has subscribed, but $reason"
	subscribe sub -t "$base/t"
	reason_of -t "$base/t"
	[ "$reason" = 0 ] || fail "somebody has subscribed, but $reason"
}

take_over_reason() {
	have_settings || skip "brokers other than kmqtt need not tell"
	subscribe old -i "$id-same" -t "$base/t"
	once -i "$id-same" -t "$base/t" -E
	await old "*eceived DISCONNECT (142)"
}

authentication_refused() {
	log_of mosquitto_pub -t "$base/t" -m text \
		-D connect authentication-method unheard-of \
		-D connect authentication-data 17
	said "received CONNACK (140)"
}

play_5() {
	play session_expiry "session expiry, changed at disconnect; clean start"
	play message_expiry "message expiry: the time that is left is told"
	play will_delay "will delay: sent after it, not after coming back"
	play request_response "mosquitto_rr: response topic, correlation data"
	play properties "content type, payload format, user properties in order"
	play topic_alias "topic alias of the client"
	play receive_maximum "receive maximum of client and broker"
	play packet_size "maximum packet size of the client"
	play packet_size_of_broker "maximum packet size of the broker"
	play server_keep_alive "server keep alive ends a silent connection"
	play assigned_id "assigned client identifier"
	play retain_as_published "retain as published"
	play shared_subscription "shared subscription: each message to one"
	play reason_codes "reason code: no matching subscribers"
	play take_over_reason "reason code: session taken over"
	play authentication_refused "unknown authentication method is refused"
}
