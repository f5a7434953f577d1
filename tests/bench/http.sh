#!/bin/bash
# HTTP echo: leat beside the Go peer, nginx answering a constant, and the least that a server can do, in the clear and over TLS. Run by
# scripts/bench. LEATD is another leatd to measure.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=tests/bench/peers.sh
source "$(dirname "$0")/peers.sh"

leatd=${LEATD:-build/leatd}

# shellcheck disable=SC2016 # Markdown
declare -A url pid title=([leat]=leat [go]='Go peer' [nginx]='nginx `return 200`' [leat_tls]='leat over TLS' [nginx_tls]='nginx `return 200` over TLS'
	[floor]='the floor: epoll, recv, send')
servers=(leat go nginx floor)
tls_servers=(leat_tls nginx_tls)
counts=(64 1 1000)

make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
}

# The same process is measured both ways.
start_leat() {
	local port=$((20000 + RANDOM % 12000))

	start_leatd "$leatd" -o "server.listen=127.0.0.1:0, tls:127.0.0.1:$port" -o "server.tls_cert=$work/cert.pem" -o "server.tls_key=$work/key.pem" \
		-o 'job echo.queue=2000'
	url[leat]=http://$address pid[leat]=$leatd_pid
	url[leat_tls]=https://127.0.0.1:$port pid[leat_tls]=$leatd_pid
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

# nginx cannot be asked for a free port.
try_nginx() {
	local port=$((20000 + RANDOM % 12000)) tls_port=$((32000 + RANDOM % 700))

	sed "s,@WORK@,$work,; s,@PORT@,$port,; s,@TLSPORT@,$tls_port," tests/bench/nginx.conf.in >"$work/nginx.conf"
	"$nginx" -p "$work" -e stderr -c "$work/nginx.conf" 2>"$work/nginx.log" &
	pid[nginx]=$! url[nginx]=http://127.0.0.1:$port
	pid[nginx_tls]=$! url[nginx_tls]=https://127.0.0.1:$tls_port
	pids+=("${pid[nginx]}")
	wait_until 3 curl -sf -o "$work/hello" "${url[nginx]}/" && kill -0 "${pid[nginx]}" && grep -qx hello "$work/hello"
}

start_nginx() {
	[[ -n $nginx ]] && { try_nginx || try_nginx || try_nginx; } 2>/dev/null && return
	die 'no nginx: is a mirror of Debian reachable?'
}

start_floor() {
	local port=$((20000 + RANDOM % 12000))

	compile floor tests/bench/floor.c
	build/bench/floor $port &
	pids+=($!)
	pid[floor]=$! url[floor]=http://127.0.0.1:$port
	wait_until 5 is_open $port || die 'the floor did not start'
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

# Where the time of the CPUs goes while wrk loads leat: a line for each part, with its share and its microseconds for each request.
profile() {
	local requests us rest hertz=997

	wrk_result -t1 -c64 "-d$((bench_seconds + 1))s" "${url[leat]}" >"$work/profiled" &
	sleep 0.5
	perf record -q -a -g -F $hertz -e cpu-clock -o "$work/perf" -- sleep "$bench_seconds" >"$work/perf.log" 2>&1
	wait $!
	read -r requests us rest <"$work/profiled"
	perf script -i "$work/perf" -F comm,ip,sym,dso 2>/dev/null | awk -v all=$(($(nproc) * hertz * bench_seconds)) -f tests/bench/profile.awk | sort -rg |
		awk -F '\t' -v each="$(awk "BEGIN { print $(nproc) * $us / $requests }")" '$1 >= 0.005 { printf "| %s | %.0f %% | %.1f |\n", $2, $1 * 100, $1 * each }'
}

# figure SERVER FILE: its median; over SERVER FILE PEER FILE: a ratio of two.
figure() {
	median <"$work/$1.$2"
}

over() {
	ratio "$(figure "$1" "$2")" "$(figure "$3" "$4")"
}

row() {
	local server=$1

	printf '| %s | %s | %s | %s | %s | %s |\n' "${title[$server]}" "$(spread %.0f "$work/$server.64.rate")" "$(over "$server" 64.rate go 64.rate)" \
		"$(spread %.0f "$work/$server.1000.rate")" "$(spread %.2f "$work/$server.64.cpu")" "$(spread %.0f "$work/$server.1.latency")"
}

tls_row() {
	printf '| %s | %s | %s | %s |\n' "${title[$1]}" "$(spread %.0f "$work/$1.64.rate")" "$(over "$1" 64.rate nginx_tls 64.rate)" \
		"$(spread %.2f "$work/$1.64.cpu")"
}

# plot_servers FILE FIGURE TITLE UNIT
plot_servers() {
	for server in "${servers[@]}"; do
		bar_of "${title[$server]}" "$work/$server.$2" "$([[ $server == leat ]] && echo 1 || echo 0)"
	done | plot_bars "$1" "$3" "$4" linear
}

page() {
	cat <<-END
		# HTTP echo

		\`POST /v1/run/echo\` with \`hello\`, by \`wrk\` on the same machine. $bench_runs runs of $bench_seconds s each, the servers in turn; medians
		with the least and the greatest. CPU time is of the server, user and system, for a request at 64 connections.
		The Go peer is [main.go](../../tests/bench/peers/go/main.go): net/http, a buffered channel, a goroutine pool, a
		context with a deadline. nginx, with as many workers as CPUs, answers a constant: it runs nothing and queues nothing. The floor of
		the machine is [one thread](../../tests/bench/floor.c) that answers whatever comes without looking at it.

		![requests a second](http.svg) ![latency](http-latency.svg)

		| server | requests/s, 64 connections | of the Go peer's | requests/s, 1,000 connections | CPU µs a request | median latency µs, 1 connection |
		|---|---|---|---|---|---|
	END
	for server in "${servers[@]}"; do
		row "$server"
	done
	printf '\nWhere the time of the %s CPUs goes while wrk has 64 connections to leat (by perf), and how much of it a request takes:\n\n' "$(nproc)"
	printf '| | of all | µs a request |\n|---|---|---|\n'
	cat "$work/profile"
	printf '\n| over TLS | requests/s, 64 connections | of those of nginx | CPU µs a request |\n|---|---|---|---|\n'
	for server in "${tls_servers[@]}"; do
		tls_row "$server"
	done
	echo
	bar 'throughput at 64 connections over that of the Go peer' "$(over leat 64.rate go 64.rate)" '>=' 1.5
	bar 'throughput at 64 connections over that of nginx' "$(over leat 64.rate nginx 64.rate)" '>=' 0.9
	bar 'throughput at 1,000 connections over that at 64' "$(over leat 1000.rate leat 64.rate)" '>=' 0.85
	bar 'median latency at 1 connection over that of the Go peer' "$(over leat 1.latency go 1.latency)" '<=' 0.5
	bar 'median latency at 1 connection over that of nginx' "$(over leat 1.latency nginx 1.latency)" '<=' 1.25
	bar 'CPU time a request over that of the Go peer' "$(over leat 64.cpu go 64.cpu)" '<=' 0.5
	bar 'throughput over TLS at 64 connections over that of nginx' "$(over leat_tls 64.rate nginx_tls 64.rate)" '>=' 0.9
	cat <<-END

		Every answer was 200: looked at one by one in a run before, and counted in each. A run with another answer or a socket
		error is void and ends the benchmark.

		$(machine 'gcc --version' 'go version' 'wrk -v' "$nginx -v" 'openssl version')

		Again: \`scripts/bench http\`, which runs

		    build/leatd -o 'server.listen=127.0.0.1:0, tls:127.0.0.1:PORT' -o server.tls_cert=... -o server.tls_key=... -o 'job echo.queue=2000'
		    build/bench/go-peer
		    wrk -t1 -cCONNECTIONS -d${bench_seconds}s -s tests/bench/echo.lua http://ADDRESS
	END
}

make_certificate
start_leat
start_go
fetch nginx nginx || true
nginx=$program
start_nginx
start_floor
for server in "${servers[@]}" "${tls_servers[@]}"; do
	check_answers "$server"
done
for ((run = 1; run <= bench_runs; run++)); do
	for connections in "${counts[@]}"; do
		for server in "${servers[@]}"; do
			progress "http: run $run of $bench_runs, $server, $connections connections"
			measure "$server" "$connections"
		done
	done
	for server in "${tls_servers[@]}"; do
		progress "http: run $run of $bench_runs, $server"
		measure "$server" 64
	done
done
progress 'http: profile'
profile >"$work/profile"
progress ''

plot_servers http 64.rate '64 connections' 'requests/s'
plot_servers http-latency 1.latency '1 connection' 'median latency, µs'
finish_page http
