#!/bin/bash
# A healthy client alone, and beside a thousand that send their headers a few bytes at a time. Run by scripts/bench.
set -euo pipefail
# shellcheck source=tests/bench/common.sh
source "$(dirname "$0")/common.sh"

slow=1000

# A time of wrk in microseconds.
microseconds() {
	awk '{ n = $1 + 0; if ($1 ~ /ms$/) n *= 1e3; else if ($1 !~ /us$/) n *= 1e6; print n }'
}

# measure WHAT: a run of wrk; its figures go to files in $work.
measure() {
	wrk -t1 -c8 -d"${bench_seconds}s" --latency -s tests/bench/echo.lua "http://$address" >"$work/wrk"
	read -r requests us _ bad errors _ < <(sed -n 's/^result //p' "$work/wrk") || die "wrk said nothing of $1"
	((bad + errors == 0)) || die "void: $bad answers $1 were not 200, $errors socket errors"
	sed -n 's/^ *99% *//p' "$work/wrk" | microseconds >>"$work/$1.p99"
	sed -n 's/^ *50% *//p' "$work/wrk" | microseconds >>"$work/$1.p50"
	awk "BEGIN { print $requests / $us * 1000000 }" >>"$work/$1.rate"
}

connections() {
	curl -s "http://$address/metrics" | sed -n 's/^leat_connections //p'
}

all_are_there() {
	(($(connections) > slow))
}

none_is_left() {
	(($(connections) == 1))
}

start_slow() {
	python3 tests/bench/slowloris.py "${address##*:}" "$slow" 5 >"$work/slow.log" 2>&1 </dev/null &
	slow_pid=$!
	pids+=("$slow_pid")
	wait_until 20 all_are_there || die "there are no $slow slow connections"
}

stop_slow() {
	{ all_are_there && kill -0 "$slow_pid"; } || die 'void: slow connections were lost on the way'
	kill "$slow_pid"
	wait "$slow_pid" 2>/dev/null || true
	wait_until 20 none_is_left || die 'connections were left behind'
}

row() {
	printf '| %s | %s | %s | %s |\n' "$2" "$(spread %.0f "$work/$1.p99")" "$(spread %.0f "$work/$1.p50")" "$(spread %.0f "$work/$1.rate")"
}

page() {
	cat <<-END
		# Beside slow clients

		\`POST /v1/run/echo\` with \`hello\`, by \`wrk\` with 8 connections, alone and beside $slow connections of
		[slowloris.py](../../tests/bench/slowloris.py), each of which sends another line of its headers every five seconds.
		$bench_runs runs of $bench_seconds s of each, in turn; medians with the least and the greatest.
		\`header_timeout\` is long here, so that the slow ones stay; by default they are cut off after 10 s.

		| the healthy client | p99 µs | median µs | requests/s |
		|---|---|---|---|
	END
	row alone 'alone'
	row beside "beside $slow slow ones"
	echo
	bar 'p99 beside them over p99 alone' "$(ratio "$(median <"$work/beside.p99")" "$(median <"$work/alone.p99")")" '<' 1.10
	cat <<-END

		$(machine 'gcc --version' 'wrk -v' 'python3 --version')

		Again: \`scripts/bench hostile\`.
	END
}

start_leatd build/leatd -o server.header_timeout=1h
for ((run = 1; run <= bench_runs; run++)); do
	progress "hostile: run $run of $bench_runs, alone"
	measure alone
	progress "hostile: run $run of $bench_runs, beside $slow slow ones"
	start_slow
	measure beside
	stop_slow
done
progress ''

finish_page hostile
