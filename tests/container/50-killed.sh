#!/bin/bash
# a leatd that is killed is started again by systemd, and nothing of its jobs is left
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

start_leatd <<'INI'
[job escape]
exec = /usr/bin/escape tree
concurrency = 8
INI
first=$(show MainPID)
for i in 1 2 3 4 5 6 7 8; do
	ask "RUN escape x ID old-$i DEADLINE 1m" >"/tmp/old-$i" &
done
for i in 1 2 3 4 5 6 7 8; do
	await has_processes "old-$i" 3
done
began=$(date +%s%N)
systemctl kill --kill-whom=main --signal=KILL leatd
is_another() {
	[[ $(show ActiveState) == active && $(show MainPID) != "$first" && $(show MainPID) != 0 ]]
}
await is_another
printf 'back after %d ms\n' $((($(date +%s%N) - began) / 1000000))
for i in 1 2 3 4 5 6 7 8; do
	expect has_none "old-$i"
done
wait
expect [ "$(show NRestarts)" -eq 1 ]
expect leaves_are_empty
expect [ "$(leaves | wc -l)" -eq 0 ]
expect [ "$(cat "$(leatd_cgroup)/cgroup.procs")" = "$(show MainPID)" ]
# The new one has the better proof as well.
expect [ "$(leatd_log | grep -c 'proof of death: cgroup')" -eq 2 ]
expect [ "$(echo hello | leat run escape --deadline 200ms 2>&1 | grep -c TIMEOUT)" -eq 1 ]
