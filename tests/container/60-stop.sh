#!/bin/bash
# stopping under load is orderly: what runs is ended within drain_timeout, everybody is answered, and nothing is left
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

start_leatd <<'INI'
drain_timeout = 6s
[job escape]
exec = /usr/bin/escape tree
concurrency = 8
queue = 8
deadline = 1m
[job short]
exec = /bin/sleep 3
concurrency = 4
deadline = 1m
INI
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	ask "RUN escape x ID load-$i" >"/tmp/load-$i" &
done
is_full() {
	[[ $(stat_of escape running) == 8 && $(stat_of escape waiting) == 4 ]]
}
await is_full
for i in 1 2 3 4; do
	ask "RUN short x ID short-$i" >"/tmp/short-$i" &
done
for i in 1 2 3 4; do
	await has_processes "short-$i" 1
done
leatd=$(show MainPID)
systemctl stop leatd
expect [ ! -e "/proc/$leatd" ]
expect [ "$(show Result) $(show ExecMainStatus) $(show NRestarts)" = 'success 0 0' ]
wait
for i in 1 2 3 4; do
	expect grep -qx $'\\$0' "/tmp/short-$i"
done
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	expect grep -qE '^-[A-Z]+ ' "/tmp/load-$i"
	expect has_none "load-$i"
done
expect logged msg=stopped
expect [ ! -e "$unit_cgroup" ]
