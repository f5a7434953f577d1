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
	'gearmand|gearmand, a worker and a client in C, 64 tasks in flight|gearmand|'
	'one|leat, `worker`, in C, one of them, 64 jobs in flight|line|-P 16 -c 4 RUN one hello'
	'builtin|leat, `builtin = echo`|echo|/v1/run/echo'
	'plugin|leat, `plugin`, in process|echo|/v1/run/plugin'
	'isolated|leat, `plugin`, isolated, one host|echo|/v1/run/isolated'
	'builtinline|leat, `builtin = echo`, over the line protocol|line|-P 16 -c 64 RUN echo hello'
	'pluginline|leat, `plugin`, in process, the same|line|-P 16 -c 64 RUN plugin hello'
	'isolatedline|leat, `plugin`, isolated, the same|line|-P 16 -c 64 RUN isolated hello'
	'run|leat, 1,000 `RUN` in a pipeline, one connection|thousand|run'
	'map|leat, `MAP` of 1,000, one connection|thousand|map'
)
read_figures "${figures[@]}"

# --- Who is measured ---

build_all() {
	compile spawn tests/bench/jobs/spawn.c
	compile thousand tests/bench/jobs/thousand.c
	compile worker-echo docs/workers/echo.c
	compile echo.so tests/wire/plugins/copy.c -shared -fPIC -Ilib
}

start_leat() {
	start_leatd "$leatd" -o server.max_pipeline=1000 \
		-o 'job true.exec=/bin/true' -o 'job true.concurrency=2' \
		-o "job worker.worker=$PWD/$out/worker-echo" -o 'job worker.concurrency=4' \
		-o "job python.worker=python3 $PWD/docs/workers/upper.py" -o 'job python.concurrency=4' \
		-o "job plugin.plugin=$PWD/$out/echo.so" -o 'job plugin.isolate=no' \
		-o "job one.worker=$PWD/$out/worker-echo" -o 'job one.concurrency=1' \
		-o "job isolated.plugin=$PWD/$out/echo.so" -o 'job isolated.concurrency=1' \
		"${roomy[@]}"
}

# As many places as anything here asks for at once, and no refusal for want of time: it is the pace that is measured.
roomy=()
for name in true worker one python plugin isolated echo; do
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

# by_wrk NAME CONNECTIONS. An answer that is not 200 makes the run void.
by_wrk() {
	local requests us bad errors

	read -r requests us _ bad errors _ < <(WRK_PATH=${command[$1]} wrk -t1 -c"$2" -d"${bench_seconds}s" -s tests/bench/echo.lua \
		"$(base_of "$1")" | sed -n 's/^result //p')
	((bad + errors == 0)) || die "void: $bad answers of $1 were not 200, $errors socket errors"
	awk "BEGIN { print $requests / $us * 1000000 }"
}

measure_http() {
	by_wrk "$1" 16
}

measure_echo() {
	by_wrk "$1" 64
}

measure_thousand() {
	$out/thousand "${address##*:}" "${command[$1]}" "$bench_seconds"
}

measure_line() {
	local words

	read -ra words <<<"${command[$1]}"
	by_requests "$1" leat_rate 1 -- "${words[@]}"
}

# --- The page ---

page() {
	cat <<-END
		# Jobs of every kind

		How many jobs are done a second, on one machine, with their clients. $bench_runs runs of about $bench_seconds s each, in turn; medians with
		the least and the greatest. leat is one leatd with all of these jobs. The clients: of commands \`wrk -t1 -c16\`, of echo
		and plugins \`wrk -t1 -c64\`, over the line protocol \`redis-benchmark -P 16 -c 64\`, and of a thousand jobs at a time
		[one of our own](../../tests/bench/jobs/thousand.c), which looks at every answer. A run in which not every job was done (by the answers' status, or by leat's books) is void
		and ends the benchmark. webhook waits for its command (\`include-command-output-in-response\`).

		![jobs a second](jobs.svg)

		| | jobs/s |
		|---|---|
	END
	figure_rows
	echo
	bar 'exec over a bare loop of posix_spawn' "$(over exec spawn)" '>=' 0.9
	bar 'exec over webhook' "$(over exec webhook)" '>=' 1.15
	bar 'worker in C over exec' "$(over worker execline)" '>=' 40
	bar 'worker in Python over exec' "$(over python execline)" '>=' 15
	bar 'plugin in process over builtin echo' "$(over plugin builtin)" '>=' 0.95
	bar 'plugin, isolated, over builtin echo' "$(over isolated builtin)" '>=' 0.5
	bar 'MAP of 1,000 over 1,000 pipelined RUN' "$(over map run)" '>=' 3
	bar 'worker in C over gearmand, one and one' "$(over one gearmand)" '>=' 3
	cat <<-END

		$(machine 'gcc --version' 'python3 --version' 'wrk -v' 'redis-benchmark --version' "$gearmand --version" "$webhook -version")

		Again: \`scripts/bench jobs\`. The programs are [the loop](../../tests/bench/jobs/spawn.c), [the worker in C](../workers/echo.c) and
		[in Python](../workers/upper.py), [the plugin](../../tests/wire/plugins/copy.c), and
		[the worker](../../tests/bench/peers/gearman/worker.c) and [the client](../../tests/bench/peers/gearman/client.c) of gearmand.
	END
}

build_all
start_leat
start_webhook
start_gearmand
measure_figures jobs
plot_figures jobs log
finish_page jobs
