#!/bin/bash
# Overload: leat beside the Go peer, and beside leat without prediction and with a queue of a million. Run by scripts/bench. Jobs wait on a
# timer, so that the load generator does not take what is measured; tests/bench/openloop.c is the generator. LEATD is another leatd to measure.
set -euo pipefail
# shellcheck source=tests/bench/common.sh
source "$(dirname "$0")/common.sh"

leatd=${LEATD:-build/leatd}
out=build/bench/overload
runs=$(((bench_runs + 1) / 2))
seconds=$bench_seconds
warm_up=1

runners=16
service_ms=20
capacity=$((runners * 1000 / service_ms))
deadline_ms=500
max_wait_ms=40
# One of eleven clients: about a part each.
share=10

loads=(0.5 0.8 1 1.2 1.5 2 3 5 10)
servers=(leat million go go64)
declare -A title=(
	[leat]=leat
	[million]='leat, queue 1,000,000, no prediction'
	[go]='Go peer, queue 1024'
	[go64]='Go peer, queue 64'
)
declare -A target pid

# --- servers ---

# Options of a job that this leatd may be too old to know.
has_option() {
	grep -q "^; $1 =" "$work/config"
}

missing=()
declare -a wanted
want() {
	if has_option "$1"; then
		wanted+=(-o "job sleep.$1=$2")
	elif [[ " ${missing[*]} " != *" $1 "* ]]; then
		missing+=("$1")
	fi
}

# start_sleeper NAME QUEUE [OPTION=VALUE]...: a leatd that sleeps.
start_sleeper() {
	local name=$1 queue=$2 option

	shift 2
	wanted=()
	for option; do
		want "${option%%=*}" "${option#*=}"
	done
	start_leatd "$leatd" -o "job sleep.concurrency=$runners" -o "job sleep.queue=$queue" -o "job sleep.deadline=${deadline_ms}ms" "${wanted[@]}"
	target[$name]=$address pid[$name]=$leatd_pid
	echo "$leatd -o 'job sleep.concurrency=$runners' -o 'job sleep.queue=$queue' -o 'job sleep.deadline=${deadline_ms}ms' ${wanted[*]}" |
		sed "s/-o job \([^ ]*\)/-o 'job \1'/g; s/ *\$//" >>"$work/commands"
}

start_go() {
	local name=$1 queue=$2

	build/bench/go-peer -job sleep -workers $runners -queue "$queue" -deadline ${deadline_ms}ms >"$work/$name.log" &
	pid[$name]=$!
	pids+=("${pid[$name]}")
	wait_until 10 grep -q '^ready listen=' "$work/$name.log" || die "the Go peer did not start"
	target[$name]=$(sed 's/.*listen=//' "$work/$name.log")
	echo "build/bench/go-peer -job sleep -workers $runners -queue $queue -deadline ${deadline_ms}ms" >>"$work/commands"
}

start_all() {
	"$leatd" --print-config >"$work/config"
	make -s -j"$(nproc)" bench-openloop
	GO111MODULE=off CGO_ENABLED=0 GOCACHE=$PWD/build/bench/go-cache \
		go build -trimpath -o build/bench/go-peer tests/bench/peers/go/main.go
	start_sleeper leat 64 max_wait=${max_wait_ms}ms
	start_sleeper million 1000000 predict=no
	start_sleeper fair 64 max_wait=${max_wait_ms}ms client_share=$share
	start_go go 1024
	start_go go64 64
}

# --- the generator ---

# Where that is allowed it goes before everybody else, as a machine of its own would: it uses little, and may not be late.
first=()
! chrt -f 1 true 2>/dev/null || first=(chrt -f 1)

void=0
# offer FILE ARGUMENT...: a run of the generator; once more, a few times, when it says that it is void.
offer() {
	local file=$1 status

	shift
	for _ in 1 2 3 4 5 6; do
		status=0
		"${first[@]}" build/bench/openloop "$@" >"$file" 2>"$work/said" || status=$?
		((status != 0)) || return 0
		((status == 3)) || die "$(cat "$work/said")"
		void=$((void + 1))
	done
	die "the machine is too busy: $(cat "$work/said")"
}

sleeper=(--job sleep --payload "${service_ms}ms" --deadline "$deadline_ms")

# all_of FILE: its figures as shell words `LINE.KEY=VALUE`, where LINE is total, or what a latency is of; those for all sources.
all_of() {
	awk '
		/source=all/ || /^lag/ {
			name = $1
			for (i = 2; i <= NF; i++) {
				split($i, pair, "=")
				if (pair[1] == "of")
					name = pair[2]
				else if (pair[1] != "source")
					print name "." pair[1] "=" pair[2]
			}
		}' "$1"
}

# A figure is a file of one number a run: $work/figures/SERVER.LOAD.KEY.
note() {
	mkdir -p "$work/figures"
	echo "$2" >>"$work/figures/$1"
}

# The median of a figure.
m() {
	median <"$work/figures/$1"
}

# --- the sweep ---

# Connections that are open when it begins: as many as are under way when nothing is answered before the deadline.
ahead() {
	awk "BEGIN { n = int(1.3 * $1 * $capacity * $deadline_ms / 1000); print n < 64 ? 64 : n }"
}

rate() {
	awk "BEGIN { print $1 * $capacity }"
}

# sweep_point SERVER LOAD RUN
sweep_point() {
	local file=$work/run ticks line

	ticks=$(cpu_ticks "${pid[$1]}")
	offer "$file" --server "${target[$1]}" "${sleeper[@]}" --rate "$(rate "$2")" --warm-up $warm_up --seconds $((warm_up + seconds)) \
		--connections "$(ahead "$2")" --seed "$3"
	ticks=$(($(cpu_ticks "${pid[$1]}") - ticks))
	while read -r line; do
		note "$1.$2.${line%%=*}" "${line#*=}"
	done < <(all_of "$file")
	note "$1.$2.cpu" "$(awk "BEGIN { print 100 * $ticks / $(getconf CLK_TCK) / ($warm_up + $seconds) }")"
	note "$1.$2.of_bound" "$(awk -F= -v c=$capacity '
		$1 == "total.offered_rate" { offered = $2 }
		$1 == "total.goodput" { goodput = $2 }
		END { print goodput / (offered < c ? offered : c) }' < <(all_of "$file"))"
	note "$1.$2.wasted" "$(awk -F= '$1 == "total.busy_ms" { busy = $2 } $1 == "total.wasted_ms" { wasted = $2 }
		END { print busy ? 100 * wasted / busy : 0 }' < <(all_of "$file"))"
}

# --- the step ---

# The windows begin a service time after the step: what ends before that began before it.
calm=0.7
surge=3
step_before=$((seconds > 3 ? 3 : seconds))
step_during=$seconds
step_after=$((seconds > 3 ? 3 : 2))

# step SERVER RUN: windows go to $work/step.SERVER.RUN.
step() {
	local lag_s

	lag_s=$(awk "BEGIN { print $service_ms / 1000 }")
	offer "$work/run" --server "${target[$1]}" "${sleeper[@]}" --connections 1500 --windows --seed "$2" \
		--rate "$(rate $calm):$(awk "BEGIN { print $step_before - $lag_s }"),$(rate $surge):$step_during,$(rate $calm):$step_after"
	grep '^window' "$work/run" | tr '=' ' ' >"$work/step.$1.$2"
}

# The least goodput of a window while the load was over capacity, of capacity; and the seconds, after that, until the first of five windows in
# which everything that came was done in less than two service times.
judge_step() {
	awk -v from=$((step_before * 1000)) -v to=$(((step_before + step_during) * 1000)) -v last=$(((step_before + step_during + step_after) * 1000)) \
		-v full="$(awk "BEGIN { print $capacity / 10 }")" -v service_us=$((service_ms * 1000)) '
		BEGIN { least = 1e9; normal = 0; back = -1 }
		$3 >= from && $3 + 100 <= to && $13 < least { least = $13 }
		$3 >= to && $3 < last {
			normal = $5 == $7 && $15 < 2 * service_us ? normal + 1 : 0
			if (normal == 5 && back < 0)
				back = ($3 - to) / 1000 - 0.4 + service_us / 1e6
		}
		END { print least / full, back < 0 ? "never" : back }' "$1"
}

note_step() {
	local least back

	read -r least back < <(judge_step "$work/step.$1.$2")
	note "$1.step.least" "$least"
	# Never is longer than any bar.
	note "$1.step.back" "${back/never/999}"
}

# --- fairness ---

fairness() {
	local sources=(--source "127.0.0.2@$(rate 10)") i

	for i in {3..12}; do
		sources+=(--source "127.0.0.$i@$(rate 0.05)")
	done
	offer "$work/run" --server "${target[$1]}" "${sleeper[@]}" "${sources[@]}" --warm-up $warm_up --seconds $((warm_up + seconds)) --seed "$2"
	awk -F'[ =]' '
		$1 == "total" && $3 != "all" {
			for (i = 4; i < NF; i += 2)
				v[$i] = $(i + 1)
			if ($3 == "127.0.0.2") {
				greedy = v["ok"] / v["offered"]
			} else {
				offered += v["offered"]; ok += v["ok"]
				part = v["offered"] ? v["ok"] / v["offered"] : 1
				if (worst == "" || part < worst) worst = part
			}
		}
		END { print 100 * ok / offered, 100 * worst, 100 * greedy }' "$work/run" >"$work/fair"
	read -r polite worst greedy <"$work/fair"
	# Why the polite were refused, the last run.
	awk -F'[ =]' '$1 == "reason" && $3 != "all" && $3 != "127.0.0.2" { n[$5 == "refused" ? $7 : $5 " " $7] += $9 }
		END { for (reason in n) print reason ": " n[reason] }' "$work/run" | sort | paste -sd, | sed 's/,/, /g' >"$work/reasons.$1"
	note "$1.fair.polite" "$polite"
	note "$1.fair.worst" "$worst"
	note "$1.fair.greedy" "$greedy"
}

# --- what a refusal costs ---

cost_settings=('http 1' 'http 16' 'resp 1' 'resp 16')
cost_connections=64

start_cost() {
	start_leatd "$leatd" -o 'job echo.queue=100000' -o 'job full.builtin=sleep' -o 'job full.concurrency=1' -o 'job full.queue=0' \
		-o 'job full.deadline=30m' -o 'job full.max_deadline=30m'
	target[cost]=$address pid[cost]=$leatd_pid
	# The one place of `full` is taken for as long as this takes.
	curl -s -d 30m "http://$address/v1/run/full" >"$work/held" &
	pids+=($!)
	wait_until 10 is_full || die 'the job that holds the place did not start'
}

is_full() {
	[[ $(curl -s -o "$work/refusal" -w '%{http_code}' -d 1ms "http://${target[cost]}/v1/run/full") == 503 ]]
}

# cost PROTOCOL PIPELINE NAME OUTCOME REQUEST...: CPU us of leatd for a request whose outcome has to be that.
cost() {
	local protocol=$1 pipeline=$2 name=$3 outcome=$4 ticks answers

	shift 4
	ticks=$(cpu_ticks "${pid[cost]}")
	build/bench/openloop --server "${target[cost]}" --protocol "$protocol" --closed --pipeline "$pipeline" --connections $cost_connections "$@" \
		--seconds "$(awk "BEGIN { print $seconds / 2.5 }")" >"$work/run"
	ticks=$(($(cpu_ticks "${pid[cost]}") - ticks))
	answers=$(all_of "$work/run" | sed -n "s/^total.$outcome=//p")
	[[ $answers == $(all_of "$work/run" | sed -n 's/^total.offered=//p') && $answers != 0 ]] || die "void: not every $name was $outcome: $(grep '^total' "$work/run")"
	note "cost.$protocol.$pipeline.$name" "$(awk "BEGIN { print $ticks * 1000000 / $(getconf CLK_TCK) / $answers }")"
}

# last PROTOCOL PIPELINE NAME: of this run.
last() {
	tail -n 1 "$work/figures/cost.$1.$2.$3"
}

costs() {
	local setting protocol pipeline

	for setting in "${cost_settings[@]}"; do
		read -r protocol pipeline <<<"$setting"
		cost "$protocol" "$pipeline" nothing ok --nothing
		cost "$protocol" "$pipeline" echo ok --job echo --payload 1ms
		cost "$protocol" "$pipeline" refusal refused --job full --payload 1ms
		note "cost.$protocol.$pipeline.ratio" "$(ratio "$(last "$protocol" "$pipeline" refusal)" "$(last "$protocol" "$pipeline" echo)")"
	done
}

# --- the page ---

ms() {
	awk -v us="$1" 'BEGIN { printf us < 10000 ? "%.2f" : "%.0f", us / 1000 }'
}

# `-` where nothing was counted.
latency() {
	if is_true "$(m "$1.count") == 0"; then
		printf -- '-'
	else
		ms "$(m "$1.$2")"
	fi
}

sum_of() {
	local key sum=0
	for key in "${@:2}"; do
		sum=$(awk "BEGIN { print $sum + $(m "$1.total.$key") }")
	done
	awk "BEGIN { printf \"%.1f\", 100 * $sum / $(m "$1.total.offered") }"
}

table() {
	local server load at

	for server in "${servers[@]}"; do
		printf '### %s\n\n' "${title[$server]^}"
		echo '| offered, × capacity | goodput/s | of the bound | accepted: p50 ms | p99 ms | refused % | refusals: p50 ms | p99 ms | p99.9 ms | too late or timed out % | wasted % of the work | CPU % |'
		echo '|---|---|---|---|---|---|---|---|---|---|---|---|'
		for load in "${loads[@]}"; do
			at=$server.$load
			printf '| %s | %s | %.3f | %s | %s | %s | %s | %s | %s | %s | %s | %.0f |\n' "$load" "$(spread %.0f "$work/figures/$at.total.goodput")" \
				"$(m "$at.of_bound")" "$(latency "$at.accepted" p50_us)" "$(latency "$at.accepted" p99_us)" "$(sum_of "$at" refused)" \
				"$(latency "$at.refused" p50_us)" "$(latency "$at.refused" p99_us)" "$(latency "$at.refused" p999_us)" \
				"$(sum_of "$at" late timeout error unanswered)" "$(wasted_cell "$server" "$load")" "$(m "$at.cpu")"
		done
		echo
	done
}

wasted_cell() {
	if [[ $1 == go* ]]; then
		printf -- '-'
	else
		printf %.1f "$(m "$1.$2.wasted")"
	fi
}

# over FROM KEY PICK: of the medians of leat at loads of at least FROM, the least (head) or the greatest (tail).
over() {
	local load

	for load in "${loads[@]}"; do
		! is_true "$load >= $1" || m "leat.$load.$2"
	done | sort -g | "$3" -n 1
}

bound_ms() {
	awk "BEGIN { printf \"%.1f\", ($(m leat.0.5.service.p99_us) + $(m leat.0.5.service.p50_us)) / 1000 + $max_wait_ms }"
}

# Of all runs.
least_of() {
	sort -g "$work/figures/$1" | head -n 1
}
most_of() {
	sort -g "$work/figures/$1" | tail -n 1
}

bars() {
	local setting protocol pipeline

	bar 'goodput of min(offered, capacity), the least at 1.2 to 10 ×' "$(printf %.3f "$(over 1.2 of_bound head)")" '>=' 0.97
	bar "p99 of the accepted, the greatest at 1.5 to 10 ×, ms (the least is $(ms "$(over 1.5 accepted.p99_us head)")); the bar is p99 of the service + max_wait + S50" \
		"$(ms "$(over 1.5 accepted.p99_us tail)")" '<=' "$(bound_ms)"
	bar 'refusals at 10 ×, p99, ms' "$(ms "$(m leat.10.refused.p99_us)")" '<' 2
	bar 'refusals at 10 ×, p99.9, ms' "$(ms "$(m leat.10.refused.p999_us)")" '<' 10
	bar "step $calm → $surge → $calm ×, goodput of capacity, the least of all windows of 100 ms" "$(least_of leat.step.least)" '>=' 0.95
	bar 'step, seconds until it is back to normal, the most' "$(most_of leat.step.back)" '<=' 1
	bar 'one client at 10 × beside ten polite ones, % of the polite that succeed' "$(printf %.2f "$(m fair.fair.polite)")" '>=' 99
	bar 'work that ended after its deadline, % of the busy time, the most at any load' "$(printf %.2f "$(over 0 wasted tail)")" '<=' 1
	for setting in "${cost_settings[@]}"; do
		read -r protocol pipeline <<<"$setting"
		bar "CPU time of a refusal over that of an accepted echo, ${protocol^^}, $pipeline under way on each connection" "$(m "cost.$protocol.$pipeline.ratio")" '<=' 0.15
		bar "the same, of what each takes above $(nothing "$protocol")" "$(above_nothing "$protocol.$pipeline")" '<=' 0.15
	done
}

# Of the medians, for in a single run the three differ by a few percent by chance, which is much of so little.
above_nothing() {
	awk -v floor="$(m "cost.$1.nothing")" -v refusal="$(m "cost.$1.refusal")" -v echo="$(m "cost.$1.echo")" \
		'BEGIN { printf "%.2f", (refusal - floor) / (echo - floor) }'
}

# What costs no more than any request has to.
nothing() {
	if [[ $1 == http ]]; then
		printf 'a GET /healthz'
	else
		printf 'a PING'
	fi
}

cost_table() {
	local setting protocol pipeline name

	echo '| protocol | under way on each connection | nothing, CPU µs | accepted echo, CPU µs | refusal, CPU µs | ratio | ratio above nothing |'
	echo '|---|---|---|---|---|---|---|'
	for setting in "${cost_settings[@]}"; do
		read -r protocol pipeline <<<"$setting"
		printf '| %s | %s |' "${protocol^^}" "$pipeline"
		for name in nothing echo refusal ratio; do
			printf ' %s |' "$(spread %.2f "$work/figures/cost.$protocol.$pipeline.$name")"
		done
		printf ' %s |\n' "$(above_nothing "$protocol.$pipeline")"
	done
}

step_table() {
	local server

	echo '| server | least goodput of 100 ms while over capacity, of capacity | seconds until back to normal |'
	echo '|---|---|---|'
	for server in "${servers[@]}"; do
		printf '| %s | %s | %s |\n' "${title[$server]}" "$(spread %.2f "$work/figures/$server.step.least")" \
			"$(spread %.2f "$work/figures/$server.step.back" | sed "s/999.00/never within $step_after s/g")"
	done
}

fair_table() {
	local name

	echo '| | polite clients: done in time % | the worst off of them % | the greedy one % |'
	echo '|---|---|---|---|'
	for name in fair go64; do
		printf '| %s | %s | %s | %s |\n' "$([[ $name == fair ]] && echo "leat, client_share = $share" || echo "${title[$name]}")" \
			"$(spread %.2f "$work/figures/$name.fair.polite")" "$(spread %.2f "$work/figures/$name.fair.worst")" "$(spread %.2f "$work/figures/$name.fair.greedy")"
	done
}

# What this leatd does not know yet, so that nobody takes the figures for what they are not.
lacking() {
	((${#missing[@]} == 0)) && return
	printf '**This leatd has no option %s:** it was left out, and bars that need it are missed for that.\n\n' "$(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
}

page() {
	cat <<-END
		# Overload

		Jobs that wait on a timer for $service_ms ms, $runners at a time: a capacity of $capacity/s, whatever the CPU does. The deadline is $deadline_ms ms from when a request was
		due. [openloop.c](../../tests/bench/openloop.c) offers from half to ten times that, over HTTP, from another process of the same machine$([[ ${#first[@]} == 0 ]] || echo " with real-time priority"):
		arrivals are Poisson, a request is sent when it is due, whatever became of those before it, and its latency counts from then. Goodput
		is what was done within the deadline, a second. $runs runs of $seconds s a point after $warm_up s that do not count, the servers in turn; medians, and where there is room the
		least and the greatest.

		* *leat*: 64 places to wait, \`max_wait = ${max_wait_ms}ms\`, so that a predicted wait of two service times is refused; prediction on.
		* *leat, queue 1,000,000, no prediction*: the same program without what it is for: it accepts everything, and cuts each at its deadline.
		* *Go peer*: [main.go](../../tests/bench/peers/go/main.go), with its usual 1024 places, and with the 64 of leat. It also leaves out what waited until
		  its deadline, and gives a worker back at the deadline.

		$(lacking)
		![Goodput, p99 of the accepted, and refusals against offered load](overload.svg)

		The bound of goodput is min(offered, capacity); that of the p99 of the accepted is p99 of the service + \`max_wait\` + median of the service, $(bound_ms) ms.

		## Bars

		$(bars)

		## Figures

		*Wasted* is run time, by the server's word, of jobs that did not end in time; the Go peer does not tell. CPU is of the server, 100 is one CPU.

		$(table)

		## A step

		$calm × for $step_before s, $surge × for $step_during s, $calm × for $step_after s, in windows of 100 ms that begin a service time after the step: what ends before that began before it. *Back to
		normal*: from there on, for half a second, everything that comes is done within two service times.

		$(step_table)

		![Goodput in windows of 100 ms](overload-step.svg)

		## Fairness

		One client at 10 × capacity, ten at 0.05 × each, from addresses of their own.

		$(fair_table)

		Polite requests that leat did not do, in the last run: $(cat "$work/reasons.fair").

		## What a refusal costs

		CPU time of leatd, user and system, for a request in a closed loop over $cost_connections connections: an echo that is accepted, a job whose one place is
		taken, and nothing: PING, or GET /healthz, which is parsed and answered and no more. Most of *nothing* are the system calls that receive and
		send: no answer can cost less than that on this machine, so the last column compares what a refusal and an echo cost above it, by their
		medians. Where it is below 0 or far from the others, a few percent of chance in *nothing* make more of a difference than refusing does.

		$(cost_table)

		## Where and how

		$(machine 'gcc --version' 'go version' 'gnuplot --version')
		* runs that the generator called void, because 1 % of its requests were more than 1 ms late, and that were done again: $void

		Again: \`scripts/bench overload\`, which runs, on free ports,

		$(sed 's/^/    /' "$work/commands")
		    build/bench/openloop --server ADDRESS ${sleeper[*]} --rate RATE --warm-up $warm_up --seconds $((warm_up + seconds)) --connections N --seed RUN
		    build/bench/openloop ... --windows --rate $(rate $calm):S,$(rate $surge):S,$(rate $calm):S
		    build/bench/openloop ... --source 127.0.0.2@$(rate 10) --source 127.0.0.3@$(rate 0.05) ...
		    build/bench/openloop --server ADDRESS --protocol http|resp --closed --pipeline 1|16 --connections $cost_connections --nothing|--job echo|--job full
	END
}

# --- plots: see tests/bench/overload.gp ---

plot_data() {
	local server load

	for server in "${servers[@]}"; do
		printf '"%s"\n' "${title[$server]}"
		for load in "${loads[@]}"; do
			printf '%s %s %s %s\n' "$load" "$(m "$server.$load.total.goodput")" "$(latency "$server.$load.accepted" p99_us)" \
				"$(latency "$server.$load.refused" p99_us)"
		done
		printf '\n\n'
	done
}

step_data() {
	local server

	for server in "${servers[@]}"; do
		printf '"%s"\n' "${title[$server]}"
		awk -v last=$(((step_before + step_during + step_after) * 1000)) '$3 < last { print $3 / 1000, $13 * 10 }' "$work/step.$server.1"
		printf '\n\n'
	done
}

plots() {
	plot_data >"$work/plot"
	step_data >"$work/plot-step"
	gnuplot -c tests/bench/overload.gp "$work/plot" $capacity "$(bound_ms)" >"$out/overload.svg"
	gnuplot -c tests/bench/overload-step.gp "$work/plot-step" $capacity "$(awk "BEGIN { print $calm * $capacity }")" \
		"$(awk "BEGIN { print $step_before - $service_ms / 1000 }")" "$step_during" >"$out/overload-step.svg"
}

# --- the course of things ---

mkdir -p "$out"
start_all
start_cost
total=$((${#loads[@]} * ${#servers[@]}))
for ((run = 1; run <= runs; run++)); do
	i=0
	for load in "${loads[@]}"; do
		for server in "${servers[@]}"; do
			i=$((i + 1))
			progress "overload: run $run of $runs, $i of $total: $load x, ${title[$server]}"
			sweep_point "$server" "$load" "$run"
		done
	done
	for server in "${servers[@]}"; do
		[[ $run == 1 || $server == leat ]] || continue
		progress "overload: run $run of $runs, step, ${title[$server]}"
		step "$server" "$run"
		note_step "$server" "$run"
	done
	for server in fair go64; do
		progress "overload: run $run of $runs, fairness, $server"
		fairness "$server" "$run"
	done
	progress "overload: run $run of $runs, what a refusal costs"
	costs
done
progress ''

plots
page >"$out/overload.md"
cat "$out/overload.md"
# A trial run stays in build/.
if [[ $bench_runs -ge 5 && $bench_seconds -ge 5 ]]; then
	mkdir -p docs/figures
	cp "$out"/overload* docs/figures/
fi
! grep -q '^\* \*\*MISS' "$out/overload.md" || [[ ${REPORT:-false} == true ]]
