#!/bin/bash
# Channels: leat beside Go, crossbeam-channel, a ring under a mutex, GAsyncQueue and a pipe. Run by scripts/bench.
# tests/bench/channels/scenarios.h says what is done and what is counted.
set -euo pipefail
# shellcheck source=tests/bench/common.sh
source "$(dirname "$0")/common.sh"

run_ms=$((bench_seconds * 140))
sources=tests/bench/channels
out=build/bench/channels

programs=(leat go crossbeam ring gasyncqueue pipe)
declare -A title=([leat]=leat [go]=Go [crossbeam]=crossbeam [ring]='mutex ring' [gasyncqueue]=GAsyncQueue [pipe]=pipe)
declare -A command=([leat]=ours [go]=go-channels [crossbeam]=crossbeam-channel [ring]=ring [gasyncqueue]=gasyncqueue [pipe]=pipe)

settings=(free one-cpu x8)
declare -A setting_title=([free]="On $(nproc) CPUs" [one-cpu]='One CPU' [x8]='8 × as many threads')
declare -A setting_prefix=([free]='' [one-cpu]='taskset -c 0 ' [x8]='THREADS_X8=1 ')

# A scenario is a row: its name, its title, whether it has threads to multiply, who can do it, and its bar in the free setting: at most
# so many times what that program takes. In the others it is 1.2 times the better of crossbeam and the mutex ring.
all='leat go crossbeam ring gasyncqueue pipe'
scenarios=(
	'spsc128|1:1, 128, flags|one|leat|0.7 go'
	'spsc1024|1:1, 1024, flags|one|leat|0.7 go'
	"mpmc11_128|1:1, 128|many|$all|1.0 go"
	'mpmc11_1024|1:1, 1024|many|leat go crossbeam ring pipe|1.0 go'
	"mpmc44_128|4:4, 128|many|$all|1.0 go"
	"fanin41_128|4:1, 128|many|$all|1.0 go"
	"fanout14_128|1:4, 128|many|$all|1.0 go"
	"selfsendrecv|send, receive|one|$all|0.4 go"
	'tryfull|try_send, full|one|leat go crossbeam ring pipe|1.0 go'
	'select2|send, select of 2|one|leat go crossbeam pipe|1.0 go'
	'select2fed|1:1, select of 2|many|leat go crossbeam pipe|1.0 go'
	'unbuf11|1:1, unbuffered|many|leat go crossbeam ring|0.5 crossbeam'
	'pingpong|ping-pong, unbuffered|many|leat go crossbeam ring|0.3 crossbeam'
)

build_peers() {
	local registry=/usr/share/cargo/registry

	make -s -j"$(nproc)" bench-channels
	GO111MODULE=off CGO_ENABLED=0 GOCACHE=$PWD/build/bench/go-cache \
		go build -trimpath -o build/bench/go-channels $sources/go/main.go
	# A copy, because cargo writes beside its sources. Nothing comes from the network.
	mkdir -p build/bench/crossbeam
	cp -r $sources/crossbeam/. build/bench/crossbeam
	rm -f build/bench/crossbeam/Cargo.lock
	(cd build/bench/crossbeam && CARGO_TARGET_DIR=target cargo build -q --release --offline \
		--config 'source.crates-io.replace-with="debian"' --config "source.debian.directory=\"$registry\"")
	cp build/bench/crossbeam/target/release/crossbeam-peer build/bench/crossbeam-channel
}

# runs_in SETTING THREADS
runs_in() {
	[[ $1 != x8 || $2 == many ]]
}

# What a run of everything is made of, one line each: SETTING SCENARIO PROGRAM.
plan() {
	local setting row name threads who

	for setting in "${settings[@]}"; do
		for row in "${scenarios[@]}"; do
			IFS='|' read -r name _ threads who _ <<<"$row"
			runs_in "$setting" "$threads" || continue
			# shellcheck disable=SC2086 # words
			printf "$setting $name %s\n" $who
		done
	done
}

# measure SETTING SCENARIO PROGRAM: one run, a line of $work/results: these, ns and CPU ns per operation, switches per 1000.
measure() {
	local ns cpu switches ops

	# shellcheck disable=SC2086 # words
	read -r _ ns cpu switches ops < <(env BENCH_MS=$run_ms ${setting_prefix[$1]} timeout 60 "build/bench/${command[$3]}" "$2") ||
		die "${title[$3]} ended without a figure for $2 ($1)"
	echo "$1 $2 $3 $ns $cpu $(ratio "$((switches * 1000))" "$ops")" >>"$work/results"
}

# Medians with the least and the greatest: fills median, range (both numbers) and cell (all three, as text), by
# SETTING.SCENARIO.PROGRAM.FIGURE, where the figures are ns, cpu and switches.
declare -A median range cell
summarise() {
	local key middle least most text

	while read -r key middle least most text; do
		median[$key]=$middle range[$key]="$least $most" cell[$key]=$text
	done < <(
		awk '{ key = $1 "." $2 "." $3; print key ".ns", $4; print key ".cpu", $5; print key ".switches", $6 }' "$work/results" |
			sort -k 1,1 -k 2,2g |
			awk '
				function text(x) { return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x) }
				function done() {
					if (!n)
						return
					m = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
					print key, m, v[1], v[n], text(m) " (" text(v[1]) " - " text(v[n]) ")"
				}
				$1 != key { done(); key = $1; n = 0 }
				{ v[++n] = $2 }
				END { done() }'
	)
}

# The peers have no such flags: what they do without stands beside the two rows.
lend_flags() {
	awk '$2 ~ /^mpmc11_/ && $3 != "leat" { sub("mpmc11_", "spsc", $2); print }' "$work/results" >"$work/lent"
	cat "$work/lent" >>"$work/results"
}

# limit_of SETTING SCENARIO BAR: `FACTOR PROGRAM`, what leat is measured against.
limit_of() {
	local crossbeam ring

	if [[ $1 == free ]]; then
		echo "$3"
		return
	fi
	crossbeam=${median[$1.$2.crossbeam.ns]} ring=${median[$1.$2.ring.ns]:-}
	if [[ -n $ring ]] && is_true "$ring < $crossbeam"; then
		echo '1.2 ring'
	else
		echo '1.2 crossbeam'
	fi
}

# verdict SETTING SCENARIO BAR: the last three cells of a row.
verdict() {
	local factor program times word=PASS

	read -r factor program <<<"$(limit_of "$@")"
	times=$(ratio "${median[$1.$2.leat.ns]}" "${median[$1.$2.$program.ns]}")
	is_true "${median[$1.$2.leat.ns]} <= $factor * ${median[$1.$2.$program.ns]}" || word='**MISS**'
	printf ' %s × %s | ≤ %s | %s |' "$times" "${title[$program]}" "$factor" "$word"
}

# table SETTING FIGURE HEADING: with the bars if the figure is ns.
table() {
	local row name text threads who limit program

	printf '| %s |' "$3"
	for program in "${programs[@]}"; do
		printf ' %s |' "${title[$program]}"
	done
	[[ $2 != ns ]] || printf ' leat takes | bar | |'
	printf '\n|---|---|---|---|---|---|---|'
	[[ $2 != ns ]] || printf -- '---|---|---|'
	echo
	for row in "${scenarios[@]}"; do
		IFS='|' read -r name text threads who limit <<<"$row"
		runs_in "$1" "$threads" || continue
		printf '| %s |' "$text"
		for program in "${programs[@]}"; do
			printf ' %s |' "${cell[$1.$name.$program.$2]:-}"
		done
		[[ $2 != ns ]] || verdict "$1" "$name" "$limit"
		echo
	done
	echo
}

# The data of a plot: see plot.gp.
plot_data() {
	local row name text threads program figure

	printf 'scenario'
	for program in "${programs[@]}"; do
		printf '\t"%s"\t-\t-\t-\t-\t-' "${title[$program]}"
	done
	echo
	for row in "${scenarios[@]}"; do
		IFS='|' read -r name text threads _ <<<"$row"
		runs_in "$1" "$threads" || continue
		printf '"%s"' "$text"
		for program in "${programs[@]}"; do
			for figure in ns cpu; do
				# shellcheck disable=SC2086 # words
				printf '\t%s' "${median[$1.$name.$program.$figure]:-?}" ${range[$1.$name.$program.$figure]:-? ?}
			done
		done
		echo
	done
}

plot() {
	plot_data "$1" >"$work/plot"
	gnuplot -c $sources/plot.gp "$work/plot" "${setting_title[$1]}" >"$out/channels-$1.svg"
}

# One run of bounds: its figures go to files in $work.
measure_bounds() {
	local name a b c

	timeout 60 build/bench/bounds >"$work/bounds" || die 'bounds ended without figures'
	while read -r name a b c; do
		case $name in
		watch)
			ratio "$c" "$b" >>"$work/writes_per_arm"
			ratio "$a" "$c" >>"$work/messages_per_write"
			;;
		memory) echo "$a" >>"$work/memory" ;;
		cancel)
			echo "$a" >>"$work/cancel_call"
			echo "$b" >>"$work/cancel"
			;;
		esac
	done <"$work/bounds"
}

page() {
	local setting

	cat <<-END
		# Channels

		leat's channels beside those of Go, crossbeam-channel, a ring under a mutex with futexes to wait on, GLib's
		GAsyncQueue and a pipe, all doing the same with elements of 8 bytes: [scenarios.h](../../tests/bench/channels/scenarios.h).
		$bench_runs runs of $run_ms ms each, the programs in turn; medians with the least and the greatest. CPU time and voluntary
		context switches are those of the whole process. *senders:receivers, capacity*; an operation is one element sent
		and received, one refusal of a full channel, or one round trip. *flags*: with the single-producer and
		single-consumer flags, which the peers do not have; beside it stands what they do without.

		Not the same everywhere: Go's goroutines are switched without the kernel, which threads cannot match when both sides must meet.
		GAsyncQueue has no capacity, so that its senders never wait, and allocates a list node for each element. The smallest capacity
		of a pipe is a page, 512 elements. An empty cell: it cannot do that.

	END
	for setting in "${settings[@]}"; do
		# shellcheck disable=SC2016 # Markdown
		case $setting in
		free) printf '## %s\n\n' "${setting_title[free]}" ;;
		one-cpu) printf '## One CPU\n\nThe same under `taskset -c 0`. The bar is 1.2 × the better of crossbeam and the mutex ring.\n\n' ;;
		x8) printf '## Many threads\n\n8 × as many threads on each side, on %s CPUs. The bar is 1.2 × the better of crossbeam and the mutex ring.\n\n' "$(nproc)" ;;
		esac
		table "$setting" ns 'ns per operation'
		table "$setting" cpu 'CPU ns per operation'
		table "$setting" switches 'voluntary context switches per 1000 operations'
		printf '![%s](channels-%s.svg)\n\n' "${setting_title[$setting]}" "$setting"
	done
	cat <<-END
		## Bounds

		[bounds.c](../../tests/bench/channels/bounds.c): a producer that never rests and a loop that watches the channel with its eventfd;
		the size of a channel of capacity 0 with all it allocates; 1,000 threads blocked in a receive with one ctx that is cancelled, from
		the call until the last of them is back.

		* messages for each write of the eventfd: $(spread %.0f "$work/messages_per_write")
		* ms until the last of 1,000 waiters is back: $(spread %.1f "$work/cancel"); until ctx_cancel() itself is: $(spread %.1f "$work/cancel_call")
		$(bar 'writes of the eventfd for each time it was armed' "$(median <"$work/writes_per_arm")" '<=' 1)
		$(bar 'bytes of a channel of capacity 0' "$(median <"$work/memory")" '<=' 512)
		$(bar 'ms to cancel 1,000 waiters' "$(median <"$work/cancel")" '<' 20)

		$(machine 'gcc --version' 'go version' "grep -A 1 'name = .crossbeam-channel' build/bench/crossbeam/Cargo.lock | sed 's/.* = //; s/\"//g' | tr '\n' ' '; rustc --version" 'pkg-config --modversion glib-2.0 | sed "s/^/GLib /"')

		Again: \`scripts/bench channels\`, which runs, with each of $(plan | awk '{ print $2 }' | uniq | sort -u | wc -l) scenarios for SCENARIO,

		    BENCH_MS=$run_ms build/bench/$(printf '%s|' "${command[@]}" | sed 's/|$//; s/.*/{&}/; s/|/,/g') SCENARIO
		    BENCH_MS=$run_ms taskset -c 0 build/bench/... SCENARIO
		    BENCH_MS=$run_ms THREADS_X8=1 build/bench/... SCENARIO
		    build/bench/bounds
	END
}

build_peers
mkdir -p "$out"
plan >"$work/plan"
total=$(wc -l <"$work/plan")
for ((run = 1; run <= bench_runs; run++)); do
	i=0
	while read -r setting scenario program <&3; do
		i=$((i + 1))
		progress "channels: run $run of $bench_runs, $i of $total: $setting, $scenario, ${title[$program]}"
		measure "$setting" "$scenario" "$program"
	done 3<"$work/plan"
	progress "channels: run $run of $bench_runs, bounds"
	measure_bounds
done
progress ''

lend_flags
summarise
for setting in "${settings[@]}"; do
	plot "$setting"
done
page >"$out/channels.md"
cat "$out/channels.md"
# A trial run stays in build/.
if [[ $bench_runs -ge 5 && $bench_seconds -ge 5 ]]; then
	mkdir -p docs/figures
	cp "$out"/channels* docs/figures/
fi
! grep -q '\*\*MISS' "$out/channels.md" || [[ ${REPORT:-false} == true ]]
