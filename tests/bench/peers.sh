# shellcheck shell=bash
# What benchmarks share that put rates of several programs side by side: the peers, their clients, and the figures. Sourced.

# shellcheck source=tests/bench/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out=build/bench

# compile PROGRAM SOURCE FLAG...
compile() {
	mkdir -p "$out"
	"${CC:-cc}" -O2 -Wall -Wextra -D_GNU_SOURCE -pthread -o "$out/$1" "$2" "${@:3}" || die "$2 does not compile"
}

is_open() {
	(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# start_peer PACKAGE PROGRAM PORT ARGUMENT...: its path is then $program.
start_peer() {
	local package=$1 name=$2 port=$3

	program=''
	fetch "$package" "$name" || die "no $name: is a mirror of Debian reachable?"
	"$program" "${@:4}" >"$work/$name.log" 2>&1 &
	pids+=($!)
	wait_until 5 is_open "$port" || die "$name did not start: $(tail -n 1 "$work/$name.log")"
}

# gearmand with one worker.
start_gearmand() {
	gearmand_port=$((20000 + RANDOM % 12000))
	compile gearman-worker tests/bench/peers/gearman/worker.c -lgearman
	compile gearman-client tests/bench/peers/gearman/client.c -lgearman
	start_peer gearman-job-server gearmand $gearmand_port -L 127.0.0.1 -p $gearmand_port -l stderr
	# shellcheck disable=SC2034 # for those who source this
	gearmand=$program
	$out/gearman-worker $gearmand_port 2>"$work/gearman-worker.log" &
	pids+=($!)
	wait_until 5 $out/gearman-client $gearmand_port 1 0.01 >/dev/null || die 'the worker of gearmand does not answer'
}

# With 64 tasks in flight: jobs a second.
measure_gearmand() {
	$out/gearman-client "$gearmand_port" 64 "$bench_seconds"
}

# redis_rate PORT REQUESTS ARGUMENT...: requests a second, as redis-benchmark has it.
redis_rate() {
	redis-benchmark -h 127.0.0.1 -p "$1" -q -n "$2" "${@:3}" 2>/dev/null | tr '\r' '\n' |
		sed -n 's/.*: \([0-9.]*\) requests per second.*/\1/p' | tail -n 1
}

# Of all jobs of the leatd at $address: how many were submitted, and how many of them done.
job_books() {
	curl -sf "http://$address/metrics" | awk '
		/^leat_jobs_submitted_total/ { submitted += $2 }
		/^leat_jobs_ended_total.*outcome="done"/ { done += $2 }
		END { printf "%d %d\n", submitted, done }'
}

# leat_rate FACTOR REQUESTS ARGUMENT...: jobs a second, of which a request has FACTOR. The books have to say that each of them was
# done: redis-benchmark itself does not look at errors. (It sends a few requests more than it was told to, to fill its pipelines.)
leat_rate() {
	local factor=$1 requests=$2 submitted completed rate submitted_before done_before

	read -r submitted_before done_before < <(job_books)
	rate=$(redis_rate "${address##*:}" "$requests" "${@:3}")
	read -r submitted completed < <(job_books)
	((submitted - submitted_before >= factor * requests && submitted - submitted_before == completed - done_before)) ||
		die "void: of $((submitted - submitted_before)) jobs of redis-benchmark ${*:3:5}, $((completed - done_before)) were done"
	awk "BEGIN { print $factor * $rate }"
}

# by_requests NAME RATE FIRST -- ARGUMENT...: calls RATE FIRST REQUESTS ARGUMENT... with so many requests that it takes about as long as the
# other measurements: twice as many each time until it does. What was found is kept for the next run of NAME.
by_requests() {
	local kept=$work/$1.requests requests=${first_requests:-1000} began rate

	[[ ! -e $kept ]] || requests=$(cat "$kept")
	while :; do
		began=${EPOCHREALTIME/./}
		rate=$("$2" "$3" "$requests" "${@:5}")
		((${EPOCHREALTIME/./} - began < bench_seconds * 500000)) || break
		requests=$((2 * requests))
	done
	echo "$requests" >"$kept"
	echo "$rate"
}

# read_figures ROW...: each is NAME|TITLE|HOW|COMMAND: its name, its title, how it is measured, and what with.
declare -A title how command
names=()
read_figures() {
	local row name name_title name_how name_command

	for row; do
		IFS='|' read -r name name_title name_how name_command <<<"$row"
		names+=("$name")
		title[$name]=$name_title how[$name]=$name_how command[$name]=$name_command
	done
}

# measure_figures BENCH: each in turn by its measure_HOW NAME, which prints how many a second.
measure_figures() {
	local run name rate

	for ((run = 1; run <= bench_runs; run++)); do
		for name in "${names[@]}"; do
			progress "$1: run $run of $bench_runs, $name"
			rate=$("measure_${how[$name]}" "$name")
			echo "$rate" >>"$work/$name.rate"
		done
	done
	progress ''
}

# Their rows of a table.
figure_rows() {
	local name

	for name in "${names[@]}"; do
		printf '| %s | %s |\n' "${title[$name]}" "$(spread %.0f "$work/$name.rate")"
	done
}

# plot_figures FILE linear|log: all of them, ours in another colour.
plot_figures() {
	local name

	for name in "${names[@]}"; do
		bar_of "${title[$name]}" "$work/$name.rate" "$([[ ${title[$name]} == leat* ]] && echo 1 || echo 0)"
	done | plot_bars "$1" 'a second' 'jobs, or requests' "$2"
}

# over NAME NAME: the ratio of their medians.
over() {
	ratio "$(median <"$work/$1.rate")" "$(median <"$work/$2.rate")"
}
