# shellcheck shell=bash
# What the scripts share. Sourced: it goes to the root of the tree, and stops every leatd that it started when the script ends.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# shellcheck disable=SC2034 # for those who source this
bold='' dim='' red='' green='' plain=''
if [[ -t 1 && ${TERM:-dumb} != dumb && -z ${NO_COLOR:-} ]]; then
	# shellcheck disable=SC2034
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# wait_until SECONDS COMMAND...: true as soon as the command is, false when the time is over.
wait_until() {
	local limit=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < limit)) || return 1
		sleep 0.02
	done
}

# Background processes that the script is responsible for.
pids=()
none_runs() {
	((${#pids[@]} == 0)) || ! kill -0 "${pids[@]}" 2>/dev/null
}

work=$(mktemp -d)
finish() {
	local status=$?
	# The script may have stopped some of them itself; a leatd may take its time to drain.
	none_runs || kill "${pids[@]}" 2>/dev/null || true
	wait_until 40 none_runs || kill -KILL "${pids[@]}" 2>/dev/null || true
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# make, of which only a failure is of interest.
build() {
	make -s -j"$(nproc)" "$@" >"$work/make.log" 2>&1 || { cat "$work/make.log" >&2; die "make $* failed"; }
}

ready_address() {
	sed -n '/ready/s/.*listen=\([^ "]*\).*/\1/p' "$work/leatd.log" | head -n 1
}

is_ready_or_dead() {
	[[ -n $(ready_address) ]] || ! kill -0 "$leatd_pid" 2>/dev/null
}

# start_leatd PROGRAM ARGUMENT...: on a free port of 127.0.0.1. Sets leatd_pid and address; its log is in $work/leatd.log.
start_leatd() {
	local program=$1
	shift
	# Not the journal, the sockets or the notify address of whoever runs us.
	env -u JOURNAL_STREAM -u NOTIFY_SOCKET -u LISTEN_FDS -u LISTEN_PID \
		"$program" -o server.listen=127.0.0.1:0 "$@" >"$work/leatd.log" 2>&1 &
	leatd_pid=$!
	pids+=("$leatd_pid")
	wait_until 10 is_ready_or_dead || true
	address=$(ready_address)
	if [[ -z $address ]]; then
		cat "$work/leatd.log" >&2
		die "leatd did not say on which address it is ready"
	fi
}
