#!/bin/bash
# The line protocol: leat beside redis-server, which stores, and gearmand and beanstalkd, which queue. Run by scripts/bench. LEATD is another leatd
# to measure.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=tests/bench/peers.sh
source "$(dirname "$0")/peers.sh"

leatd=${LEATD:-build/leatd}

# A figure is a row: its name, its title, how it is measured, and what with.
# shellcheck disable=SC2016 # Markdown
figures=(
	'leat16|leat, `RUN echo hello`, -P 16|leat|-P 16 -c 64 RUN echo hello'
	'redis16|redis-server, `SET key hello`, -P 16|redis|-P 16 -c 64 SET key hello'
	'leat1|leat, `RUN echo hello`, -P 1|leat|-P 1 -c 64 RUN echo hello'
	'redis1|redis-server, `SET key hello`, -P 1|redis|-P 1 -c 64 SET key hello'
	'gearmand|gearmand, a worker and a client in C, 64 tasks in flight|gearmand|'
	'beanstalkd|beanstalkd, put, reserve and delete on each of 64 connections|beanstalkd|'
)
read_figures "${figures[@]}"

start_all() {
	start_leatd "$leatd" -o 'job echo.queue=2000'
	redis_port=$((20000 + RANDOM % 12000)) beanstalkd_port=$((20000 + RANDOM % 12000))
	# Debian's redis-server is a link to this program, which looks at its name.
	ln -sf "$(command -v redis-check-rdb)" $out/redis-server
	PATH=$PATH:$PWD/$out start_peer redis-tools redis-server $redis_port --port $redis_port --bind 127.0.0.1 --save '' --appendonly no
	start_peer beanstalkd beanstalkd $beanstalkd_port -l 127.0.0.1 -p $beanstalkd_port
	beanstalkd=$program
	compile beanstalkd-client tests/bench/peers/beanstalkd/client.c
	start_gearmand
}

measure_leat() {
	local words

	read -ra words <<<"${command[$1]}"
	by_requests "$1" leat_rate 1 -- "${words[@]}"
}

measure_redis() {
	local words

	read -ra words <<<"${command[$1]}"
	by_requests "$1" redis_rate "$redis_port" -- "${words[@]}"
}

measure_beanstalkd() {
	$out/beanstalkd-client "$beanstalkd_port" 64 "$bench_seconds"
}

page() {
	cat <<-END
		# The line protocol

		Requests a second, by \`redis-benchmark -c 64\` on the same machine. $bench_runs runs of about $bench_seconds s each, in turn; medians with the
		least and the greatest. A request of leat is a job: it is admitted, handed to a thread of the pool, run, and answered in its turn;
		that each was done is looked up in the books after each run. redis-server, which has one thread and no hand-over, stores a value.

		![requests a second](resp.svg)

		| | requests/s |
		|---|---|
	END
	figure_rows
	echo
	bar '-P 16 over SET of redis-server' "$(over leat16 redis16)" '>=' 0.7
	bar '-P 1 over SET of redis-server' "$(over leat1 redis1)" '>=' 0.9
	cat <<-END

		$(machine 'gcc --version' "$out/redis-server --version" 'redis-benchmark --version' "$gearmand --version" "$beanstalkd -v")

		Again: \`scripts/bench resp\`, which runs \`build/leatd -o server.listen=127.0.0.1:0 -o 'job echo.queue=2000'\`,
		\`redis-server --save '' --appendonly no\`, and \`redis-benchmark -q -n REQUESTS\` with what the table says. The clients of
		[gearmand](../../tests/bench/peers/gearman/client.c) and [beanstalkd](../../tests/bench/peers/beanstalkd/client.c) are ours.
	END
}

start_all
measure_figures resp
plot_figures resp linear
finish_page resp
