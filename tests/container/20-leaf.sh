#!/bin/bash
# a command and its children live in one leaf, which is killed in one stroke, with whoever else is in it
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

start_leatd <<'INI'
[job escape]
exec = /usr/bin/escape tree
[job true]
exec = /bin/true
INI
ask 'RUN escape x ID one DEADLINE 2000' >/tmp/one &
await has_processes one 3
leaf=$(cgroup_of "$(processes_of one | head -n 1)")
expect [ "${leaf%-*}" = "$(show ControlGroup)/jobs/escape" ]
for pid in $(processes_of one); do
	expect [ "$(cgroup_of "$pid")" = "$leaf" ]
done
# A stranger, whom nothing but cgroup.kill can find there.
sleep 1000 &
stranger=$!
echo "$stranger" >"/sys/fs/cgroup$leaf/cgroup.procs"
wait %1
expect grep -q '^-TIMEOUT .*state=running' /tmp/one
expect has_none one
expect is_dead "$stranger"
expect [ "$(cat "/sys/fs/cgroup$leaf/cgroup.procs")" = '' ]
status=0
wait "$stranger" || status=$?
expect [ "$status" -eq $((128 + 9)) ]
# The leaf serves the next one of its type.
ask 'RUN escape x ID two DEADLINE 1000' >/dev/null &
await has_processes two 3
expect [ "$(cgroup_of "$(processes_of two | head -n 1)")" = "$leaf" ]
wait
expect [ "$(leaves | wc -l)" -eq 1 ]
