#!/bin/bash
# The completion of leat: what bash offers, and, where there is a zsh, what that offers. LEATD and LEAT name the programs (default: build/).
# Ends 0 only if every expectation holds.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../../scripts/common.sh"

leatd=${LEATD:-build/leatd}
leat=${LEAT:-build/leat}
[[ -x $leatd && -x $leat ]] || die "no $leatd or no $leat: make first"
failures=0
checks=0

expect() {
	checks=$((checks + 1))
	[[ $2 == "$3" ]] || {
		printf 'FAILED: %s\n  offered: %s\n  instead of: %s\n' "$1" "$2" "$3"
		failures=$((failures + 1))
	}
}

printf '[job sleep]\nbuiltin = sleep\n[job upper]\nexec = tr a-z A-Z\n[job upside-down]\nexec = rev\n' >"$work/leatd.ini"
"$leatd" -c "$work/leatd.ini" -o "server.listen=unix:$work/socket" 2>"$work/log" &
pids+=("$!")
wait_until 10 grep -q ready "$work/log"
export LEAT_SERVER=unix:$work/socket
"$leat" run sleep 50s --deadline 50s --id the-nap >"$work/nap" 2>&1 &
pids+=("$!")
"$leat" run sleep 50s --deadline 50s --id the-other >"$work/nap" 2>&1 &
pids+=("$!")
running() {
	[[ $("$leat" stats sleep) =~ running\ +2 ]]
}
wait_until 10 running

# shellcheck source=docs/completion/leat.bash
source docs/completion/leat.bash

# offers LINE: what bash would offer at its end, in one line.
offers() {
	# shellcheck disable=SC2034 # the function reads them
	COMP_LINE=$1 COMP_POINT=${#1}
	_leat "$leat"
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

expect 'a command by its beginning' "$(offers 'leat pau')" pause
[[ " $(offers 'leat ') " == *' cancel drain jobs '*' top '* ]] || expect 'all commands' "$(offers 'leat ')" ...
expect 'a job type by its beginning' "$(offers 'leat run up')" 'upper upside-down'
expect 'all job types' "$(offers 'leat stats ')" 'sleep upper upside-down'
expect 'no file for a payload' "$(offers 'leat run upper ')" ''
expect 'no second job where there is one only' "$(offers 'leat stats upper ')" ''
expect 'as many as there may be' "$(offers 'leat pause upper ups')" upside-down
expect 'ids of jobs in flight' "$(offers 'leat cancel ')" 'the-nap the-other'
expect 'further ids' "$(offers 'leat cancel the-nap the-o')" the-other
expect 'options of the command' "$(offers 'leat run --de')" --deadline
expect 'not those of others' "$(offers 'leat ping --de')" ''
expect 'options before the command' "$(offers 'leat --tok')" --token-file
expect 'the value of an option is not a command' "$(offers 'leat --server x pau')" pause
expect 'the server that the line names is asked' "$(LEAT_SERVER=unix:/nowhere offers "leat --server unix:$work/socket run upp")" upper
expect 'and written with =' "$(LEAT_SERVER=unix:/nowhere offers "leat --server=unix:$work/socket run upp")" upper
expect 'nothing without a server' "$(LEAT_SERVER=unix:/nowhere offers 'leat run ')" ''
touch "$work/token-of-mine"
expect 'files where a file is wanted' "$(offers "leat --token-file $work/tok")" "$work/token-of-mine"
expect 'nothing for other values' "$(offers 'leat run upper --deadline ')" ''

# zsh_offers WORD...: what the completion hands to a zsh for the last of these words.
zsh_offers() {
	# shellcheck disable=SC2016 # the dollars are of zsh
	zsh -f -c '
		compadd() { print -rl -- ${(P)2} }
		_describe() { print -rl -- ${(P)2} }
		_files() { print files }
		_message() { print -r -- "($1)" }
		words=("$@") CURRENT=$#
		source docs/completion/_leat' zsh "$leat" "$@" | sort | paste -sd' '
}

if command -v zsh >/dev/null; then
	zsh -n docs/completion/_leat || expect 'zsh can read it' no yes
	[[ " $(zsh_offers '') " == *' cancel:cancel jobs drain:let leatd '*' version:print '* ]] || expect 'zsh: commands' "$(zsh_offers '')" ...
	expect 'zsh: job types' "$(zsh_offers run '')" 'sleep upper upside-down'
	expect 'zsh: ids' "$(zsh_offers cancel the-nap '')" 'the-nap the-other'
	expect 'zsh: nothing for a payload' "$(zsh_offers run upper '')" ''
	[[ " $(zsh_offers run --) " == *' --deadline:answer by then, '*' --server:HOST'* ]] || expect 'zsh: options' "$(zsh_offers run --)" ...
	expect 'zsh: a file' "$(zsh_offers --token-file '')" files
	expect 'zsh: the server that the line names' "$(LEAT_SERVER=unix:/nowhere zsh_offers --server "unix:$work/socket" run '')" 'sleep upper upside-down'
else
	echo 'completion: no zsh here, only bash is tested'
fi

echo "completion: $checks checks, $failures failed"
((failures == 0))
