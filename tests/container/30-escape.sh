#!/bin/bash
# when the answer arrives, nothing is left of a command that ignores SIGTERM, forks twice and makes sessions
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

clients=16
rounds=${LEAT_TEST_FULL:+63}
rounds=${rounds:-12}
start_leatd <<INI
[job escape]
exec = /usr/bin/escape tree
concurrency = $clients
predict = no
INI

client() {
	local socket answer id

	exec {socket}<>/dev/tcp/127.0.0.1/5328
	for ((round = 0; round < rounds; round++)); do
		id=$1-$round
		printf 'RUN escape x ID %s DEADLINE %d\r\n' "$id" $((50 + RANDOM % 450)) >&"$socket"
		IFS= read -r -t 30 -u "$socket" answer || die "$id: no answer"
		[[ $answer == -TIMEOUT* && $answer != *abandoned* ]] || die "$id: $answer"
		has_none "$id" || die "$id: its answer is there, and so are its processes $(processes_of "$id")"
	done
}

for ((i = 0; i < clients; i++)); do
	client "job$i" &
	pids+=("$!")
done
# They can be seen, while they are there.
some_run() {
	grep -qszxF LEAT_JOB=escape /proc/[0-9]*/environ
}
await some_run
for pid in "${pids[@]}"; do
	wait "$pid" || die 'a client was not content'
done
expect [ "$(stat_of escape timeout)" -eq $((clients * rounds)) ]
expect [ "$(stat_of escape abandoned)" -eq 0 ]
expect leaves_are_empty
expect [ "$(leaves | wc -l)" -le "$clients" ]
expect [ "$(cat "$(leatd_cgroup)/cgroup.procs")" = "$(show MainPID)" ]
