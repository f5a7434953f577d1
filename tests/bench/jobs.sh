#!/bin/bash
# Jobs of every kind, beside a bare loop of posix_spawn, Debian's webhook and gearmand. Run by scripts/bench. LEATD is another leatd to measure.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=tests/bench/peers.sh
source "$(dirname "$0")/peers.sh"

leatd=${LEATD:-build/leatd}

# A figure is a row: its name, its title, how it is measured, and what with.
# shellcheck disable=SC2016 # Markdown
figures=(
	'spawn|`posix_spawn` and `waitpid`, 2 threads|spawn|build/bench/spawn 2 SECONDS /bin/true'
	'exec|leat, `exec = /bin/true`, concurrency 2|http|/v1/run/true'
	'webhook|webhook, `/bin/true`|http|/hooks/true'
	'execline|leat, the same, over the line protocol|line|-P 16 -c 64 RUN true hello'
	'worker|leat, `worker`, in C, 4 of them|line|-P 16 -c 64 RUN worker hello'
	'python|leat, `worker`, in Python, 4 of them|line|-P 16 -c 64 RUN python hello'
	'gearmand|gearmand, worker and client in C, 4 and 4, 64 tasks in flight|gearmand|'
	'builtin|leat, `builtin = echo`|line|-P 16 -c 64 RUN echo hello'
	'plugin|leat, `plugin`, in process|line|-P 16 -c 64 RUN plugin hello'
	'isolated|leat, `plugin`, isolated|line|-P 16 -c 64 RUN isolated hello'
	'run|leat, 1,000 `RUN` pipelined, one connection|line|-P 1000 -c 1 RUN echo hello'
	'map|leat, `MAP` of 1,000, one connection|map|-c 1 MAP echo 1000'
)
declare -A title how command
names=()
for row in "${figures[@]}"; do
	IFS='|' read -r name name_title name_how name_command <<<"$row"
	names+=("$name")
	title[$name]=$name_title how[$name]=$name_how command[$name]=$name_command
done

# --- Who is measured ---

build_all() {
	compile spawn tests/bench/jobs/spawn.c
	compile worker-echo docs/workers/echo.c
	compile echo.so tests/bench/jobs/plugin.c -shared -fPIC -Ilib
}

start_leat() {
	start_leatd "$leatd" -o server.max_pipeline=1000 \
		-o 'job true.exec=/bin/true' -o 'job true.concurrency=2' \
		-o "job worker.worker=$PWD/$out/worker-echo" -o 'job worker.concurrency=4' \
		-o "job python.worker=python3 $PWD/docs/workers/echo.py" -o 'job python.concurrency=4' \
		-o "job plugin.plugin=$PWD/$out/echo.so" -o 'job plugin.isolate=no' \
		-o "job isolated.plugin=$PWD/$out/echo.so" \
		"${roomy[@]}"
}

# As many places as anything here asks for at once, and no refusal for want of time: it is the pace that is measured.
roomy=()
for name in true worker python plugin isolated echo; do
	roomy+=(-o "job $name.queue=20000" -o "job $name.deadline=1m" -o "job $name.predict=no")
done

start_webhook() {
	webhook_port=$((20000 + RANDOM % 12000))
	cat >"$work/hooks.json" <<-'END'
		[{ "id": "true", "execute-command": "/bin/true", "include-command-output-in-response": true }]
	END
	start_peer webhook webhook $webhook_port -hooks "$work/hooks.json" -ip 127.0.0.1 -port $webhook_port
	webhook=$program
}

# --- Measuring: each prints jobs a second ---

base_of() {
	[[ $1 == webhook ]] && echo "http://127.0.0.1:$webhook_port" || echo "http://$address"
}

measure_spawn() {
	local words

	read -ra words <<<"${command[$1]/SECONDS/$bench_seconds}"
	"${words[@]}"
}

# An answer that is not 200 makes the run void.
measure_http() {
	local requests us bad errors

	read -r requests us _ bad errors _ < <(WRK_PATH=${command[$1]} wrk -t1 -c16 -d"${bench_seconds}s" -s tests/bench/echo.lua \
		"$(base_of "$1")" | sed -n 's/^result //p')
	((bad + errors == 0)) || die "void: $bad answers of $1 were not 200, $errors socket errors"
	awk "BEGIN { print $requests / $us * 1000000 }"
}

measure_line() {
	local words

	read -ra words <<<"${command[$1]}"
	by_requests "$1" leat_rate 1 -- "${words[@]}"
}

measure_map() {
	local words payloads

	read -ra words <<<"${command[$1]}"
	mapfile -t payloads < <(yes hello | head -n 1000)
	first_requests=10 by_requests "$1" leat_rate 1000 -- "${words[@]}" "${payloads[@]}"
}

# --- The page ---

m() {
	median <"$work/$1.rate"
}

over() {
	ratio "$(m "$1")" "$(m "$2")"
}

page() {
	cat <<-END
		# Jobs of every kind

		How many jobs are done a second, on one machine, with their clients. $bench_runs runs of about $bench_seconds s each, in turn; medians with
		the least and the greatest. leat is one leatd with all of these jobs. Its clients are \`wrk -t1 -c16\` where a peer speaks
		HTTP, and \`redis-benchmark\` otherwise. A run in which not every job was done (by the answers' status, or by leat's books) is void
		and ends the benchmark. webhook waits for its command (\`include-command-output-in-response\`).

		| | jobs/s |
		|---|---|
	END
	for name in "${names[@]}"; do
		printf '| %s | %s |\n' "${title[$name]}" "$(spread %.0f "$work/$name.rate")"
	done
	echo
	bar 'exec over a bare loop of posix_spawn' "$(over exec spawn)" '>=' 0.9
	bar 'exec over webhook' "$(over exec webhook)" '>=' 1.15
	bar 'worker in C over exec' "$(over worker execline)" '>=' 40
	bar 'worker in Python over exec' "$(over python execline)" '>=' 15
	bar 'plugin in process over builtin echo' "$(over plugin builtin)" '>=' 0.95
	bar 'plugin, isolated, over builtin echo' "$(over isolated builtin)" '>=' 0.5
	bar 'MAP of 1,000 over 1,000 pipelined RUN' "$(over map run)" '>=' 3
	bar 'worker in C over gearmand' "$(over worker gearmand)" '>=' 3
	cat <<-END

		$(machine 'gcc --version' 'python3 --version' 'wrk -v' 'redis-benchmark --version' "$gearmand --version" "$webhook -version")

		Again: \`scripts/bench jobs\`. The programs are [the loop](../../tests/bench/jobs/spawn.c), [the worker in C](../workers/echo.c) and
		[in Python](../workers/echo.py), [the plugin](../../tests/bench/jobs/plugin.c), and
		[the worker](../../tests/bench/peers/gearman/worker.c) and [the client](../../tests/bench/peers/gearman/client.c) of gearmand.
	END
}

build_all
start_leat
start_webhook
start_gearmand
for ((run = 1; run <= bench_runs; run++)); do
	for name in "${names[@]}"; do
		progress "jobs: run $run of $bench_runs, $name"
		rate=$("measure_${how[$name]}" "$name")
		echo "$rate" >>"$work/$name.rate"
	done
done
progress ''

page >"$work/page.md"
cat "$work/page.md"
if [[ $bench_runs -ge 5 && $bench_seconds -ge 5 ]]; then
	mkdir -p docs/figures
	cp "$work/page.md" docs/figures/jobs.md
fi
! grep -q '^\* \*\*MISS' "$work/page.md" || [[ ${REPORT:-false} == true ]]
