# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of kmqttctl(8) for bash. A test compares it with what --help says.

# What may follow the noun $1, the verb $2 and the word $3.
_kmqttctl_arguments() {
	case "$1 $2" in
	"broker set")
		case $3 in
		bh-path | *-available | validate-payload | queue-qos0 | \
			upgrade-qos | check-retain-source) echo on off ;;
		backpressure) echo drop hold ;;
		redirect) echo off temporary permanent ;;
		max-qos) echo 0 1 2 ;;
		max-* | connect-* | *-max | response-* | server-* | sys-* | \
			flapping-* | required-*) ;;
		*)
			echo max-connections max-connections-per-source \
				connect-timeout max-packet-size max-inflight \
				max-queued-messages max-queued-bytes \
				max-memory max-sessions max-retained \
				max-subscriptions bh-path backpressure \
				max-session-expiry receive-max \
				topic-alias-max max-keepalive max-qos \
				retain-available wildcard-available \
				shared-available subscription-ids-available \
				validate-payload redirect \
				response-information server-reference \
				sys-interval max-bans flapping-max \
				flapping-window flapping-ban \
				max-payload-size queue-qos0 \
				upgrade-qos max-inflight-bytes \
				check-retain-source \
				required-client-id-prefix
			;;
		esac
		;;
	"listener add" | "listener set")
		case $3 in
		add) echo address mptcp unix vsock ;;
		set) echo address mptcp unix vsock id ;;
		address | mptcp | vsock | cid | id) ;;
		max-qos) echo 0 1 2 ;;
		max-* | topic-alias-max* | *-rate | client-id-prefix | \
			protocol-versions) ;;
		unix | agent) compgen -f -- "$current" ;;
		anonymous | username-as-client-id | assign-client-id)
			echo on off
			;;
		*)
			echo anonymous max-connections max-qos \
				topic-alias-max username-as-client-id \
				connect-rate message-rate byte-rate \
				client-message-rate client-byte-rate \
				assign-client-id client-id-prefix \
				topic-alias-max-out protocol-versions
			[[ $2 != add ]] || echo agent
			[[ ${COMP_WORDS[COMP_CWORD - 2]} == vsock ]] && echo cid
			;;
		esac
		;;
	"listener del")
		case $3 in
		del) echo address mptcp unix vsock id ;;
		address | mptcp | vsock | cid | id | kick) ;;
		unix) compgen -f -- "$current" ;;
		*)
			echo kick
			[[ ${COMP_WORDS[COMP_CWORD - 2]} == vsock ]] && echo cid
			;;
		esac
		;;
	"client kick")
		case $3 in
		kick) echo client-id connection ;;
		client-id | connection | reason) ;;
		*) echo client-id reason ;;
		esac
		;;
	"client move")
		case $3 in
		move) echo client-id connection ;;
		client-id | connection | to) ;;
		*) echo permanent to ;;
		esac
		;;
	"client get" | "client show" | "session get" | "session del" | "subscription get")
		[[ $3 == "$2" ]] && echo client-id
		;;
	"retained get")
		case $3 in
		get) echo filter payload-max ;;
		filter | payload-max) ;;
		*) echo payload-max ;;
		esac
		;;
	"retained del")
		[[ $3 == del ]] && echo topic filter all
		;;
	"user set")
		case $3 in
		set) echo name ;;
		name | iterations | keys | hash) ;;
		password) echo iterations hash ;;
		scram-*) echo iterations keys ;;
		*) echo password scram-sha-256 scram-sha-512 ;;
		esac
		;;
	"user del")
		[[ $3 == del ]] && echo name all
		;;
	"ban add")
		case $3 in
		add) echo address client user ;;
		address | client | user | expiry | reason) ;;
		*) echo expiry reason ;;
		esac
		;;
	"ban del")
		[[ $3 == del ]] && echo address client user
		;;
	stats*)
		[[ $3 == --prometheus ]] || echo --prometheus
		;;
	top*)
		case $3 in
		sort)
			echo messages received sent bytes queued inflight \
				send-queue dropped idle
			;;
		interval | rows | batch) ;;
		*) echo interval sort rows batch ;;
		esac
		;;
	monitor*)
		echo connect disconnect refused dropped ban config
		;;
	pub*)
		case $3 in
		pub) echo topic ;;
		topic | payload | expiry | content-type) ;;
		file) compgen -f -- "$current" ;;
		qos) echo 0 1 2 ;;
		*) echo payload file null qos retain expiry content-type ;;
		esac
		;;
	"sub "*)
		case $3 in
		sub) echo filter ;;
		filter | count | for) ;;
		*) echo count for ;;
		esac
		;;
	"trace topic" | "trace client")
		case $3 in
		topic) echo filter ;;
		client) echo client-id ;;
		filter | client-id | count | for) ;;
		*) echo count for ;;
		esac
		;;
	esac
}

_kmqttctl_verbs() {
	case $1 in
	broker) echo get set ;;
	listener) echo get add set del ;;
	client) echo get show kick move ;;
	user) echo get set del ;;
	ban) echo get list add del ;;
	session | retained) echo get del ;;
	subscription | realm | acl) echo get ;;
	stats) echo get --prometheus ;;
	trace) echo topic client ;;
	monitor | top) _kmqttctl_arguments "$1" ;;
	pub | sub) _kmqttctl_arguments "$1" "" "$1" ;;
	esac
}

_kmqttctl() {
	local current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]}
	local words i=1 name files=()

	while ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} == -* ]]; do
		case ${COMP_WORDS[i]} in
		--netns | -*n) ((i += 2)) ;;
		*) ((i += 1)) ;;
		esac
	done
	if ((i > COMP_CWORD)); then
		words=
		for name in /run/netns/*; do
			[[ -e $name ]] && words+=" ${name##*/}"
		done
	elif ((i == COMP_CWORD)); then
		words="broker listener client session subscription retained
			user realm acl ban stats monitor top pub sub
			trace load save"
		[[ $current == -* ]] && words="--json --pretty --netns
			--timestamp --help --version"
	elif [[ ${COMP_WORDS[i]} == load || ${COMP_WORDS[i]} == save ]]; then
		[[ $previous == --options ]] ||
			mapfile -t files < <(compgen -f -- "$current")
		compopt -o filenames
		words=
		((i + 1 == COMP_CWORD)) && words=--help
		[[ $words && ${COMP_WORDS[i]} == load ]] &&
			words+=" --check --options"
	elif ((i + 1 == COMP_CWORD)); then
		words="$(_kmqttctl_verbs "${COMP_WORDS[i]}") --help"
	else
		words=$(_kmqttctl_arguments "${COMP_WORDS[i]}" \
			"${COMP_WORDS[i + 1]}" "$previous")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	COMPREPLY+=("${files[@]}")
}

complete -F _kmqttctl kmqttctl
