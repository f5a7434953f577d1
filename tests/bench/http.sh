#!/bin/bash
# HTTP echo: leat beside the Go peer, and nginx answering a constant. Run by scripts/bench.
set -euo pipefail
# shellcheck source=tests/bench/common.sh
source "$(dirname "$0")/common.sh"

# shellcheck disable=SC2016 # Markdown
declare -A url pid title=([leat]=leat [go]='Go peer' [nginx]='nginx `return 200`')
servers=(leat go nginx)

start_leat() {
	start_leatd build/leatd
	url[leat]=http://$address pid[leat]=$leatd_pid
}

start_go() {
	GO111MODULE=off CGO_ENABLED=0 GOCACHE=$PWD/build/bench/go-cache \
		go build -trimpath -o build/bench/go-peer tests/bench/peers/go/main.go
	build/bench/go-peer >"$work/go.log" &
	pid[go]=$!
	pids+=("${pid[go]}")
	wait_until 10 grep -q '^ready listen=' "$work/go.log" || die "the Go peer did not start"
	url[go]=http://$(sed 's/.*listen=//' "$work/go.log")
}

# The program only: installing the package would start a web server.
find_nginx() {
	nginx=$(PATH=$PATH:/usr/sbin command -v nginx || echo build/bench/nginx/usr/sbin/nginx)
	[[ -x $nginx ]] && return
	mkdir -p build/bench/nginx
	(cd build/bench/nginx && apt-get download -qq nginx && dpkg-deb -x nginx_*.deb .) >/dev/null 2>&1
}

# nginx cannot be asked for a free port.
try_nginx() {
	local port=$((20000 + RANDOM % 12000))

	sed "s,@WORK@,$work,; s,@PORT@,$port," tests/bench/nginx.conf.in >"$work/nginx.conf"
	"$nginx" -p "$work" -e stderr -c "$work/nginx.conf" 2>"$work/nginx.log" &
	pid[nginx]=$! url[nginx]=http://127.0.0.1:$port
	pids+=("${pid[nginx]}")
	wait_until 3 curl -sf -o "$work/hello" "${url[nginx]}/" && kill -0 "${pid[nginx]}" && grep -qx hello "$work/hello"
}

start_nginx() {
	[[ -x $nginx ]] && { try_nginx || try_nginx || try_nginx; } 2>/dev/null && return
	echo 'no nginx: it is left out' >&2
	servers=(leat go)
	versions=()
}

# What one run of wrk says: see tests/bench/echo.lua.
wrk_result() {
	wrk -s tests/bench/echo.lua "$@" | sed -n 's/^result //p'
}

# Each answer is looked at once, before anything is measured; this also warms up.
check_answers() {
	local requests rest

	read -r requests rest < <(CHECK=1 wrk_result -t1 -c64 -d1s "${url[$1]}") || die "wrk said nothing of $1"
	[[ $requests -gt 0 && $rest =~ ^[0-9]+\ [0-9]+\ 0\ 0\ 0$ ]] || die "$1 does not answer 200 hello each time: $requests $rest"
}

# measure SERVER CONNECTIONS: one run; its figures go to files in $work.
measure() {
	local server=$1 connections=$2 requests us median_us bad errors wrong before ticks

	before=$(cpu_ticks "${pid[$server]}")
	read -r requests us median_us bad errors wrong < <(wrk_result -t1 -c"$connections" -d"${bench_seconds}s" "${url[$server]}") || die "wrk said nothing of $server"
	ticks=$(($(cpu_ticks "${pid[$server]}") - before))
	((bad + errors + wrong == 0)) || die "void: $bad answers of $server were not 200, $errors socket errors"
	awk "BEGIN { print $requests / $us * 1000000 }" >>"$work/$server.$connections.rate"
	echo "$median_us" >>"$work/$server.$connections.latency"
	awk "BEGIN { print $ticks * 1000000 / $(getconf CLK_TCK) / $requests }" >>"$work/$server.$connections.cpu"
}

row() {
	local server=$1

	printf '| %s | %s | %s | %s | %s | %s |\n' "${title[$server]}" "$(spread %.0f "$work/$server.64.rate")" \
		"$(of_go "$server" 64.rate)" "$(spread %.2f "$work/$server.64.cpu")" "$(spread %.0f "$work/$server.1.latency")" \
		"$(of_go "$server" 1.latency)"
}

of_go() {
	ratio "$(median <"$work/$1.$2")" "$(median <"$work/go.$2")"
}

page() {
	cat <<-END
		# HTTP echo

		\`POST /v1/run/echo\` with \`hello\`, by \`wrk\` on the same machine. $bench_runs runs of $bench_seconds s each, the servers in turn; medians
		with the least and the greatest. CPU time is of the server, user and system, for a request at 64 connections.
		The Go peer is [main.go](../../tests/bench/peers/go/main.go): net/http, a buffered channel, a goroutine pool, a
		context with a deadline. nginx answers a constant: it is there for orientation.

		| server | requests/s, 64 connections | of the Go peer's | CPU µs a request | median latency µs, 1 connection | of the Go peer's |
		|---|---|---|---|---|---|
	END
	for server in "${servers[@]}"; do
		row "$server"
	done
	echo
	bar 'throughput of leat over that of the Go peer, 64 connections' "$(of_go leat 64.rate)" '>=' 1.0
	bar 'median latency of leat over that of the Go peer, 1 connection' "$(of_go leat 1.latency)" '<=' 0.7
	cat <<-END

		Every answer was 200: looked at one by one in a run before, and counted in each. A run with another answer or a socket
		error is void and ends the benchmark.

		$(machine 'gcc --version' 'go version' 'wrk -v' "${versions[@]}")

		Again: \`scripts/bench http\`, which runs

		    build/leatd -o server.listen=127.0.0.1:0
		    build/bench/go-peer
		    wrk -t1 -c64 -d${bench_seconds}s -s tests/bench/echo.lua http://ADDRESS
		    wrk -t1 -c1 -d${bench_seconds}s -s tests/bench/echo.lua http://ADDRESS
	END
}

start_leat
start_go
find_nginx || true
versions=("$nginx -v")
start_nginx
for server in "${servers[@]}"; do
	check_answers "$server"
done
for ((run = 1; run <= bench_runs; run++)); do
	for connections in 64 1; do
		for server in "${servers[@]}"; do
			progress "http: run $run of $bench_runs, $server, $connections connections"
			measure "$server" "$connections"
		done
	done
done
progress ''

page >"$work/page.md"
cat "$work/page.md"
if [[ $bench_runs -ge 5 && $bench_seconds -ge 5 ]]; then
	mkdir -p docs/figures
	cp "$work/page.md" docs/figures/http.md
fi
! grep -q '^\* \*\*MISS' "$work/page.md" || [[ ${REPORT:-false} == true ]]
